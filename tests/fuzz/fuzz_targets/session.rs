//! Session strings of other programs.
#![no_main]

use onhook::telegram::Imported;

libfuzzer_sys::fuzz_target!(|text: &str| {
    drop(Imported::parse(text));
});

//! Keymaps.
#![no_main]

use onhook::config::keymap::Keymap;
use onhook::place::Source;

libfuzzer_sys::fuzz_target!(|text: &str| {
    drop(Keymap::merged(Source { file: "keymap.toml", text }));
});

//! Scenarios of the embedded server.
#![no_main]

use onhook_loopback::Scenario;

libfuzzer_sys::fuzz_target!(|text: &str| {
    drop(Scenario::parse("s.toml", text));
});

//! The decoder of updates.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    onhook::telegram::read_updates(bytes, 1);
});

//! Keymaps.
#![no_main]

use onhook::config::keymap::Keymap;
use onhook_toml_source::TomlSource;

libfuzzer_sys::fuzz_target!(|text: &str| {
    drop(Keymap::merged(TomlSource::new("keymap.toml", text)));
});

//! The configuration file.
#![no_main]

use onhook::config::paths::Paths;
use onhook::config::{Config, Overrides};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("config.toml"), bytes).expect("a file");
    let paths = Paths::find(|name| name.ends_with("_DIR").then(|| folder.path().into()));
    drop(Config::load(&paths, Overrides::default(), |_| None));
});

//! Commands of a build without the feature `voice`.

use std::fs;

use tempfile::TempDir;

use crate::common::program::onhook;

const OFF: &str = "calls in this terminal are off: built without voice";

#[test]
fn calls_are_refused_and_the_doctor_names_the_reason() {
    let folder = TempDir::new().expect("a folder");
    let settings = "[voice]\nsound = 'silent'\ndirect = 'never'\n";
    fs::write(folder.path().join("config.toml"), settings).expect("written");
    for args in [&["call", "@echo", "--yes"][..], &["answer", "--yes"]] {
        let output = onhook(folder.path(), args).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(OFF), "{output:?}");
    }
    let output = onhook(folder.path(), &["doctor"]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&output.stdout).contains(OFF), "{output:?}");
}

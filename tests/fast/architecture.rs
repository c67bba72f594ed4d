//! Rules of the code base that no compiler checks: imports between modules, and what tests may do.

use std::fs;
use std::path::{Path, PathBuf};

/// A part of the program, and what it must not use.
const FORBIDDEN: [(&str, &[&str]); 10] = [
    (
        "ledger",
        &[
            "crate::app",
            "crate::ui",
            "crate::telegram",
            "onhook_loopback",
            "crate::runtime",
            "crate::config",
            "ratatui",
            "crossterm",
            "grammers",
        ],
    ),
    ("sign_in", &["tokio", "ratatui", "crossterm", "grammers", "std::fs", "std::net"]),
    (
        "accounts",
        &[
            "crate::app",
            "crate::ui",
            "crate::telegram",
            "onhook_loopback",
            "crate::runtime",
            "crate::config",
            "tokio",
            "grammers",
            "crossterm",
        ],
    ),
    ("calls", &["crate::", "tokio", "ratatui", "crossterm", "grammers", "std::fs", "std::net"]),
    ("text", &["crate::", "tokio", "ratatui", "crossterm", "grammers", "std::fs", "std::net"]),
    (
        "app",
        &[
            "crate::ui",
            "crate::telegram",
            "onhook_loopback",
            "crate::runtime",
            "crate::config",
            "crate::headless",
            "tokio",
            "ratatui",
            "crossterm",
            "grammers",
            "std::fs",
            "Timestamp::now",
        ],
    ),
    (
        "config",
        &["crate::ui", "crate::telegram", "onhook_loopback", "crate::runtime", "tokio", "grammers"],
    ),
    (
        "ui",
        &[
            "crate::telegram",
            "onhook_loopback",
            "crate::runtime",
            "crate::headless",
            "tokio",
            "grammers",
            "crossterm",
            "std::fs",
            "Timestamp::now",
        ],
    ),
    (
        "telegram",
        &[
            "crate::app",
            "crate::ui",
            "onhook_loopback",
            "crate::runtime",
            "crate::config",
            "crate::headless",
            "ratatui",
            "crossterm",
        ],
    ),
    (
        "headless",
        &[
            "crate::ui",
            "crate::telegram",
            "onhook_loopback",
            "crate::runtime",
            "tokio",
            "ratatui",
            "crossterm",
            "grammers",
        ],
    ),
];

/// What `call` and `text` may use of ours: each other.
const ALLOWED: [&str; 2] = ["crate::text", "crate::calls"];

fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("an entry of it").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs" || it == "toml" || it == "md") {
                let text = fs::read_to_string(&path).expect("a text");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// The part of the program that a file of `src` belongs to.
fn part(path: &Path) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let inside = path.strip_prefix(src).expect("a file of src");
    let first = inside.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.lines().position(|line| line.starts_with("#[cfg(test)]"));
    text.lines().take(tests.unwrap_or(usize::MAX)).enumerate().map(|(at, line)| (at + 1, line))
}

#[test]
fn nobody_imports_what_is_not_theirs() {
    let mut seen = 0;
    for (path, text) in files("src") {
        let part = part(&path);
        let Some((_, forbidden)) = FORBIDDEN.iter().find(|(name, _)| *name == part) else {
            continue;
        };
        seen += 1;
        if path.ends_with("tests.rs") {
            continue;
        }
        for (number, line) in code(&text).filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for name in forbidden.iter().filter(|name| line.contains(**name)) {
                let theirs =
                    *name == "crate::" && ALLOWED.iter().any(|allowed| line.contains(allowed));
                assert!(theirs, "{}:{number}: {part} uses {name}", path.display());
            }
        }
    }
    assert!(seen > 40, "the parts are found: {seen}");
}

#[test]
fn every_module_says_what_it_is_for() {
    for (path, text) in files("src") {
        let is_code = path.extension().is_some_and(|it| it == "rs");
        assert!(!is_code || text.starts_with("//!"), "{}", path.display());
    }
}

#[test]
fn every_promise_names_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let from = readme.find("## What onhook promises").expect("the section");
    let table = readme[from..].lines().take_while(|line| !line.starts_with("## Speed"));
    let code: String =
        files("src").into_iter().chain(files("tests")).map(|(_, text)| text).collect();
    let mut named = 0;
    for row in table.filter(|line| line.starts_with("| ")) {
        for name in row.split('`').skip(1).step_by(2) {
            let is_path = name.contains('/');
            let there = if is_path {
                root.join(name).exists()
            } else {
                code.contains(&format!("fn {name}("))
            };
            assert!(there, "the README promises {name}");
            named += 1;
        }
    }
    assert!(named > 20, "the table is read: {named}");
}

#[test]
fn tests_wait_for_conditions_and_never_sleep() {
    let sleeping = ["thread::", "sleep"].concat();
    let also = ["time::", "sleep("].concat();
    for (path, text) in files("tests") {
        let sleeps = text.lines().any(|line| line.contains(&sleeping) || line.contains(&also));
        assert!(!sleeps, "{} sleeps", path.display());
    }
}

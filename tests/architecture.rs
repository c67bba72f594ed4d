//! Rules of the code base that no compiler checks: imports between modules, and what tests may do.

use std::collections::{BTreeMap, BTreeSet};
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

/// Folders of `src` whose files may still import each other in a circle.
///
/// The impl blocks of `app::State` are spread over the files of `app`, which call each other.
const CIRCLES_ALLOWED: [&str; 1] = ["app"];

/// The module path of a file of `src`, such as `["telegram", "sign_in", "qr"]`.
fn module_path(path: &Path) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let inside = path.strip_prefix(src).expect("a file of src").with_extension("");
    inside.iter().map(|part| part.to_string_lossy().into_owned()).collect()
}

/// The `use` declarations of a file outside its tests, each in one line.
fn use_declarations(text: &str) -> Vec<String> {
    let mut declarations = Vec::new();
    let mut open = String::new();
    for (_, line) in code(text) {
        let line = line.trim();
        if !open.is_empty() || line.starts_with("use ") || line.starts_with("pub use ") {
            open.push_str(line);
            if line.ends_with(';') {
                declarations.push(std::mem::take(&mut open));
            }
        }
    }
    declarations
}

/// The absolute module paths that a `use` declaration of the module `from` names, as far as they
/// are of this crate. Of a group, each member counts with its first name.
fn imported(declaration: &str, from: &[String]) -> Vec<Vec<String>> {
    let tree = declaration.trim_start_matches("pub ").trim_start_matches("use ");
    let (head, group) = match tree.split_once('{') {
        Some((head, group)) => (head, group.split(',').collect()),
        None => ("", vec![tree]),
    };
    let mut paths = Vec::new();
    for member in group {
        let whole = format!("{head}{member}");
        let mut names = whole.split("::").map(|name| name.trim_matches([' ', ';', '}', '{']));
        let mut path = match names.next() {
            Some("crate") => Vec::new(),
            Some("super") => from[..from.len() - 1].to_vec(),
            _ => continue,
        };
        for name in names {
            if name == "super" {
                path.pop();
            } else {
                path.push(name.split(' ').next().unwrap_or_default().to_owned());
            }
        }
        paths.push(path);
    }
    paths
}

/// The absolute module paths that a file of this crate names: in its imports, and in its code.
fn named_paths(text: &str, from: &[String]) -> Vec<Vec<String>> {
    let mut paths: Vec<_> =
        use_declarations(text).iter().flat_map(|it| imported(it, from)).collect();
    for (_, line) in code(text).filter(|(_, line)| !line.trim_start().starts_with("//")) {
        let words = line.split(|char: char| !(char.is_alphanumeric() || "_:".contains(char)));
        let inline = words.filter(|it| it.starts_with("crate::") || it.starts_with("super::"));
        paths.extend(inline.flat_map(|it| imported(it, from)));
    }
    paths
}

/// The first circle that can be reached from a node, if there is one.
fn circle<'a>(
    node: &'a str,
    edges: &'a BTreeMap<String, BTreeSet<String>>,
    trail: &mut Vec<&'a str>,
) -> Option<Vec<&'a str>> {
    if let Some(start) = trail.iter().position(|passed| *passed == node) {
        return Some([&trail[start..], &[node]].concat());
    }
    trail.push(node);
    for next in edges.get(node).into_iter().flatten() {
        if let Some(found) = circle(next, edges, trail) {
            return Some(found);
        }
    }
    trail.pop();
    None
}

#[test]
fn files_of_one_folder_import_each_other_without_circles() {
    // For each folder, which of its files (with what is below them) import which others of it.
    let mut folders: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    let sources = files("src");
    let sources = sources.iter().filter(|(path, _)| {
        let member = ["loopback", "toml_source"].contains(&part(path).as_str());
        path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") && !member
    });
    for (path, text) in sources {
        let from = module_path(path);
        let to = named_paths(text, &from);
        for (depth, own) in from.iter().enumerate() {
            let siblings = to.iter().filter(|path| path.len() > depth);
            let siblings = siblings.filter(|path| path[..depth] == from[..depth]);
            let others = siblings.map(|path| path[depth].clone()).filter(|other| other != own);
            let files = folders.entry(from[..depth].join("/")).or_default();
            files.entry(own.clone()).or_default().extend(others);
        }
    }
    assert!(folders["telegram"]["connection"].contains("session"), "imports are found");
    let mut circles = Vec::new();
    for (folder, edges) in &folders {
        if CIRCLES_ALLOWED.contains(&folder.as_str()) {
            continue;
        }
        let found = edges.keys().find_map(|file| circle(file, edges, &mut Vec::new()));
        circles.extend(found.map(|it| format!("src/{folder}: {}", it.join(" -> "))));
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

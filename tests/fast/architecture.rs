//! Rules of the code base that no compiler checks: imports between modules, and what tests may do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::requests::{HARMLESS, HARMLESS_OF_DOCTOR};

/// A top-level module of `src`: the modules of this crate that it may use, and crates and names
/// that it must not.
struct ImportRule {
    module: &'static str,
    may: &'static [&'static str],
    never: &'static [&'static str],
}

/// What only some modules do: waiting, drawing, Telegram, files, and reading the clock.
const IO: &[&str] =
    &["tokio", "ratatui", "crossterm", "grammers", "zbus", "std::fs", "std::net", "Timestamp::now"];

/// Who may use what. `runtime` and `cli` join everything and may use all modules.
///
/// The reasons are in `CONTRIBUTING.md`.
const IMPORTS: [ImportRule; 18] = [
    ImportRule { module: "text", may: &[], never: IO },
    ImportRule { module: "calls", may: &["text"], never: IO },
    ImportRule { module: "words", may: &["calls", "control", "rules", "text"], never: IO },
    ImportRule { module: "rules", may: &["calls", "text"], never: IO },
    ImportRule { module: "sign_in", may: &["calls", "text", "words"], never: IO },
    ImportRule {
        module: "app",
        may: &["calls", "control", "rules", "sign_in", "text", "words"],
        never: IO,
    },
    ImportRule {
        module: "control",
        may: &["calls", "text"],
        never: &["ratatui", "crossterm", "grammers", "Timestamp::now"],
    },
    ImportRule {
        module: "config",
        may: &["accounts", "app", "calls", "phone", "qr", "rules", "sign_in", "text", "words"],
        never: &["tokio", "grammers"],
    },
    ImportRule {
        module: "ui",
        may: &["app", "calls", "config", "qr", "rules", "sign_in", "text", "words"],
        never: &["tokio", "grammers", "crossterm", "std::fs", "Timestamp::now"],
    },
    ImportRule {
        module: "plain",
        may: &["app", "calls", "config", "text", "words"],
        never: &["tokio", "grammers", "crossterm", "ratatui", "std::fs", "Timestamp::now"],
    },
    ImportRule {
        module: "accounts",
        may: &["sign_in", "text"],
        never: &["tokio", "grammers", "crossterm", "ratatui"],
    },
    ImportRule {
        module: "telegram",
        may: &["accounts", "calls", "clock", "sign_in", "text", "words"],
        never: &["ratatui", "crossterm"],
    },
    ImportRule {
        module: "ledger",
        may: &["calls", "text"],
        never: &["ratatui", "crossterm", "grammers"],
    },
    ImportRule {
        module: "records",
        may: &["app", "calls", "text"],
        never: &["tokio", "ratatui", "crossterm", "grammers"],
    },
    ImportRule {
        module: "notify",
        may: &["app", "calls", "config", "records", "rules", "text", "words"],
        never: &["ratatui", "crossterm", "grammers", "std::fs"],
    },
    ImportRule { module: "clock", may: &[], never: &["ratatui", "crossterm", "grammers"] },
    ImportRule { module: "qr", may: &[], never: IO },
    ImportRule { module: "logging", may: &[], never: &["ratatui", "crossterm", "grammers"] },
];

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
fn modules_use_only_what_they_may() {
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for (path, text) in files("src") {
        let module = part(&path);
        let rule = IMPORTS.iter().find(|rule| rule.module == module);
        let Some(ImportRule { may, never, .. }) = rule else { continue };
        if path.ends_with("tests.rs") || path.components().any(|it| it.as_os_str() == "tests") {
            continue;
        }
        seen.insert(module.clone());
        for used in named_paths(&text, &module_path(&path)) {
            let Some(other) = used.first().filter(|other| !other.is_empty()) else { continue };
            if *other != module && !may.contains(&other.as_str()) {
                wrong.push(format!("{}: {module} uses {other}", path.display()));
            }
        }
        for (number, line) in code(&text).filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for name in never.iter().chain(&["onhook_loopback"]).filter(|it| line.contains(**it)) {
                wrong.push(format!("{}:{number}: {module} uses {name}", path.display()));
            }
        }
    }
    assert_eq!(seen.len(), IMPORTS.len(), "every module of the table is found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// One word means one thing: no two types of `src` have the same name. `without_voice` has what a build
/// without that feature uses in place of types of the same names.
#[test]
fn type_names_are_unique() {
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in files("src") {
        let is_code = path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs");
        if !is_code || path.iter().any(|it| it.to_string_lossy().starts_with("without_voice")) {
            continue;
        }
        for (_, line) in code(&text) {
            let mut words = line.split_whitespace().skip_while(|it| it.starts_with("pub"));
            let keyword = words.next().unwrap_or_default();
            let Some(name) = words.next() else { continue };
            // An associated type of a trait has the name that the trait gives it.
            let associated = line.trim_start() != line && keyword == "type";
            if ["struct", "enum", "trait", "type"].contains(&keyword) && !associated {
                let name = name.split(|char: char| !char.is_alphanumeric()).next();
                let places = defined.entry(name.unwrap_or_default().to_owned()).or_default();
                places.push(path.display().to_string());
            }
        }
    }
    defined.retain(|_, places| places.len() > 1);
    assert!(defined.is_empty(), "{defined:#?}");
}

#[test]
fn every_module_says_what_it_is_for() {
    for (path, text) in files("src") {
        let is_code = path.extension().is_some_and(|it| it == "rs");
        assert!(!is_code || text.starts_with("//!"), "{}", path.display());
    }
}

#[test]
fn every_promise_names_an_existing_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("tests/README.md")).expect("the tests' README");
    let from = readme.find("## What onhook promises").expect("the section");
    let table = readme[from..].lines();
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
            assert!(there, "tests/README.md names {name}");
            named += 1;
        }
    }
    assert!(named > 20, "the table is read: {named}");
    let words = readme.split('`').skip(1).step_by(2);
    for name in words.filter(|word| word.matches('_').count() > 3 && !word.contains([' ', '/'])) {
        assert!(code.contains(&format!("fn {name}(")), "tests/README.md names {name}");
    }
}

/// The only file that pauses a thread: `wait_until` polls there.
const PAUSES: &str = "tests/common/wait.rs";

#[test]
fn tests_wait_for_conditions_and_never_sleep() {
    let sleeping = ["thread::", "sleep"].concat();
    let also = ["time::", "sleep("].concat();
    for (path, text) in files("tests") {
        let sleeps = text.lines().any(|line| line.contains(&sleeping) || line.contains(&also));
        assert!(!sleeps || path.ends_with(PAUSES), "{} sleeps", path.display());
    }
}

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
        let found = edges.keys().find_map(|file| circle(file, edges, &mut Vec::new()));
        circles.extend(found.map(|it| format!("src/{folder}: {}", it.join(" -> "))));
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

/// What the body or the condition of a loop contains when the loop asks again and again instead of
/// blocking until it is notified.
const POLLS: [&str; 16] = [
    "yield_now",
    "spin_loop",
    "park_timeout",
    "advance(",
    "try_recv",
    "try_wait",
    "try_lock",
    "try_next_event",
    "block_on",
    ".status()",
    ".output()",
    ".exists()",
    ".is_file()",
    "fs::read",
    ".requests()",
    ".count(\"",
];

/// Loops that another change is going to replace, each as the file and the start of its line.
const POLLS_UNTIL_REPLACED: [(&str, &str); 2] =
    [("tests/loopback.rs", "while server."), ("tests/loopback/chaos.rs", "while server.")];

/// A loop, as far as the indentation shows it.
#[derive(Debug, PartialEq)]
struct Loop {
    line: usize,
    /// Its condition and body.
    text: String,
    /// The lines behind it, where the `timeout` of an asynchronous block may stand.
    behind: String,
}

fn loops(text: &str) -> Vec<Loop> {
    let lines: Vec<_> = text.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| {
        let start = line.trim_start();
        // A `while let` ends when its queue is empty.
        let condition = start.starts_with("while ") && !start.starts_with("while let ");
        condition || start.starts_with("loop {") || start.contains(": loop {")
    });
    let whole = starts.map(|(at, line)| {
        let indent = &line[..line.len() - line.trim_start().len()];
        // The loop ends at the brace that stands below its first word, or on its own line.
        let end = format!("{indent}}}");
        let rest = lines[at..].iter();
        let length = rest.take_while(|line| !line.starts_with(&end)).count();
        let length = if line.ends_with('}') { 1 } else { length };
        let end = at + length;
        let behind = lines[end..].iter().take(3).copied().collect();
        Loop { line: at + 1, text: lines[at..end].join("\n"), behind }
    });
    whole.collect()
}

/// A loop that polls has a deadline; how it is written cannot be seen, but a `Deadline` or a
/// `timeout` is named in it. Benchmarks are not tests.
#[test]
fn loops_that_poll_have_a_deadline() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for (path, text) in files("tests") {
        let path = path.strip_prefix(root).expect("a file of the project");
        if path.starts_with("tests/bench") || path.ends_with("architecture.rs") {
            continue;
        }
        for Loop { line, text, behind } in loops(&text) {
            seen += 1;
            let polls = POLLS.iter().any(|it| text.contains(it)) || text.trim_end().ends_with("{}");
            let limited = ["deadline", "timeout("].iter().any(|it| text.contains(it));
            let limited = limited || behind.contains("timeout(");
            let known = POLLS_UNTIL_REPLACED.iter().any(|(file, start)| {
                path == Path::new(file) && text.trim_start().starts_with(start)
            });
            assert!(
                !polls || limited || known,
                "{}:{line} polls without a deadline; use wait_until:\n{text}",
                path.display()
            );
        }
    }
    assert!(seen > 10, "the loops are found: {seen}");
}

#[test]
fn a_loop_that_polls_is_recognised() {
    let text = "fn f() {\n    while a.count(\"b\") == 0 {\n        c();\n    }\n    loop {\n        d();\n    }\n}\n";
    let found = loops(text);
    assert_eq!(found.len(), 2);
    assert!(found[0].text.contains("c();") && !found[0].text.contains("loop"), "{found:?}");
    assert_eq!((found[1].line, found[1].text.as_str()), (5, "    loop {\n        d();"));
}

/// The README's sentence about the requests that change nothing lists what the tests allow.
#[test]
fn the_readme_lists_the_requests_that_change_nothing() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    let readme = readme.expect("the README");
    let sentence = readme.split_once("questions that change nothing (").expect("the sentence").1;
    let sentence = sentence.split_once(')').expect("its end").0;
    let mut listed: Vec<_> = sentence.split('`').skip(1).step_by(2).collect();
    let mut allowed = [&HARMLESS[..], &HARMLESS_OF_DOCTOR].concat();
    listed.sort_unstable();
    allowed.sort_unstable();
    assert_eq!(listed, allowed);
}

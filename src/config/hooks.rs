//! Hooks: the programs that the user wants to run when something happens to a call.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use strum::IntoEnumIterator;
use toml::Spanned;

use crate::app::hook_event::HookEvent;
use onhook_toml_source::{TomlError, TomlSource};

/// A program that runs when one of some events happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// What it waits for; not empty.
    pub events: Vec<HookEvent>,
    /// The program: a path, or a name that is looked up in `PATH`. `~/` stands for the home folder.
    pub program: String,
    pub arguments: Vec<String>,
}

/// Why a program cannot be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    #[error("there is no such file")]
    NoFile,
    #[error("it is not in PATH")]
    NotInPath,
    #[error("it is not executable")]
    NotExecutable,
}

impl Hook {
    /// Checks that the program can be run, with the home folder and the search path of hooks.
    ///
    /// # Errors
    /// There is no such file, or it is not executable.
    pub fn check_program(
        &self,
        home: Option<&OsStr>,
        search_path: Option<&OsStr>,
    ) -> Result<(), ProgramError> {
        check_program(&self.program, home, search_path)
    }
}

/// A program with the home folder for `~/`.
pub fn path(program: &str, home: Option<&OsStr>) -> PathBuf {
    match (program.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => PathBuf::from(program),
    }
}

/// Checks that a program of a hook or a rule can be run.
///
/// # Errors
/// There is no such file, or it is not executable.
pub fn check_program(
    program: &str,
    home: Option<&OsStr>,
    search_path: Option<&OsStr>,
) -> Result<(), ProgramError> {
    let file = path(program, home);
    if program.contains('/') {
        return match fs::metadata(&file) {
            Ok(file) if is_executable(&file) => Ok(()),
            Ok(_) => Err(ProgramError::NotExecutable),
            Err(_) => Err(ProgramError::NoFile),
        };
    }
    let folders = search_path.map(std::env::split_paths).into_iter().flatten();
    let found: Vec<_> =
        folders.filter_map(|folder| fs::metadata(folder.join(&file)).ok()).collect();
    if found.iter().any(is_executable) {
        Ok(())
    } else if found.iter().any(Metadata::is_file) {
        Err(ProgramError::NotExecutable)
    } else {
        Err(ProgramError::NotInPath)
    }
}

fn is_executable(file: &Metadata) -> bool {
    file.is_file() && file.mode() & 0o111 != 0
}

/// A `[[hook]]` of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HookEntry {
    on: Spanned<Vec<Spanned<String>>>,
    run: Spanned<Vec<String>>,
}

impl HookEntry {
    pub(super) fn check(&self, source: TomlSource) -> Result<Hook, TomlError> {
        let known: Vec<_> = HookEvent::iter().map(|event| event.code().to_owned()).collect();
        let known = known.join(", ");
        let on = self.on.get_ref();
        if on.is_empty() {
            let message = format!("needs at least one of {known}");
            return Err(source.error(self.on.span().start, "on", &message));
        }
        let event = |code: &Spanned<String>| {
            let wrong = |_| {
                let message = format!("'{}' is not one of {known}", code.get_ref());
                source.error(code.span().start, "on", &message)
            };
            code.get_ref().parse().map_err(wrong)
        };
        match self.run.get_ref().split_first() {
            Some((program, arguments)) if !program.is_empty() => Ok(Hook {
                events: on.iter().map(event).collect::<Result<_, _>>()?,
                program: program.clone(),
                arguments: arguments.to_vec(),
            }),
            _ => {
                let message = "needs a program: run = [\"program\", \"argument\"]";
                Err(source.error(self.run.span().start, "run", message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_program_is_found_as_the_system_finds_it() {
        let folder = TempDir::new().expect("a folder");
        for (name, mode) in [("tool", 0o755), ("note", 0o644)] {
            let path = folder.path().join(name);
            fs::write(&path, "").expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
        }
        let inside = |name: &str| folder.path().join(name).display().to_string();
        let home = Some(folder.path().as_os_str());
        let cases = [
            ("tool".to_owned(), Ok(())),
            ("note".to_owned(), Err(ProgramError::NotExecutable)),
            ("none".to_owned(), Err(ProgramError::NotInPath)),
            ("~/tool".to_owned(), Ok(())),
            ("~/none".to_owned(), Err(ProgramError::NoFile)),
            (inside("tool"), Ok(())),
            (inside("note"), Err(ProgramError::NotExecutable)),
            (inside("none"), Err(ProgramError::NoFile)),
            (inside(""), Err(ProgramError::NotExecutable)),
        ];
        for (program, wanted) in cases {
            let hook = Hook { events: Vec::new(), program, arguments: Vec::new() };
            assert_eq!(hook.check_program(home, home), wanted, "{}", hook.program);
        }
        let hook = Hook { events: Vec::new(), program: "tool".into(), arguments: Vec::new() };
        assert_eq!(hook.check_program(home, None), Err(ProgramError::NotInPath));
    }
}

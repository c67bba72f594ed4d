//! Hooks: the programs that the user wants to run when something happens to a call.

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

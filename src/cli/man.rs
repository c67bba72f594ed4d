//! `onhook man`: a manual page for the program and for each command.

use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow};
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::exit::{CommandResult, Stop, failed, usage};
use super::print;
use crate::app::action::Layer;
use crate::config;
use crate::config::keymap::Keymap;

const FILES: [(&str, &str); 6] = [
    ("~/.config/onhook/config.toml", "the settings; onhook config print prints the defaults"),
    ("~/.config/onhook/keymap.toml", "the keys; onhook config keymap prints the defaults"),
    ("~/.config/onhook/rules.toml", "the rules; onhook rules print prints an example"),
    ("~/.config/onhook/themes/", "the themes of your own"),
    ("~/.local/share/onhook/", "the accounts, and ledger.db with every call"),
    ("~/.local/state/onhook/onhook.log", "the log, if ONHOOK_LOG is set"),
];

/// The variables that are no settings.
const VARIABLES: [(&str, &str); 5] = [
    ("ONHOOK_LOG", "turns the log on: error, warn, info, debug or trace"),
    ("ONHOOK_CONFIG_DIR, ONHOOK_DATA_DIR, ONHOOK_STATE_DIR", "the folders of the files above"),
    ("NO_COLOR", "turns colours off"),
    ("COLORFGBG", "whether the terminal is dark or light, for the theme auto"),
    ("TMUX", "copies to the clipboard through tmux"),
];

const EXIT_CODES: [(&str, &str); 4] = [
    ("0", "fine"),
    ("1", "failed; of onhook doctor: a check fails, or no call can reach an account"),
    ("2", "wrong usage, configuration or terminal"),
    ("3", "no account is signed in"),
];

/// Prints the page of a command, or of the program.
pub(super) fn page(mut program: Command, words: &[String]) -> CommandResult {
    program.build();
    let mut command = &program;
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| {
            usage(anyhow!("no command '{}'; see `onhook --help`", words.join(" ")))
        })?;
    }
    let page = render(command)?;
    print::text(&String::from_utf8_lossy(&page)).map_err(failed)
}

/// Writes the pages of the program and of each command into a folder.
pub(super) fn pages(mut program: Command, folder: &Path) -> CommandResult {
    program.build();
    let mut commands = vec![&program];
    while let Some(command) = commands.pop() {
        let path = folder.join(Man::new(command.clone()).get_filename());
        let written = fs::write(&path, render(command)?);
        written.with_context(|| path.display().to_string()).map_err(failed)?;
        let shown = command.get_subcommands().filter(|it| !it.is_hide_set());
        commands.extend(shown.filter(|it| it.get_name() != "help"));
    }
    Ok(())
}

fn render(command: &Command) -> Result<Vec<u8>, Stop> {
    let is_program = command.get_name() == "onhook";
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).map_err(failed)?;
    let mut roff = Roff::default();
    if is_program || command.get_name() == "demo" {
        let keymap = Keymap::default();
        for layer in [Layer::Board, Layer::Picker] {
            let rows = keymap.actions(layer).map(|(action, keys)| {
                let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
                (keys.join(", "), action.describe_in(layer).to_owned())
            });
            section(&mut roff, &format!("KEYS {}", layer.title().to_uppercase()), rows);
        }
    }
    let owned = |rows: &[(&str, &str)]| -> Vec<(String, String)> {
        rows.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    section(&mut roff, "FILES", owned(&FILES).into_iter());
    let names: Vec<_> = config::variables().collect();
    let settings = (names.join(", "), "the settings of these names".to_owned());
    let variables = std::iter::once(settings).chain(owned(&VARIABLES));
    section(&mut roff, "ENVIRONMENT", variables);
    section(&mut roff, "EXIT STATUS", owned(&EXIT_CODES).into_iter());
    roff.to_writer(&mut page).map_err(failed)?;
    Ok(page)
}

/// Adds a section of terms and their texts.
fn section(roff: &mut Roff, title: &str, rows: impl Iterator<Item = (String, String)>) {
    roff.control("SH", [title]);
    for (term, text) in rows {
        roff.control("TP", []);
        roff.text([bold(term)]);
        roff.text([roman(text)]);
    }
}

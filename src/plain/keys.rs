//! The sentences about keys: the picker, questions, the list of keys, and keys that change nothing.

use crate::app::State;
use crate::app::action::{Action, Layer};
use crate::app::dialog::{Choice, Confirmation, Dialog, Picker};
use crate::app::reply;
use crate::config::keymap::Keymap;
use crate::words;
use crate::words::plain;

/// The picker: its title, its choices with their keys, and what the other keys do.
pub(super) fn picker(keymap: &Keymap, state: &State, picker: &Picker) -> Option<String> {
    let first = state.calls.get(*picker.calls.first()?)?;
    let title = match picker.calls.len() {
        1 => words::call::picker_title(first.verb(), &state.shown_name(&first.peer)),
        several => plain::picker_for_several(several),
    };
    let key = |action| keymap.hint(Layer::Picker, action);
    let choices: Vec<_> = picker
        .choices()
        .into_iter()
        .filter_map(|choice| Some(plain::key(&key(action(choice))?, &label(choice).to_lowercase())))
        .collect();
    let sends = plain::sends(label(picker.cursor));
    let mut others = vec![(Action::Accept, sends.as_str())];
    if picker.calls.len() == 1 && reply::takes_text(first) {
        others.push((Action::DeclineWithText, words::reply::KEY));
    }
    others.push((Action::Back, plain::GOES_BACK));
    let others =
        others.into_iter().filter_map(|(action, what)| Some(plain::key(&key(action)?, what)));
    Some(plain::picker(&title, &choices, &others.collect::<Vec<_>>()))
}

/// The choice at the picker's cursor, with what both sides will see.
pub(super) fn cursor(state: &State, picker: &Picker) -> Option<String> {
    let first = state.calls.get(*picker.calls.first()?)?;
    Some(match picker.cursor {
        Choice::Default => plain::choice(label(picker.cursor), words::reason::DEFAULT_REASON.1),
        Choice::Reason(reason) if picker.calls.len() > 1 => words::reason::for_all(reason),
        Choice::Reason(reason) => {
            let preview = words::reason::preview(reason, first.phase);
            plain::choice(label(picker.cursor), preview.text)
        }
    })
}

fn label(choice: Choice) -> &'static str {
    match choice {
        Choice::Default => words::reason::DEFAULT_REASON.0,
        Choice::Reason(reason) => words::reason::label(reason),
    }
}

fn action(choice: Choice) -> Action {
    match choice {
        Choice::Default => Action::DefaultReason,
        Choice::Reason(reason) => Action::sending(reason),
    }
}

/// A question with the keys for its answers.
pub(super) fn question(keymap: &Keymap, question: &Confirmation) -> String {
    let keys = question.answers.iter().filter_map(|(action, what)| {
        keymap.hint(question.layer, *action).map(|key| plain::key(&key, what))
    });
    plain::question(question.title, &question.text, &keys.collect::<Vec<_>>())
}

/// The keys of a layer, one sentence for each action that has a key.
pub(super) fn help(keymap: &Keymap, layer: Layer) -> Vec<String> {
    let bound = keymap.actions(layer).filter(|(_, keys)| !keys.is_empty());
    let lines = bound.map(|(action, keys)| {
        let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
        plain::keys(&keys.join(", "), action.describe())
    });
    std::iter::once(format!("{}:", layer.title())).chain(lines).collect()
}

/// The action that completion has put into the command line.
pub(super) fn completed(keymap: &Keymap, state: &State) -> Option<String> {
    let Some(Dialog::CommandLine(line)) = &state.dialog else { return None };
    let action = line.action()?;
    let key = keymap.hint(line.layer(), action);
    Some(plain::command(action.as_ref(), key.as_deref(), action.describe()))
}

/// Whether what was entered in the command line is the name of no action.
pub(super) fn is_unknown_command(state: &State) -> bool {
    matches!(&state.dialog, Some(Dialog::CommandLine(line)) if line.is_unknown)
}

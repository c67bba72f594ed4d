//! The command line: every action of the screen below it by its name, with completion.

use std::str::FromStr;

use tui_input::{Input, InputRequest};

use super::action::{Action, Layer};
use crate::text;

/// The command line over a screen.
#[derive(Debug, Clone)]
pub struct CommandLine {
    pub input: Input,
    /// The screen whose actions it runs.
    layer: Layer,
    /// What was typed, without what completion has added.
    typed: String,
    /// The candidate that completion has put into the line.
    chosen: Option<usize>,
    /// Whether what is in the line was entered, and is the name of no action.
    pub is_unknown: bool,
}

impl CommandLine {
    pub(super) fn new(layer: Layer) -> Self {
        let (input, typed) = (Input::default(), String::new());
        Self { input, layer, typed, chosen: None, is_unknown: false }
    }

    /// The layer whose actions it runs.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// The actions whose names begin with what was typed; without any, those that contain it.
    pub fn candidates(&self) -> Vec<Action> {
        let typed = self.typed.trim();
        let of = |fits: fn(&str, &str) -> bool| {
            let actions = self.layer.actions().filter(|action| *action != Action::CommandLine);
            actions.filter(|action| fits(action.as_ref(), typed)).collect::<Vec<_>>()
        };
        let beginning = of(|name, typed| name.starts_with(typed));
        if beginning.is_empty() { of(|name, typed| name.contains(typed)) } else { beginning }
    }

    /// The position of the candidate that is in the line.
    pub fn chosen(&self) -> Option<usize> {
        self.chosen
    }

    /// The action in the line, if what is there is its whole name.
    pub fn action(&self) -> Option<Action> {
        let action = Action::from_str(self.input.value().trim()).ok()?;
        Some(action).filter(|action| action.belongs_to(self.layer))
    }

    /// Puts the next (`1`) or previous (`-1`) candidate into the line.
    pub(super) fn complete(&mut self, step: isize) {
        let candidates = self.candidates();
        let count = candidates.len() as isize;
        if count == 0 {
            return;
        }
        let at = match (self.chosen, step) {
            (Some(at), step) => (at as isize + step).rem_euclid(count),
            (None, 1) => 0,
            (None, _) => count - 1,
        };
        self.chosen = Some(at as usize);
        self.input = Input::new(candidates[at as usize].as_ref().to_owned());
        self.is_unknown = false;
    }

    pub(super) fn edit(&mut self, request: InputRequest) {
        self.input.handle(request);
        self.typed = text::clean(self.input.value());
        self.chosen = None;
        self.is_unknown = false;
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::app::account::AccountState;
    use crate::app::dialog::Dialog;
    use crate::app::effect::{Effect, ProgramEffect};
    use crate::app::msg::Msg;
    use crate::app::{State, update};
    use crate::calls::Party;

    fn board() -> State {
        State::new(vec![AccountState::new("ada".to_owned(), Party::default())])
    }

    fn press(state: &mut State, action: Action) -> Vec<Effect> {
        let now = Timestamp::from_second(1_800_000_000).expect("in range");
        update(state, Msg::Action(action), now)
    }

    fn command(state: &mut State, text: &str) -> Vec<Effect> {
        press(state, Action::CommandLine);
        update(state, Msg::Paste(text.to_owned()), Timestamp::UNIX_EPOCH);
        press(state, Action::Accept)
    }

    fn line(state: &State) -> CommandLine {
        match &state.dialog {
            Some(Dialog::CommandLine(line)) => line.clone(),
            other => panic!("no command line: {other:?}"),
        }
    }

    #[test]
    fn a_command_does_what_its_key_does() {
        let mut state = board();
        assert_eq!(command(&mut state, " quit "), [Effect::Program(ProgramEffect::Quit)]);
        command(&mut state, "freeze");
        assert!(state.frozen.is_some() && state.dialog.is_none());
        command(&mut state, "filter");
        assert!(matches!(state.dialog, Some(Dialog::Filter { .. })));
    }

    #[test]
    fn an_unknown_name_stays_in_the_line_and_does_nothing() {
        let mut state = board();
        for name in ["hang", "reason-busy", "quit now", "../"] {
            assert_eq!(command(&mut state, name), [], "{name}");
            assert!(line(&state).is_unknown, "{name}");
            update(&mut state, Msg::Edit(InputRequest::DeletePrevChar), Timestamp::UNIX_EPOCH);
            assert!(!line(&state).is_unknown, "{name}");
            press(&mut state, Action::Back);
            assert!(state.dialog.is_none());
        }
        assert_eq!(command(&mut state, ""), []);
        assert!(state.dialog.is_none(), "an empty line is closed");
    }

    #[test]
    fn completion_goes_through_the_names_that_begin_with_what_was_typed() {
        let mut state = board();
        press(&mut state, Action::CommandLine);
        assert_eq!(line(&state).candidates().len() + 1, Layer::Board.actions().count());
        update(&mut state, Msg::Paste("hang".to_owned()), Timestamp::UNIX_EPOCH);
        let mut seen = Vec::new();
        for action in [Action::Complete, Action::Complete, Action::Complete, Action::CompleteBack] {
            press(&mut state, action);
            seen.push(line(&state).input.value().to_owned());
        }
        assert_eq!(seen, ["hang-up", "hang-up-now", "hang-up", "hang-up-now"]);
        update(&mut state, Msg::Edit(InputRequest::DeleteLine), Timestamp::UNIX_EPOCH);
        update(&mut state, Msg::Paste("up".to_owned()), Timestamp::UNIX_EPOCH);
        assert_eq!(line(&state).candidates(), [Action::Up]);
        update(&mut state, Msg::Paste("-n".to_owned()), Timestamp::UNIX_EPOCH);
        assert_eq!(line(&state).candidates(), [Action::HangUpNow], "it contains the text");
    }
}

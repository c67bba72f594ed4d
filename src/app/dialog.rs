//! What lies over the board. A dialog keeps the calls it was opened for, never a row.

use tui_input::Input;

use super::State;
use super::action::{Action, Layer};
use super::command_line::CommandLine;
use super::device_picker::DevicePicker;
use super::dial_dialog::Dial;
use super::do_not_disturb_dialog::DoNotDisturbDialog;
use super::reply_dialog::ReplyDialog;
use super::sign_in_dialog::{Question, SignInDialog};
use crate::calls::reason::EndReason;
use crate::calls::{AccountId, CallKey, CallKind};
use crate::words::screen::{self, QuitCause, YesNo};

/// The dialog that has the keyboard.
#[derive(Debug, Clone)]
pub enum Dialog {
    Picker(Picker),
    /// The filter's input line.
    Filter {
        input: Input,
        /// The filter before, for going back.
        before: String,
    },
    CommandLine(CommandLine),
    /// The sign-in.
    SignIn(Box<SignInDialog>),
    /// The question before quitting while a hang-up is on its way.
    Quit,
    /// The question before call requests are turned on or off for a session.
    SwitchCalls {
        account: AccountId,
        on: bool,
    },
    /// The question before an account is signed out.
    SignOut(AccountId),
    /// The input line for the new name of an account.
    Rename(RenameLine),
    /// The question before the call of this session is ended, and another one answered.
    AnswerOther(CallKey),
    /// A person is chosen to call.
    Dial(Box<Dial>),
    /// A text is chosen or typed with which a call is declined.
    Reply(Box<ReplyDialog>),
    /// The question how the last call of this session was.
    Rating,
    /// Do not disturb is switched.
    DoNotDisturb(DoNotDisturbDialog),
    /// A loudspeaker and a microphone are chosen.
    Devices(Box<DevicePicker>),
}

impl Dialog {
    /// The layer whose keys apply.
    pub fn layer(&self) -> Layer {
        match self {
            Self::Picker(_) => Layer::Picker,
            Self::Filter { .. } => Layer::Filter,
            Self::CommandLine(_) => Layer::CommandLine,
            Self::SignIn(sign_in) => match sign_in.question {
                Question::Method { .. } => Layer::SignInMenu,
                _ => Layer::SignInField,
            },
            Self::Quit | Self::SwitchCalls { .. } | Self::SignOut(_) | Self::AnswerOther(_) => {
                Layer::Confirm
            }
            Self::Dial(_) => Layer::Dial,
            Self::Reply(_) => Layer::Reply,
            Self::Rating => Layer::Rating,
            Self::DoNotDisturb(_) => Layer::DoNotDisturb,
            Self::Devices(_) => Layer::Devices,
            Self::Rename(_) => Layer::AccountName,
        }
    }
}

/// A question, and its answers.
pub struct Confirmation {
    pub title: &'static str,
    pub text: String,
    /// The layer of its keys.
    pub layer: Layer,
    /// The actions that answer it, and what each of them means.
    pub answers: Vec<(Action, &'static str)>,
}

impl From<YesNo> for Confirmation {
    fn from(YesNo { title, text, yes, no }: YesNo) -> Self {
        let answers = vec![(Action::Accept, yes), (Action::Back, no)];
        Self { title, text, layer: Layer::Confirm, answers }
    }
}

impl State {
    /// The question that waits for an answer.
    pub fn confirmation(&self) -> Option<Confirmation> {
        let question = match self.dialog.as_ref()? {
            Dialog::Quit => {
                let cause = match &self.phone {
                    Some(_) => QuitCause::Call,
                    None if self.is_replying() => QuitCause::Text,
                    None => QuitCause::HangUp,
                };
                screen::quit(cause)
            }
            Dialog::SwitchCalls { account, on } => {
                screen::switch_calls(&self.shown_account(self.account(*account)), *on)
            }
            Dialog::SignOut(account) => {
                screen::sign_out(&self.shown_account(self.account(*account)))
            }
            Dialog::AnswerOther(key) => {
                let other = self.calls.get(*key).map(|call| self.shown_name(&call.peer));
                let own = self.phone.as_ref().map(|own| self.shown_name(&own.peer));
                screen::answer_other(&other.unwrap_or_default(), &own.unwrap_or_default())
            }
            Dialog::Rating => return self.rating_question(),
            Dialog::Picker(_)
            | Dialog::Filter { .. }
            | Dialog::CommandLine(_)
            | Dialog::SignIn(_)
            | Dialog::Rename(_)
            | Dialog::Dial(_)
            | Dialog::DoNotDisturb(_)
            | Dialog::Reply(_)
            | Dialog::Devices(_) => return None,
        };
        Some(question.into())
    }
}

/// The input line for the new name of an account.
#[derive(Debug, Clone)]
pub struct RenameLine {
    pub account: AccountId,
    pub input: Input,
    /// What was wrong with the name when it was entered.
    pub wrong: Option<String>,
}

/// The help page. It lies over a dialog as well, which keeps its state and receives its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HelpPage {
    /// Lines above the top of the page.
    pub scroll: u16,
    /// The largest number of them, as the last frame had it.
    pub(super) last: u16,
}

impl Default for HelpPage {
    /// The top of a page that no frame has shown.
    fn default() -> Self {
        Self { scroll: 0, last: u16::MAX }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picker {
    /// The calls it was opened for, without those that have ended since.
    pub calls: Vec<CallKey>,
    /// The choice that Enter sends.
    pub cursor: Choice,
    /// Whether the cursor was moved by a key; if not, it follows the phase of the call.
    pub moved: bool,
}

/// A line of the picker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The default reason of each call; only for several calls.
    Default,
    /// This reason to all.
    Reason(EndReason),
}

impl Picker {
    /// The lines, from top to bottom. Invitations to group calls are declined without a reason.
    pub fn choices(&self) -> Vec<Choice> {
        if self.calls.iter().all(|key| key.kind == CallKind::Group) {
            return vec![Choice::Default];
        }
        let default = (self.calls.len() > 1).then_some(Choice::Default);
        default.into_iter().chain(EndReason::all().map(Choice::Reason)).collect()
    }

    /// Moves the cursor by `steps` lines, stopping at the ends. Chooses nothing.
    pub fn move_by(&mut self, steps: isize) -> Option<Choice> {
        let choices = self.choices();
        let at = choices.iter().position(|choice| *choice == self.cursor).unwrap_or(0);
        let to = at.saturating_add_signed(steps).min(choices.len() - 1);
        self.cursor = choices[to];
        self.moved = true;
        None
    }
}

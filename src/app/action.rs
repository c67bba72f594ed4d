//! The actions that the keymap binds to keys, and the layers in which they apply.

use strum::{AsRefStr, EnumIter, EnumString};

use crate::calls::reason::EndReason;

/// What has the keyboard: a screen, or the dialog over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, EnumString, AsRefStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Layer {
    Board,
    History,
    Rules,
    Accounts,
    Picker,
    /// The filter's input line.
    Filter,
    CommandLine,
    /// A person is chosen to call.
    Dial,
    /// A text is chosen or typed with which a call is declined.
    Reply,
    /// A loudspeaker and a microphone are chosen.
    Devices,
    /// The input line for the new name of an account.
    AccountName,
    Help,
    /// The menu of sign-in methods.
    SignInMenu,
    /// A text field of the sign-in.
    SignInField,
    /// A question with the answers yes and no.
    Confirm,
    /// The question how a call was.
    Rating,
    /// Do not disturb is switched.
    DoNotDisturb,
}

/// Something that a key does. The name in the keymap is the variant in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, EnumString, AsRefStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Action {
    /// Move up.
    Up,
    /// Move down.
    Down,
    /// Move to the first row.
    Top,
    /// Move to the last row.
    Bottom,
    /// Move up by a page.
    PageUp,
    /// Move down by a page.
    PageDown,
    /// Open the reason picker.
    HangUp,
    /// Send the default reason at once.
    HangUpNow,
    /// Answer the selected call with this session.
    Answer,
    /// Call the person of the selected call.
    Call,
    /// Mute or unmute the microphone.
    Mute,
    /// Start or stop the recording of the call.
    Record,
    /// Silence the ringing of the selected call here.
    Silence,
    /// Switch do not disturb.
    DoNotDisturb,
    /// Rate the last call of this session, if Telegram asks for it.
    Rate,
    /// Send a rating, from 1 for bad to 5 for very good.
    #[strum(serialize = "rate-1")]
    Rate1,
    #[strum(serialize = "rate-2")]
    Rate2,
    #[strum(serialize = "rate-3")]
    Rate3,
    #[strum(serialize = "rate-4")]
    Rate4,
    #[strum(serialize = "rate-5")]
    Rate5,
    /// Choose a loudspeaker and a microphone.
    Devices,
    /// Mark or unmark the selected call.
    Mark,
    /// Mark all calls that the filter shows.
    MarkAll,
    /// Select a row by its place on the screen.
    #[strum(serialize = "row-1")]
    Row1,
    #[strum(serialize = "row-2")]
    Row2,
    #[strum(serialize = "row-3")]
    Row3,
    #[strum(serialize = "row-4")]
    Row4,
    #[strum(serialize = "row-5")]
    Row5,
    #[strum(serialize = "row-6")]
    Row6,
    #[strum(serialize = "row-7")]
    Row7,
    #[strum(serialize = "row-8")]
    Row8,
    #[strum(serialize = "row-9")]
    Row9,
    /// Show or hide the details.
    Details,
    /// Edit the filter.
    Filter,
    /// Open the command line.
    CommandLine,
    /// Copy the name, @username and id of the selected call's peer.
    Copy,
    /// Sort by the column to the left.
    SortLeft,
    /// Sort by the column to the right.
    SortRight,
    /// Reverse the order.
    Reverse,
    /// Dismiss the error on the selected call.
    Dismiss,
    /// Freeze or thaw the display.
    Freeze,
    /// Hide or show names and numbers.
    Privacy,
    /// Reconnect now.
    Reconnect,
    /// Add an account.
    SignIn,
    /// Sign an account out at Telegram, and remove its files.
    SignOut,
    /// Give an account another name on this machine.
    Rename,
    /// Have the login code sent again.
    Resend,
    /// Have the two-step password removed with a code that is sent by e-mail.
    ForgotPassword,
    /// Turn on call requests for a session that has them off; in the accounts, also turn them off.
    EnableCalls,
    /// Show the next screen.
    NextScreen,
    /// Show the previous screen.
    PreviousScreen,
    ShowCalls,
    ShowHistory,
    ShowAccounts,
    /// Show the rules.
    ShowRules,
    /// Edit the file of the rules.
    EditRules,
    /// Show missed calls only, or all again.
    MissedOnly,
    /// Show calls with people who are not contacts only, or all again.
    StrangersOnly,
    /// Show or hide the statistics.
    Statistics,
    /// Read older calls from Telegram.
    OlderCalls,
    /// Show the help page.
    Help,
    /// Close the dialog; on a screen, undo the freeze, the marks or the filter.
    Back,
    /// End the program.
    Quit,
    /// Suspend to the shell.
    Suspend,
    /// Write the whole screen again.
    Redraw,
    /// Send the choice at the cursor, keep what was typed, or answer yes.
    Accept,
    /// Put the next name that fits into the command line.
    Complete,
    /// Put the previous name that fits into the command line.
    CompleteBack,
    /// Send each marked call its default reason.
    DefaultReason,
    /// Send busy.
    ReasonBusy,
    /// Send missed.
    ReasonMissed,
    /// Send hangup.
    ReasonHangup,
    /// Send disconnect.
    ReasonDisconnect,
    /// Choose or type a text that is sent to the caller after the decline.
    DeclineWithText,
}

/// What can be done with the calls of the board.
const BOARD: [Action; 34] = [
    Action::Answer,
    Action::Call,
    Action::Mute,
    Action::Record,
    Action::Rate,
    Action::Silence,
    Action::DoNotDisturb,
    Action::Devices,
    Action::HangUp,
    Action::HangUpNow,
    Action::Mark,
    Action::MarkAll,
    Action::Row1,
    Action::Row2,
    Action::Row3,
    Action::Row4,
    Action::Row5,
    Action::Row6,
    Action::Row7,
    Action::Row8,
    Action::Row9,
    Action::Details,
    Action::Filter,
    Action::CommandLine,
    Action::Copy,
    Action::SortLeft,
    Action::SortRight,
    Action::Reverse,
    Action::Dismiss,
    Action::Freeze,
    Action::Privacy,
    Action::Reconnect,
    Action::SignIn,
    Action::EnableCalls,
];

impl Layer {
    /// Whether keys without an action are a text that is typed.
    pub fn is_text(self) -> bool {
        match self {
            Self::Filter
            | Self::CommandLine
            | Self::Dial
            | Self::Reply
            | Self::AccountName
            | Self::DoNotDisturb
            | Self::SignInField => true,
            Self::Board
            | Self::History
            | Self::Rules
            | Self::Accounts
            | Self::Picker
            | Self::Devices
            | Self::Help
            | Self::SignInMenu
            | Self::Confirm
            | Self::Rating => false,
        }
    }

    /// The title of its keys on the help page.
    pub fn title(self) -> &'static str {
        match self {
            Self::Board => "On the board",
            Self::History => "In the history",
            Self::Rules => "In the rules",
            Self::Accounts => "In the accounts",
            Self::Picker => "In the reason picker",
            Self::Filter => "While the filter is edited",
            Self::CommandLine => "On the command line",
            Self::Dial => "While a person is chosen to call",
            Self::Reply => "While a text for a caller is chosen",
            Self::Devices => "In the list of sound devices",
            Self::AccountName => "While an account is renamed",
            Self::Help => "On this page",
            Self::SignInMenu => "In the list of ways to sign in",
            Self::SignInField => "While signing in",
            Self::Confirm => "In a question",
            Self::Rating => "While a call is rated",
            Self::DoNotDisturb => "While do not disturb is switched",
        }
    }

    /// The actions that the layer accepts.
    pub fn actions(self) -> impl Iterator<Item = Action> {
        use Action as A;
        const ALWAYS: &[Action] = &[A::Help, A::Back, A::Quit, A::Suspend, A::Redraw];
        const MOVES: &[Action] = &[A::Up, A::Down, A::Top, A::Bottom];
        const PAGES: &[Action] = &[A::PageUp, A::PageDown];
        const SCREENS: &[Action] = &[
            A::NextScreen,
            A::PreviousScreen,
            A::ShowCalls,
            A::ShowHistory,
            A::ShowRules,
            A::ShowAccounts,
        ];
        let own: [&[Action]; 3] = match self {
            Self::History => [
                MOVES,
                PAGES,
                &[
                    A::Details,
                    A::Filter,
                    A::MissedOnly,
                    A::StrangersOnly,
                    A::Statistics,
                    A::OlderCalls,
                    A::Mute,
                    A::Privacy,
                    A::Copy,
                    A::CommandLine,
                ],
            ],
            Self::Rules => [
                MOVES,
                &[A::EditRules, A::Reconnect, A::DoNotDisturb],
                &[A::Mute, A::Privacy, A::CommandLine],
            ],
            Self::Accounts => [
                MOVES,
                &[A::Details, A::SignIn, A::Rename, A::SignOut, A::Reconnect, A::EnableCalls],
                &[A::Mute, A::Privacy, A::CommandLine],
            ],
            Self::Board => [MOVES, PAGES, &BOARD],
            Self::Picker => [
                MOVES,
                &[A::Accept, A::DefaultReason, A::DeclineWithText],
                &[A::ReasonBusy, A::ReasonMissed, A::ReasonHangup, A::ReasonDisconnect],
            ],
            Self::Devices => [MOVES, &[A::Accept], &[]],
            Self::Help => [MOVES, PAGES, &[]],
            Self::SignInMenu | Self::Reply => [&[A::Up, A::Down], &[A::Accept], &[]],
            Self::SignInField => [&[A::Accept, A::Resend, A::ForgotPassword], &[], &[]],
            Self::CommandLine | Self::Dial | Self::DoNotDisturb => {
                [&[A::Accept, A::Complete, A::CompleteBack], &[], &[]]
            }
            Self::Filter | Self::AccountName | Self::Confirm => [&[A::Accept], &[], &[]],
            Self::Rating => [&[A::Rate1, A::Rate2, A::Rate3, A::Rate4, A::Rate5], &[], &[]],
        };
        let screens = match self {
            Self::Board | Self::History | Self::Rules | Self::Accounts => SCREENS,
            Self::Picker
            | Self::Filter
            | Self::CommandLine
            | Self::Dial
            | Self::Reply
            | Self::Devices
            | Self::AccountName
            | Self::Help
            | Self::SignInMenu
            | Self::SignInField
            | Self::Confirm
            | Self::Rating
            | Self::DoNotDisturb => &[],
        };
        own.into_iter().chain([screens, ALWAYS]).flatten().copied()
    }
}

impl Action {
    /// What it does, for the help page.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Up => "move up",
            Self::Down => "move down",
            Self::Top => "first row",
            Self::Bottom => "last row",
            Self::PageUp => "page up",
            Self::PageDown => "page down",
            Self::Answer => "answer the selected call here, with sound",
            Self::Call => "call somebody",
            Self::Mute => "mute or unmute your microphone",
            Self::Record => "record your call, or stop recording",
            Self::Silence => "silence the selected call here",
            Self::DoNotDisturb => "do not disturb: on for a time, or off",
            Self::Rate => "rate your last call, if Telegram asks for it",
            Self::Rate1 => "bad",
            Self::Rate2 => "poor",
            Self::Rate3 => "fair",
            Self::Rate4 => "good",
            Self::Rate5 => "very good",
            Self::Devices => "choose the loudspeaker and the microphone",
            Self::HangUp => "hang up, decline or cancel: choose the reason",
            Self::HangUpNow => "the same at once, with the usual reason",
            Self::Mark => "mark and move down; hanging up acts on all marked",
            Self::MarkAll => "mark all calls that the filter shows",
            Self::Row1
            | Self::Row2
            | Self::Row3
            | Self::Row4
            | Self::Row5
            | Self::Row6
            | Self::Row7
            | Self::Row8
            | Self::Row9 => "select that row of the screen",
            Self::Details => "show or hide the details",
            Self::Filter => "filter (a leading ! inverts)",
            Self::CommandLine => "run any action by its name",
            Self::Copy => "copy the name, @username and id",
            Self::SortLeft => "sort by the column to the left",
            Self::SortRight => "sort by the column to the right",
            Self::Reverse => "reverse the order",
            Self::Dismiss => "dismiss the error on the selected call",
            Self::Freeze => "freeze or thaw the display",
            Self::Privacy => "hide or show names and numbers",
            Self::Reconnect => "reconnect now",
            Self::SignIn => "add an account, or sign in again",
            Self::SignOut => "sign the account out, and remove its files",
            Self::Rename => "give the account another name",
            Self::Resend => "have the code sent again",
            Self::ForgotPassword => "recover a forgotten two-step password",
            Self::EnableCalls => "let this session receive calls; in the accounts, also stop them",
            Self::NextScreen => "next screen",
            Self::PreviousScreen => "previous screen",
            Self::ShowCalls => "the calls that live",
            Self::ShowHistory => "the history of calls",
            Self::ShowRules => "the rules",
            Self::EditRules => "edit the rules in your editor",
            Self::ShowAccounts => "the accounts",
            Self::MissedOnly => "missed calls only, or all",
            Self::StrangersOnly => "calls with people who are not contacts only, or all",
            Self::Statistics => "statistics of the calls that are shown",
            Self::OlderCalls => "read older calls from Telegram",
            Self::Help => "the keys that apply here",
            Self::Back => "back",
            Self::Quit => "quit",
            Self::Suspend => "suspend to the shell",
            Self::Redraw => "redraw",
            Self::Accept => "send, keep, or yes",
            Self::Complete => "the next name that fits",
            Self::CompleteBack => "the previous name that fits",
            Self::DefaultReason => "the usual reason for each marked call",
            Self::ReasonBusy => "send busy",
            Self::ReasonMissed => "send missed",
            Self::ReasonHangup => "send hangup",
            Self::ReasonDisconnect => "send disconnect",
            Self::DeclineWithText => "decline a call, and send its caller a text",
        }
    }

    /// What it does in a layer, where that differs.
    pub fn describe_in(self, layer: Layer) -> &'static str {
        match (self, layer) {
            (Self::Reconnect, Layer::Rules) => "read rules.toml again",
            (Self::Accept, Layer::DoNotDisturb) => "switch it",
            (Self::Complete, Layer::DoNotDisturb) => "the next account, or all",
            (Self::CompleteBack, Layer::DoNotDisturb) => "the previous account, or all",
            _ => self.describe(),
        }
    }

    /// The row of the screen that this action selects, counted from 0.
    pub fn row(self) -> Option<usize> {
        match self {
            Self::Row1 => Some(0),
            Self::Row2 => Some(1),
            Self::Row3 => Some(2),
            Self::Row4 => Some(3),
            Self::Row5 => Some(4),
            Self::Row6 => Some(5),
            Self::Row7 => Some(6),
            Self::Row8 => Some(7),
            Self::Row9 => Some(8),
            _ => None,
        }
    }

    /// The reason that this action sends, in the picker.
    pub fn reason(self) -> Option<EndReason> {
        EndReason::all().find(|reason| Self::sending(*reason) == self)
    }

    /// The action of the picker that sends a reason.
    pub fn sending(reason: EndReason) -> Self {
        match reason {
            EndReason::Busy => Self::ReasonBusy,
            EndReason::Missed => Self::ReasonMissed,
            EndReason::HangUp => Self::ReasonHangup,
            EndReason::Disconnect => Self::ReasonDisconnect,
        }
    }

    /// Whether the layer accepts it.
    pub fn belongs_to(self, layer: Layer) -> bool {
        layer.actions().any(|action| action == self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn every_action_is_accepted_somewhere_and_listed_once_in_a_layer() {
        for layer in Layer::iter() {
            let actions: Vec<_> = layer.actions().collect();
            assert_eq!(actions.iter().collect::<HashSet<_>>().len(), actions.len(), "{layer:?}");
        }
        for action in Action::iter() {
            assert!(Layer::iter().any(|layer| action.belongs_to(layer)), "{action:?}");
        }
    }
}

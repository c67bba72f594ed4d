//! What a person can do, each bound to keys by the keymap.

use strum::{AsRefStr, EnumIter, EnumString};

use crate::calls::reason::EndReason;

/// Where keys go: the topmost layer has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, EnumString, AsRefStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Layer {
    /// The board itself.
    Board,
    /// The reason picker.
    Picker,
    /// The filter's input line.
    Filter,
    /// The help page.
    Help,
    /// The ways to sign in.
    SignInMenu,
    /// A field of signing in.
    SignInField,
    /// A question that is answered with yes or no.
    Confirm,
}

/// Something to do. The name in the keymap is the variant in kebab-case.
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
    /// Send the fitting reason at once.
    HangUpNow,
    /// Mark or unmark the selected call.
    Mark,
    /// Show or hide the details.
    Details,
    /// Edit the filter.
    Filter,
    /// Sort by the column to the left.
    SortLeft,
    /// Sort by the column to the right.
    SortRight,
    /// Turn the order around.
    Reverse,
    /// Dismiss the error on the selected call.
    Dismiss,
    /// Freeze or thaw the display.
    Freeze,
    /// Hide or show names and numbers.
    Privacy,
    /// Connect anew, now.
    Reconnect,
    /// Add an account.
    SignIn,
    /// Have the login code sent again.
    Resend,
    /// Have a session told of calls that is not.
    EnableCalls,
    /// Show the help page.
    Help,
    /// Go back: close what is open, clear marks, clear the filter.
    Back,
    /// Quit.
    Quit,
    /// Suspend to the shell.
    Suspend,
    /// Draw the whole screen anew.
    Redraw,
    /// Send what the cursor is on, or keep what was typed, or say yes.
    Accept,
    /// Send the fitting reason to each marked call.
    DefaultReason,
    /// Send busy.
    ReasonBusy,
    /// Send missed.
    ReasonMissed,
    /// Send hangup.
    ReasonHangup,
    /// Send disconnect.
    ReasonDisconnect,
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
            Self::HangUp => "hang up, decline or cancel: choose the reason",
            Self::HangUpNow => "the same at once, with the fitting reason",
            Self::Mark => "mark; hanging up then acts on all marked calls",
            Self::Details => "show or hide the details",
            Self::Filter => "filter (a leading ! inverts)",
            Self::SortLeft => "sort by the column to the left",
            Self::SortRight => "sort by the column to the right",
            Self::Reverse => "turn the order around",
            Self::Dismiss => "dismiss the error on the selected call",
            Self::Freeze => "freeze or thaw the display",
            Self::Privacy => "hide or show names and numbers",
            Self::Reconnect => "connect anew, now",
            Self::SignIn => "add an account",
            Self::Resend => "have the code sent again",
            Self::EnableCalls => "let this session receive calls, if it does not",
            Self::Help => "this page",
            Self::Back => "back",
            Self::Quit => "quit",
            Self::Suspend => "suspend to the shell",
            Self::Redraw => "draw the screen anew",
            Self::Accept => "send, keep, or yes",
            Self::DefaultReason => "to each marked call the reason that fits it",
            Self::ReasonBusy => "send busy",
            Self::ReasonMissed => "send missed",
            Self::ReasonHangup => "send hangup",
            Self::ReasonDisconnect => "send disconnect",
        }
    }

    /// The reason that this action sends, in the picker.
    pub fn reason(self) -> Option<EndReason> {
        match self {
            Self::ReasonBusy => Some(EndReason::Busy),
            Self::ReasonMissed => Some(EndReason::Missed),
            Self::ReasonHangup => Some(EndReason::HangUp),
            Self::ReasonDisconnect => Some(EndReason::Disconnect),
            _ => None,
        }
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

    /// Whether a key for it makes sense in this layer.
    pub fn belongs_to(self, layer: Layer) -> bool {
        let moves = matches!(self, Self::Up | Self::Down | Self::Top | Self::Bottom);
        let pages = matches!(self, Self::PageUp | Self::PageDown);
        let always = matches!(self, Self::Back | Self::Quit | Self::Suspend | Self::Redraw);
        let picks = matches!(self, Self::Accept | Self::DefaultReason) || self.reason().is_some();
        always
            || match layer {
                Layer::Board => !picks && self != Self::Resend,
                Layer::SignInMenu => {
                    matches!(self, Self::Up | Self::Down | Self::Accept)
                }
                Layer::SignInField => matches!(self, Self::Accept | Self::Resend),
                Layer::Picker => moves || picks,
                Layer::Filter | Layer::Confirm => self == Self::Accept,
                Layer::Help => moves || pages || self == Self::Help,
            }
    }
}

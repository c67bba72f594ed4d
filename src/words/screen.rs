//! The sentences of panels and dialogs that are not about one call.

use super::call::phase_symbol;
use crate::calls::Phase;

/// The words of the header's counts: ringing, active, and all other calls.
pub const COUNTS: [&str; 3] = ["ringing", "active", "connecting"];

/// After the number of the accounts that are online.
pub const ONLINE: &str = " online";

/// The time until the next attempt to connect.
pub fn in_seconds(seconds: i64) -> String {
    format!("in {seconds} s")
}

/// The key that ends the wait for the next attempt to connect.
pub fn reconnect_now(key: &str) -> String {
    format!("{key} now")
}

/// How many of all calls a filter shows.
pub fn filtered(shown: usize, all: usize, filter: &str) -> String {
    format!("{shown} of {all} by filter “{filter}”")
}

/// A sentence about one of several accounts.
pub fn of_account(name: &str, text: &str) -> String {
    format!("{name}: {text}")
}

/// The window title, with the number of calls that ring.
pub fn window_title(ringing: usize) -> String {
    match ringing {
        0 => "onhook".to_owned(),
        ringing => format!("{} {ringing} · onhook", phase_symbol(Phase::Ringing)),
    }
}

/// There are no calls.
pub const NO_CALLS: &str = "no calls";
/// The filter hides all calls.
pub const NO_MATCHES: &str = "no matches";
/// No call has ended yet.
pub const NO_RECENT: &str = "nothing yet";
/// No call is selected, and none has ended.
pub const NO_DETAILS: &str = "nothing selected";
/// A screen without room for the verb of a call.
pub const TOO_SMALL_TO_ACT: &str = "too small to act";
/// The same in a few cells.
pub const TOO_SMALL: &str = "too small";
/// A screen without room for the sign-in.
pub const TOO_SMALL_TO_SIGN_IN: &str = "too small to sign in";

/// Telegram has deleted or banned the user.
const WRITE_TO_SUPPORT: &str = "write to Telegram's support";
/// What can be done on the command line about a session that cannot be used.
pub const SIGN_IN_AGAIN: &str = "sign in again with `onhook login`; the account keeps its name";

/// What can be done on the command line about a session that Telegram no longer accepts.
pub fn command_after_sign_out(code: &str) -> &'static str {
    if is_deactivated(code) { WRITE_TO_SUPPORT } else { SIGN_IN_AGAIN }
}

fn is_deactivated(code: &str) -> bool {
    matches!(code, "USER_DEACTIVATED" | "USER_DEACTIVATED_BAN")
}

/// What can be done about it in the demo, which has no sign-in.
pub const DEMO_IS_OUT: &str = "start the demo again";

/// What can be done about a session that Telegram no longer accepts, with the keys for it.
pub fn after_sign_out(code: &str, reconnect: Option<&str>, sign_in: Option<&str>) -> String {
    match (code, reconnect, sign_in) {
        (code, ..) if is_deactivated(code) => WRITE_TO_SUPPORT.to_owned(),
        // The key is kept: Telegram may know it again.
        ("AUTH_KEY_UNKNOWN", Some(again), Some(sign_in)) => {
            format!("{again} try again, {sign_in} sign in")
        }
        (_, _, Some(sign_in)) => format!("{sign_in} sign in again"),
        _ => "sign in again".to_owned(),
    }
}

/// The end of a cause that does not fit: where all of it can be read.
pub const MORE_IN_DOCTOR: &str = " (onhook doctor)";

/// The session has call requests off; with the key that turns them on.
pub fn calls_off(key: Option<&str>) -> String {
    let fix = key.map(|key| format!(": press {key} to fix")).unwrap_or_default();
    format!("this session does not receive calls{fix}")
}

/// The session has not been confirmed on another device.
pub const UNCONFIRMED: &str = "confirm this session in another Telegram app";

/// The keys of the filter's input line.
pub const FILTER_KEYS: &str = "Enter apply · Esc cancel · ! not · @account";

/// The title of the actions above the command line.
pub const COMMANDS: &str = "Commands";
/// The keys of the command line.
pub const COMMAND_KEYS: &str = "Tab complete · Enter run · Esc cancel";
/// What is in the command line is the name of no action.
pub const UNKNOWN_COMMAND: &str = "✗ unknown command · Tab completes";

/// A question that is answered with yes or no.
pub struct YesNo {
    pub title: &'static str,
    pub text: String,
    /// The word for yes.
    pub yes: &'static str,
    /// The word for no.
    pub no: &'static str,
}

/// Why quitting is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuitCause {
    /// This session is in a call.
    Call,
    /// A text to a caller is under way, or waits for its decline.
    Text,
    /// A request on a call is under way.
    HangUp,
}

/// The question before quitting.
pub fn quit(cause: QuitCause) -> YesNo {
    let text = match cause {
        QuitCause::Call => "You are in a call. Quitting hangs up.",
        QuitCause::Text => "A text is on its way. Quitting may keep it from being sent.",
        QuitCause::HangUp => {
            "A hang-up is on its way. Quitting does not stop it, but you will not see what becomes \
             of it."
        }
    };
    // The lowest screens have the title only.
    let title = if cause == QuitCause::Call { "Quit and hang up?" } else { "Quit now?" };
    YesNo { title, text: text.to_owned(), yes: "quit", no: "stay" }
}

/// The question before call requests are turned on or off for a session of this user.
pub fn switch_calls(name: &str, on: bool) -> YesNo {
    if !on {
        return YesNo {
            title: "Stop calls here?",
            text: format!(
                "Telegram then no longer rings this session of {name}. Other devices are not affected, \
                 and it can be switched on again here."
            ),
            yes: "stop calls",
            no: "leave it",
        };
    }
    YesNo {
        title: "Receive calls here?",
        text: format!(
            "This session of {name} does not receive calls. This changes that setting at Telegram, \
             for this session only."
        ),
        yes: "change it",
        no: "leave it",
    }
}

/// The question before the call of this session is ended for another one.
pub fn answer_other(other: &str, own: &str) -> YesNo {
    YesNo {
        title: "Answer the other call?",
        text: format!("This hangs up on {own}, and then answers {other}."),
        yes: "hang up and answer",
        no: "stay",
    }
}

/// The question before an account is signed out.
pub fn sign_out(name: &str) -> YesNo {
    YesNo {
        title: "Sign out?",
        text: format!(
            "This ends the session of {name} at Telegram, and removes its files from this machine. \
             The history keeps its calls."
        ),
        yes: "sign out",
        no: "stay",
    }
}

/// The title of the question how a call was.
pub const RATING: &str = "How was the call?";
/// The ratings, from 1 to 5.
pub const RATINGS: [&str; 5] = ["bad", "poor", "fair", "good", "very good"];
/// No rating is sent.
pub const NO_RATING: &str = "none";

/// The question how a call was.
pub fn rate(name: &str) -> String {
    format!("Telegram asks how the sound of the call with {name} was.")
}

/// An action without a key, on the help page.
pub const NO_KEY: &str = "(no key)";

/// The symbols of the board, and what they mean.
pub const LEGEND: [(&str, &str); 13] = [
    ("▶", "the selected call, which a hang-up key acts on"),
    ("✓", "marked"),
    ("☎", "ringing: incoming, and not answered yet"),
    ("◌", "dialing; remote ringing once the other device rings"),
    ("◐", "connecting: answered, and not established yet"),
    ("●", "active, or in the header: online"),
    ("○", "no connection; it is tried again"),
    ("✗", "an error, or an account that cannot be used"),
    ("?", "it may have ended: this is being checked"),
    ("!", "a rule is about to decline it"),
    ("⠋", "waiting for Telegram's answer"),
    ("← →", "incoming, outgoing"),
    ("↓ ↑", "the order of the rows; ↑ is reversed"),
];

/// What the help page says about the board.
pub const ABOUT: [&str; 5] = [
    "A call that you answer on another device is not visible to this session: Telegram updates \
     only that device, so the row says “answered elsewhere” and no more.",
    "After the selected call has ended, nothing is selected for two seconds, so that a key meant \
     for it cannot act on another call.",
    "Quitting ends no call but the one that you are in here. onhook sends nothing that \
     changes anything unless you press a key or a button, run a command, or have written a rule \
     that declines.",
    "A dry rule changes nothing: the row says what it would have done. Before a rule declines, the \
     row counts down and nothing rings; every key but those that move the cursor stops that, if \
     the call is selected, and the call rings.",
    "While do not disturb is on, calls ring on your other devices only, unless a rule decides \
     otherwise. Whom it lets through is on the screen of the rules.",
];

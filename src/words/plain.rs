//! The sentences of plain mode.

use crate::calls::{CallKind, Direction, Verb};
use crate::text;

use super::call;

/// The first sentence, with the key that lists the keys.
pub fn welcome(help: Option<&str>) -> String {
    let help = help.map(|key| format!("; {key} lists the keys")).unwrap_or_default();
    format!("Plain mode of onhook: one line for each change{help}")
}

/// A call rings, or was there at the start.
pub fn appeared(name: &str, what: &Appeared) -> String {
    let Appeared { phase, kind, video, direction, account, .. } = *what;
    let account = account.map(|account| format!(" for {account}")).unwrap_or_default();
    let media = if video { "video" } else { "audio" };
    let mut sentence = match (kind, direction) {
        (CallKind::Group, _) => format!("{name} invites{account} to a group call"),
        (CallKind::Private, Direction::Incoming) if phase == "ringing" => {
            format!("{name} is calling{account}, {media}")
        }
        (CallKind::Private, _) => {
            format!("{name}{account}: {phase}, {media}, {}", direction.code())
        }
    };
    if what.earlier {
        sentence += ", from an earlier run; checking";
    }
    if what.selected {
        sentence += "; selected";
    }
    sentence
}

/// What is announced of a call that has appeared.
#[derive(Debug, Clone, Copy)]
pub struct Appeared<'a> {
    /// The words of its phase.
    pub phase: &'static str,
    pub kind: CallKind,
    pub video: bool,
    pub direction: Direction,
    /// The account, where there are several.
    pub account: Option<&'a str>,
    /// Whether it is of an earlier run of the program, and may have ended.
    pub earlier: bool,
    /// Whether a hang-up key acts on it now.
    pub selected: bool,
}

/// A call has reached another phase.
pub fn phase_changed(name: &str, phase: &str) -> String {
    format!("{name}: {phase}")
}

/// The name of a caller has become known.
pub fn renamed(old: &str, new: &str) -> String {
    format!("{old} is {new}")
}

/// A request on a call is on its way. `reason` is the code that was sent.
pub fn sending(verb: Verb, name: &str, reason: Option<&str>) -> String {
    let doing = text::capitalised(call::progressive(verb));
    let reason = reason.map(|reason| format!(", {reason}")).unwrap_or_default();
    match verb {
        Verb::Decline | Verb::Cancel => format!("{doing} {name}{reason}"),
        Verb::HangUp => format!("{doing} on {name}{reason}"),
    }
}

/// A request has failed. `keys` are those that help, each with its word.
pub fn failed(name: &str, failure: &str, code: &str, keys: &[String]) -> String {
    let keys = if keys.is_empty() { String::new() } else { format!("; {}", keys.join(", ")) };
    format!("{name}: {failure}, {code}{keys}")
}

/// A call has ended, or more is known about its end.
pub fn ended(name: &str, ending: &str) -> String {
    format!("{name}: {ending}")
}

/// A line of the list of calls.
pub fn row(at: usize, of: usize, call: &str) -> String {
    format!("{} of {of}: {call}", at + 1)
}

/// A call in the list: its name, phase and duration, and what else there is to it.
pub fn call_in_list(name: &str, phase: &str, seconds: i64, more: &[String]) -> String {
    let seconds = text::duration(seconds);
    let more = more.iter().map(String::as_str);
    [name, phase, &seconds].into_iter().chain(more).collect::<Vec<_>>().join(", ")
}

/// A mark, in a line of the list.
pub const MARKED: &str = "marked";
/// An error, in a line of the list.
pub const HAS_ERROR: &str = "error";
/// No call is selected.
pub const NOTHING_SELECTED: &str = "Nothing is selected";
/// The rest of a long list.
pub fn and_more(more: usize) -> String {
    format!("And {more} more")
}

/// An account, in a line of the list.
pub fn of_account(account: &str) -> String {
    format!("account {account}")
}

/// The state of a connection.
pub fn connection(account: &str, state: &str) -> String {
    format!("{account}: {state}")
}

pub const CONNECTING: &str = "connecting";
pub const RECONNECTING: &str = "reconnecting";
pub const ONLINE: &str = "online";
pub const RECEIVES_CALLS: &str = "this session receives calls";

/// There is no connection, for this cause.
pub fn no_connection(cause: &str) -> String {
    format!("no connection, {cause}; trying again")
}

/// Telegram no longer accepts the session.
pub fn signed_out(code: &str, remedy: &str) -> String {
    format!("signed out, {code}; {remedy}")
}

/// The account cannot be used.
pub fn unusable(cause: &str) -> String {
    format!("cannot be used: {cause}")
}

/// The reason picker: its title, the keys with their reasons, and what the other keys do.
pub fn picker(title: &str, choices: &[String], keys: &[String]) -> String {
    let keys = if keys.is_empty() { String::new() } else { format!("; {}", keys.join(", ")) };
    format!("{title}: {}{keys}", choices.join(", "))
}

/// The title of the picker for several calls.
pub fn picker_for_several(count: usize) -> String {
    format!("Hang up {count} marked calls")
}

/// A key and what it does.
pub fn key(key: &str, what: &str) -> String {
    format!("{key} {what}")
}

/// The keys of an action and what it does, in the list of keys.
pub fn keys(keys: &str, what: &str) -> String {
    format!("{keys}: {what}")
}

/// What the key for the choice at the cursor does.
pub fn sends(label: &str) -> String {
    format!("sends {}", label.to_lowercase())
}

/// What the key for going back does.
pub const GOES_BACK: &str = "goes back";

/// The choice at the picker's cursor.
pub fn choice(label: &str, preview: &str) -> String {
    format!("{label}: {preview}")
}

/// A question, with the keys for yes and no.
pub fn question(title: &str, text: &str, keys: &[String]) -> String {
    format!("{title} {text} {}", keys.join(", "))
}

/// The label of the filter's input line.
pub const FILTER: &str = "Filter: ";

/// The label of the command line.
pub const COMMAND: &str = "Command: ";
/// No action has a name that fits.
pub const NO_COMMAND: &str = "No command fits";
/// What is in the command line is the name of no action.
pub const UNKNOWN_COMMAND: &str = "Unknown command; Tab completes";

/// The name of an action in the command line, with its key and what it does.
pub fn command(name: &str, key: Option<&str>, what: &str) -> String {
    let key = key.map(|key| format!(", key {key}")).unwrap_or_default();
    format!("{name}{key}: {what}")
}

/// The filter that applies now, and how many of all calls it shows.
pub fn filtered(filter: &str, shown: usize, all: usize) -> String {
    format!("Filter {filter}: {shown} of {all} calls")
}

/// The filter was taken away.
pub const NO_FILTER: &str = "No filter";

/// How many calls are marked.
pub fn marked(count: usize) -> String {
    format!("{count} marked")
}

/// The order of the list.
pub fn sorted(column: &str, reversed: bool) -> String {
    let order = if reversed { ", reversed" } else { "" };
    format!("Sorted by {column}{order}")
}

/// The list keeps its order until it is thawed.
pub const FROZEN: &str = "The list is frozen; changes are still announced";
pub const THAWED: &str = "The list moves again";
pub const NAMES_HIDDEN: &str = "Names are hidden";
pub const NAMES_SHOWN: &str = "Names are shown";
/// A dialog was closed, and nothing was sent.
pub const CLOSED: &str = "Closed; nothing was sent";
/// Back was pressed where there is nothing to undo.
pub const NOTHING_TO_UNDO: &str = "Nothing to undo";
/// An error was dismissed, or there was none.
pub const NO_ERROR: &str = "no error";
pub const QUITTING: &str = "Quitting; no call is ended";
pub const SUSPENDED: &str = "Suspended";
/// A key without a meaning in this screen or dialog.
pub fn unbound(help: Option<&str>) -> String {
    let help = help.map(|key| format!("; {key} lists the keys")).unwrap_or_default();
    format!("That key does nothing here{help}")
}
/// A line of standard input that is neither a key nor an action.
pub fn not_a_key(line: &str) -> String {
    format!("'{}' is not a key", text::clean(line))
}
/// A key that has changed nothing.
pub const NO_CHANGE: &str = "Nothing changes";
/// The file of a recording is being opened.
pub const RECORDING_BEGINS: &str = "The recording begins";
/// Many keys came at once, which a person does not press.
pub const PASTE_IGNORED: &str = "Pasted text is ignored";

/// The details of a call.
pub fn details(parts: &[String]) -> String {
    parts.join(", ")
}

/// The ids of a call and its peer.
pub fn ids(user: i64, call: i64) -> String {
    format!("user {user}, call {call}")
}

/// In front of what is typed of a person to call.
pub const CALL: &str = "Call: ";

/// How far the call of this session with `name` has come.
pub fn own_call(name: &str, what: &str) -> String {
    format!("Your call with {name}: {what}")
}

/// The emoji of the key, by their names.
pub fn key_emoji(names: &[&str; 4]) -> String {
    format!("Key: {}; the other side must have the same", names.join(", "))
}

/// The microphone was muted, or is no longer.
pub fn own_mute(muted: bool) -> &'static str {
    if muted { "You are muted" } else { "You are not muted" }
}

/// The other side has muted its microphone, or has not any longer.
pub fn peer_mute(name: &str, muted: bool) -> String {
    format!("{name} is {}muted", if muted { "" } else { "not " })
}

/// How well the two sides hear each other.
pub fn quality(quality: &str) -> String {
    format!("The sound is {quality}")
}

/// Whom Enter calls; `at` of `all` people who fit.
pub fn enter_calls(name: &str, at: usize, all: usize) -> String {
    format!("{at} of {all}: Enter calls {name}")
}

/// In front of what is typed of do not disturb.
pub const QUIET: &str = "Do not disturb (Enter for an hour, 45m, 07:30, on, off): ";
/// In front of what is typed of a text for a caller.
pub const TEXT: &str = "Text: ";

/// The dialog in which a text for a caller is chosen or typed, with its keys.
pub fn text_dialog(title: &str, keys: &[String]) -> String {
    let keys = if keys.is_empty() { String::new() } else { format!("; {}", keys.join(", ")) };
    format!("{title}{keys}")
}

/// The text that Enter sends.
pub fn enter_sends(text: &str) -> String {
    format!("Enter sends: {text}")
}

/// A sentence about a request, with what becomes of the text for the caller.
pub fn with_text(sentence: String, text: Option<&str>) -> String {
    match text {
        Some(text) => format!("{sentence}; {text}"),
        None => sentence,
    }
}

//! Texts of the control socket and its commands.

use jiff::civil::DateTime;

use crate::control::protocol::{
    AccountStatus, BoardStatus, CallStatus, HangupResult, OwnCallStatus, PersonStatus,
};
use crate::text::{cut, duration};

/// No call fits the selector.
pub const NO_CALL: &str = "there is no such call";
/// An action for a program without a board.
pub const NO_BOARD: &str = "there is no board: `onhook watch` runs without one";
/// An action that the screen or dialog does not accept.
pub const NOT_NOW: &str = "the board does not take this action now";
/// A call for a program that has no sound devices.
pub const NO_SOUND_BESIDE_WATCH: &str =
    "`onhook watch` holds the account and makes no calls; stop it, or start `onhook` in its place";
/// A call while another one is begun.
pub const CALL_STARTING: &str = "another call is being started";
/// A name that several people have.
pub const SEVERAL_PEOPLE: &str = "that means several people; name one by @username or id";

/// `watch --notify` beside a running instance.
pub const NOTIFIES_ITSELF: &str =
    "onhook runs already and shows notifications by its own settings; leave out --notify";
/// A call that the running board has begun.
pub const ON_BOARD: &str = "on the board";
/// Options of a call without a screen, beside a running board.
pub const NOT_ON_BOARD: &str =
    "a board runs with this account; --play, --record and --for need it to be closed";

/// The instance whose records were printed has ended.
pub const ENDED: &str = "onhook has ended";
/// The server has dropped this client.
pub const DROPPED: &str = "this program did not read fast enough; onhook has left lines out";

/// The board has no such action.
pub fn unknown_action(name: &str) -> String {
    format!("no action '{name}'; `onhook config keymap` lists them")
}

/// No call has this key.
pub fn no_such_call(key: &str) -> String {
    format!("no call '{key}'; `onhook status` lists them")
}

/// No account of the board has this name.
pub fn no_account(name: &str) -> String {
    format!("no account '{name}' on the board; `onhook status` lists them")
}

/// No account is named, and several are online.
pub fn several_accounts(names: &[&str]) -> String {
    format!("several accounts are online; add --account: {}", names.join(", "))
}

/// A selector means more than one call.
pub fn ambiguous(calls: usize) -> String {
    format!("that means {calls} calls; name one of them, or add --yes")
}

/// The longest name in the line for a status bar, in cells: what is behind it must not be cut off.
const SHORT_NAME: usize = 24;

/// One line for a status bar; empty if there is no call.
pub fn short(status: &BoardStatus) -> String {
    let Some(first) = status.calls.first() else { return String::new() };
    let (symbol, number) = match first.state.as_str() {
        "ringing" => ("☎", status.ringing),
        "active" => ("●", status.active),
        _ => ("◌", status.calls.len() + status.more - status.ringing - status.active),
    };
    let name = cut(&first.name, SHORT_NAME);
    format!("{symbol} {number} {name} {}", duration(first.seconds.into()))
}

/// The calls and accounts for a person, one a line.
pub fn long(status: &BoardStatus) -> String {
    let mut lines: Vec<String> = status.calls.iter().map(call).collect();
    if status.more > 0 {
        lines.push(format!("and {} more", status.more));
    }
    lines.extend(status.own.as_ref().map(own));
    if lines.is_empty() {
        lines.push(super::screen::NO_CALLS.to_owned());
    }
    lines.extend(status.accounts.iter().map(account));
    lines.join("\n")
}

/// An account, one line.
fn account(account: &AccountStatus) -> String {
    let AccountStatus { name, state, do_not_disturb, do_not_disturb_until } = account;
    let until = do_not_disturb_until.as_ref().and_then(|at| at.parse::<DateTime>().ok());
    let until = until.map(|local| local.strftime("%a %H:%M").to_string());
    let until = do_not_disturb.then(|| super::do_not_disturb::header(until.as_deref(), None));
    let until = until.map(|until| format!(" · {until}")).unwrap_or_default();
    format!("{name}: {state}{until}")
}

/// The call in which onhook takes part itself, one line.
fn own(own: &OwnCallStatus) -> String {
    let OwnCallStatus { name, stage, seconds, muted, recording, path, emoji, .. } = own;
    let mut parts =
        vec![format!("  in a call with {name}: {stage} {}", duration((*seconds).into()))];
    parts.extend(path.clone());
    parts.extend(muted.then(|| super::phone::MUTED.to_owned()));
    parts.extend(recording.then(|| super::phone::RECORDING.to_owned()));
    if !emoji.is_empty() {
        let named = emoji.iter().map(|it| format!("{} {}", it.emoji, it.name));
        parts.push(format!("key {}", named.collect::<Vec<_>>().join(", ")));
    }
    parts.join(" · ")
}

/// A person, one line.
pub fn person(person: &PersonStatus) -> String {
    let PersonStatus { name, username, id, .. } = person;
    let username = username.as_ref().map(|username| format!("@{username} · ")).unwrap_or_default();
    format!("{name} · {username}{id}")
}

/// The outcome of a hang-up, one line.
pub fn hangup_result(result: &HangupResult) -> String {
    let HangupResult { name, text, error, .. } = result;
    match error {
        None => format!("{name}: {text}"),
        Some(code) => format!("{name}: ✗ {text} · {code}"),
    }
}

/// A call, one line.
pub fn call(call: &CallStatus) -> String {
    let CallStatus { state, direction, kind, name, .. } = call;
    let selected = if call.selected { "▶ " } else { "  " };
    let sending = if call.sending { " · ending…" } else { "" };
    let error = call.error.as_ref().map(|code| format!(" · ✗ {code}")).unwrap_or_default();
    format!(
        "{selected}{state} {} {name} · {direction} {kind}{sending}{error} · {}",
        duration(call.seconds.into()),
        call.call
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(states: &[&str]) -> BoardStatus {
        let calls = states.iter().map(|state| CallStatus {
            call: "ada/7".to_owned(),
            account: "ada".to_owned(),
            state: (*state).to_owned(),
            direction: "incoming".to_owned(),
            kind: "audio".to_owned(),
            name: "Grace Hopper".to_owned(),
            seconds: 12,
            selected: false,
            sending: false,
            error: None,
        });
        let count = |wanted: &str| states.iter().filter(|state| **state == wanted).count();
        BoardStatus {
            accounts: Vec::new(),
            calls: calls.collect(),
            more: 0,
            ringing: count("ringing"),
            active: count("active"),
            own: None,
        }
    }

    #[test]
    fn an_account_has_its_state_and_do_not_disturb() {
        let shown = |on, until: Option<&str>| {
            let (name, state) = ("ada".to_owned(), "online".to_owned());
            let do_not_disturb_until = until.map(str::to_owned);
            account(&AccountStatus { name, state, do_not_disturb: on, do_not_disturb_until })
        };
        assert_eq!(shown(false, None), "ada: online");
        assert_eq!(shown(true, None), "ada: online · do not disturb");
        let until = Some("2026-11-27T20:14:00+01:00");
        assert_eq!(shown(true, until), "ada: online · do not disturb until Fri 20:14");
    }

    #[test]
    fn the_short_status_counts_the_most_urgent_calls() {
        let cases: [(&[&str], &str); 5] = [
            (&[], ""),
            (&["ringing", "ringing", "active"], "☎ 2 Grace Hopper 00:12"),
            (&["active", "dialing"], "● 1 Grace Hopper 00:12"),
            (&["dialing", "connecting"], "◌ 2 Grace Hopper 00:12"),
            (&["connecting"], "◌ 1 Grace Hopper 00:12"),
        ];
        for (states, wanted) in cases {
            assert_eq!(short(&status(states)), wanted, "{states:?}");
        }
        let mut long = status(&["ringing"]);
        long.calls[0].name = "A name that no status bar has room for".to_owned();
        assert_eq!(short(&long), "☎ 1 A name that no status b… 00:12");
    }
}

//! Short messages: the notices at the foot of the board, and the texts of notifications.

use crate::calls::failure::Failure;

use super::failure;

/// A hang-up key was pressed on a screen that does not show the calls.
pub const TOO_SMALL_TO_HANG_UP: &str = "too small to hang up";
/// A hang-up key was pressed while no call is selected.
pub const NO_CALL: &str = "no call is selected";
/// A hang-up key was pressed while the filter hides all marked calls.
pub const MARKED_HIDDEN: &str = "the filter hides the marked calls";
/// The account of the selected call has no session.
pub const SIGNED_OUT: &str = "this account is signed out";
/// The connections are renewed.
pub const RECONNECTING: &str = "reconnecting";
/// There is no row at the place that a digit names.
pub const NO_ROW: &str = "there is no such row";
/// Call requests are on for all sessions.
pub const ALL_RECEIVE: &str = "every session receives calls";
/// Plain mode has no screen for the history and for the accounts.
pub const NO_SCREENS: &str = "not here: see `onhook history` and `onhook accounts`";
/// Accounts cannot be added in the demo.
pub const DEMO_SIGN_IN: &str = "the demo has no sign-in";
/// The accounts of the demo have no files that could be changed.
pub const DEMO_ACCOUNTS: &str = "the accounts of the demo cannot be changed";
/// A key was pressed on an account that is being signed out.
pub const IS_SIGNING_OUT: &str = "this account is being signed out";
/// A key was pressed on an account that is being renamed.
pub const IS_RENAMING: &str = "this account is being renamed";
/// Accounts cannot be added in plain mode.
pub const SIGN_IN_OUTSIDE: &str = "quit and run `onhook login` to sign in";
/// A copy was asked for while names are hidden.
pub const NOT_COPIED: &str = "names are hidden; nothing was copied";
/// A task panicked.
pub const CONTAINED: &str = "an internal error was contained; reconnecting";
/// The session file cannot be written.
pub const SESSION_NOT_SAVED: &str = "the session cannot be saved to disk; the log says why";

/// More hooks had to wait than can be kept.
pub const HOOKS_DROPPED: &str = "too many hooks at once; some were not run";

/// The button of a notification that declines its call.
pub const DECLINE_BUTTON: &str = "Decline";
/// A call was to be declined that has ended long ago.
pub const CALL_OVER: &str = "that call is over";

/// A key needs more room than the screen has.
pub fn too_small((columns, lines): (u16, u16)) -> String {
    format!("too small: needs {columns}x{lines}")
}

/// A call was to be declined that no longer rings.
pub fn no_longer_rings(name: &str) -> String {
    format!("{name} no longer rings")
}

/// The desktop shows no notifications.
pub fn desktop_lost(cause: &str) -> String {
    format!("no desktop notifications: {cause}")
}

/// A hook has failed.
pub fn hook_failed(program: &str, cause: &str) -> String {
    format!("hook {program}: {cause}")
}

/// A call rings, and so many others that began at nearly the same time.
pub fn ringing(name: &str, others: usize) -> String {
    match others {
        0 => format!("{name} is calling"),
        others => format!("{name} and {others} more are calling"),
    }
}

/// The selected call has ended, and a key was pressed before another one was selected.
pub fn selected_call_over(name: &str) -> String {
    format!("{name}'s call is over · ↓ selects the next")
}

/// A key that the keymap does not bind.
pub fn unbound(key: &str) -> String {
    format!("{key} does nothing here")
}

/// New calls ring that a frozen display does not show.
pub fn ring_behind_frozen(calls: usize) -> String {
    match calls {
        1 => "a new call rings behind the frozen display".to_owned(),
        _ => format!("{calls} new calls ring behind the frozen display"),
    }
}

/// Another call was selected in place of one that has ended, just before a hang-up key was pressed.
pub fn selected_lately(name: &str) -> String {
    format!("{name} is selected now · press the key again")
}

/// A call ended before what was begun with it: its reason was being picked, or it was being placed.
pub fn ended_first(name: &str, ending: &str) -> String {
    format!("{name}: {ending}")
}

/// A key of calls was pressed, and the program was built without the feature `voice`.
pub const PHONE_NOT_BUILT: &str = "calls in this terminal are off: built without voice";
/// A key of calls was pressed, and the settings have calls with sound off.
pub const PHONE_OFF: &str = "calls in this terminal are off: [voice] enabled in config.toml";
/// A key of calls was pressed, and a proxy is set.
pub const PHONE_PAST_PROXY: &str = "calls are off: their sound would not go through your proxy";
/// The answer key was pressed while no call is selected.
pub const NOTHING_TO_ANSWER: &str = "no call is selected to answer";
/// A call was to be placed without a connection.
pub const OFFLINE: &str = "no connection; nothing was sent";
/// The mute key was pressed outside of a call.
pub const NOT_IN_A_CALL: &str = "you are in no call";

/// The record key was pressed before the call has sound.
pub const NOTHING_TO_RECORD: &str = "the call has no sound yet";

/// A recording has ended. Some of it may be silence, because the disk was too slow.
pub fn recorded(path: &str, seconds: u64, missing: u64) -> String {
    let duration = crate::text::duration(seconds as i64);
    let missing = match missing {
        0 => String::new(),
        missing => format!(", {missing} s of it silent because the disk was too slow"),
    };
    // The name first: what is behind it may be cut off.
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("recorded {duration}{missing}: {name} in {folder}"),
        None => format!("recorded {duration}{missing}: {path}"),
    }
}

/// The person who was to be called is calling.
pub fn calls_you(name: &str) -> String {
    format!("{name} is calling you: answer that call")
}

/// The call that was to be answered is the one of this session.
pub fn is_own_call(name: &str) -> String {
    format!("you are in the call with {name}: select the one that rings")
}

/// The call is being answered, or was.
pub fn already_answering(name: &str) -> String {
    format!("{name}: you are in this call")
}

/// The call cannot be answered: it is outgoing, or a group call.
pub fn cannot_answer(name: &str) -> String {
    format!("{name}: only incoming calls of one person can be answered")
}

/// The call was answered.
pub fn answered_already(name: &str) -> String {
    format!("{name}: answered already")
}

/// The call began to ring before this run of the program, which lacks what an answer needs.
pub fn cannot_answer_recalled(name: &str) -> String {
    format!("{name}: it rang before onhook was started; answer on another device")
}

/// This session is in a call.
pub fn in_a_call(name: &str) -> String {
    format!("you are in a call with {name}; hang up first")
}

/// The sound server has replaced the microphone by another one.
pub fn microphone_replaced(name: &str) -> String {
    format!("muted: the microphone is now {name}")
}

/// The keys or the media of a call have failed, and it is ended.
pub fn call_without_sound(name: &str, cause: &str) -> String {
    format!("the call with {name} cannot have sound and is ended: {cause}")
}

/// A call could not be answered or placed.
pub fn phone_failed(name: &str, placed: bool, failure: &Failure) -> String {
    let what = if placed { "could not call" } else { "could not answer" };
    format!("{what} {name}: {}", failure::text_with_code(failure))
}

/// A request on the call is under way.
pub fn in_progress(name: &str) -> String {
    format!("{name}: a hang-up is already on its way")
}

/// The call was answered on another device.
pub fn not_from_here(name: &str) -> String {
    format!("{name}: answered elsewhere; hang up there")
}

/// Telegram asked for a wait, of which this many seconds are left.
pub fn wait(name: &str, seconds: i64) -> String {
    format!("{name}: {}", failure::flood_wait(Some(seconds)))
}

/// A text was handed to the terminal, for its clipboard.
pub fn copied(text: &str) -> String {
    format!("copied: {text}")
}

/// An account was added.
pub fn signed_in(name: &str) -> String {
    format!("signed in as {name}")
}

/// Call requests could not be turned on or off.
pub fn calls_not_switched(cause: &Failure) -> String {
    format!("the setting was not changed: {}", failure::text_with_code(cause))
}

/// The ledger cannot be opened.
pub fn ledger_off(cause: &str) -> String {
    format!("history is off: {cause}")
}

/// The ledger cannot be written at the moment.
pub fn ledger_waits(cause: &str) -> String {
    format!("history is not saved for now: {cause}")
}

/// The control socket cannot be served.
pub fn control_off(cause: &str) -> String {
    format!("no control socket: {cause}")
}

/// Older calls can be read from Telegram only with a connection.
pub const OLDER_OFFLINE: &str = "older calls are at Telegram, and no account is online";

/// Older calls were read from Telegram.
pub fn older_read(calls: usize) -> String {
    let noun = if calls == 1 { "call" } else { "calls" };
    format!("{calls} {noun} read from Telegram")
}

/// Older calls could not be read from Telegram.
pub fn older_failed(failure: &Failure) -> String {
    format!("older calls were not read: {}", failure::text_with_code(failure))
}

/// No call waits for a rating.
pub const NOTHING_TO_RATE: &str = "Telegram asks for no rating";

/// Telegram asks for a rating of a call.
pub fn rating_wanted(name: &str) -> String {
    format!("Telegram asks how the call with {name} was; * rates it")
}

/// A rating was sent, or not.
pub fn rated(outcome: &Result<(), Failure>) -> String {
    match outcome {
        Ok(()) => "rating sent".to_owned(),
        Err(failure) => format!("the rating was not sent: {}", super::failure::text(failure)),
    }
}

/// No call that rings is selected.
pub const NOTHING_TO_SILENCE: &str = "select a call that rings";

/// A call was silenced on this device by a key.
pub fn silenced(name: &str) -> String {
    format!("{name} is silent here; other devices ring")
}

/// The most calls of a minute were declined by rules.
pub fn too_many_declines(most: u32) -> String {
    format!("rules have declined {most} calls in a minute; the others ring")
}

/// Telegram asked for a wait after a decline by a rule.
pub fn rules_paused(seconds: u64) -> String {
    format!("Telegram asks for {seconds} s; rules decline nothing meanwhile")
}

/// A key has stopped the countdown of a call.
pub fn countdown_stopped(rule: &str, name: &str) -> String {
    format!("rule “{rule}” does not decline {name}")
}

/// A program of a rule has failed.
pub fn program_failed(program: &str, cause: &str) -> String {
    format!("{program}: {cause}; the call is passed on")
}

/// The rules were read again, and are wrong.
pub fn rules_refused(cause: &str) -> String {
    format!("{cause}; the rules in force stay")
}

/// There are no rules.
pub const NO_RULES: &str = "there are no rules";

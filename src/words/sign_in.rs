//! Signing in: what is asked, and what refusals mean.

use std::time::Duration;

use crate::text;

/// Where a person gets an `api_id` and `api_hash`.
pub const API_CREDENTIALS_HELP: &str = "your api id, from my.telegram.org/apps (free, once)";
/// What has to be known before a session is imported.
pub const IMPORT_WARNING: &str = "A session must not be used by two programs at once: Telegram \
     then ends it. Stop the other program first, or make a session of onhook's own.";

/// What a board without accounts says first.
pub const WELCOME: &str = "onhook shows who is calling in your terminal, and hangs up \
     with the reason you choose. It needs a Telegram account of yours.";
/// Where Telegram on the phone scans a QR code.
pub const QR_MENU: &str = "Settings → Devices → Link Desktop Device";
/// The question for the api hash.
pub const API_HASH: &str = "The api hash, 32 hex digits:";
/// What to do about a text that cannot be right.
pub const TYPE_AGAIN: &str = "type it again";
/// The question for the phone number.
pub const PHONE: &str = "Your phone number, with the country code. Telegram sends a code to it. \
     Neither is stored.";
/// A sign-in was given up.
pub const CANCELLED: &str = "sign-in cancelled; nothing was saved";
/// A request was sent whose answer has not come.
pub const WAITING: &str = "waiting for Telegram…";

/// As a message in another app; the end of [`code_sent`].
pub const BY_APP: &str = "into your other Telegram apps, as a message";
/// By SMS.
pub const BY_SMS: &str = "by SMS";
/// By a call that reads the code out.
pub const BY_CALL: &str = "by a call that reads it out";
/// By a call whose number has the code.
pub const BY_CALL_NUMBER: &str = "by a call: the code is its number";
/// Through Fragment.
pub const BY_FRAGMENT: &str = "through Fragment";
/// The code is sent to official apps only.
pub const FIREBASE: &str =
    "Telegram sends this code only to official apps: ask for another way, or sign in by QR code.";

/// A person has signed in, whose account has this name.
pub fn signed_in(who: &str, name: &str, renewed: bool) -> String {
    if renewed {
        format!("Signed in as {who}. The account '{name}' has a new session.")
    } else {
        format!("Signed in as {who}. The account is called '{name}' here.")
    }
}

/// By SMS, as a word or a phrase.
pub fn by_sms_word(kind: &str, beginning: Option<&str>) -> String {
    let begins = beginning.map(|it| format!(" that begins with “{it}”")).unwrap_or_default();
    format!("by SMS, as a {kind}{begins}")
}

/// By a call whose number begins with this.
pub fn by_missed_call(prefix: &str) -> String {
    format!("by a call from +{prefix}…: the code is the end of that number")
}

/// By e-mail, to an address most of which is hidden.
pub fn by_email(pattern: &str) -> String {
    format!("by e-mail to {pattern}")
}

/// Through Fragment, at this address.
pub fn by_fragment(url: &str) -> String {
    format!("{BY_FRAGMENT}: {url}")
}

/// How a code was sent, and how many characters it has.
pub fn code_sent(to: &str, length: Option<usize>) -> String {
    let length = length.map(|length| format!(" It has {length} digits.")).unwrap_or_default();
    format!("A code was sent {to}.{length}")
}

/// How the code can be resent, and in how many seconds.
pub fn resend(way: &str, wait: i64) -> String {
    if wait > 0 {
        format!(" In {} it can be sent again, {way}.", text::duration(wait))
    } else {
        format!(" It can be sent again, {way}.")
    }
}

/// The question for the e-mail address that has to be set up.
pub const EMAIL: &str = "Telegram wants an e-mail address for this account before it sends a code. \
     It sends codes there from now on. Your address:";

/// The question for the code that confirms an e-mail address.
pub fn email_code(pattern: &str, length: Option<usize>) -> String {
    format!("To confirm the address: {}", code_sent(&by_email(pattern), length))
}

/// The question for the recovery code.
pub fn recovery_code(pattern: &str) -> String {
    format!(
        "{} It removes your two-step password: you can set a new one in another app afterwards.",
        code_sent(&by_email(pattern), None)
    )
}

/// The hint of the key for a forgotten password.
pub const FORGOTTEN: &str = "forgotten";

/// The question for the two-step password.
pub fn password(hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("Your two-step password. Your hint: {hint}"),
        None => "Your two-step password:".to_owned(),
    }
}

/// The question for a session string.
pub fn import() -> String {
    format!("Paste the session string. {IMPORT_WARNING}")
}

/// A QR code on a terminal that has only ASCII.
pub const QR_NEEDS_UNICODE: &str =
    "A QR code cannot be drawn with ASCII alone: sign in with a phone number.";

/// A QR code that needs a larger terminal, in cells.
pub fn qr_needs_room(columns: usize, rows: usize) -> String {
    format!("The QR code needs a terminal of {columns} × {rows} cells.")
}

/// How long a QR code is valid, in seconds, and where it is scanned.
pub fn qr_valid(seconds: i64) -> String {
    format!("Valid for {seconds} s · phone: {QR_MENU}")
}

const WRITE_TO_TELEGRAM: &str = "write to Telegram's support, or use another number";
const BY_QR: &str = "wait some hours, or sign in by QR code";
const NEW_SESSION: &str = "this session is of no more use: sign in with a number or a QR code";

/// The refusals with words: the error code, what is wrong, and what to do next.
///
/// Sources: the errors documented with each `auth` method at <https://core.telegram.org/methods>.
const REFUSALS: &[(&str, &str, &str)] = &[
    (
        "PHONE_NUMBER_INVALID",
        "not a valid phone number",
        "type it with the country code, as in +1 555 0100",
    ),
    ("PHONE_NUMBER_BANNED", "Telegram has banned this number", WRITE_TO_TELEGRAM),
    ("USER_DEACTIVATED_BAN", "Telegram has banned this account", WRITE_TO_TELEGRAM),
    ("USER_DEACTIVATED", "This account was deleted", "use another number"),
    (
        "PHONE_NUMBER_UNOCCUPIED",
        "Nobody has signed up with this number",
        "sign up in an official Telegram app first",
    ),
    ("PHONE_NUMBER_FLOOD", "Too many codes were asked for", BY_QR),
    ("PHONE_PASSWORD_FLOOD", "Too many wrong passwords", BY_QR),
    ("PHONE_CODE_INVALID", "wrong code", "try again"),
    ("PHONE_CODE_EMPTY", "There is no code yet", "type the code"),
    ("PHONE_CODE_EXPIRED", "The code has expired", "press Enter to get a new one"),
    (
        "SEND_CODE_UNAVAILABLE",
        "Telegram sends no other code now",
        "use the one you have, or wait a while",
    ),
    ("PASSWORD_HASH_INVALID", "wrong password", "try again"),
    ("SRP_ID_INVALID", "That took too long", "type the password again"),
    ("SRP_PASSWORD_CHANGED", "The password was changed meanwhile", "type the new one"),
    (
        "CONNECTION_API_ID_INVALID",
        "Telegram does not know this application",
        "set ONHOOK_API_ID and ONHOOK_API_HASH",
    ),
    ("API_ID_INVALID", "Telegram does not know this application", "check both"),
    ("API_ID_PUBLISHED_FLOOD", "This application may not sign people in", "get one of your own"),
    ("AUTH_RESTART", "Telegram wants to start over", "press Enter to try again"),
    ("AUTH_TOKEN_EXPIRED", "The QR code has expired", "choose it again"),
    ("AUTH_TOKEN_INVALID", "The QR code is not valid any more", "choose it again"),
    ("UPDATE_APP_TO_LOGIN", "This onhook is too old", "get a newer one"),
    ("AUTH_KEY_UNREGISTERED", "This session is signed out", NEW_SESSION),
    ("SESSION_REVOKED", "This session was ended from another device", NEW_SESSION),
    (
        "AUTH_KEY_DUPLICATED",
        "This session is used by another program; Telegram has ended it",
        NEW_SESSION,
    ),
    ("AUTH_KEY_UNKNOWN", "Telegram does not know this session", NEW_SESSION),
    (
        "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN",
        "Nobody has signed up with this number",
        "sign up in an official Telegram app first",
    ),
    (
        "PHONE_PASSWORD_PROTECTED",
        "This number is protected by a password",
        "sign in by QR code, or in an official app",
    ),
    ("SMS_CODE_CREATE_FAILED", "Telegram could not make a code", "try again in a few minutes"),
    ("SIGN_IN_FAILED", "Telegram could not sign you in", "try again in a few minutes"),
    ("PHONE_CODE_HASH_EMPTY", "There is no code yet", "press Enter to get one"),
    ("PHONE_HASH_EXPIRED", "That took too long", "press Enter to start again"),
    ("EMAIL_VERIFY_EXPIRED", "The code has expired", "press Enter to get a new one"),
    ("EMAIL_INVALID", "not a valid e-mail address", "check the spelling"),
    ("EMAIL_NOT_ALLOWED", "Telegram does not accept this e-mail address", "use another one"),
    ("CODE_INVALID", "wrong code", "try again"),
    ("CODE_EMPTY", "There is no code yet", "type the code"),
    ("PASSWORD_RECOVERY_NA", NO_RECOVERY, RESET_ELSEWHERE),
    (
        "PASSWORD_RECOVERY_EXPIRED",
        "The recovery code has expired",
        "ask for a new one, or type the password",
    ),
    ("PASSWORD_EMPTY", "The password was removed meanwhile", "sign in again"),
    ("FROZEN_METHOD_INVALID", "Telegram has frozen this account", "an official app says why"),
    ("AUTH_TOKEN_ALREADY_ACCEPTED", "The QR code was used already", "choose it again"),
    ("AUTH_TOKEN_INVALIDX", "The QR code is not valid any more", "choose it again"),
    ("AUTH_KEY_INVALID", "Telegram does not accept this session", NEW_SESSION),
    ("SESSION_EXPIRED", "This session has expired", NEW_SESSION),
];

const NO_RECOVERY: &str = "No e-mail address is set for recovery";
const RESET_ELSEWHERE: &str = "reset the password on a device where you are signed in (Settings → \
     Privacy → Two-Step Verification)";

/// What an error of Telegram means while signing in, and what to do next.
pub fn refusal(code: i32, name: &str) -> (String, &'static str) {
    match REFUSALS.iter().find(|(known, ..)| *known == name) {
        Some((_, text, advice)) => ((*text).to_owned(), advice),
        None => (format!("Telegram refuses ({code})"), "try again, or another way"),
    }
}

/// `FLOOD_WAIT` while signing in.
pub fn flood_wait(wait: Duration) -> (String, &'static str) {
    let text = super::failure::flood_wait(Some(wait.as_secs() as i64));
    (text, "then try again, or sign in another way")
}

/// Telegram cannot be reached.
pub fn unreachable(cause: &str) -> (String, &'static str) {
    let text = format!("Telegram cannot be reached ({})", text::clean(cause));
    (text, "check the network or the proxy, and try again")
}

/// `auth.sentCodePaymentRequired`.
pub const PAYMENT: (&str, &str) = (
    "Telegram wants to be paid for a code to this number",
    "sign in by QR code, or in an official app",
);
/// An import for which no `api_id` is known.
pub const NO_API_ID: (&str, &str) =
    ("This session string has no api id", "type your own (free, once)");

/// A wait of up to a week: `6 d 23 h`, or `05:30` below an hour.
fn days(seconds: i64) -> String {
    match (seconds / 86_400, seconds / 3600 % 24) {
        (0, 0) => text::duration(seconds),
        (0, hours) => format!("{hours} h"),
        (days, hours) => format!("{days} d {hours} h"),
    }
}

/// The same, where it cannot be asked for because standard input holds the session string.
pub const IMPORT_NEEDS_API_ID: &str = "this session string has no api id, and none is known: give \
     yours with --api-id, ONHOOK_API_ID and ONHOOK_API_HASH, or api_id and api_hash in config.toml \
     (from my.telegram.org/apps)";

/// `PASSWORD_RECOVERY_NA`, with the seconds until a reset that another device has requested.
pub fn no_recovery(reset_in: Option<i64>) -> (String, &'static str) {
    match reset_in {
        Some(seconds) => {
            let wait = days(seconds);
            let text = format!("{NO_RECOVERY}; the reset that was asked for is due in {wait}");
            (text, "finish it then on a device where you are signed in")
        }
        None => (NO_RECOVERY.to_owned(), RESET_ELSEWHERE),
    }
}

/// A two-step password with an unknown algorithm.
pub const UNKNOWN_PASSWORD: (&str, &str) =
    ("The password is of a kind that onhook does not know", "get a newer onhook");
/// The account is a bot.
pub const BOT: (&str, &str) =
    ("This is the session of a bot, and bots have no calls", "use the session of a person");

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_refusal_is_listed_once_with_a_cause_and_a_next_step() {
        let names: HashSet<_> = REFUSALS.iter().map(|(name, ..)| name).collect();
        assert_eq!(names.len(), REFUSALS.len());
        for (name, text, advice) in REFUSALS {
            assert!(text.len() > 9 && advice.len() > 8, "{name}: {text}: {advice}");
            assert!(!text.ends_with('.') && !advice.ends_with('.'), "{name}");
        }
    }

    #[test]
    fn the_wait_for_a_reset_is_shown_in_days_and_hours() {
        for (seconds, wanted) in [(330, "05:30"), (7200, "2 h"), (7 * 86_400 - 1, "6 d 23 h")] {
            assert_eq!(days(seconds), wanted);
        }
    }

    #[test]
    fn refusals_say_what_is_wrong_and_what_to_do() {
        let code = refusal(400, "PHONE_CODE_INVALID");
        assert_eq!(code, ("wrong code".to_owned(), "try again"));
        let unknown = refusal(500, "STRANGE");
        assert_eq!(unknown, ("Telegram refuses (500)".to_owned(), "try again, or another way"));
    }
}

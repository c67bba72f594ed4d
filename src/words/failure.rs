//! Why a request failed, in one line. The raw code is apart, in [`Failure::code`].

use crate::calls::OutcomeCheck;
use crate::calls::failure::{Failure, Remedy, is_frozen, wait};
use crate::calls::own_call::KeyFault;
use crate::text;

/// The text of a failure, and its code.
pub fn text_with_code(failure: &Failure) -> String {
    format!("{} · {}", text(failure), failure.code())
}

/// The text of a failure.
pub fn text(failure: &Failure) -> String {
    match failure {
        Failure::Refused { code, name, value } => refusal(*code, name, *value),
        Failure::NoAnswer { after } => {
            format!("No answer from Telegram in {} s; outcome unknown", after.as_secs())
        }
        Failure::ConnectionLost { .. } => {
            "Connection lost while hanging up; outcome unknown".to_owned()
        }
        Failure::Unreadable => "Probably ended, but the reply could not be read".to_owned(),
        Failure::Transport { code: 429 } => {
            "Too many connections; Telegram refuses for now".to_owned()
        }
        Failure::Transport { code: 404 } => "Telegram does not know this session's key".to_owned(),
        Failure::Transport { code: 444 } => "Wrong data centre".to_owned(),
        Failure::Transport { .. } => "Telegram's transport refused".to_owned(),
        Failure::Offline => "Not connected; nothing was sent".to_owned(),
        Failure::Internal { .. } => "onhook could not send this".to_owned(),
    }
}

/// The text of a failure, or that of the service notification by which Telegram explains it.
pub fn explained(failure: &Failure, explanation: Option<&str>) -> String {
    match explanation.filter(|_| failure.is_explained_apart()) {
        Some(explanation) => explanation.to_owned(),
        None => text(failure),
    }
}

/// The text of a failure on the row of its call.
///
/// `wait` is what is left of a wait that Telegram asked for: `None` without one, `Some(None)` once
/// it is over.
pub fn on_row(failure: &Failure, wait: Option<Option<i64>>, check: OutcomeCheck) -> String {
    match (wait, check) {
        (Some(Some(seconds)), _) => flood_wait(Some(seconds)),
        (Some(None), _) => "You can try again now".to_owned(),
        (None, OutcomeCheck::Pending) => format!("{}; checking…", text(failure)),
        (None, OutcomeCheck::NoEnd) if failure.remedy() == Remedy::Unknown => {
            "no end found".to_owned()
        }
        (None, OutcomeCheck::NoEnd) if failure.is_peer_invalid() => {
            "Telegram refuses, yet no end is found".to_owned()
        }
        (None, _) => text(failure),
    }
}

/// Telegram has frozen the account, which can then do little more than read.
pub const FROZEN: &str = "Telegram has frozen this account";

/// The same after the name of the account, where there is little room.
pub const FROZEN_SHORT: &str = "frozen";

/// The text of `FLOOD_WAIT`, wherever it is met.
pub fn flood_wait(seconds: Option<i64>) -> String {
    match seconds {
        Some(seconds) => format!("Telegram asks you to wait {}", text::duration(seconds)),
        None => "Telegram asks you to wait a little".to_owned(),
    }
}

/// The text of an `rpc_error`.
fn refusal(code: i32, name: &str, value: Option<u32>) -> String {
    if let Some(wait) = wait(code, name, value) {
        return flood_wait(Some(wait.as_secs() as i64));
    }
    let text = match (code, name) {
        _ if is_frozen(name) => FROZEN,
        (_, "CALL_ALREADY_ACCEPTED") => "Answered elsewhere; hang up there",
        (_, "CALL_ALREADY_DECLINED") => "The call had already ended",
        (_, "MESSAGE_ID_INVALID") => "The invitation had already been answered",
        (_, "CALL_PEER_INVALID") => "Telegram does not recognise this call",
        (500.., "CALL_OCCUPY_FAILED") => "Telegram: the line is occupied; outcome unknown",
        (_, "CALL_OCCUPY_FAILED") => "Telegram: the line is occupied; try again",
        (_, "USER_DEACTIVATED") => "This account was deleted",
        (_, "USER_DEACTIVATED_BAN") => "This account was banned",
        (_, "SESSION_PASSWORD_NEEDED") => "The two-step password is still needed",
        (_, "AUTH_KEY_DUPLICATED") => {
            "Another program used this session, so Telegram cancelled it; sign in again"
        }
        (401, _) => "This session was signed out",
        (_, "PEER_FLOOD") => "Telegram limits this account for now",
        (-503, _) => "Telegram took too long; outcome unknown",
        (303, _) => "This account lives in another data centre",
        (_, "BOT_METHOD_INVALID") => "Bots have no calls; use a person's account",
        (_, "CONNECTION_NOT_INITED" | "CONNECTION_LAYER_INVALID" | "UPDATE_APP_TO_LOGIN") => {
            "This onhook is too old for Telegram"
        }
        (500.., _) => "Telegram has an internal problem; outcome unknown",
        (406, _) => "Telegram refuses, and will say why in a message of its own",
        _ => return format!("Telegram refuses (error {code})"),
    };
    text.to_owned()
}

/// Why an exchange of keys has failed.
pub fn key_fault(fault: &KeyFault) -> String {
    match fault {
        KeyFault::UnsafeGroup => "Telegram sent unsafe numbers for the key".to_owned(),
        KeyFault::OutOfRange => "the other side sent an unsafe number for the key".to_owned(),
        KeyFault::CommitmentMismatch => {
            "the caller's key is not the one that it announced".to_owned()
        }
        KeyFault::FingerprintMismatch => "the two sides have different keys".to_owned(),
        KeyFault::NoRandomness => "the system has no random numbers".to_owned(),
        KeyFault::UnknownVersion(version) => {
            format!("the other side needs call library {version}, which onhook lacks")
        }
        KeyFault::Failed(failure) => text(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_error_has_words_other_than_its_number() {
        let known = [
            (400, "CALL_ALREADY_ACCEPTED", "Answered elsewhere; hang up there"),
            (400, "CALL_ALREADY_DECLINED", "The call had already ended"),
            (400, "CALL_PEER_INVALID", "Telegram does not recognise this call"),
            (500, "CALL_OCCUPY_FAILED", "Telegram: the line is occupied; outcome unknown"),
            (401, "USER_DEACTIVATED", "This account was deleted"),
            (401, "USER_DEACTIVATED_BAN", "This account was banned"),
            (401, "SESSION_REVOKED", "This session was signed out"),
            (401, "SESSION_PASSWORD_NEEDED", "The two-step password is still needed"),
            (420, "FROZEN_METHOD_INVALID", "Telegram has frozen this account"),
            (400, "FROZEN_PARTICIPANT_MISSING", "Telegram has frozen this account"),
            (400, "PEER_FLOOD", "Telegram limits this account for now"),
            (-503, "Timeout", "Telegram took too long; outcome unknown"),
            (500, "RPC_CALL_FAIL", "Telegram has an internal problem; outcome unknown"),
            (303, "USER_MIGRATE", "This account lives in another data centre"),
            (406, "SOMETHING", "Telegram refuses, and will say why in a message of its own"),
            (400, "BOT_METHOD_INVALID", "Bots have no calls; use a person's account"),
            (400, "CONNECTION_NOT_INITED", "This onhook is too old for Telegram"),
            (400, "NEVER_SEEN", "Telegram refuses (error 400)"),
        ];
        for (code, name, wanted) in known {
            let failure = Failure::Refused { code, name: name.to_owned(), value: None };
            assert_eq!(text(&failure), wanted, "{name}");
        }
        let flood = Failure::Refused { code: 420, name: "FLOOD_WAIT".to_owned(), value: Some(90) };
        assert_eq!(text(&flood), "Telegram asks you to wait 01:30");
    }
}

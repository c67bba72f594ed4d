//! Words about the text that is sent to a caller after a decline.

use crate::calls::failure::Failure;
use crate::calls::reply_text::{BadReplyText, ReplyFailure, ReplyState};

use super::failure;

/// The key of the reason picker, and where it is a prompt.
pub const KEY: &str = "with a text";
pub const KEY_SHORT: &str = "text";

/// The title of the dialog.
pub fn title(name: &str) -> String {
    format!("Decline with a text: {name}")
}

/// In front of what is typed where there is no room for a dialog.
pub const PROMPT: &str = " text: ";
/// The keys of the dialog: what Enter and Esc do.
pub const SEND: &str = "decline and send";
pub const BACK: &str = "back";
/// The same after what is typed, in the footer.
pub const PROMPT_KEYS: &str = "Enter sends · Esc back";

/// What can be done in the dialog; `texts` is how many texts the settings have.
pub fn note(texts: usize) -> &'static str {
    if texts == 0 { "type a text" } else { "↑ ↓ choose a text, or type one" }
}

/// What was entered cannot be sent.
pub fn bad(bad: BadReplyText) -> &'static str {
    match bad {
        BadReplyText::Empty => "✗ no text; nothing was sent",
        BadReplyText::TooLong => "✗ over 4096 characters; not sent",
    }
}

/// A text of the settings cannot be sent.
pub fn bad_setting(bad: BadReplyText) -> &'static str {
    match bad {
        BadReplyText::Empty => "must not be empty",
        BadReplyText::TooLong => "must have at most 4096 characters",
    }
}

/// The call no longer rings, for this cause, while its text was typed.
pub fn ended_first(name: &str, cause: &str) -> String {
    format!("{name}: {cause} · no text was sent")
}

/// The terminal became too small while a text was typed.
pub const TOO_SMALL: &str = "too small; no text was sent";

/// The same on the row of a call whose decline has failed, behind the error.
pub const NOT_SENT: &str = "text not sent";

/// What has become of the text.
pub fn state(state: &ReplyState) -> String {
    match state {
        ReplyState::Waiting(_) => "then the text".to_owned(),
        ReplyState::Sending => "text: sending…".to_owned(),
        ReplyState::Sent => "text sent".to_owned(),
        ReplyState::NotSent(failure) if failure.may_be_sent() => {
            "text: no answer; it may have been sent".to_owned()
        }
        ReplyState::NotSent(failure) => format!("text not sent: {}", cause(failure)),
    }
}

fn cause(failure: &ReplyFailure) -> String {
    match failure {
        ReplyFailure::NotDeclined => "the call was not declined".to_owned(),
        ReplyFailure::TooLate => "the call had already ended".to_owned(),
        ReplyFailure::DeclineUnknown => "no answer to the decline".to_owned(),
        ReplyFailure::NoAddressee => "Telegram gives no address to write to".to_owned(),
        ReplyFailure::Failed(Failure::Offline) => "no connection".to_owned(),
        ReplyFailure::Failed(failure) => format!("{} · {}", refusal(failure), failure.code()),
    }
}

/// The text of an error of `messages.sendMessage`.
///
/// Source: <https://core.telegram.org/method/messages.sendMessage>.
fn refusal(failure: &Failure) -> String {
    let Failure::Refused { name, .. } = failure else { return failure::text(failure) };
    let text = match name.as_str() {
        "USER_IS_BLOCKED" => "you are blocked",
        "YOU_BLOCKED_USER" => "you have blocked them",
        "PEER_FLOOD" => "Telegram limits what this account may send",
        "PRIVACY_PREMIUM_REQUIRED" => "only Premium accounts may write to them",
        "ALLOW_PAYMENT_REQUIRED" => "they charge for messages",
        "CHAT_WRITE_FORBIDDEN" | "USER_PRIVACY_RESTRICTED" => "you may not write to them",
        "INPUT_USER_DEACTIVATED" => "their account was deleted",
        "MESSAGE_TOO_LONG" => "it is too long",
        "PEER_ID_INVALID" | "USER_ID_INVALID" => "Telegram does not know them",
        _ => return failure::text(failure),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_words() {
        let refused = |code, name: &str, value| {
            ReplyFailure::Failed(Failure::Refused { code, name: name.to_owned(), value })
        };
        let silence = Failure::NoAnswer { after: std::time::Duration::from_secs(15) };
        let cases = [
            (ReplyFailure::NotDeclined, "text not sent: the call was not declined"),
            (ReplyFailure::TooLate, "text not sent: the call had already ended"),
            (ReplyFailure::DeclineUnknown, "text not sent: no answer to the decline"),
            (ReplyFailure::NoAddressee, "text not sent: Telegram gives no address to write to"),
            (ReplyFailure::Failed(Failure::Offline), "text not sent: no connection"),
            (ReplyFailure::Failed(silence), "text: no answer; it may have been sent"),
            (refused(500, "RPC_CALL_FAIL", None), "text: no answer; it may have been sent"),
            (
                refused(403, "USER_IS_BLOCKED", None),
                "text not sent: you are blocked · USER_IS_BLOCKED",
            ),
            (
                refused(400, "YOU_BLOCKED_USER", None),
                "text not sent: you have blocked them · YOU_BLOCKED_USER",
            ),
            (
                refused(400, "PEER_FLOOD", None),
                "text not sent: Telegram limits what this account may send · PEER_FLOOD",
            ),
            (
                refused(406, "PRIVACY_PREMIUM_REQUIRED", None),
                "text not sent: only Premium accounts may write to them · PRIVACY_PREMIUM_REQUIRED",
            ),
            (
                refused(403, "ALLOW_PAYMENT_REQUIRED", Some(10)),
                "text not sent: they charge for messages · ALLOW_PAYMENT_REQUIRED_10",
            ),
            (
                refused(403, "CHAT_WRITE_FORBIDDEN", None),
                "text not sent: you may not write to them · CHAT_WRITE_FORBIDDEN",
            ),
            (
                refused(400, "INPUT_USER_DEACTIVATED", None),
                "text not sent: their account was deleted · INPUT_USER_DEACTIVATED",
            ),
            (
                refused(400, "MESSAGE_TOO_LONG", None),
                "text not sent: it is too long · MESSAGE_TOO_LONG",
            ),
            (
                refused(420, "FLOOD_WAIT", Some(90)),
                "text not sent: Telegram asks you to wait 01:30 · FLOOD_WAIT_90",
            ),
            (
                refused(400, "NEVER_SEEN", None),
                "text not sent: Telegram refuses (error 400) · NEVER_SEEN",
            ),
        ];
        for (failure, wanted) in cases {
            assert_eq!(state(&ReplyState::NotSent(failure)), wanted);
        }
    }
}

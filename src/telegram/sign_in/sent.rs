//! Describes how a login code was sent.

use grammers_client::tl;

use super::FlowResult;
use crate::sign_in::Refusal;
use crate::text;

/// How a code was sent, and its length in digits if that is known.
pub(super) fn sent_to(kind: &tl::enums::auth::SentCodeType) -> FlowResult<(String, Option<usize>)> {
    use tl::enums::auth::SentCodeType as Kind;
    let length = |length: i32| usize::try_from(length).ok().filter(|length| *length > 0);
    Ok(match kind {
        Kind::App(code) => {
            ("into your other Telegram apps, as a message".to_owned(), length(code.length))
        }
        Kind::Sms(code) => ("by SMS".to_owned(), length(code.length)),
        Kind::FirebaseSms(code) => ("by SMS".to_owned(), length(code.length)),
        Kind::SmsWord(_) => ("by SMS, as a word".to_owned(), None),
        Kind::SmsPhrase(_) => ("by SMS, as a phrase".to_owned(), None),
        Kind::Call(code) => ("by a call that reads it out".to_owned(), length(code.length)),
        Kind::FlashCall(_) => ("by a call: the code is its number".to_owned(), None),
        Kind::MissedCall(code) => {
            let prefix = text::clean(&code.prefix);
            let to = format!("by a call from +{prefix}…: the code is the end of that number");
            (to, length(code.length))
        }
        Kind::EmailCode(code) => {
            (format!("by e-mail to {}", text::clean(&code.email_pattern)), length(code.length))
        }
        Kind::FragmentSms(code) => {
            (format!("through Fragment: {}", text::clean(&code.url)), length(code.length))
        }
        Kind::SetUpEmailRequired(_) => {
            return Err(Refusal::email());
        }
    })
}

/// How the code would be sent the next time.
pub(super) fn next_method(next: &tl::enums::auth::CodeType) -> &'static str {
    use tl::enums::auth::CodeType as Kind;
    match next {
        Kind::Sms => "by SMS",
        Kind::Call => "by a call that reads it out",
        Kind::FlashCall | Kind::MissedCall => "by a call, its number is the code",
        Kind::FragmentSms => "through Fragment",
    }
}

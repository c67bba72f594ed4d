//! How a login code was sent.

use grammers_client::tl;

use crate::sign_in::{CodeWay, NextWay};
use crate::text;

/// How a code was sent, and its length if that is known. `None` if none is sent before an e-mail address
/// is set up.
pub(super) fn sent_by(kind: &tl::enums::auth::SentCodeType) -> Option<(CodeWay, Option<usize>)> {
    use tl::enums::auth::SentCodeType as Kind;
    let length = |length: i32| usize::try_from(length).ok().filter(|length| *length > 0);
    let cleaned = |text: &Option<String>| text.as_deref().map(text::clean);
    Some(match kind {
        Kind::App(code) => (CodeWay::App, length(code.length)),
        Kind::Sms(code) => (CodeWay::Sms, length(code.length)),
        Kind::SmsWord(code) => (CodeWay::SmsWord { beginning: cleaned(&code.beginning) }, None),
        Kind::SmsPhrase(code) => (CodeWay::SmsPhrase { beginning: cleaned(&code.beginning) }, None),
        Kind::Call(code) => (CodeWay::Call, length(code.length)),
        Kind::FlashCall(_) => (CodeWay::FlashCall, None),
        Kind::MissedCall(code) => {
            (CodeWay::MissedCall { prefix: text::clean(&code.prefix) }, length(code.length))
        }
        Kind::EmailCode(code) => {
            (CodeWay::Email { pattern: text::clean(&code.email_pattern) }, length(code.length))
        }
        Kind::FragmentSms(code) => {
            (CodeWay::Fragment { url: text::clean(&code.url) }, length(code.length))
        }
        Kind::FirebaseSms(_) => (CodeWay::Firebase, None),
        Kind::SetUpEmailRequired(_) => return None,
    })
}

/// How the code would be sent the next time.
pub(super) fn next_way(next: &tl::enums::auth::CodeType) -> NextWay {
    use tl::enums::auth::CodeType as Kind;
    match next {
        Kind::Sms => NextWay::Sms,
        Kind::Call => NextWay::Call,
        Kind::FlashCall | Kind::MissedCall => NextWay::CallNumber,
        Kind::FragmentSms => NextWay::Fragment,
    }
}

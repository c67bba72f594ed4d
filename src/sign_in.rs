//! The requests, events and refusals of signing in.
//!
//! No I/O and no Telegram types: `telegram` runs the flow, the board and the plain terminal show
//! it.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::calls::{Party, failure};
use crate::text;
use crate::words::sign_in as words;

/// The longest name of an account on this machine.
const LONGEST_NAME: usize = 32;
/// What a name of an account consists of, after "use".
pub const ACCOUNT_NAME_RULE: &str =
    "1 to 32 letters, digits, '-', '_' or '.', the first a letter or digit";

/// Whether an account on this machine can have this name, which is also the name of its folder.
pub fn is_account_name(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|char| char.is_ascii_alphanumeric());
    let fits = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    first && name.len() <= LONGEST_NAME && name.chars().all(fits)
}

/// The credentials of an application, from <https://my.telegram.org/apps>.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiCredentials {
    /// `api_id`.
    pub id: i32,
    /// `api_hash`: 32 hex digits. Secret; it never shows in `Debug`.
    pub hash: String,
}

impl fmt::Debug for ApiCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiCredentials").field("id", &self.id).finish_non_exhaustive()
    }
}

impl ApiCredentials {
    /// Parses both as they are typed.
    ///
    /// # Errors
    /// What is wrong.
    pub fn parse(id: &str, hash: &str) -> Result<Self, &'static str> {
        let id = Self::parse_id(id)?;
        let hash = hash.trim().to_lowercase();
        let is_hash = hash.len() == 32 && hash.chars().all(|char| char.is_ascii_hexdigit());
        if is_hash { Ok(Self { id, hash }) } else { Err("an api hash has 32 hex digits") }
    }

    /// Reads an api id, which is asked for before the hash.
    pub fn parse_id(id: &str) -> Result<i32, &'static str> {
        id.trim().parse().ok().filter(|id| *id > 0).ok_or("an api id is a number")
    }
}

/// What a user submits.
#[derive(Clone, PartialEq, Eq)]
pub enum SignInRequest {
    /// A phone number to send a code to.
    SendCode {
        /// The number as it was typed.
        phone: String,
    },
    /// Send the code again, another way.
    Resend,
    Code(String),
    /// The e-mail address to set up for login codes.
    Email(String),
    /// The code that was sent to that address.
    EmailCode(String),
    Password(String),
    /// The two-step password is forgotten: send a recovery code by e-mail.
    ForgotPassword,
    RecoveryCode(String),
    /// Show a QR code.
    Qr,
    /// Import the session of this string.
    Import(String),
}

impl fmt::Debug for SignInRequest {
    /// Without numbers, codes and passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SendCode { .. } => "SendCode",
            Self::Resend => "Resend",
            Self::Code(_) => "Code",
            Self::Email(_) => "Email",
            Self::EmailCode(_) => "EmailCode",
            Self::Password(_) => "Password",
            Self::ForgotPassword => "ForgotPassword",
            Self::RecoveryCode(_) => "RecoveryCode",
            Self::Qr => "Qr",
            Self::Import(_) => "Import",
        })
    }
}

/// What happens while signing in.
#[derive(Clone, PartialEq, Eq)]
pub enum SignInEvent {
    /// A code was sent.
    CodeSent(SentCode),
    /// An e-mail address has to be set up first, to which codes are sent.
    EmailNeeded,
    /// A code was sent to the address that is being set up.
    EmailCodeSent(EmailCode),
    /// A recovery code was sent by e-mail.
    RecoveryCodeSent(EmailCode),
    /// A two-step password is set.
    PasswordNeeded {
        /// The hint that the user chose; cleaned.
        hint: Option<String>,
    },
    /// A QR code to be scanned.
    Qr {
        /// Its text: secret while it is valid.
        url: String,
        /// When it expires, on this machine's clock.
        until: Timestamp,
    },
    /// A request was refused.
    Refused(Refusal),
    /// Signed in, and stored.
    Done {
        /// The account's name on this machine.
        name: String,
        own: Party,
        /// Whether the session renews an account that was here before.
        renewed: bool,
    },
}

impl fmt::Debug for SignInEvent {
    /// Without the text of the QR code and the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CodeSent(_) => f.write_str("CodeSent"),
            Self::EmailNeeded => f.write_str("EmailNeeded"),
            Self::EmailCodeSent(_) => f.write_str("EmailCodeSent"),
            Self::RecoveryCodeSent(_) => f.write_str("RecoveryCodeSent"),
            Self::PasswordNeeded { .. } => f.write_str("PasswordNeeded"),
            Self::Qr { until, .. } => f.debug_struct("Qr").field("until", until).finish(),
            Self::Refused(refusal) => f.debug_tuple("Refused").field(refusal).finish(),
            Self::Done { .. } => f.write_str("Done"),
        }
    }
}

/// How a code was sent, and how it can be resent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentCode {
    /// How it was sent.
    pub way: CodeWay,
    /// How many characters it has, if that is known.
    pub length: Option<usize>,
    /// How it can be resent, and when that is allowed, on this machine's clock.
    pub next: Option<(NextWay, Timestamp)>,
}

/// How a code was sent: the constructors of `auth.SentCodeType`. All texts are cleaned.
///
/// Source: <https://core.telegram.org/type/auth.SentCodeType>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeWay {
    /// As a message in another Telegram app.
    App,
    Sms,
    /// By SMS, as a word.
    SmsWord {
        beginning: Option<String>,
    },
    /// By SMS, as a phrase.
    SmsPhrase {
        beginning: Option<String>,
    },
    /// By a call that reads it out.
    Call,
    /// By a call whose number is the code.
    FlashCall,
    /// By a call whose number ends with the code.
    MissedCall {
        prefix: String,
    },
    Email {
        /// The address, most of it hidden.
        pattern: String,
    },
    Fragment {
        url: String,
    },
    /// Not at all: Telegram sends this code only to apps that attest themselves.
    Firebase,
}

/// How a code can be sent the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextWay {
    Sms,
    Call,
    /// A call whose number has the code.
    CallNumber,
    Fragment,
}

impl NextWay {
    /// The words for it, as the end of a sentence.
    pub fn text(self) -> &'static str {
        match self {
            Self::Sms => words::BY_SMS,
            Self::Call => words::BY_CALL,
            Self::CallNumber => words::BY_CALL_NUMBER,
            Self::Fragment => words::BY_FRAGMENT,
        }
    }
}

impl SentCode {
    /// How the code was sent, as a sentence.
    pub fn text(&self) -> String {
        let to = match &self.way {
            CodeWay::App => words::BY_APP.to_owned(),
            CodeWay::Sms => words::BY_SMS.to_owned(),
            CodeWay::SmsWord { beginning } => words::by_sms_word("word", beginning.as_deref()),
            CodeWay::SmsPhrase { beginning } => words::by_sms_word("phrase", beginning.as_deref()),
            CodeWay::Call => words::BY_CALL.to_owned(),
            CodeWay::FlashCall => words::BY_CALL_NUMBER.to_owned(),
            CodeWay::MissedCall { prefix } => words::by_missed_call(prefix),
            CodeWay::Email { pattern } => words::by_email(pattern),
            CodeWay::Fragment { url } => words::by_fragment(url),
            CodeWay::Firebase => return words::FIREBASE.to_owned(),
        };
        words::code_sent(&to, self.length)
    }
}

/// A code that was sent to an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailCode {
    /// The address, most of it hidden; cleaned.
    pub pattern: String,
    /// How many characters it has, if that is known.
    pub length: Option<usize>,
}

/// A code as it is sent to Telegram. Digits are often written in groups; the blanks of a word or phrase
/// are a part of it.
pub fn normalized_code(typed: &str) -> String {
    let digits: String =
        typed.chars().filter(|char| !char.is_whitespace() && *char != '-').collect();
    if !digits.is_empty() && digits.chars().all(|char| char.is_ascii_digit()) {
        return digits;
    }
    typed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The step at which signing in continues after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The API credentials.
    ApiCredentials,
    /// The choice of the method.
    Method,
    Phone,
    Code,
    /// The e-mail address to set up.
    Email,
    Password,
    /// The same step.
    Same,
}

/// Why a request was refused, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub text: String,
    /// What to do next.
    pub advice: &'static str,
    /// The error code of Telegram; cleaned. Empty if the refusal is not Telegram's.
    pub code: String,
    /// The step at which to continue.
    pub back_to: Step,
    /// How long no attempt is allowed.
    pub wait: Option<Duration>,
}

impl Refusal {
    /// Whether the phone number cannot be used, so that it is of no use to offer it again.
    pub fn is_of_number(&self) -> bool {
        matches!(
            self.code.as_str(),
            "PHONE_NUMBER_INVALID"
                | "PHONE_NUMBER_BANNED"
                | "PHONE_NUMBER_UNOCCUPIED"
                | "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN"
                | "USER_DEACTIVATED"
                | "USER_DEACTIVATED_BAN"
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.text)?;
        if !self.code.is_empty() {
            write!(f, " · {}", self.code)?;
        }
        write!(f, ": {}", self.advice)
    }
}

/// The step at which signing in goes on after an error of Telegram.
fn step_after(name: &str) -> Step {
    match name {
        "PHONE_NUMBER_INVALID"
        | "PHONE_NUMBER_BANNED"
        | "USER_DEACTIVATED_BAN"
        | "USER_DEACTIVATED"
        | "PHONE_NUMBER_UNOCCUPIED"
        | "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN"
        | "PHONE_CODE_EXPIRED"
        | "PHONE_CODE_HASH_EMPTY"
        | "PHONE_HASH_EXPIRED"
        | "EMAIL_VERIFY_EXPIRED"
        | "AUTH_RESTART" => Step::Phone,
        "PHONE_NUMBER_FLOOD"
        | "PHONE_PASSWORD_FLOOD"
        | "PHONE_PASSWORD_PROTECTED"
        | "PASSWORD_EMPTY"
        | "FROZEN_METHOD_INVALID"
        | "AUTH_TOKEN_ALREADY_ACCEPTED"
        | "AUTH_TOKEN_EXPIRED"
        | "AUTH_TOKEN_INVALID"
        | "AUTH_TOKEN_INVALIDX"
        | "UPDATE_APP_TO_LOGIN"
        | "AUTH_KEY_UNREGISTERED"
        | "SESSION_REVOKED"
        | "AUTH_KEY_DUPLICATED"
        | "AUTH_KEY_UNKNOWN" => Step::Method,
        "PHONE_CODE_INVALID"
        | "PHONE_CODE_EMPTY"
        | "SEND_CODE_UNAVAILABLE"
        | "CODE_INVALID"
        | "CODE_EMPTY" => Step::Code,
        "EMAIL_INVALID" | "EMAIL_NOT_ALLOWED" => Step::Email,
        "PASSWORD_HASH_INVALID"
        | "SRP_ID_INVALID"
        | "SRP_PASSWORD_CHANGED"
        | "PASSWORD_RECOVERY_NA"
        | "PASSWORD_RECOVERY_EXPIRED" => Step::Password,
        "CONNECTION_API_ID_INVALID" | "API_ID_INVALID" | "API_ID_PUBLISHED_FLOOD" => {
            Step::ApiCredentials
        }
        _ => Step::Same,
    }
}

impl Refusal {
    /// An error of Telegram. `value` is the number in its name.
    pub fn of_telegram(code: i32, name: &str, value: Option<u32>) -> Self {
        if let Some(wait) = failure::wait(code, name, value) {
            let (text, advice) = words::flood_wait(wait);
            let code = text::clean(name);
            return Self { text, advice, code, back_to: Step::Same, wait: Some(wait) };
        }
        let (text, advice) = words::refusal(code, name);
        let back_to = step_after(name);
        Self { text, advice, code: text::clean(name), back_to, wait: None }
    }

    /// A refusal that is not Telegram's.
    pub fn local(text: String, advice: &'static str, back_to: Step) -> Self {
        Self { text, advice, code: String::new(), back_to, wait: None }
    }

    /// Telegram cannot be reached.
    pub fn unreachable(cause: &str) -> Self {
        let (text, advice) = words::unreachable(cause);
        Self::local(text, advice, Step::Same)
    }

    /// `auth.sentCodePaymentRequired`.
    pub fn payment() -> Self {
        Self::of_words(words::PAYMENT)
    }

    /// An import for which no `api_id` is known.
    pub fn no_api_id() -> Self {
        let (text, advice) = words::NO_API_ID;
        Self::local(text.to_owned(), advice, Step::ApiCredentials)
    }

    /// `PASSWORD_RECOVERY_NA`, with the seconds until a reset of the password that another device has
    /// requested.
    pub fn no_recovery(reset_in: Option<i64>) -> Self {
        let (text, advice) = words::no_recovery(reset_in);
        let code = "PASSWORD_RECOVERY_NA".to_owned();
        Self { code, ..Self::local(text, advice, Step::Password) }
    }

    /// A two-step password with an unknown algorithm.
    pub fn unknown_password() -> Self {
        Self::of_words(words::UNKNOWN_PASSWORD)
    }

    /// The account is a bot.
    pub fn bot() -> Self {
        Self::of_words(words::BOT)
    }

    fn of_words((text, advice): (&str, &'static str)) -> Self {
        Self::local(text.to_owned(), advice, Step::Method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_shows_cause_code_and_next_step() {
        let refusal = Refusal::of_telegram(400, "PHONE_CODE_INVALID", None);
        assert_eq!(refusal.to_string(), "wrong code · PHONE_CODE_INVALID: try again");
        assert_eq!(refusal.back_to, Step::Code);
        let frozen = Refusal::of_telegram(420, "FROZEN_METHOD_INVALID", None);
        assert_eq!((frozen.wait, frozen.back_to), (None, Step::Method));
        let flood = Refusal::of_telegram(420, "FLOOD_WAIT", Some(90));
        assert_eq!(flood.wait, Some(Duration::from_secs(90)));
        assert!(flood.to_string().starts_with("Telegram asks you to wait 01:30"), "{flood}");
        let unknown = Refusal::of_telegram(500, "STRANGE\u{1b}[2J", None).to_string();
        assert_eq!(unknown, "Telegram refuses (500) · STRANGE[2J: try again, or another way");
    }

    #[test]
    fn digits_lose_their_groups_and_a_phrase_keeps_its_blanks() {
        for (typed, sent) in [
            (" 12 345 ", "12345"),
            ("123-45", "12345"),
            ("quagmire", "quagmire"),
            ("  two  brown\tfoxes ", "two brown foxes"),
            ("well-known", "well-known"),
            (" ", ""),
        ] {
            assert_eq!(normalized_code(typed), sent);
        }
    }

    #[test]
    fn nothing_secret_is_in_what_is_logged() {
        let requests = [
            SignInRequest::SendCode { phone: "15550100".to_owned() },
            SignInRequest::Code("24601".to_owned()),
            SignInRequest::Email("ada@home".to_owned()),
            SignInRequest::EmailCode("24601".to_owned()),
            SignInRequest::RecoveryCode("24601".to_owned()),
            SignInRequest::Password("hunter2".to_owned()),
        ];
        let url = "tg://login?token=secret".to_owned();
        let shown =
            format!("{requests:?} {:?}", SignInEvent::Qr { url, until: Timestamp::UNIX_EPOCH });
        for secret in ["15550100", "24601", "ada@home", "hunter2", "secret"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

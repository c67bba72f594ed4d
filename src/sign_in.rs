//! Signing in, as a conversation: what a person gives, what Telegram answers, in words.
//!
//! No I/O and no Telegram types: `telegram` holds the conversation, the board and the plain
//! terminal show it.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::calls::Party;
use crate::text;

/// Where a person gets an `api_id` and `api_hash`.
pub const APPLICATION_HELP: &str =
    "Telegram gives every person an api id and hash of their own: https://my.telegram.org/apps";
/// What has to be known before a session is imported.
pub const IMPORT_WARNING: &str = "A session must not be used by two programs at once: Telegram \
     then ends it. Stop the other program first, or make a session of onhook's own.";

/// The application that Telegram knows this program as: the person's own, from
/// <https://my.telegram.org/apps>.
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
    /// Reads both as they are typed.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(id: &str, hash: &str) -> Result<Self, &'static str> {
        let id = id.trim().parse().ok().filter(|id| *id > 0);
        let hash = hash.trim().to_lowercase();
        let is_hash = hash.len() == 32 && hash.chars().all(|char| char.is_ascii_hexdigit());
        match id {
            None => Err("an api id is a number"),
            Some(_) if !is_hash => Err("an api hash has 32 hex digits"),
            Some(id) => Ok(Self { id, hash }),
        }
    }
}

/// Something that the person gives.
#[derive(Clone, PartialEq, Eq)]
pub enum SignInRequest {
    /// A phone number to send a code to.
    SendCode {
        /// As it was typed.
        phone: String,
    },
    /// Send the code again, another way.
    Resend,
    /// The code.
    Code(String),
    /// The two-step password.
    Password(String),
    /// Show a QR code.
    Qr,
    /// Take over the session of this string.
    Import(String),
}

impl fmt::Debug for SignInRequest {
    /// Without numbers, codes and passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SendCode { .. } => "SendCode",
            Self::Resend => "Resend",
            Self::Code(_) => "Code",
            Self::Password(_) => "Password",
            Self::Qr => "Qr",
            Self::Import(_) => "Import",
        })
    }
}

/// Something that Telegram says.
#[derive(Clone, PartialEq, Eq)]
pub enum SignInEvent {
    /// A code is on its way.
    CodeSent(SentCode),
    /// A two-step password is set.
    PasswordNeeded {
        /// What the person wrote down as a hint; cleaned.
        hint: Option<String>,
    },
    /// A QR code to be scanned.
    Qr {
        /// What it says: secret while it is valid.
        url: String,
        /// When it expires, on this machine's clock.
        until: Timestamp,
    },
    /// It did not work.
    Refused(Refusal),
    /// Signed in, and stored.
    Done {
        /// The account's name on this machine.
        name: String,
        /// Who it is.
        own: Party,
    },
}

impl fmt::Debug for SignInEvent {
    /// Without what the QR code says and who it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CodeSent(sent) => f.debug_tuple("CodeSent").field(sent).finish(),
            Self::PasswordNeeded { .. } => f.write_str("PasswordNeeded"),
            Self::Qr { until, .. } => f.debug_struct("Qr").field("until", until).finish(),
            Self::Refused(refusal) => f.debug_tuple("Refused").field(refusal).finish(),
            Self::Done { .. } => f.write_str("Done"),
        }
    }
}

/// How a code was sent, and how it can be sent next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentCode {
    /// Where it can be read; cleaned.
    pub to: String,
    /// How many characters it has, if that is known.
    pub length: Option<usize>,
    /// How it can be sent again, and when that is allowed, on this machine's clock.
    pub next: Option<(String, Timestamp)>,
}

/// The step to which a refusal leads back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The application's id and hash.
    ApiCredentials,
    /// The way in.
    Method,
    /// The phone number.
    Phone,
    /// The code.
    Code,
    /// The password.
    Password,
    /// Where it was.
    Same,
}

/// Why something did not work, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is the matter.
    pub text: String,
    /// What to do next.
    pub advice: &'static str,
    /// Telegram's own name for it; cleaned. Empty where there is none.
    pub code: String,
    /// Where to go on.
    pub back_to: Step,
    /// How long nothing can be tried.
    pub wait: Option<Duration>,
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

const WRITE_TO_TELEGRAM: &str = "write to Telegram's support, or use another number";
const BY_QR: &str = "wait some hours, or sign in by QR code";
const NEW_SESSION: &str = "this session is of no more use: sign in with a number or a QR code";

/// The refusals that have words of their own: the name, what is the matter, what to do, and the
/// step to go back to. Sources: the errors documented with each `auth` method.
const KNOWN: [(&str, &str, &str, Step); 25] = [
    (
        "PHONE_NUMBER_INVALID",
        "Telegram does not know such a number",
        "type it with the country code, as in +1 555 0100",
        Step::Phone,
    ),
    ("PHONE_NUMBER_BANNED", "Telegram has banned this number", WRITE_TO_TELEGRAM, Step::Phone),
    ("USER_DEACTIVATED_BAN", "Telegram has banned this account", WRITE_TO_TELEGRAM, Step::Phone),
    ("USER_DEACTIVATED", "This account was deleted", "use another number", Step::Phone),
    (
        "PHONE_NUMBER_UNOCCUPIED",
        "Nobody has signed up with this number",
        "sign up in an official Telegram app first",
        Step::Phone,
    ),
    ("PHONE_NUMBER_FLOOD", "Too many codes were asked for", BY_QR, Step::Method),
    ("PHONE_PASSWORD_FLOOD", "Too many wrong passwords", BY_QR, Step::Method),
    ("PHONE_CODE_INVALID", "This is not the code", "look again, and type it anew", Step::Code),
    ("PHONE_CODE_EMPTY", "There is no code yet", "type the code", Step::Code),
    ("PHONE_CODE_EXPIRED", "The code has expired", "press Enter to get a new one", Step::Phone),
    (
        "SEND_CODE_UNAVAILABLE",
        "Telegram sends no other code now",
        "use the one you have, or wait a while",
        Step::Code,
    ),
    ("PASSWORD_HASH_INVALID", "This is not the password", "type it anew", Step::Password),
    ("SRP_ID_INVALID", "That took too long", "type the password anew", Step::Password),
    (
        "SRP_PASSWORD_CHANGED",
        "The password was changed meanwhile",
        "type the new one",
        Step::Password,
    ),
    (
        "CONNECTION_API_ID_INVALID",
        "Telegram does not know this application",
        "set ONHOOK_API_ID and ONHOOK_API_HASH",
        Step::ApiCredentials,
    ),
    (
        "API_ID_INVALID",
        "Telegram does not know this application",
        "check both",
        Step::ApiCredentials,
    ),
    (
        "API_ID_PUBLISHED_FLOOD",
        "This application may not sign people in",
        "get one of your own",
        Step::ApiCredentials,
    ),
    ("AUTH_RESTART", "Telegram wants to begin anew", "press Enter to try again", Step::Phone),
    ("AUTH_TOKEN_EXPIRED", "The QR code has expired", "choose it again", Step::Method),
    ("AUTH_TOKEN_INVALID", "The QR code is not valid any more", "choose it again", Step::Method),
    ("UPDATE_APP_TO_LOGIN", "This onhook is too old", "get a newer one", Step::Method),
    ("AUTH_KEY_UNREGISTERED", "This session is signed out", NEW_SESSION, Step::Method),
    ("SESSION_REVOKED", "This session was ended from another device", NEW_SESSION, Step::Method),
    (
        "AUTH_KEY_DUPLICATED",
        "This session is used by another program; Telegram has ended it",
        NEW_SESSION,
        Step::Method,
    ),
    ("AUTH_KEY_UNKNOWN", "Telegram does not know this session", NEW_SESSION, Step::Method),
];

impl Refusal {
    /// What an error of Telegram means for somebody who signs in. `value` is the number in its
    /// name.
    pub fn of_telegram(code: i32, name: &str, value: Option<u32>) -> Self {
        if code == 420 {
            let wait = Duration::from_secs(u64::from(value.unwrap_or(1)));
            return Self {
                text: format!(
                    "Telegram wants patience for {}",
                    text::duration(wait.as_secs() as i64)
                ),
                advice: "then try again, or sign in another way",
                code: "FLOOD_WAIT".to_owned(),
                back_to: Step::Same,
                wait: Some(wait),
            };
        }
        let known = KNOWN.iter().find(|(known, ..)| *known == name);
        let (text, advice, back_to) = match known {
            Some((_, text, advice, step)) => ((*text).to_owned(), *advice, *step),
            None => (format!("Telegram refuses ({code})"), "try again, or another way", Step::Same),
        };
        Self { text, advice, code: text::clean(name), back_to, wait: None }
    }

    /// A refusal that is not Telegram's.
    pub fn local(text: String, advice: &'static str, back_to: Step) -> Self {
        Self { text, advice, code: String::new(), back_to, wait: None }
    }

    /// Telegram cannot be reached.
    pub fn unreachable(cause: &str) -> Self {
        let text = format!("Telegram cannot be reached ({})", text::clean(cause));
        Self::local(text, "check the line or the proxy, and try again", Step::Same)
    }

    /// `auth.sentCodePaymentRequired`.
    pub fn payment() -> Self {
        let text = "Telegram wants to be paid for a code to this number".to_owned();
        Self::local(text, "sign in by QR code, or in an official app", Step::Method)
    }

    /// `auth.sentCodeTypeSetUpEmailRequired`.
    pub fn email() -> Self {
        let text = "Telegram wants an e-mail address for this number first".to_owned();
        Self::local(text, "set it in an official app, or sign in by QR code", Step::Method)
    }

    /// A two-step password of a kind that this program does not know.
    pub fn unknown_password() -> Self {
        let text = "The password is of a kind that onhook does not know".to_owned();
        Self::local(text, "get a newer onhook", Step::Method)
    }

    /// The account is a bot.
    pub fn bot() -> Self {
        let text = "This is the session of a bot, and bots have no calls".to_owned();
        Self::local(text, "use the session of a person", Step::Method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_is_the_matter_and_what_to_do() {
        for (name, text, advice, _) in KNOWN {
            let refusal = Refusal::of_telegram(400, name, None);
            assert_eq!(refusal.to_string(), format!("{text} · {name}: {advice}"));
        }
        let flood = Refusal::of_telegram(420, "FLOOD_WAIT", Some(90));
        assert_eq!(flood.wait, Some(Duration::from_secs(90)));
        assert!(flood.to_string().starts_with("Telegram wants patience for 01:30"), "{flood}");
        let unknown = Refusal::of_telegram(500, "STRANGE\u{1b}[2J", None).to_string();
        assert_eq!(unknown, "Telegram refuses (500) · STRANGE[2J: try again, or another way");
    }

    #[test]
    fn nothing_secret_is_in_what_is_logged() {
        let requests = [
            SignInRequest::SendCode { phone: "15550100".to_owned() },
            SignInRequest::Code("24601".to_owned()),
            SignInRequest::Password("hunter2".to_owned()),
        ];
        let url = "tg://login?token=secret".to_owned();
        let shown =
            format!("{requests:?} {:?}", SignInEvent::Qr { url, until: Timestamp::UNIX_EPOCH });
        for secret in ["15550100", "24601", "hunter2", "secret"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

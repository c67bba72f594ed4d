//! What a scenario says of the account: who it is, how it is signed in to, how its sessions end.

use serde::Deserialize;
use toml::Spanned;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::loopback) struct Me {
    pub(in crate::loopback) name: String,
    pub(in crate::loopback) username: Option<String>,
    pub(in crate::loopback) phone: Option<String>,
    pub(in crate::loopback) bot: bool,
    /// The two-step password, if one is set, and its hint.
    pub(in crate::loopback) password: Option<String>,
    pub(in crate::loopback) hint: Option<String>,
    /// The data centre where the account lives.
    pub(in crate::loopback) dc: Option<Spanned<i32>>,
    /// The sessions handed out get no calls (`call_requests_disabled`).
    pub(in crate::loopback) calls_off: bool,
    /// The sessions handed out have not been confirmed on another device.
    pub(in crate::loopback) unconfirmed: bool,
    /// Who may call.
    pub(in crate::loopback) callers: Callers,
}

impl Default for Me {
    fn default() -> Self {
        Self {
            name: "Ada Lovelace".to_owned(),
            username: Some("ada".to_owned()),
            phone: None,
            bot: false,
            password: None,
            hint: None,
            dc: None,
            calls_off: false,
            unconfirmed: false,
            callers: Callers::default(),
        }
    }
}

/// `inputPrivacyKeyPhoneCall`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::loopback) enum Callers {
    #[default]
    Everybody,
    Contacts,
    Nobody,
}

/// How somebody signs in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::loopback) struct SignInScript {
    /// The login code that is sent.
    pub(in crate::loopback) code: String,
    /// How it is sent.
    pub(in crate::loopback) via: CodeWay,
    /// How it is sent the next time.
    pub(in crate::loopback) next: Option<CodeWay>,
    /// After how many seconds it may be sent again.
    pub(in crate::loopback) timeout: Spanned<f64>,
    /// After how many seconds it expires.
    pub(in crate::loopback) life: Spanned<f64>,
    /// What signing in with a right code leads to.
    pub(in crate::loopback) outcome: Outcome,
    /// After how many seconds a login token is accepted on another device of the account.
    pub(in crate::loopback) scanned: Option<Spanned<f64>>,
    /// After how many seconds a login token expires.
    pub(in crate::loopback) token_life: Spanned<f64>,
}

impl Default for SignInScript {
    fn default() -> Self {
        Self {
            code: "12345".to_owned(),
            via: CodeWay::App,
            next: None,
            timeout: Spanned::new(0..0, 60.0),
            life: Spanned::new(0..0, 300.0),
            outcome: Outcome::default(),
            scanned: None,
            token_life: Spanned::new(0..0, 30.0),
        }
    }
}

/// How a login code travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::loopback) enum CodeWay {
    /// Into another Telegram app of the account.
    App,
    Sms,
    Call,
    /// By a call that is not answered: the code is the end of its number.
    MissedCall,
    Email,
}

/// What signing in leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::loopback) enum Outcome {
    #[default]
    SignedIn,
    /// Nobody has the number yet.
    SignUp,
    /// Telegram wants to be paid before it sends a code.
    Payment,
}

/// The end of an account's sessions that were handed out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::loopback) struct Revocation {
    /// Seconds after the script has begun.
    pub(in crate::loopback) at: Spanned<f64>,
    /// Whose sessions.
    #[serde(default = "me")]
    pub(in crate::loopback) account: Spanned<String>,
    /// What every request is refused with from then on; without it the keys are forgotten, which
    /// the transport tells with −404.
    pub(in crate::loopback) error: Option<Spanned<String>>,
}

fn me() -> Spanned<String> {
    Spanned::new(0..0, "me".to_owned())
}

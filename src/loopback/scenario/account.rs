//! What a scenario says of the account: who it is, how it is signed in to, how its sessions end.

use serde::Deserialize;
use toml::Spanned;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Me {
    pub(crate) name: String,
    pub(crate) username: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) bot: bool,
    /// The two-step password, if one is set, and its hint.
    pub(crate) password: Option<String>,
    pub(crate) hint: Option<String>,
    /// The data centre where the account lives.
    pub(crate) dc: Option<Spanned<i32>>,
    /// The sessions handed out get no calls (`call_requests_disabled`).
    pub(crate) calls_off: bool,
    /// The sessions handed out have not been confirmed on another device.
    pub(crate) unconfirmed: bool,
    /// Who may call.
    pub(crate) callers: Callers,
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
pub(crate) enum Callers {
    #[default]
    Everybody,
    Contacts,
    Nobody,
}

/// How somebody signs in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignInScript {
    /// The login code that is sent.
    pub(crate) code: String,
    /// How it is sent.
    pub(crate) via: CodeWay,
    /// How it is sent the next time.
    pub(crate) next: Option<CodeWay>,
    /// After how many seconds it may be sent again.
    pub(crate) timeout: Spanned<f64>,
    /// After how many seconds it expires.
    pub(crate) life: Spanned<f64>,
    /// What signing in with a right code leads to.
    pub(crate) outcome: SignInOutcome,
    /// After how many seconds a login token is accepted on another device of the account.
    pub(crate) scanned: Option<Spanned<f64>>,
    /// After how many seconds a login token expires.
    pub(crate) token_life: Spanned<f64>,
}

impl Default for SignInScript {
    fn default() -> Self {
        Self {
            code: "12345".to_owned(),
            via: CodeWay::App,
            next: None,
            timeout: Spanned::new(0..0, 60.0),
            life: Spanned::new(0..0, 300.0),
            outcome: SignInOutcome::default(),
            scanned: None,
            token_life: Spanned::new(0..0, 30.0),
        }
    }
}

/// How a login code travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CodeWay {
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
pub(crate) enum SignInOutcome {
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
pub(crate) struct Revocation {
    /// Seconds after the script has begun.
    pub(crate) at: Spanned<f64>,
    /// Whose sessions.
    #[serde(default = "me")]
    pub(crate) account: Spanned<String>,
    /// What every request is refused with from then on; without it the keys are forgotten, which
    /// the transport tells with −404.
    pub(crate) error: Option<Spanned<String>>,
}

fn me() -> Spanned<String> {
    Spanned::new(0..0, "me".to_owned())
}

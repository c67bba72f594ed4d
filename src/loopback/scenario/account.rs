//! `[me]`, `[sign_in]` and `[[revoke]]`: the account, signing in to it, and the end of its sessions.

use serde::Deserialize;
use toml::Spanned;

/// `[me]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AccountScript {
    pub(crate) name: String,
    pub(crate) username: Option<String>,
    /// With or without a `+` in front.
    pub(crate) phone: Option<Spanned<String>>,
    pub(crate) bot: bool,
    pub(crate) password: Option<String>,
    /// The hint of the two-step password.
    pub(crate) hint: Option<String>,
    /// The address for the recovery of the two-step password.
    pub(crate) recovery_email: Option<Spanned<String>>,
    /// The code that is sent to that address.
    pub(crate) recovery_code: String,
    /// In how many seconds a reset of the two-step password, which another device has requested, is due.
    pub(crate) pending_reset: Option<Spanned<f64>>,
    /// The account's home data centre.
    pub(crate) dc: Option<Spanned<i32>>,
    /// `call_requests_disabled` of the sessions: they receive no calls.
    pub(crate) calls_off: bool,
    /// `unconfirmed` of the sessions.
    pub(crate) unconfirmed: bool,
    /// After how many seconds another device confirms the sessions.
    pub(crate) confirmed: Option<Spanned<f64>>,
    pub(crate) callers: CallPrivacy,
    /// The account's official devices.
    pub(crate) devices: DevicesScript,
}

/// What the account's official devices do when a call arrives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DevicesScript {
    /// What each call's script says.
    #[default]
    Scripted,
    /// One acknowledges the call; the server refuses others meanwhile, and the caller gives up after
    /// the ring timeout.
    Acks,
    /// There is none, so that the caller gives up after `call_receive_timeout_ms`.
    Absent,
}

impl Default for AccountScript {
    fn default() -> Self {
        Self {
            name: "Ada Lovelace".to_owned(),
            username: Some("ada".to_owned()),
            phone: None,
            bot: false,
            password: None,
            hint: None,
            recovery_email: None,
            recovery_code: "777777".to_owned(),
            pending_reset: None,
            dc: None,
            calls_off: false,
            unconfirmed: false,
            confirmed: None,
            callers: CallPrivacy::default(),
            devices: DevicesScript::default(),
        }
    }
}

/// Who may call: the rules of `inputPrivacyKeyPhoneCall`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CallPrivacy {
    #[default]
    Everybody,
    Contacts,
    Nobody,
}

/// `[sign_in]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignInScript {
    pub(crate) code: Spanned<String>,
    /// The `beginning` of a code that is a word or a phrase.
    pub(crate) beginning: Option<Spanned<String>>,
    /// The code that is sent to an address that is being set up.
    pub(crate) email_code: String,
    /// How `auth.sendCode` delivers the code.
    pub(crate) via: CodeDelivery,
    /// How `auth.resendCode` delivers the code.
    pub(crate) next: Option<Spanned<CodeDelivery>>,
    /// After how many seconds `auth.resendCode` is allowed.
    pub(crate) timeout: Spanned<f64>,
    /// After how many seconds the code expires.
    pub(crate) life: Spanned<f64>,
    pub(crate) outcome: SignInOutcome,
    /// After how many seconds a login token is accepted on another device of the account.
    pub(crate) scanned: Option<Spanned<f64>>,
    /// After how many seconds a login token expires.
    pub(crate) token_life: Spanned<f64>,
}

impl Default for SignInScript {
    fn default() -> Self {
        Self {
            code: Spanned::new(0..0, "12345".to_owned()),
            beginning: None,
            email_code: "246810".to_owned(),
            via: CodeDelivery::App,
            next: None,
            timeout: Spanned::new(0..0, 60.0),
            life: Spanned::new(0..0, 300.0),
            outcome: SignInOutcome::default(),
            scanned: None,
            token_life: Spanned::new(0..0, 30.0),
        }
    }
}

impl SignInScript {
    pub(crate) fn next_delivery(&self) -> Option<CodeDelivery> {
        self.next.as_ref().map(|next| *next.get_ref())
    }
}

/// How a login code is delivered: the constructors of `auth.SentCodeType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CodeDelivery {
    /// A message in another Telegram app of the account.
    App,
    Sms,
    /// An SMS with a word.
    SmsWord,
    /// An SMS with a phrase; its blanks are a part of the code.
    SmsPhrase,
    Call,
    /// A call that is not answered; the code is the end of the caller's number.
    MissedCall,
    /// A message at Fragment, for numbers that were bought there.
    Fragment,
    /// Only this code is accepted in `email_verification`.
    Email,
    /// No code until the client has set up an e-mail address; then as [`Self::Email`].
    EmailSetup,
    /// No code, because only official apps can have it sent.
    Firebase,
}

/// The outcome of signing in with a correct code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SignInOutcome {
    #[default]
    SignedIn,
    /// `auth.authorizationSignUpRequired`: no account has the number.
    SignUp,
    /// `auth.sentCodePaymentRequired`: Telegram requires a payment before it sends a code.
    Payment,
}

/// `[[revoke]]`: the end of all sessions of a user.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevocationScript {
    /// Seconds after the start of the script.
    pub(crate) at: Spanned<f64>,
    /// The key of the user, or `me`.
    #[serde(default = "me")]
    pub(crate) account: Spanned<String>,
    /// The error of every later request; without it the server removes the keys, so that the
    /// transport error −404 follows.
    pub(crate) error: Option<Spanned<String>>,
}

fn me() -> Spanned<String> {
    Spanned::new(0..0, "me".to_owned())
}

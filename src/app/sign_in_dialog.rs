//! The sign-in dialog: its mode, its questions, and what has been typed.

use std::fmt;

use jiff::Timestamp;
use tui_input::{Input, InputRequest};

use super::countdown::remaining;
use crate::sign_in::{EmailCode, Refusal, SentCode, Step};
use crate::words::sign_in::TYPE_AGAIN;

/// The largest number of characters in a field.
pub(super) const LONGEST: usize = 4096;

/// How people can sign in on a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignInMode {
    /// Not at all: this is a demo.
    #[default]
    Closed,
    /// Not here: `onhook login` does it.
    CommandLine,
    /// The API credentials are asked for first.
    NeedsApiCredentials,
    /// Everything that is needed is known.
    Open,
}

/// A method of signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInMethod {
    /// By a code to a phone number.
    Phone,
    /// By a QR code.
    Qr,
    /// With the session of another program.
    Import,
    /// Not at all: the demo.
    Demo,
}

impl SignInMethod {
    /// The label in the menu.
    pub fn label(self) -> &'static str {
        match self {
            Self::Phone => "Sign in with a phone number",
            Self::Qr => "Sign in with a QR code",
            Self::Import => "Import a session of Telethon or Pyrogram",
            Self::Demo => "Try the demo, without an account",
        }
    }
}

/// The question on the screen.
#[derive(Clone, PartialEq, Eq)]
pub enum Question {
    /// Which method.
    Method {
        /// The line of the cursor.
        cursor: usize,
    },
    ApiId,
    ApiHash {
        /// The id that was typed before.
        id: String,
    },
    Phone,
    /// The code that was sent.
    Code(SentCode),
    /// The e-mail address to set up.
    Email,
    /// The code that was sent to that address.
    EmailCode(EmailCode),
    Password {
        hint: Option<String>,
    },
    /// The code that removes the password.
    RecoveryCode {
        sent: EmailCode,
        /// The hint of the password.
        hint: Option<String>,
    },
    Import,
    /// No question: a QR code is shown.
    Qr {
        /// Its text, and when it expires; `None` until Telegram has sent it.
        code: Option<(String, Timestamp)>,
    },
}

impl fmt::Debug for Question {
    /// Without the text of a QR code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method { .. } => "Method",
            Self::ApiId => "ApiId",
            Self::ApiHash { .. } => "ApiHash",
            Self::Phone => "Phone",
            Self::Code(_) => "Code",
            Self::Email => "Email",
            Self::EmailCode(_) => "EmailCode",
            Self::Password { .. } => "Password",
            Self::RecoveryCode { .. } => "RecoveryCode",
            Self::Import => "Import",
            Self::Qr { .. } => "Qr",
        })
    }
}

impl Question {
    /// Whether what is typed is masked.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::ApiHash { .. } | Self::Password { .. } | Self::Import)
    }

    /// The hint of the two-step password that the question is about.
    pub(super) fn password_hint(&self) -> Option<String> {
        match self {
            Self::Password { hint } | Self::RecoveryCode { hint, .. } => hint.clone(),
            _ => None,
        }
    }
}

/// The sign-in dialog.
#[derive(Clone)]
pub struct SignInDialog {
    pub question: Question,
    pub input: Input,
    /// When the request was sent whose answer has not come.
    pub waiting: Option<Timestamp>,
    /// The last refusal, and when it came.
    pub refusal: Option<(Refusal, Timestamp)>,
    pub(super) phone: String,
    /// The e-mail address that was typed last.
    pub(super) email: String,
    /// The session string that was typed last, until its import succeeds or is refused.
    pub(super) import: Option<String>,
    /// The chosen method.
    pub(super) method: SignInMethod,
    /// A wait that Telegram asks for before the next code; other methods are open meanwhile.
    pub(super) wait: Option<(Refusal, Timestamp)>,
}

impl fmt::Debug for SignInDialog {
    /// Without what is typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInDialog").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

impl SignInDialog {
    pub(super) fn new() -> Self {
        Self {
            question: Question::Method { cursor: 0 },
            input: Input::default(),
            waiting: None,
            refusal: None,
            phone: String::new(),
            email: String::new(),
            import: None,
            method: SignInMethod::Phone,
            wait: None,
        }
    }

    pub(super) fn ask(&mut self, question: Question) {
        let text = match question {
            Question::Phone => self.phone.clone(),
            Question::Email => self.email.clone(),
            _ => String::new(),
        };
        self.input = Input::new(text);
        self.question = question;
        self.waiting = None;
    }

    /// Refuses what was typed, and asks the same question again.
    pub(super) fn refuse_here(&mut self, wrong: &str, now: Timestamp) {
        let refusal = Refusal::local(wrong.to_owned(), TYPE_AGAIN, Step::Same);
        self.refusal = Some((refusal, now));
        self.ask(self.question.clone());
    }

    /// Clears the refusal; one with a wait comes back with its question.
    pub(super) fn set_wait_aside(&mut self, now: Timestamp) {
        if self.remaining_wait(now).is_some() && self.method == SignInMethod::Phone {
            self.wait = self.refusal.take();
        }
        self.refusal = None;
    }

    /// Seconds until the next attempt is allowed.
    pub fn remaining_wait(&self, now: Timestamp) -> Option<i64> {
        let (refusal, at) = self.refusal.as_ref()?;
        remaining(*at, refusal.wait?, now)
    }

    pub(super) fn edit(&mut self, request: InputRequest) {
        let full = self.input.value().chars().count() >= LONGEST;
        if !(full && matches!(request, InputRequest::InsertChar(_))) {
            self.input.handle(request);
        }
    }
}

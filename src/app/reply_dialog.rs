//! The dialog in which a text for a caller is chosen or typed.

use tui_input::{Input, InputRequest};

use crate::calls::CallKey;
use crate::calls::reply_text::BadReplyText;

/// The dialog.
#[derive(Debug, Clone)]
pub struct ReplyDialog {
    pub key: CallKey,
    pub input: Input,
    /// The texts of the settings.
    pub texts: Vec<String>,
    /// The text that Enter sends if none is typed.
    pub cursor: usize,
    /// What was wrong with the text when it was entered.
    pub wrong: Option<BadReplyText>,
}

impl ReplyDialog {
    /// Whether a text is typed, which then goes before the chosen one.
    pub fn is_typed(&self) -> bool {
        !self.input.value().trim().is_empty()
    }

    /// The text of the settings that Enter sends, if none is typed.
    pub fn chosen(&self) -> Option<&str> {
        self.texts.get(self.cursor).filter(|_| !self.is_typed()).map(String::as_str)
    }

    pub(super) fn edit(&mut self, request: InputRequest) {
        self.input.handle(request);
        self.wrong = None;
    }
}

//! Short messages at the foot of the board that disappear after a while.
//!
//! Errors about a call are not here: they stay on the call's row.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

/// How long a notice stays.
const LIFE: Duration = Duration::from_secs(6);
/// How long a service notification of Telegram, or a fault of the storage, stays.
const LONG_LIFE: Duration = Duration::from_mins(1);
/// The largest number of notices that are kept.
const MOST: usize = 3;

/// The notices that are on the screen, newest last.
#[derive(Debug, Clone, Default)]
pub struct Notices(VecDeque<Notice>);

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The text; cleaned.
    pub text: String,
    /// When it disappears.
    pub until: Timestamp,
}

impl Notices {
    /// Shows a message for some seconds.
    pub fn show(&mut self, text: impl Into<String>, now: Timestamp) {
        self.add(text.into(), LIFE, now);
    }

    /// Shows a message for a minute. The same text is shown once.
    pub fn show_long(&mut self, text: String, now: Timestamp) {
        self.add(text, LONG_LIFE, now);
    }

    fn add(&mut self, text: String, life: Duration, now: Timestamp) {
        let until = now.saturating_add(life).unwrap_or(Timestamp::MAX);
        self.0.retain(|notice| notice.text != text);
        self.0.push_back(Notice { text, until });
        while self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// Removes the newest message.
    pub fn dismiss(&mut self) {
        self.0.pop_back();
    }

    /// Removes all messages.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Removes the messages whose time is over.
    pub fn sweep(&mut self, now: Timestamp) {
        self.0.retain(|notice| notice.until > now);
    }

    /// When the next message disappears.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.0.iter().map(|notice| notice.until).min()
    }

    /// The messages, newest last.
    pub fn all(&self) -> impl Iterator<Item = &Notice> {
        self.0.iter()
    }

    /// The newest message.
    pub fn newest(&self) -> Option<&str> {
        self.0.back().map(|notice| notice.text.as_str())
    }
}

//! Short messages at the foot of the board that go away by themselves.
//!
//! Errors about a call are not here: they stay on the call's row.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

/// How long a notice stays.
const LIFE: Duration = Duration::from_secs(6);
/// How long something that Telegram itself wants to be read stays.
const ANNOUNCED: Duration = Duration::from_mins(1);
/// How many are kept.
const MOST: usize = 3;

/// The notices that are on the screen, newest last.
#[derive(Debug, Clone, Default)]
pub struct Notices(VecDeque<Notice>);

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it says; cleaned.
    pub text: String,
    /// When it goes.
    pub until: Timestamp,
}

impl Notices {
    /// Shows a message.
    pub fn say(&mut self, text: impl Into<String>, now: Timestamp) {
        self.add(text.into(), LIFE, now);
    }

    /// Shows a message of Telegram's own; it may come twice, and is shown once.
    pub fn announce(&mut self, text: String, now: Timestamp) {
        self.add(text, ANNOUNCED, now);
    }

    fn add(&mut self, text: String, life: Duration, now: Timestamp) {
        let until = now.saturating_add(life).unwrap_or(Timestamp::MAX);
        self.0.retain(|notice| notice.text != text);
        self.0.push_back(Notice { text, until });
        while self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// Drops the newest message.
    pub fn dismiss(&mut self) {
        self.0.pop_back();
    }

    /// Drops all of them.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Drops what has been shown for long enough.
    pub fn sweep(&mut self, now: Timestamp) {
        self.0.retain(|notice| notice.until > now);
    }

    /// When the next one goes.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.0.iter().map(|notice| notice.until).min()
    }

    /// The newest message.
    pub fn newest(&self) -> Option<&str> {
        self.0.back().map(|notice| notice.text.as_str())
    }
}

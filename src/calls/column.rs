//! The columns of the call table: heads, widths, cells, sort order and filter texts.

use std::cmp::{Ordering, Reverse};

use strum::{AsRefStr, EnumIter, IntoEnumIterator};

use super::{Call, RequestState, UNKNOWN};
use crate::text;

/// A column of the call table. A new one is a variant here, and the compiler finds the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, EnumIter, AsRefStr)]
#[strum(serialize_all = "lowercase")]
pub enum Column {
    /// The phase of the call.
    #[default]
    State,
    Peer,
    /// The account, where there are several.
    Account,
    /// Audio or video.
    Kind,
    /// Incoming or outgoing.
    Direction,
    /// The time since the call was placed, or the time talked.
    Duration,
    /// What the latest request on the call does, or how long the call still rings.
    Note,
}

/// The texts of a row that depend on the display: privacy mask, account names, the clock.
#[derive(Debug, Clone, Copy)]
pub struct CellTexts<'a> {
    /// The phase with its symbol.
    pub state: &'a str,
    /// The name of the other party.
    pub peer: &'a str,
    /// The username with its `@`, if it is shown.
    pub username: Option<&'a str>,
    /// The name of the account on this machine.
    pub account: &'a str,
    /// The direction with its arrow.
    pub direction: &'a str,
    /// Seconds that the duration column shows.
    pub seconds: i64,
}

impl Column {
    /// All columns, from left to right.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        Self::iter()
    }

    /// The stable code: the head in lower case.
    pub fn code(&self) -> &str {
        self.as_ref()
    }

    /// The width of the direction without its word.
    pub const ARROW: u16 = 2;

    /// The head of the column.
    pub fn head(self) -> &'static str {
        match self {
            Self::State => "STATE",
            Self::Peer => "PEER",
            Self::Account => "ACCOUNT",
            Self::Kind => "KIND",
            Self::Direction => "DIRECTION",
            Self::Duration => "FOR",
            Self::Note => "NOTE",
        }
    }

    /// The least width in cells, the gap to the next column included.
    pub fn width(self) -> u16 {
        match self {
            Self::State => 17,
            Self::Peer => 19,
            Self::Account => 10,
            Self::Kind => 6,
            Self::Direction => 11,
            Self::Duration => 8,
            Self::Note => 20,
        }
    }

    /// The order in which columns are dropped where there is little room, the lowest first;
    /// `None` for a column that is never dropped.
    ///
    /// A note without a column takes lines below its row.
    pub fn priority(self) -> Option<u8> {
        match self {
            Self::Kind => Some(0),
            Self::Direction => Some(1),
            Self::Note => Some(2),
            Self::State | Self::Peer | Self::Account | Self::Duration => None,
        }
    }

    /// The text of a cell that is `width` cells wide; the note column has none.
    pub fn cell(self, call: &Call, texts: &CellTexts, width: u16) -> String {
        match self {
            Self::State => texts.state.to_owned(),
            Self::Peer => match texts.username {
                Some(username) => {
                    let both = format!("{} {username}", texts.peer);
                    let fits = text::width(&both) < usize::from(width);
                    if fits { both } else { texts.peer.to_owned() }
                }
                None => texts.peer.to_owned(),
            },
            Self::Account => texts.account.to_owned(),
            Self::Kind => call.kind().to_owned(),
            // Its arrow, where there is no room for the word.
            Self::Direction if width <= Self::ARROW => texts.direction.chars().take(1).collect(),
            Self::Direction => texts.direction.to_owned(),
            Self::Duration => text::duration(texts.seconds),
            Self::Note => String::new(),
        }
    }

    /// The order of two calls by this column; calls that are equal in it are ordered by age.
    pub fn compare(self, a: &Call, b: &Call) -> Ordering {
        let newest_first = || b.placed.cmp(&a.placed);
        match self {
            Self::State => a.phase.rank().cmp(&b.phase.rank()).then_with(newest_first),
            Self::Peer => {
                let name = |call: &Call| {
                    let name = call.peer.name.as_ref().map(|name| name.to_lowercase());
                    (name.is_none(), name, call.peer.user_id)
                };
                name(a).cmp(&name(b)).then_with(newest_first)
            }
            Self::Account => a.key.account.cmp(&b.key.account).then_with(newest_first),
            Self::Kind => a.video.cmp(&b.video).then_with(newest_first),
            Self::Direction => a.direction.cmp(&b.direction).then_with(newest_first),
            Self::Duration => a.counts_from().cmp(&b.counts_from()),
            Self::Note => urgency(a).cmp(&urgency(b)).then_with(newest_first),
        }
    }

    /// What the filter finds in this column, in lower case; `None` where it finds nothing. `account`
    /// is the name of the account in lower case.
    pub fn filter_text(self, call: &Call, account: &str) -> Option<String> {
        match self {
            Self::State => Some(call.phase.code().replace('-', " ")),
            Self::Peer => {
                let name = match &call.peer.name {
                    Some(name) => name.to_lowercase(),
                    None => format!("{} {}", UNKNOWN.to_lowercase(), call.peer.user_id),
                };
                let username = call.peer.username.as_deref().unwrap_or_default().to_lowercase();
                Some(format!("{name} @{username}"))
            }
            Self::Kind => Some(call.kind().to_owned()),
            Self::Direction => Some(call.direction.code().to_owned()),
            Self::Account => Some(account.to_owned()),
            Self::Duration | Self::Note => None,
        }
    }
}

/// The order of the note column: failed requests first.
fn urgency(call: &Call) -> Reverse<u8> {
    Reverse(match call.request {
        RequestState::Failed { .. } => 3,
        RequestState::Sending { .. } => 2,
        RequestState::Idle if call.doubtful => 1,
        RequestState::Idle => 0,
    })
}

//! Ended calls as the ledger has them, and which of them are read: filters and pages.

use jiff::Timestamp;

use super::own_call::SoundRoute;
use super::reason::{EndReason, EndedBy, Outcome};
use super::rule_mark::RuleMark;
use super::{CallKind, Direction, Origin, Party};

/// An ended call, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryCall {
    /// The user id of the account.
    pub account: i64,
    /// Telegram's call id.
    pub id: i64,
    pub kind: CallKind,
    pub peer: Party,
    pub direction: Direction,
    /// Whether it was a video call.
    pub video: bool,
    /// When it was placed, on the server's clock, as all times here.
    pub placed: Timestamp,
    /// When the other side's devices received it.
    pub rang: Option<Timestamp>,
    pub accepted: Option<Timestamp>,
    pub established: Option<Timestamp>,
    pub ended: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// The side that ended it, where it is known.
    pub ended_by: Option<EndedBy>,
    /// The code of the reason that Telegram recorded.
    pub reason_recorded: Option<String>,
    /// The reason that was sent from this machine.
    pub reason_sent: Option<EndReason>,
    /// What caused the discard.
    pub origin: Option<Origin>,
    /// Seconds until the answer or the end.
    pub ring_seconds: Option<u32>,
    /// Seconds talked.
    pub talk_seconds: Option<u32>,
    /// The rule that has matched it.
    pub rule: Option<RuleMark>,
    /// How the sound travelled, if this machine took part in the call.
    pub route: Option<SoundRoute>,
}

/// Which calls to read. Empty fields do not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// The user id of the account.
    pub account: Option<i64>,
    /// The user id of the other party.
    pub person: Option<i64>,
    /// Any of these.
    pub outcomes: Vec<Outcome>,
    pub direction: Option<Direction>,
    pub kind: Option<HistoryKind>,
    /// Calls with people who are not contacts, or of whom no name is known.
    pub strangers: bool,
    /// Words that all occur in the name or the username of the other party.
    pub text: String,
    /// The rule that has matched the calls.
    pub rule: Option<String>,
    /// The earliest time of placing.
    pub since: Option<Timestamp>,
}

/// Audio, video, or a group call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::AsRefStr, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum HistoryKind {
    Audio,
    Video,
    Group,
}

impl HistoryKind {
    /// The kind of a call.
    pub fn of(kind: CallKind, video: bool) -> Self {
        match (kind, video) {
            (CallKind::Group, _) => Self::Group,
            (CallKind::Private, true) => Self::Video,
            (CallKind::Private, false) => Self::Audio,
        }
    }
}

/// The outcomes of a call that was not answered and that nobody has declined: one that was missed.
pub const MISSED: [Outcome; 2] = [Outcome::Missed, Outcome::RangOut];

/// The position of a call in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Milliseconds since 1970.
    pub placed: i64,
    pub account: i64,
    pub id: i64,
}

/// Where a page begins, and in which direction it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStart {
    /// The latest calls.
    Newest,
    /// The first calls.
    Oldest,
    /// The calls that are next older than this one.
    OlderThan(Cursor),
    /// The calls that are next newer than this one.
    NewerThan(Cursor),
}

/// Some calls, newest first, whatever the direction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub calls: Vec<HistoryCall>,
    /// Whether more calls follow in the direction of the page.
    pub more: bool,
}

/// What the ledger knows of a caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerFacts {
    /// The calls with this person in the last seven days, without the present one.
    pub calls_in_week: u32,
    /// The incoming calls of this person in the last hour, without the present one.
    pub rings_in_hour: u32,
    /// When this person called in the last days, the latest time first; `None` if that is not known.
    pub earlier: Option<Vec<Timestamp>>,
    /// When the last call was placed, and what became of it.
    pub last: Option<(Timestamp, Outcome)>,
}

/// How far back the earlier calls of a caller are read, in days.
pub const FACT_DAYS: i64 = 90;
/// How many of them are read.
pub const FACT_CALLS: i64 = 100;

/// How many calls a rule has matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleCount {
    pub rule: String,
    /// Whether it was dry.
    pub dry: bool,
    pub calls: u64,
    /// When the latest of them was placed.
    pub last: Timestamp,
}

/// The accounts for which do not disturb is on, by name, and until when; `None` is without an end. The
/// empty name is all accounts.
pub type DoNotDisturbTimes = Vec<(String, Option<Timestamp>)>;

/// How many calls there are, for the statistics panel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryStatistics {
    pub calls: u64,
    /// Calls by the hour in which they were placed: hours since 1970, in ascending order.
    pub hours: Vec<(i64, u64)>,
    /// Calls by outcome, the most frequent first.
    pub outcomes: Vec<(Outcome, u64)>,
    /// The people with most calls, with the number of their calls.
    pub people: Vec<(Party, u64)>,
    /// Seconds talked in all.
    pub talk_seconds: u64,
}

impl HistoryCall {
    /// The position of this call.
    pub fn cursor(&self) -> Cursor {
        Cursor { placed: self.placed.as_millisecond(), account: self.account, id: self.id }
    }

    /// The code of its kind.
    pub fn kind_code(&self) -> &'static str {
        super::kind_code(self.kind, self.video)
    }

    /// Whether nobody answered or declined it.
    pub fn is_missed(&self) -> bool {
        self.direction == Direction::Incoming && MISSED.contains(&self.outcome)
    }
}

impl HistoryFilter {
    /// Reads the words of a filter line. `accounts` are the names on this machine, with user ids.
    ///
    /// A word is the code of an outcome, a direction or a kind, `unknown`, or `@` and the name of an
    /// account; all others are searched for in names.
    pub fn parse(line: &str, accounts: &[(String, i64)]) -> Self {
        let mut filter = Self::default();
        let mut words = Vec::new();
        for word in line.split_whitespace() {
            let lower = word.to_lowercase();
            let account = lower
                .strip_prefix('@')
                .and_then(|name| accounts.iter().find(|(known, _)| known.to_lowercase() == name));
            if let Some((_, user_id)) = account {
                filter.account = Some(*user_id);
            } else if lower == Outcome::Missed.code() {
                filter.outcomes.extend(MISSED);
                filter.direction = Some(Direction::Incoming);
            } else if let Ok(outcome) = lower.parse::<Outcome>()
                && outcome != Outcome::Unknown
            {
                filter.outcomes.push(outcome);
            } else if let Ok(direction) = lower.parse::<Direction>() {
                filter.direction = Some(direction);
            } else if let Ok(kind) = lower.parse::<HistoryKind>() {
                filter.kind = Some(kind);
            } else if lower == STRANGERS {
                filter.strangers = true;
            } else {
                words.push(word);
            }
        }
        filter.text = words.join(" ");
        filter
    }
}

/// The word of a filter line for people who are not contacts.
pub const STRANGERS: &str = "unknown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_line_is_read_word_by_word() {
        let accounts = [("work".to_owned(), 11), ("home".to_owned(), 12)];
        let all = HistoryFilter::default();
        let cases = [
            ("", all.clone()),
            ("grace hopper", HistoryFilter { text: "grace hopper".to_owned(), ..all.clone() }),
            ("@Work", HistoryFilter { account: Some(11), ..all.clone() }),
            ("@grace", HistoryFilter { text: "@grace".to_owned(), ..all.clone() }),
            (
                "missed @home Grace",
                HistoryFilter {
                    account: Some(12),
                    outcomes: MISSED.to_vec(),
                    direction: Some(Direction::Incoming),
                    text: "Grace".to_owned(),
                    ..all.clone()
                },
            ),
            ("line-busy", HistoryFilter { outcomes: vec![Outcome::LineBusy], ..all.clone() }),
            (
                "unknown outgoing video",
                HistoryFilter {
                    strangers: true,
                    direction: Some(Direction::Outgoing),
                    kind: Some(HistoryKind::Video),
                    ..all.clone()
                },
            ),
        ];
        for (line, wanted) in cases {
            assert_eq!(HistoryFilter::parse(line, &accounts), wanted, "{line}");
        }
    }

    #[test]
    fn a_call_is_missed_if_nobody_answered_or_declined_one_that_came_in() {
        let call = |direction, outcome| HistoryCall {
            account: 11,
            id: 1,
            kind: CallKind::Private,
            peer: Party::unknown(2),
            direction,
            video: true,
            placed: Timestamp::UNIX_EPOCH,
            rang: None,
            accepted: None,
            established: None,
            ended: Timestamp::UNIX_EPOCH,
            outcome,
            ended_by: None,
            reason_recorded: None,
            reason_sent: None,
            origin: None,
            ring_seconds: None,
            talk_seconds: None,
            rule: None,
            route: None,
        };
        let cases = [
            (Direction::Incoming, Outcome::Missed, true),
            (Direction::Incoming, Outcome::RangOut, true),
            (Direction::Incoming, Outcome::Declined, false),
            (Direction::Incoming, Outcome::Completed, false),
            (Direction::Outgoing, Outcome::Missed, false),
            (Direction::Outgoing, Outcome::RangOut, false),
        ];
        for (direction, outcome, missed) in cases {
            let call = call(direction, outcome);
            assert_eq!(call.is_missed(), missed, "{direction:?} {outcome:?}");
            assert_eq!(call.kind_code(), "video");
        }
    }
}

//! A part of the day, such as `22:00-07:00`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;

/// The minutes of a day.
const DAY: u16 = 24 * 60;

/// From one minute of the day, inclusive, to another one, exclusive. It may contain midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    from: u16,
    until: u16,
}

/// Why a text is no part of the day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    #[error("'{0}' is no part of the day: write it as \"22:00-07:00\"")]
    NoPart(String),
    #[error("'{time}' in '{text}' is no time from 00:00 to 24:00")]
    NoTime { time: String, text: String },
    /// It begins and ends at the same time, or begins at 24:00.
    #[error("'{0}' is empty: write it as \"22:00-07:00\"")]
    Empty(String),
}

/// Where a time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InHours {
    Outside,
    /// Inside, on the day on which the hours began.
    SameDay,
    /// Inside, after midnight.
    NextDay,
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let clean = crate::text::clean;
        let (from, until) = text.split_once('-').ok_or_else(|| HoursError::NoPart(clean(text)))?;
        let minute_of = |time: &str| {
            let wrong = || HoursError::NoTime { time: clean(time.trim()), text: clean(text) };
            minute(time).ok_or_else(wrong)
        };
        let (from, until) = (minute_of(from)?, minute_of(until)?);
        let is_empty = from >= DAY || from == until;
        if is_empty { Err(HoursError::Empty(clean(text))) } else { Ok(Self { from, until }) }
    }
}

/// The minute of the day of `HH:MM`, up to `24:00`.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let is_short = (1..=2).contains(&hours.len()) && minutes.len() == 2;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_short || !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= DAY).then_some(minute)
}

impl Hours {
    pub(super) fn place(self, time: Time) -> InHours {
        let minute = time.hour() as u16 * 60 + time.minute() as u16;
        let Self { from, until } = self;
        if from < until {
            return if (from..until).contains(&minute) {
                InHours::SameDay
            } else {
                InHours::Outside
            };
        }
        if minute >= from {
            InHours::SameDay
        } else if minute < until {
            InHours::NextDay
        } else {
            InHours::Outside
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60)
    }
}

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
#[error("'{0}' is no part of the day: write it as \"22:00-07:00\"")]
pub struct HoursError(String);

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
        let wrong = || HoursError(crate::text::clean(text));
        let (from, until) = text.split_once('-').ok_or_else(wrong)?;
        let (from, until) = (minute(from).ok_or_else(wrong)?, minute(until).ok_or_else(wrong)?);
        // From 24:00 on there is nothing, and an empty part is a mistake.
        (from < DAY && from != until).then_some(Self { from, until }).ok_or_else(wrong)
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

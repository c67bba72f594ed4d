//! The statistics of the calls that the history shows.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Bar, BarChart, BarGroup, Widget};

use super::{View, popup, put};
use crate::calls::Direction;
use crate::calls::history::HistoryStatistics;
use crate::text;
use crate::words;

/// The rows of a chart: a head, the bars, and their labels.
const CHART: u16 = 6;
/// The width of a bar of a day and of an hour, with the gap behind it.
const DAY: u16 = 3;
const HOUR: u16 = 2;
/// The width of the chart of the hours, with the gap in front of it.
const HOURS: u16 = 24 * HOUR + 1;
/// The narrowest panel with both charts beside each other: the last week has room.
const CHARTS_BESIDE: u16 = HOURS + 7 * DAY;
/// The narrowest panel with both tables beside each other.
const TABLES_BESIDE: u16 = 56;

/// Draws the frame of the panel.
pub(super) fn frame(view: View, area: Rect, buffer: &mut Buffer) -> Rect {
    let below = area.x == 0;
    let frame = if below { popup::lower_panel } else { popup::panel };
    frame(view, "Statistics", area, buffer)
}

pub(super) fn draw(view: View, statistics: &HistoryStatistics, area: Rect, buffer: &mut Buffer) {
    let area = frame(view, area, buffer);
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let talked = text::duration(i64::try_from(statistics.talk_seconds).unwrap_or(i64::MAX));
    let head = words::history::totals(statistics.calls, &talked);
    put(buffer, (area.x, area.y), area.width, &head, view.theme().text);
    let mut rest = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let local = |hour: i64| {
        let at = Timestamp::from_second(hour * 3600).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned(view.options.zone.clone())
    };
    let mut days: BTreeMap<Date, u64> = BTreeMap::new();
    let mut hours = [0; 24];
    for (hour, calls) in &statistics.hours {
        let at = local(*hour);
        *days.entry(at.date()).or_default() += calls;
        hours[at.hour() as usize] += calls;
    }
    if let Some(last) = days.keys().next_back().copied() {
        let beside = rest.width >= CHARTS_BESIDE;
        let width = if beside { rest.width - HOURS } else { rest.width };
        let number = i64::from(width / DAY);
        let bars = (0..number).rev().filter_map(|ago| {
            let day = last.checked_sub(ago.days()).ok()?;
            let calls = days.get(&day).copied().unwrap_or_default();
            Some((format!("{:02}", day.day()), calls))
        });
        let mut left = Rect { width, ..rest };
        chart(view, words::history::BY_DAY, bars.collect(), DAY, &mut left, buffer);
        let bars = (0..24).map(|hour| {
            let label = if hour % 3 == 0 { hour.to_string() } else { String::new() };
            (label, hours[hour])
        });
        let mut right = if beside {
            Rect { x: rest.x + width + 1, width: HOURS - 1, ..rest }
        } else {
            Rect { width: rest.width, ..left }
        };
        chart(view, words::history::BY_HOUR, bars.collect(), HOUR, &mut right, buffer);
        rest = Rect { x: rest.x, width: rest.width, ..right };
    }
    let outcomes = statistics.outcomes.iter().map(|(outcome, calls)| {
        (words::history::outcome_word(*outcome, Direction::Incoming).to_owned(), *calls)
    });
    let people = statistics.people.iter().map(|(peer, calls)| (view.shown_name(peer), *calls));
    let (left, right) = if rest.width >= TABLES_BESIDE {
        let half = rest.width / 2;
        let right = Rect { x: rest.x + half, width: rest.width - half, ..rest };
        (Rect { width: half - 1, ..rest }, Some(right))
    } else {
        (rest, None)
    };
    let below = table(view, words::history::BY_OUTCOME, outcomes, left, buffer);
    table(view, words::history::BY_PERSON, people, right.unwrap_or(below), buffer);
}

/// Draws a chart of bars at the top of the area, and takes its rows from the area.
fn chart(
    view: View,
    head: &str,
    bars: Vec<(String, u64)>,
    width: u16,
    area: &mut Rect,
    buffer: &mut Buffer,
) {
    if area.height < CHART {
        return;
    }
    let theme = view.theme();
    put(buffer, (area.x, area.y), area.width, head, theme.title);
    // A label may be wider than its bar.
    let axis = area.y + CHART - 1;
    for (x, (label, _)) in (area.x..area.right()).step_by(usize::from(width)).zip(&bars) {
        put(buffer, (x, axis), area.right() - x, label, theme.muted);
    }
    let bars: Vec<_> = bars
        .into_iter()
        .map(|(_, calls)| Bar::default().value(calls).text_value(String::new()))
        .collect();
    BarChart::default()
        .data(BarGroup::default().bars(&bars))
        .bar_width(width - 1)
        .bar_gap(1)
        .bar_style(theme.active)
        .render(Rect { y: area.y + 1, height: CHART - 2, ..*area }, buffer);
    *area = Rect { y: area.y + CHART, height: area.height - CHART, ..*area };
}

/// Draws names with numbers and bars at the top of the area; returns what is left of it.
fn table(
    view: View,
    head: &str,
    rows: impl Iterator<Item = (String, u64)>,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    const NUMBER: u16 = 8;
    let theme = view.theme();
    let rows: Vec<_> = rows.collect();
    let most = rows.iter().map(|(_, calls)| *calls).max().unwrap_or(0).max(1);
    let name = (area.width / 2).min(26);
    let room = u64::from(area.width.saturating_sub(name + NUMBER + 1));
    let mut y = area.y;
    if y < area.bottom() && !rows.is_empty() {
        put(buffer, (area.x, y), area.width, head, theme.title);
        y += 1;
    }
    for (text, calls) in rows {
        if y >= area.bottom() {
            break;
        }
        put(buffer, (area.x, y), name.saturating_sub(1), &text, theme.text);
        put(buffer, (area.x + name, y), NUMBER, &format!("{calls:>7}"), theme.muted);
        let bar = "▇".repeat((calls * room / most) as usize);
        put(buffer, (area.x + name + NUMBER, y), area.width, &bar, theme.active);
        y += 1;
    }
    Rect { y, height: area.bottom().saturating_sub(y), ..area }
}

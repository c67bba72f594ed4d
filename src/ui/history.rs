//! The screen of the history: the calls of the ledger by day, the details of one, and statistics.

use jiff::Timestamp;
use jiff::civil::Date;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::call_detail::{self, line};
use super::panels::Panels;
use super::{Scratch, View, history_statistics, popup, put};
use crate::app::action::{Action, Layer};
use crate::app::history::StatisticsPanel;
use crate::app::{Privacy, is_wide};
use crate::calls::Direction;
use crate::calls::history::HistoryCall;
use crate::text;
use crate::words;
use crate::words::screen::NO_MATCHES;

/// The cells of the cursor in front of the columns.
const CURSOR: u16 = 2;
/// The cells of the time of day, with the gap behind it.
const TIME: u16 = 6;
/// The cells of the direction and the kind, each with the gap behind it.
const ARROW: u16 = 2;
const KIND: u16 = 6;
/// The cells of the account, where there are several.
const ACCOUNT: u16 = 10;
/// The narrowest list with the kind and the account, in cells.
const ROOMY: u16 = 58;
/// The rows of a panel below the list, with its frame, unless half of the screen is more.
const PANEL: u16 = 18;
/// The rows that stay for the list above a panel, with its frame.
const LIST: u16 = 6;

pub(super) fn draw(view: View, panels: &Panels, scratch: &mut Scratch, buffer: &mut Buffer) {
    let area = panels.body;
    let history = &view.state.history;
    let beside = history.details || history.statistics != StatisticsPanel::Hidden;
    let (list, panel) = match (beside && panels.framed, is_wide(area.width)) {
        (false, _) => (area, None),
        (true, true) => {
            let width = area.width / 2 - 4;
            let list = Rect { width: area.width - width, ..area };
            (list, Some(Rect { x: list.right(), width, ..area }))
        }
        (true, false) => {
            let height =
                PANEL.min(area.height.saturating_sub(LIST - 1)).max(area.height / 2).max(3);
            let list = Rect { height: area.height - height + 1, ..area };
            (list, Some(Rect { y: list.bottom() - 1, height, ..area }))
        }
    };
    let list = if panels.framed { popup::panel(view, &title(view), list, buffer) } else { list };
    draw_list(view, list, panels.framed, scratch, buffer);
    let Some(panel) = panel else { return };
    match &history.statistics {
        StatisticsPanel::Hidden => draw_details(view, panel, buffer),
        StatisticsPanel::Counting => {
            let area = history_statistics::frame(view, panel, buffer);
            put(
                buffer,
                (area.x + 1, area.y),
                area.width,
                words::history::COUNTING,
                view.theme().muted,
            );
        }
        StatisticsPanel::Shown(statistics) => {
            history_statistics::draw(view, statistics, panel, buffer);
        }
    }
}

fn title(view: View) -> String {
    let state = view.state;
    let mut parts = vec!["History".to_owned()];
    if !state.history.line().is_empty() {
        parts.push(format!("“{}”", state.history.line()));
    }
    if state.privacy == Privacy::Masked {
        parts.push("names hidden".to_owned());
    }
    if let Some(older) = &state.older {
        let stop = view.options.keymap.hint(Layer::History, Action::Back);
        let back_to = older.back_to.map(|at| view.date(at).to_string());
        parts.push(words::history::reading_older(older.calls, back_to.as_deref(), stop.as_deref()));
    } else if state.history.is_reading() {
        parts.push(words::history::READING.to_owned());
    }
    parts.join(" · ")
}

/// A line of the list.
enum ListLine<'a> {
    Day(Date),
    Call(usize, &'a HistoryCall),
}

fn draw_list(view: View, area: Rect, framed: bool, scratch: &mut Scratch, buffer: &mut Buffer) {
    let history = &view.state.history;
    if let Some(cause) = &history.failure {
        for (y, text) in (area.y..area.bottom()).zip(text::wrap(cause, usize::from(area.width))) {
            put(buffer, (area.x + 1, y), area.width, &text, view.theme().error);
        }
        return;
    }
    if history.rows().is_empty() {
        if !history.is_reading() {
            let all = history.line().is_empty();
            let text = if all { words::history::NOTHING } else { NO_MATCHES };
            put(buffer, (area.x + 1, area.y), area.width, text, view.theme().muted);
        }
        return;
    }
    let cursor = history.position().unwrap_or(0);
    scratch.first_history_row = first_row(view, scratch.first_history_row, cursor, area.height);
    let several = view.state.has_several_accounts();
    let lines = lines(view, scratch.first_history_row, area.height);
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        let row = Rect { y, height: 1, ..area };
        match line {
            ListLine::Day(day) => draw_day(view, day, row, buffer),
            ListLine::Call(at, call) => draw_row(view, call, at == cursor, several, row, buffer),
        }
    }
    let (above, below) = history.continues();
    for (more, y) in [(above, area.y - 1), (below, area.bottom())] {
        if more && framed {
            let x = area.right().saturating_sub(5);
            put(buffer, (x, y), 3, " … ", view.title_style());
        }
    }
}

/// The lines from the row `first` on: each day has a line above its calls, unless there is only one line.
fn lines(view: View, first: usize, height: u16) -> impl Iterator<Item = ListLine> {
    let rows = view.state.history.rows();
    let mut shown = None;
    rows.iter().enumerate().skip(first).flat_map(move |(at, call)| {
        let day = view.date(call.placed);
        let new = shown.replace(day) != Some(day);
        let head = (new && height > 1).then_some(ListLine::Day(day));
        head.into_iter().chain([ListLine::Call(at, call)])
    })
}

/// The first row to draw, so that the row of the cursor is visible.
fn first_row(view: View, first: usize, cursor: usize, height: u16) -> usize {
    let last = view.state.history.rows().len() - 1;
    let shows = |first: usize| {
        let mut visible = lines(view, first, height).take(usize::from(height));
        visible.any(|line| matches!(line, ListLine::Call(at, _) if at == cursor))
    };
    let mut first = first.min(cursor).min(last);
    while first < cursor && !shows(first) {
        // The cursor is below: at most a screen of rows is above it.
        first = (first + 1).max(cursor.saturating_sub(usize::from(height)));
    }
    first
}

fn draw_day(view: View, day: Date, area: Rect, buffer: &mut Buffer) {
    let text = day.strftime("%A %Y-%m-%d").to_string();
    put(buffer, (area.x + CURSOR, area.y), area.width, &text, view.theme().title);
}

fn draw_row(
    view: View,
    call: &HistoryCall,
    selected: bool,
    several: bool,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = view.theme();
    if selected {
        put(buffer, (area.x, area.y), 1, "▶", theme.text);
    }
    let roomy = area.width >= ROOMY;
    let (kind, account) = if roomy { (KIND, if several { ACCOUNT } else { 0 }) } else { (0, 0) };
    let room = area.width.saturating_sub(CURSOR + TIME + ARROW + kind + account);
    let peer = room * 2 / 5;
    let arrow = match call.direction {
        Direction::Incoming => "←",
        Direction::Outgoing => "→",
    };
    let style = if call.is_missed() { theme.warning } else { theme.text };
    let name = view.shown_name(&call.peer);
    let cells = [
        (TIME, view.clock(call.placed), theme.muted),
        (peer, name, theme.text),
        (ARROW, arrow.to_owned(), theme.muted),
        (kind, call.kind_code().to_owned(), theme.muted),
        (account, view.state.history_account(call), theme.muted),
        (room - peer, words::history::outcome(call), style),
    ];
    let mut x = area.x + CURSOR;
    for (width, text, style) in cells {
        put(buffer, (x, area.y), width.saturating_sub(1), &text, style);
        x += width;
    }
    if selected {
        buffer.set_style(area, theme.selected);
    }
}

fn draw_details(view: View, area: Rect, buffer: &mut Buffer) {
    let Some(call) = view.state.history.selected_call() else { return };
    let mut lines = call_detail::of_party(view, &call.peer);
    lines.push(line("account", view.state.history_account(call)));
    lines.push(line("call", words::call::kind(call.kind, call.video, call.direction)));
    lines.push(line("outcome", words::history::outcome(call)));
    lines.extend(call.reason_sent.map(|reason| line("sent", reason.code())));
    lines.extend(call.reason_recorded.as_deref().map(|reason| line("recorded", reason)));
    let times = [
        ("placed", Some(call.placed)),
        ("remote ring", call.rang),
        ("accepted", call.accepted),
        ("active", call.established),
        ("over", Some(call.ended)),
    ];
    lines.extend(times.into_iter().filter_map(|(label, at)| Some(line(label, exact(view, at?)))));
    lines.extend(call.ring_seconds.map(|it| line("rang", text::duration(it.into()))));
    lines.extend(call.talk_seconds.map(|it| line("talked", text::duration(it.into()))));
    lines.extend(call.route.map(|route| line("line", words::phone::route(route))));
    lines.push(line("id", call.id.to_string()));
    for (at, other) in view.state.history.others().into_iter().flatten().enumerate() {
        let label = if at == 0 { words::history::OTHER_CALLS } else { "" };
        let day = view.date(other.placed);
        let text = format!("{day} {} {}", view.clock(other.placed), words::history::outcome(other));
        lines.push(line(label, text));
    }
    call_detail::draw_lines(view, "Details", lines, area, buffer);
}

/// Date and time of day.
fn exact(view: View, at: Timestamp) -> String {
    at.to_zoned(view.options.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

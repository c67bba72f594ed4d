//! The screen of the rules: each rule with what it does and how many calls it has met, and the latest
//! calls of the one under the cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::panels::Panels;
use super::{View, popup, put, put_all};
use crate::app::action::{Action, Layer};
use crate::rules::Rule;
use crate::text;
use crate::words;

/// The cells of the cursor in front of a rule.
const CURSOR: u16 = 2;
/// The lines of a rule: what it does, and when.
const LINES: usize = 2;
/// The cells of the time and the name of a call.
const TIME: u16 = 6;
const NAME: u16 = 20;
/// The lowest screen with the latest calls.
const CALLS_FROM: u16 = 12;

pub(super) fn draw(view: View, panels: &Panels, buffer: &mut Buffer) {
    let area = panels.body;
    let below = area.height >= CALLS_FROM && view.state.listed_rule().is_some();
    let list_height = if below { area.height - area.height / 3 } else { area.height };
    let list = Rect { height: list_height, ..area };
    let list = if panels.framed { popup::panel(view, &title(view), list, buffer) } else { list };
    draw_list(view, list, buffer);
    if below {
        let rest = Rect { y: area.y + list_height, height: area.height - list_height, ..area };
        draw_calls(view, panels.framed, rest, buffer);
    }
}

fn title(view: View) -> String {
    if view.state.rules.is_on { words::rules::TITLE } else { words::rules::TITLE_OFF }.to_owned()
}

fn draw_list(view: View, area: Rect, buffer: &mut Buffer) {
    let theme = view.theme();
    let Some((cursor, _)) = view.state.listed_rule() else {
        let key = view.options.keymap.hint(Layer::Rules, Action::EditRules);
        let none = words::rules::none(key.as_deref());
        let lines = text::wrap(&none, usize::from(area.width.saturating_sub(CURSOR + 1)));
        for (y, line) in (area.y..area.bottom()).zip(&lines) {
            put(buffer, (area.x + CURSOR, y), area.width - CURSOR, line, theme.muted);
        }
        return;
    };
    let visible = (usize::from(area.height) / LINES).max(1);
    let first = (cursor + 1).saturating_sub(visible);
    let rules = view.state.rules.rules.rules.iter().enumerate().skip(first).take(visible);
    for ((number, rule), y) in rules.zip((area.y..area.bottom()).step_by(LINES)) {
        draw_rule(view, number, rule, Rect { y, height: 1, ..area }, buffer);
        if number == cursor {
            put(buffer, (area.x, y), 1, "▶", theme.text);
            buffer.set_style(Rect { y, height: 1, ..area }, theme.selected);
        }
        let when = words::rules::condition(&rule.when);
        let when = when.unwrap_or_else(|| words::rules::EACH_CALL.to_owned());
        if y + 1 < area.bottom() {
            let room = area.width.saturating_sub(CURSOR + 4);
            put(buffer, (area.x + CURSOR + 3, y + 1), room, &when, theme.muted);
        }
    }
}

fn draw_rule(view: View, number: usize, rule: &Rule, area: Rect, buffer: &mut Buffer) {
    let theme = view.theme();
    let list = &view.state.rule_list;
    let count = |dry| list.count(&rule.name, dry).map_or(0, |count| count.calls);
    let last = [true, false].into_iter().filter_map(|dry| list.count(&rule.name, dry));
    let last = last.map(|count| count.last).max().map(|at| view.clock_or_date(at));
    let counts = words::rules::counts(count(false), count(true), last.as_deref());
    let at_the_right = text::width(&counts) as u16 + 1;
    let dry = if rule.dry { words::rules::DRY } else { "" };
    let parts = [
        (format!("{} ", number + 1), theme.muted),
        (rule.name.clone(), theme.title),
        (dry.to_owned(), theme.warning),
        (format!("  {}", words::rules::reaction(&rule.then)), theme.text),
    ];
    let room = area.width.saturating_sub(CURSOR + at_the_right);
    put_all(buffer, (area.x + CURSOR, area.y), room, &parts);
    let x = area.right().saturating_sub(at_the_right);
    put(buffer, (x, area.y), at_the_right, &counts, theme.muted);
}

/// The latest calls that the rule under the cursor has met.
fn draw_calls(view: View, framed: bool, area: Rect, buffer: &mut Buffer) {
    let Some((_, rule)) = view.state.listed_rule() else { return };
    let title = words::rules::calls_of(&rule.name);
    let area = if framed { popup::panel(view, &title, area, buffer) } else { area };
    let theme = view.theme();
    let Some(calls) = view.state.calls_of_listed_rule() else { return };
    if calls.is_empty() {
        put(buffer, (area.x + 1, area.y), area.width, words::rules::NO_CALLS, theme.muted);
    }
    for (y, call) in (area.y..area.bottom()).zip(calls) {
        let cells = [
            (0, TIME, view.clock_or_date(call.placed), theme.muted),
            (TIME + 1, NAME, view.shown_name(&call.peer), theme.text),
            (TIME + NAME + 2, area.width, words::history::outcome(call), theme.muted),
        ];
        for (x, width, text, style) in cells {
            let room = area.width.saturating_sub(x + 1).min(width);
            put(buffer, (area.x + 1 + x, y), room, &text, style);
        }
    }
}

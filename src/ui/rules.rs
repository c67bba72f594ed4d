//! The screen of the rules: each rule with what it does and how many calls it has matched, and the latest
//! calls of the one under the cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::panels::Panels;
use super::{View, header, popup, put, put_all};
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
/// The lowest list that shows who rings while do not disturb is on.
const THROUGH_FROM: u16 = 8;
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
    let rules = &view.state.rules;
    if !rules.is_on {
        return words::rules::TITLE_OFF.to_owned();
    }
    let rules = &rules.rules;
    words::rules::title(rules.may_decline().then_some(rules.most_declines))
}

/// Draws what is wrong with the file, or how many warnings there are, and do not disturb; returns the area
/// below.
fn draw_head(view: View, area: Rect, buffer: &mut Buffer) -> Rect {
    let theme = view.theme();
    let list = &view.state.rule_list;
    let has_rules = view.state.listed_rule().is_some();
    let mut texts = Vec::new();
    if let Some(cause) = list.refused() {
        texts.push((format!("✗ {cause}"), theme.error));
        let check = if area.height >= THROUGH_FROM { words::rules::CHECK } else { "" };
        let force = format!("{} {check}", words::rules::refused(has_rules));
        texts.push((force.trim_end().to_owned(), theme.muted));
    } else if list.warnings > 0 {
        texts.push((words::rules::warnings(list.warnings), theme.warning));
    }
    if area.height >= THROUGH_FROM && !list.is_without_file {
        let through = words::do_not_disturb::through(&view.state.rules.rules.breakthrough);
        texts.push(match header::do_not_disturb(view, false) {
            Some(on) => (words::do_not_disturb::while_on(&on, &through), theme.warning),
            None => (words::do_not_disturb::with_it_on(&through), theme.muted),
        });
    }
    // The rule under the cursor stays visible.
    let kept = if has_rules { LINES as u16 } else { 0 };
    let mut rest = area;
    for (at, (text, style)) in texts.iter().enumerate() {
        // So does the beginning of each text.
        let others = (texts.len() - at - 1) as u16;
        let room = Rect { height: rest.height.saturating_sub(kept + others), ..rest };
        let used = draw_text(text, *style, room, buffer);
        rest = Rect { y: rest.y + used, height: rest.height - used, ..rest };
    }
    rest
}

/// Draws a text in as many lines as it needs and fit; returns their number.
fn draw_text(text: &str, style: Style, area: Rect, buffer: &mut Buffer) -> u16 {
    let lines = text::wrap(text, usize::from(area.width.saturating_sub(CURSOR + 1)));
    let lines = (area.y..area.bottom()).zip(&lines);
    lines
        .map(|(y, line)| put(buffer, (area.x + CURSOR, y), area.width - CURSOR, line, style))
        .count() as u16
}

fn draw_list(view: View, area: Rect, buffer: &mut Buffer) {
    let theme = view.theme();
    let area = draw_head(view, area, buffer);
    let Some((cursor, _)) = view.state.listed_rule() else {
        let key = view.options.keymap.hint(Layer::Rules, Action::EditRules);
        let list = &view.state.rule_list;
        let text = match view.state.rules.is_on {
            // What is wrong has been stated.
            _ if list.refused().is_some() => return,
            _ if list.is_without_file => words::rules::DEMO.to_owned(),
            false => words::rules::OFF.to_owned(),
            true => words::rules::none(key.as_deref()),
        };
        draw_text(&text, theme.muted, area, buffer);
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
    // The ledger counts the calls that have ended.
    let marks: Vec<_> = view.state.calls_marked_by(&rule.name).collect();
    let count = |dry| {
        let ringing = marks.iter().filter(|(_, mark)| mark.dry == dry).count();
        list.count(&rule.name, dry).map_or(0, |count| count.calls) + ringing as u64
    };
    let last = [true, false].into_iter().filter_map(|dry| list.count(&rule.name, dry));
    let last = last.map(|count| count.last).chain(marks.iter().map(|(call, _)| call.placed));
    let last = last.max().map(|at| view.clock_or_date(at));
    let counts = words::rules::counts(count(false), count(true), last.as_deref());
    let at_the_right = text::width(&counts) as u16 + 1;
    let dry = if rule.dry { words::rules::DRY } else { "" };
    let parts = [
        (format!("{} ", number + 1), theme.muted),
        (rule.name.clone(), theme.title),
        (dry.to_owned(), theme.warning),
        (format!("  {}", words::rules::reaction(&rule.then)), theme.text),
    ];
    let gap = u16::from(!counts.is_empty());
    let room = area.width.saturating_sub(CURSOR + at_the_right + gap);
    put_all(buffer, (area.x + CURSOR, area.y), room, &parts);
    let x = area.right().saturating_sub(at_the_right);
    put(buffer, (x, area.y), at_the_right, &counts, theme.muted);
}

/// The latest calls that the rule under the cursor has matched.
fn draw_calls(view: View, framed: bool, area: Rect, buffer: &mut Buffer) {
    let Some((_, rule)) = view.state.listed_rule() else { return };
    let title = words::rules::calls_of(&rule.name);
    let area = if framed { popup::panel(view, &title, area, buffer) } else { area };
    let theme = view.theme();
    let ringing = view.state.ringing_calls_of(&rule.name).into_iter().map(|(call, unknown)| {
        let is_dry = call.rule.as_ref().is_some_and(|mark| mark.dry);
        (
            call.placed,
            &call.peer,
            words::rules::ringing(words::call::phase(call.phase), unknown, is_dry),
        )
    });
    let Some(ended) = view.state.calls_of_listed_rule() else { return };
    let ended =
        ended.iter().map(|it| (it.placed, &it.peer, words::history::outcome_below_rule(it)));
    let calls: Vec<_> = ringing.chain(ended).collect();
    if calls.is_empty() {
        put(buffer, (area.x + 1, area.y), area.width, words::rules::NO_CALLS, theme.muted);
    }
    for (y, (placed, peer, became)) in (area.y..area.bottom()).zip(calls) {
        let cells = [
            (0, TIME, view.clock_or_date(placed), theme.muted),
            (TIME + 1, NAME, view.shown_name(peer), theme.text),
            (TIME + NAME + 2, area.width, became, theme.muted),
        ];
        for (x, width, text, style) in cells {
            let room = area.width.saturating_sub(x + 1).min(width);
            put(buffer, (area.x + 1 + x, y), room, &text, style);
        }
    }
}

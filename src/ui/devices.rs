//! The dialog in which a loudspeaker and a microphone are chosen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::call_panel::meter;
use super::{View, popup, put, put_all};
use crate::app::action::{Action, Layer};
use crate::app::device_picker::{DevicePicker, PortRow};
use crate::calls::sound::SoundDirection;
use crate::text;
use crate::words::devices as words;

const WIDTH: u16 = 60;

/// A line of the list.
struct DeviceLine {
    text: String,
    style: Style,
    is_selected: bool,
}

pub(super) fn draw(view: View, picker: &DevicePicker, screen: Rect, buffer: &mut Buffer) {
    let theme = view.theme();
    let width = WIDTH.min(screen.width.saturating_sub(2));
    let lines = lines(view, picker, usize::from(width.saturating_sub(2)));
    // The last line is the meter.
    let height = (lines.len() as u16 + 1).min(screen.height.saturating_sub(2));
    let area = popup::popup(view, words::TITLE, (width, height), screen, buffer);
    let room = usize::from(area.height.saturating_sub(1));
    let selected = lines.iter().position(|line| line.is_selected).unwrap_or(0);
    // The heading of the first list stays visible with its first line.
    let first = (selected + 1).saturating_sub(room);
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(first).take(room)) {
        put(buffer, (area.x + 1, y), area.width.saturating_sub(2), &line.text, line.style);
        if line.is_selected {
            buffer.set_style(Rect { y, height: 1, ..area }, theme.selected);
        }
    }
    if area.height > 0 {
        let (level, style) = level(view, picker);
        let is_wide = area.width >= WIDTH;
        let open = if is_wide { words::METER_IS_OPEN } else { words::METER_IS_OPEN_SHORT };
        let parts = [(level, style), (format!("  {open}"), theme.muted)];
        let parts = if matches!(picker.level, Some(Ok(_))) { &parts[..] } else { &parts[..1] };
        put_all(buffer, (area.x + 1, area.bottom() - 1), area.width.saturating_sub(2), parts);
    }
    let actions = [(Action::Accept, "use"), (Action::Back, "back")];
    popup::hints(view, Layer::Devices, &actions, area, buffer);
}

/// The meter, or why there is none.
fn level(view: View, picker: &DevicePicker) -> (String, Style) {
    let theme = view.theme();
    match &picker.level {
        Some(Ok(level)) if level.no_signal => (words::NO_SIGNAL.to_owned(), theme.warning),
        Some(Ok(level)) => (meter(view, level.level), theme.text),
        Some(Err(cause)) => (cause.clone(), theme.error),
        None => (words::NOT_MEASURED.to_owned(), theme.muted),
    }
}

fn lines(view: View, picker: &DevicePicker, width: usize) -> Vec<DeviceLine> {
    let theme = view.theme();
    let plain = |text: String, style| DeviceLine { text, style, is_selected: false };
    let said = |text: &str, style| {
        let wrapped = text::wrap(text, width).into_iter();
        wrapped.map(|line| plain(line, style)).collect::<Vec<_>>()
    };
    match &picker.ports {
        None => return said(words::ASKING, theme.muted),
        Some(Err(cause)) => return said(cause, theme.error),
        Some(Ok(_)) => {}
    }
    let cursor = picker.cursor();
    let mut lines = Vec::new();
    for direction in [SoundDirection::Loudspeaker, SoundDirection::Microphone] {
        let is_microphone = direction == SoundDirection::Microphone;
        let by_settings = picker.chosen.of(direction).by_settings;
        lines.push(plain(words::heading(is_microphone, by_settings), theme.title));
        lines.extend(picker.rows(direction).iter().map(|row| DeviceLine {
            text: row_text(view, row, row.key == cursor),
            style: if row.port.is_some() { theme.text } else { theme.warning },
            is_selected: row.key == cursor,
        }));
    }
    lines
}

fn row_text(view: View, row: &PortRow, is_selected: bool) -> String {
    let cursor = if is_selected { "▶" } else { " " };
    let mark = match (row.is_chosen, view.options.ascii) {
        (true, false) => "●",
        (true, true) => "*",
        (false, _) => " ",
    };
    let description = row.port.as_ref().map(|port| port.description.as_str());
    let mut text = match &row.key.name {
        None => words::default_port(description),
        Some(name) => description.map_or_else(|| words::missing(name), str::to_owned),
    };
    if row.port.as_ref().is_some_and(|port| port.is_muted) {
        text += words::IS_MUTED;
    }
    format!("{cursor} {mark} {text}")
}

//! The panel of the call in which this session takes part.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::View;
use super::call_detail::{Lines, draw_lines, line};
use crate::app::phone::OwnCall;
use crate::app::recording::RecordingStage;
use crate::calls::own_call::PhoneStage;
use crate::text;
use crate::words;

/// The width of a level meter, in cells.
const METER: usize = 12;

/// The lines that the panel needs, without its frame.
pub(super) const LINES: u16 = 7;

pub(super) fn draw(view: View, own: &OwnCall, area: Rect, buffer: &mut Buffer) {
    let title = words::phone::panel_title(&view.shown_name(&own.peer));
    draw_lines(view, &title, lines(view, own), area, buffer);
}

fn lines(view: View, own: &OwnCall) -> Lines {
    let mut lines = Vec::new();
    if let Some(trouble) = &own.trouble {
        lines.push(line("sound", trouble.clone()));
    }
    let time = own.connected.map(|_| text::duration(own.talked(view.now).into()));
    let state = words::phone::stage(own.stage);
    let mut state = time.map_or(state.to_owned(), |time| format!("{state} {time}"));
    if own.recording == RecordingStage::On {
        state = format!("{state} · {}", words::phone::RECORDING);
    }
    lines.push(line("state", state));
    if let Some(emoji) = own.emoji {
        let named = emoji.map(|it| {
            if view.options.ascii {
                it.name.to_owned()
            } else {
                format!("{} {}", it.picture, it.name)
            }
        });
        lines.push(line("key", named.join(", ")));
    }
    if matches!(own.stage, PhoneStage::Talking | PhoneStage::Reconnecting) {
        let me = match (own.muted, own.figures.no_signal) {
            (true, _) => words::phone::MUTED.to_owned(),
            (false, true) => words::phone::NO_SIGNAL.to_owned(),
            (false, false) => meter(view, own.figures.microphone),
        };
        let peer = if own.peer_muted {
            words::phone::MUTED.to_owned()
        } else {
            meter(view, own.figures.peer)
        };
        lines.push(line("you", me));
        lines.push(line("peer", peer));
        lines.push(line("line", connection(own)));
    } else if own.muted {
        lines.push(line("you", words::phone::MUTED));
    }
    lines
}

/// How the sound travels, and how well.
fn connection(own: &OwnCall) -> String {
    let path = own.path.map(words::phone::route).unwrap_or_default();
    let round_trip = own.figures.round_trip.map(|it| it.as_millis());
    let quality = words::phone::quality(own.figures.quality);
    let mut parts = vec![quality.to_owned()];
    if !path.is_empty() {
        parts.insert(0, path.to_owned());
    }
    if own.figures.loss > 0.0 {
        parts.push(format!("{:.0} % lost", own.figures.loss * 100.0));
    }
    parts.extend(round_trip.map(|it| format!("{it} ms")));
    parts.join(" · ")
}

/// A meter for a level from 0 to 1.
pub(super) fn meter(view: View, level: f32) -> String {
    let full = (level * METER as f32).round() as usize;
    let (on, off) = if view.options.ascii { ("#", "-") } else { ("▮", "▯") };
    on.repeat(full.min(METER)) + &off.repeat(METER - full.min(METER))
}

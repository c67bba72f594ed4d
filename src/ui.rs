//! Drawing: reads the state and writes cells. It changes nothing.
//!
//! ```text
//!  header    onhook  ● online · Ada Lovelace      2 ringing · 1 active        23:14
//!  calls   ┌ Calls ───────────────────────────────────────────────┐┌ Details ─────┐
//!          │   STATE       PEER        KIND  DIRECTION  FOR  NOTE  ││ only from    │
//!          │ ▶ ☎ ringing   …                                       ││ 100 columns  │
//!  recent  ├ Recent ──────────────────────────────────────────────┤│ on, or when  │
//!          │ 23:11  …  declined by you (busy)                     ││ asked for    │
//!          └──────────────────────────────────────────────────────┘└──────────────┘
//!  footer    x decline…  X decline (busy)  …  q quit
//! ```

mod account_letter;
mod accounts;
mod ascii;
mod call_detail;
mod call_note;
mod call_panel;
mod call_table;
mod column_layout;
mod command_line;
mod devices;
mod dial;
mod do_not_disturb;
mod footer;
mod header;
mod help;
mod history;
mod history_statistics;
mod layout;
mod panels;
mod popup;
mod prompt;
mod reason_picker;
mod recent;
mod reply;
mod rules;
mod sign_in;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use panels::Panels;
use prompt::FooterPrompt;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::dialog::Dialog;
use crate::app::{SPIN, Screen, State};
use crate::calls::{CallKey, Party, Phase};
use crate::config::keymap::Keymap;
use crate::config::theme::Theme;
use crate::qr::Background;
use crate::words;

/// The scroll offsets, which outlive a frame.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    /// The first row of the call table that is drawn.
    first_row: usize,
    /// The first row of the history that is drawn.
    first_history_row: usize,
    /// The calls that the last frame showed, from top to bottom.
    rows: Vec<CallKey>,
    /// Those that [`Scratch::take_changed_rows`] returned last.
    reported: Vec<CallKey>,
    /// The largest scroll offset of the help page, if the last frame showed the page.
    help_end: Option<u16>,
    /// The one that [`Scratch::take_changed_help`] returned last, while the page is shown.
    reported_help: Option<u16>,
}

impl Scratch {
    /// The calls that the last frame showed, if they are others than when this was called before.
    pub fn take_changed_rows(&mut self) -> Option<Vec<CallKey>> {
        if self.rows == self.reported {
            return None;
        }
        self.reported.clone_from(&self.rows);
        Some(self.rows.clone())
    }

    /// The largest scroll offset of the help page that the last frame showed, if it is another one
    /// than when this was called before.
    pub fn take_changed_help(&mut self) -> Option<u16> {
        let changed = self.help_end != self.reported_help;
        self.reported_help = self.help_end;
        self.help_end.filter(|_| changed)
    }
}

/// How things are drawn in this run of the program.
#[derive(Debug, Clone)]
pub struct DisplayOptions {
    /// Colours by role.
    pub theme: Theme,
    /// Keys, for the hints.
    pub keymap: Keymap,
    /// Draw with ASCII characters only.
    pub ascii: bool,
    /// The zone of the clock.
    pub zone: TimeZone,
    /// Whether the terminal is dark or light, for QR codes.
    pub background: Background,
}

/// What a panel may read.
#[derive(Clone, Copy)]
struct View<'a> {
    state: &'a State,
    options: &'a DisplayOptions,
    /// This machine's clock.
    now: Timestamp,
}

/// The title of the window.
pub fn window_title(state: &State, options: &DisplayOptions) -> String {
    let ringing = state.calls.live().filter(|call| call.phase == Phase::Ringing).count();
    let title = words::screen::window_title(ringing);
    if options.ascii { ascii::replaced(&title) } else { title }
}

/// Draws the whole screen.
pub fn view(
    state: &State,
    options: &DisplayOptions,
    now: Timestamp,
    scratch: &mut Scratch,
    frame: &mut Frame,
) {
    let area = frame.area();
    scratch.help_end = None;
    let view = View { state, options, now };
    match layout::split(view, area) {
        None => {
            scratch.rows.clear();
            header::draw_line(view, area, frame.buffer_mut());
        }
        Some(panels) => {
            let buffer = frame.buffer_mut();
            let letters = call_table::has_letters(&panels);
            header::draw(view, panels.header, letters, buffer);
            match state.screen {
                Screen::Calls => {
                    call_table::draw(view, &panels, scratch, buffer);
                    recent::draw(view, &panels, buffer);
                    match (panels.detail, &state.phone) {
                        (Some(area), Some(own)) => call_panel::draw(view, own, area, buffer),
                        (Some(area), None) => call_detail::draw(view, area, buffer),
                        (None, _) => {}
                    }
                }
                Screen::History => history::draw(view, &panels, scratch, buffer),
                Screen::Rules => rules::draw(view, &panels, buffer),
                Screen::Accounts => accounts::draw(view, &panels, buffer),
            }
            if state.screen != Screen::Calls {
                scratch.rows.clear();
            }
            footer::draw(view, &panels, buffer);
            draw_dialog(view, &panels, area, buffer);
            if let Some(page) = state.help {
                scratch.help_end = Some(help::draw(view, page.scroll, letters, area, buffer));
            }
        }
    }
    if options.ascii {
        ascii::replace(frame.buffer_mut());
    }
}

/// Draws the dialog over the panels, unless the footer has it.
fn draw_dialog(view: View, panels: &Panels, area: Rect, buffer: &mut Buffer) {
    if FooterPrompt::new(view, panels.framed, area.width).is_some() {
        return;
    }
    if let Some(question) = view.state.confirmation() {
        return popup::draw_confirmation(view, &question, area, buffer);
    }
    match &view.state.dialog {
        Some(Dialog::Picker(picker)) => reason_picker::draw(view, picker, area, buffer),
        Some(Dialog::SignIn(dialog)) => sign_in::draw(view, dialog, area, buffer),
        Some(Dialog::Devices(picker)) => devices::draw(view, picker, area, buffer),
        Some(Dialog::Dial(dial)) => dial::draw(view, dial, area, buffer),
        Some(Dialog::DoNotDisturb(dialog)) => do_not_disturb::draw(view, dialog, area, buffer),
        // The footer has it where there is no room for frames.
        Some(Dialog::Reply(dialog)) if panels.framed => reply::draw(view, dialog, area, buffer),
        Some(Dialog::CommandLine(line)) => command_line::draw_candidates(view, line, area, buffer),
        Some(
            Dialog::Filter { .. }
            | Dialog::Rename(_)
            | Dialog::Quit
            | Dialog::Reply(_)
            | Dialog::SwitchCalls { .. }
            | Dialog::SignOut(_)
            | Dialog::AnswerOther(_)
            | Dialog::Rating,
        )
        | None => {}
    }
}

impl View<'_> {
    fn theme(&self) -> &Theme {
        &self.options.theme
    }

    /// The name of a party as it is drawn: where it cannot be shown in ASCII, the username or the id.
    fn shown_name(&self, party: &Party) -> String {
        self.state.drawn_name(party, self.options.ascii)
    }

    /// A text with three dots for an ellipsis where only ASCII is drawn.
    fn dotted(&self, text: String) -> String {
        if self.options.ascii { text.replace('…', "...") } else { text }
    }

    /// The style of a phase's word.
    fn phase_style(&self, phase: Phase) -> Style {
        let theme = self.theme();
        match phase {
            Phase::Ringing => theme.ringing,
            Phase::Dialing { .. } => theme.dialing,
            Phase::Connecting => theme.connecting,
            Phase::Active { .. } => theme.active,
        }
    }

    /// The style of text on a border, without the style of the border.
    fn title_style(&self) -> Style {
        Style::reset().patch(self.theme().title)
    }

    /// Hours and minutes in the zone of the user.
    fn clock(&self, at: Timestamp) -> String {
        let local = at.to_zoned(self.options.zone.clone());
        format!("{:02}:{:02}", local.hour(), local.minute())
    }

    /// The day in the zone of the user.
    fn date(&self, at: Timestamp) -> jiff::civil::Date {
        at.to_zoned(self.options.zone.clone()).date()
    }

    /// Hours and minutes, or month and day for a time that is not today.
    fn clock_or_date(&self, at: Timestamp) -> String {
        let zone = &self.options.zone;
        let (day, today) =
            (at.to_zoned(zone.clone()).date(), self.now.to_zoned(zone.clone()).date());
        if day == today {
            return self.clock(at);
        }
        format!("{:02}-{:02}", day.month(), day.day())
    }
}

/// The spinner at this time.
fn spinner(now: Timestamp) -> &'static str {
    const SPINNER: [&str; 8] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"];
    let spin = now.as_millisecond() / SPIN.as_millis() as i64;
    SPINNER[spin.rem_euclid(SPINNER.len() as i64) as usize]
}

/// What is typed, with a bar before the character at `cursor`. Of the text before the bar, at
/// most `room` cells are kept, so that the bar is always visible.
fn with_cursor(typed: &str, cursor: usize, room: usize) -> String {
    let before: String = typed.chars().take(cursor).collect();
    let after: String = typed.chars().skip(cursor).collect();
    let mut shown = crate::text::clean(&before);
    while crate::text::width(&shown) > room {
        shown.remove(0);
    }
    format!("{shown}▏{}", crate::text::clean(&after))
}

/// Writes a text into one line, cut to `width` cells; returns the cells used.
fn put(buffer: &mut Buffer, (x, y): (u16, u16), width: u16, text: &str, style: Style) -> u16 {
    let area = buffer.area;
    if width == 0 || y >= area.bottom() || x >= area.right() {
        return 0;
    }
    let width = width.min(area.right() - x);
    let text = crate::text::cut(text, usize::from(width));
    let (end, _) = buffer.set_stringn(x, y, text, usize::from(width), style);
    end - x
}

/// Writes several texts after one another; returns the cells used.
fn put_all(buffer: &mut Buffer, (x, y): (u16, u16), width: u16, parts: &[(String, Style)]) -> u16 {
    let mut used = 0;
    for (text, style) in parts {
        used += put(buffer, (x + used, y), width.saturating_sub(used), text, *style);
    }
    used
}

/// The area inside a border.
fn inside(area: Rect) -> Rect {
    let width = area.width.saturating_sub(2);
    let height = area.height.saturating_sub(2);
    Rect { x: area.x + 1, y: area.y + 1, width, height }
}

#[cfg(test)]
mod tests;

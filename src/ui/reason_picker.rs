//! The reason picker: what each reason will look like to both sides.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{View, call_table, popup, put};
use crate::app::action::{Action, Layer};
use crate::app::dialog::{Choice, Picker};
use crate::app::reply;
use crate::calls::{Call, CallKey};
use crate::text;
use crate::words;

/// The width of the picker's inside, if the screen has it.
const WIDTH: u16 = 68;
/// The cursor, the key and the label in front of the text.
const LABEL: u16 = 20;
/// The largest number of names that are looked up for the list of several calls.
const MOST_NAMES: usize = 40;

/// One line of the picker.
struct PickerLine {
    choice: Choice,
    key: String,
    label: &'static str,
    text: Vec<String>,
    usual: bool,
}

/// A key and what it answers, where the picker is a prompt.
pub(super) struct Answer {
    pub(super) key: String,
    pub(super) label: String,
    /// Whether Enter sends it.
    pub(super) selected: bool,
    /// Whether it is left out where there is little room.
    pub(super) spare: bool,
}

impl Answer {
    /// The label, cut to `most` letters.
    pub(super) fn label(&self, most: usize) -> String {
        self.label.chars().take(most).collect::<String>().trim_end().to_owned()
    }

    /// The key and the label.
    pub(super) fn text(&self, most: usize) -> String {
        format!("{} {}", self.key, self.label(most)).trim_end().to_owned()
    }
}

pub(super) fn draw(view: View, picker: &Picker, screen: Rect, buffer: &mut Buffer) {
    let Some(first) = picker.calls.first().and_then(|key| view.state.calls.get(*key)) else {
        return;
    };
    let width = WIDTH.min(screen.width.saturating_sub(2));
    let mut lines: Vec<_> = picker
        .choices()
        .into_iter()
        .map(|choice| line(view, picker, first, choice, width))
        .collect();
    if height(&lines) + 2 > screen.height.saturating_sub(2) {
        // All reasons stay visible; their texts are cut to one line.
        for line in &mut lines {
            line.text.truncate(1);
        }
    }
    let about = about(view, picker, usize::from(width.saturating_sub(2)));
    let size = (width, height(&lines) + about.len() as u16);
    let area = popup::popup(view, &title(view, picker, first), size, screen, buffer);
    for (y, text) in (area.y..area.bottom()).zip(&about) {
        put(buffer, (area.x + 1, y), area.width.saturating_sub(1), text, view.theme().text);
    }
    let above = (about.len() as u16).min(area.height);
    let mut rest = Rect { y: area.y + above, height: area.height - above, ..area };
    for line in &lines {
        draw_line(view, line, line.choice == picker.cursor, rest, buffer);
        let used = (line.text.len() as u16).min(rest.height);
        rest = Rect { y: rest.y + used, height: rest.height - used, ..rest };
    }
    let mut actions = vec![(Action::Accept, "send")];
    if takes_text(view, picker) {
        actions.push((Action::DeclineWithText, words::reply::KEY));
    }
    actions.push((Action::Back, "back"));
    popup::hints(view, Layer::Picker, &actions, area, buffer);
}

/// Whether the only call of the picker can be declined with a text.
pub(super) fn takes_text(view: View, picker: &Picker) -> bool {
    let [key] = picker.calls.as_slice() else { return false };
    view.state.calls.get(*key).is_some_and(reply::takes_text)
}

/// The picker as a prompt: the name of the call, what will be done, and the reasons.
pub(super) fn prompt(
    view: View,
    picker: &Picker,
    width: u16,
) -> Option<(String, String, Vec<Answer>)> {
    let first = picker.calls.first().and_then(|key| view.state.calls.get(*key))?;
    let title = title(view, picker, first);
    let (name, title) = if picker.calls.len() == 1 {
        (name_and_account(view, first), title)
    } else {
        let title = words::call::end_marked_prompt(picker.calls.len());
        let about = about(view, picker, usize::from(width).saturating_sub(title.len() + 3));
        let title = format!("{title}: {}", about.join(" · "));
        (title.clone(), title)
    };
    let answers = picker.choices().into_iter().map(|choice| {
        let line = line(view, picker, first, choice, WIDTH);
        let label = line.label.to_lowercase();
        Answer { key: line.key, label, selected: choice == picker.cursor, spare: false }
    });
    Some((name, title, answers.collect()))
}

/// The calls of a picker for several by their names, and how many marked calls it leaves out.
fn about(view: View, picker: &Picker, cells: usize) -> Vec<String> {
    let calls = &view.state.calls;
    let mut lines = Vec::new();
    if picker.calls.len() > 1 {
        let listed = picker.calls.iter().take(MOST_NAMES).filter_map(|key| calls.get(*key));
        let names: Vec<_> = listed.map(|call| view.shown_name(&call.peer)).collect();
        lines.push(words::call::names(&names, picker.calls.len(), cells));
    }
    let marked = calls.marked();
    let hidden = marked.len() - calls.rows().iter().filter(|key| marked.contains(key)).count();
    if hidden > 0 && picker.calls.iter().any(|key| marked.contains(key)) {
        lines.push(words::call::hidden_marks(hidden));
    }
    lines
}

fn height(lines: &[PickerLine]) -> u16 {
    lines.iter().map(|line| line.text.len() as u16).sum()
}

fn title(view: View, picker: &Picker, first: &Call) -> String {
    match picker.calls.len() {
        1 => words::call::picker_title(first.verb(), &name_and_account(view, first)),
        many => words::call::end_marked_title(many),
    }
}

/// The name of the other party, and the account where there are several.
pub(super) fn name_and_account(view: View, call: &Call) -> String {
    let name = view.shown_name(&call.peer);
    if view.state.has_several_accounts() {
        format!("{name} ({})", call_table::account(view, call))
    } else {
        name
    }
}

fn line(view: View, picker: &Picker, first: &Call, choice: Choice, width: u16) -> PickerLine {
    let (action, label) = match choice {
        Choice::Default => (Action::DefaultReason, words::reason::DEFAULT_REASON.0),
        Choice::Reason(reason) => (Action::sending(reason), words::reason::label(reason)),
    };
    let (text, usual) = preview(view, &picker.calls, first, choice);
    let cells = width.saturating_sub(LABEL + 1).max(12);
    PickerLine {
        choice,
        key: view.options.keymap.hint(Layer::Picker, action).unwrap_or_default(),
        label,
        text: text::wrap(&text, usize::from(cells)),
        usual,
    }
}

/// The preview of a choice, if it is the same for all calls.
fn preview(view: View, calls: &[CallKey], first: &Call, choice: Choice) -> (String, bool) {
    let Choice::Reason(reason) = choice else {
        return (words::reason::DEFAULT_REASON.1.to_owned(), true);
    };
    let preview = words::reason::preview(reason, first.phase);
    let mut others = calls.iter().filter_map(|key| view.state.calls.get(*key));
    if !others.all(|call| words::reason::preview(reason, call.phase) == preview) {
        return (words::reason::for_all(reason), false);
    }
    (preview.text.to_owned(), preview.usual)
}

fn draw_line(view: View, line: &PickerLine, selected: bool, area: Rect, buffer: &mut Buffer) {
    let theme = view.theme();
    let style = if line.usual { theme.text } else { theme.unusual };
    if area.height == 0 {
        return;
    }
    if selected {
        put(buffer, (area.x + 1, area.y), 1, "▶", theme.text);
    }
    put(buffer, (area.x + 3, area.y), 4, &line.key, theme.key);
    put(buffer, (area.x + 7, area.y), LABEL - 8, line.label, style);
    for (y, text) in (area.y..area.bottom()).zip(&line.text) {
        put(buffer, (area.x + LABEL, y), area.width.saturating_sub(LABEL), text, style);
    }
    if selected {
        buffer.set_style(Rect { height: 1, ..area }, theme.selected);
    }
}

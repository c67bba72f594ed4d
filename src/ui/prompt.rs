//! A question in the footer, where the screen has no room for a dialog: the reasons of the picker, or
//! yes and no.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::panels::Panels;
use super::reason_picker::{self, Answer};
use super::{View, put, put_all};
use crate::app::action::{Action, Layer};
use crate::app::dialog::{Confirmation, Dialog};
use crate::app::has_sign_in_room;
use crate::text;
use crate::words;

/// The letters that are left of an answer where there is no room for all of it.
const SHORT: usize = 4;
/// The same where even that is too much.
const SHORTEST: usize = 3;

/// A question and its answers.
pub(super) struct FooterPrompt {
    /// The question in front of the answers, if they are in the same line.
    name: String,
    /// The question in a line of its own.
    title: String,
    answers: Vec<Answer>,
}

impl FooterPrompt {
    /// The prompt of the dialog that is open, if the dialog is not drawn as one.
    pub(super) fn new(view: View, framed: bool, width: u16) -> Option<Self> {
        let state = view.state;
        if !has_sign_in_room(state.size)
            && let Some(question) = state.confirmation()
        {
            return Some(Self::confirmation(view, &question));
        }
        match state.dialog.as_ref()? {
            Dialog::Picker(picker) if !framed => {
                let (name, title, mut answers) = reason_picker::prompt(view, picker, width)?;
                if reason_picker::takes_text(view, picker) {
                    let label = words::reply::KEY_SHORT;
                    let text = answer(view, Layer::Picker, Action::DeclineWithText, label);
                    answers.extend(text.map(|text| Answer { spare: true, ..text }));
                }
                let back = answer(view, Layer::Picker, Action::Back, "");
                answers.extend(back.map(|back| Answer { spare: true, ..back }));
                Some(Self { name, title, answers })
            }
            Dialog::SignIn(_) if !has_sign_in_room(state.size) => {
                let title = words::screen::TOO_SMALL_TO_SIGN_IN.to_owned();
                Some(Self { name: title.clone(), title, answers: Vec::new() })
            }
            Dialog::Picker(_)
            | Dialog::Quit
            | Dialog::SwitchCalls { .. }
            | Dialog::Reply(_)
            | Dialog::SignOut(_)
            | Dialog::AnswerOther(_)
            | Dialog::Rating
            | Dialog::Dial(_)
            | Dialog::DoNotDisturb(_)
            | Dialog::Devices(_)
            | Dialog::Rename(_)
            | Dialog::SignIn(_)
            | Dialog::CommandLine(_)
            | Dialog::Filter { .. } => None,
        }
    }

    fn confirmation(view: View, question: &Confirmation) -> Self {
        let answers = question
            .answers
            .iter()
            .filter_map(|(action, label)| answer(view, question.layer, *action, label));
        let title = question.title.to_owned();
        Self { name: title.clone(), title, answers: answers.collect() }
    }

    /// Whether it needs two lines of this width.
    pub(super) fn overflows(&self, width: u16) -> bool {
        self.one_line().is_none_or(|line| text::width(&line) >= usize::from(width))
    }

    fn one_line(&self) -> Option<String> {
        let answers: Vec<_> = self.answers.iter().map(|answer| answer.text(usize::MAX)).collect();
        (!answers.is_empty()).then(|| format!(" {} {}", self.label(), answers.join(" · ")))
    }

    /// The question in front of the answers.
    fn label(&self) -> String {
        if self.name.ends_with('?') { self.name.clone() } else { format!("{}:", self.name) }
    }

    pub(super) fn draw(&self, view: View, panels: &Panels, buffer: &mut Buffer) {
        let Rect { x, y, width, .. } = panels.footer;
        let theme = view.theme();
        if self.answers.is_empty() {
            put(buffer, (x + 1, y), width.saturating_sub(1), &self.title, theme.warning);
            return;
        }
        if !self.overflows(width) {
            let mut parts = vec![(format!(" {} ", self.label()), theme.title)];
            parts.extend(self.parts(view, usize::MAX, " · ", true));
            put_all(buffer, (x, y), width, &parts);
            return;
        }
        draw_title(view, panels, &self.title, buffer);
        let texts = [
            (usize::MAX, " · ", true),
            (usize::MAX, " ", true),
            (SHORT, " ", true),
            (SHORT, " ", false),
        ];
        let fits = |parts: &Vec<(String, Style)>| {
            parts.iter().map(|(text, _)| text::width(text)).sum::<usize>() < usize::from(width)
        };
        let mut texts =
            texts.into_iter().map(|(most, gap, spare)| self.parts(view, most, gap, spare));
        let parts = texts.find(fits).unwrap_or_else(|| self.parts(view, SHORTEST, " ", false));
        put_all(buffer, (x + 1, y), width.saturating_sub(1), &parts);
    }

    /// The answers, with labels of at most `most` letters; those that can be spared only on demand.
    fn parts(&self, view: View, most: usize, gap: &str, spare: bool) -> Vec<(String, Style)> {
        let theme = view.theme();
        let mut parts = Vec::new();
        for answer in self.answers.iter().filter(|answer| spare || !answer.spare) {
            if !parts.is_empty() {
                parts.push((gap.to_owned(), theme.muted));
            }
            let reversed =
                |style: Style| if answer.selected { style.patch(theme.selected) } else { style };
            parts.push((answer.key.clone(), reversed(theme.key)));
            let label = answer.label(most);
            if !label.is_empty() {
                parts.push((format!(" {label}"), reversed(theme.text)));
            }
        }
        parts
    }
}

/// Writes the question into the line of messages.
pub(super) fn draw_title(view: View, panels: &Panels, title: &str, buffer: &mut Buffer) {
    let Rect { x, y, width, .. } = panels.message;
    put(buffer, (x, y), width, &" ".repeat(width.into()), Style::reset());
    put(buffer, (x + 1, y), width.saturating_sub(1), title, view.theme().title);
}

/// An answer, if its action has a key.
fn answer(view: View, layer: Layer, action: Action, label: &str) -> Option<Answer> {
    let key = view.options.keymap.hint(layer, action)?;
    Some(Answer { key, label: label.to_owned(), selected: false, spare: false })
}

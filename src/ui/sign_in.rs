//! The sign-in dialog: the menu of methods, one question at a time, and the QR code.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{View, popup, put, spinner, with_cursor};
use crate::app::action::{Action, Layer};
use crate::app::sign_in_dialog::{Question, SignInDialog};
use crate::qr::{self, Background};
use crate::text;
use crate::words::sign_in as words;

/// The width of the inside, if the screen has it.
const WIDTH: u16 = 66;
/// A line of the dialog.
type StyledLine = (String, Style);

pub(super) fn draw(view: View, sign_in: &SignInDialog, screen: Rect, buffer: &mut Buffer) {
    let width = WIDTH.min(screen.width.saturating_sub(4));
    let most = usize::from(screen.height.saturating_sub(2));
    let mut lines = lines(view, sign_in, width, most);
    // Where there is little room, the field and the refusal stay visible.
    lines.drain(..lines.len().saturating_sub(most));
    let size = (width + 2, lines.len() as u16);
    let area = popup::popup(view, title(view, sign_in), size, screen, buffer);
    for (y, (line, style)) in (area.y..area.bottom()).zip(&lines) {
        let code = matches!(sign_in.question, Question::Qr { .. }) && y + 1 < area.bottom();
        // A QR code is centred.
        let spare = area.width.saturating_sub(text::width(line) as u16);
        let indent = if code { spare / 2 } else { 1 };
        put(buffer, (area.x + indent, y), area.width.saturating_sub(indent), line, *style);
    }
    let (layer, actions) = actions(view, sign_in);
    popup::hints(view, layer, &actions, area, buffer);
}

fn title(view: View, sign_in: &SignInDialog) -> &'static str {
    match sign_in.question {
        Question::Method { .. } if view.state.has_no_account() => "Welcome",
        Question::Method { .. } => "Add an account",
        Question::Import => "Import a session",
        _ => "Sign in",
    }
}

fn actions(view: View, sign_in: &SignInDialog) -> (Layer, Vec<(Action, &'static str)>) {
    match &sign_in.question {
        Question::Method { .. } => {
            let other = if view.state.has_no_account() {
                (Action::Quit, "quit")
            } else {
                (Action::Back, "back")
            };
            (Layer::SignInMenu, vec![(Action::Accept, "choose"), other])
        }
        Question::Qr { .. } => (Layer::SignInField, vec![(Action::Back, "back")]),
        Question::Code(sent) => {
            let mut actions = vec![(Action::Accept, "go on")];
            if sent.next.as_ref().is_some_and(|(_, at)| *at <= view.now) {
                actions.push((Action::Resend, "send again"));
            }
            actions.push((Action::Back, "back"));
            (Layer::SignInField, actions)
        }
        Question::Password { .. } => (
            Layer::SignInField,
            vec![
                (Action::Accept, "go on"),
                (Action::ForgotPassword, words::FORGOTTEN),
                (Action::Back, "back"),
            ],
        ),
        _ => (Layer::SignInField, vec![(Action::Accept, "go on"), (Action::Back, "back")]),
    }
}

fn lines(view: View, sign_in: &SignInDialog, width: u16, most: usize) -> Vec<StyledLine> {
    if let Question::Qr { code: Some((url, until)) } = &sign_in.question {
        return qr_lines(view, url, *until, width, most);
    }
    let theme = view.theme();
    let mut lines = Vec::new();
    let mut say = |text: &str, style: Style| {
        lines.extend(text::wrap(text, usize::from(width)).into_iter().map(|line| (line, style)));
    };
    match &sign_in.question {
        Question::Method { cursor } => {
            if view.state.has_no_account() {
                say(words::WELCOME, theme.text);
                say("", theme.text);
            }
            for (at, way) in view.state.sign_in_methods().iter().enumerate() {
                let (mark, style) =
                    if at == *cursor { ("▶", theme.selected) } else { (" ", theme.text) };
                lines.push((format!("{mark} {}", way.label()), style));
            }
        }
        question => {
            say(&asked(view, question), theme.text);
            lines.push((String::new(), theme.text));
            lines.push((field(sign_in, width), theme.key));
        }
    }
    if sign_in.waiting.is_some() {
        lines.push((String::new(), theme.text));
        let spinner = spinner(view.now);
        lines.push((format!("{spinner} {}", words::WAITING), theme.warning));
    } else if let Some((refusal, _)) = &sign_in.refusal {
        let wait = sign_in.remaining_wait(view.now);
        let left = wait.map(|left| format!(" ({})", text::duration(left))).unwrap_or_default();
        lines.push((String::new(), theme.text));
        let text = format!("✗ {refusal}{left}");
        let wrapped = text::wrap(&text, usize::from(width));
        lines.extend(wrapped.into_iter().map(|line| (line, theme.error)));
    }
    lines
}

/// The text of a question.
fn asked(view: View, question: &Question) -> String {
    match question {
        Question::ApiId => format!("{}:", words::API_CREDENTIALS_HELP),
        Question::ApiHash { .. } => words::API_HASH.to_owned(),
        Question::Phone => words::PHONE.to_owned(),
        Question::Code(sent) => {
            let resend = sent.next.as_ref().map(|(way, at)| {
                let wait = at.duration_since(view.now);
                words::resend(way.text(), if wait.is_positive() { wait.as_secs() + 1 } else { 0 })
            });
            sent.text() + &resend.unwrap_or_default()
        }
        Question::Email => words::EMAIL.to_owned(),
        Question::EmailCode(sent) => words::email_code(&sent.pattern, sent.length),
        Question::RecoveryCode { sent, .. } => words::recovery_code(&sent.pattern),
        Question::Password { hint } => words::password(hint.as_deref()),
        Question::Import => words::import(),
        Question::Qr { .. } | Question::Method { .. } => String::new(),
    }
}

/// The text field, masked for secrets.
fn field(sign_in: &SignInDialog, width: u16) -> String {
    let input = &sign_in.input;
    let typed = match &sign_in.question {
        Question::Qr { .. } => return String::new(),
        Question::Import if !input.value().is_empty() => {
            return format!("> {} characters", input.value().chars().count());
        }
        question if question.is_secret() => "•".repeat(input.value().chars().count()),
        _ => input.value().to_owned(),
    };
    let room = usize::from(width).saturating_sub(4);
    format!("> {}", with_cursor(&typed, input.cursor(), room))
}

fn qr_lines(view: View, url: &str, until: Timestamp, width: u16, most: usize) -> Vec<StyledLine> {
    let theme = view.theme();
    // A theme with colours for the code makes it dark on light on any background.
    let (background, style) = match theme.qr.bg {
        Some(_) => (Background::Light, theme.qr),
        None => (view.options.background, Style::reset()),
    };
    let code = qr::half_blocks(url, background).unwrap_or_default();
    let columns = code.first().map_or(0, |line| text::width(line));
    if view.options.ascii || columns > usize::from(width) || code.len() + 1 > most {
        let need = if view.options.ascii {
            words::QR_NEEDS_UNICODE.to_owned()
        } else {
            words::qr_needs_room(columns + 4, code.len() + 3)
        };
        let wrapped = text::wrap(&need, usize::from(width));
        return wrapped.into_iter().map(|line| (line, theme.warning)).collect();
    }
    let left = until.duration_since(view.now).as_secs().max(0);
    let mut lines: Vec<StyledLine> = code.into_iter().map(|line| (line, style)).collect();
    lines.push((words::qr_valid(left), theme.text));
    lines
}

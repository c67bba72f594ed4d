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
use crate::words::sign_in::{API_CREDENTIALS_HELP, IMPORT_WARNING};

/// The width of the inside, if the screen has it.
const WIDTH: u16 = 66;
const WELCOME: &str = "onhook shows who is calling in your terminal, and hangs up \
     with the reason you choose. It needs a Telegram account of yours.";
const QR_HELP: &str = "Telegram on your phone → Settings → Devices → Link";
const PHONE_HELP: &str = "Telegram sends a code to it. Neither is stored.";

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
        Question::Method { .. } if view.state.accounts.is_empty() => "Welcome",
        Question::Method { .. } => "Add an account",
        Question::Import => "Import a session",
        _ => "Sign in",
    }
}

fn actions(view: View, sign_in: &SignInDialog) -> (Layer, Vec<(Action, &'static str)>) {
    match &sign_in.question {
        Question::Method { .. } => {
            let other = if view.state.accounts.is_empty() {
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
            if view.state.accounts.is_empty() {
                say(WELCOME, theme.text);
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
        lines.push((format!("{spinner} waiting for Telegram…"), theme.warning));
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
        Question::ApiId => format!("{API_CREDENTIALS_HELP}:"),
        Question::ApiHash { .. } => "The api hash, 32 hex digits:".to_owned(),
        Question::Phone => format!("Your phone number, with the country code. {PHONE_HELP}"),
        Question::Code(sent) => {
            let length = sent.length.map(|length| format!(" It has {length} digits."));
            let again = sent.next.as_ref().map(|(way, at)| again(view, way, *at));
            let (length, again) = (length.unwrap_or_default(), again.unwrap_or_default());
            format!("A code was sent {}.{length}{again}", sent.to)
        }
        Question::Password { hint: Some(hint) } => {
            format!("Your two-step password. Your hint: {hint}")
        }
        Question::Password { hint: None } => "Your two-step password:".to_owned(),
        Question::Import => format!("Paste the session string. {IMPORT_WARNING}"),
        Question::Qr { .. } | Question::Method { .. } => String::new(),
    }
}

fn again(view: View, way: &str, at: Timestamp) -> String {
    let wait = at.duration_since(view.now);
    if wait.is_positive() {
        format!(" In {} it can be sent again, {way}.", text::duration(wait.as_secs() + 1))
    } else {
        format!(" It can be sent again, {way}.")
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
            "A QR code cannot be drawn with ASCII alone: sign in with a phone number.".to_owned()
        } else {
            format!("The QR code needs a terminal of {} × {} cells.", columns + 4, code.len() + 3)
        };
        let wrapped = text::wrap(&need, usize::from(width));
        return wrapped.into_iter().map(|line| (line, theme.warning)).collect();
    }
    let left = until.duration_since(view.now).as_secs().max(0);
    let mut lines: Vec<StyledLine> = code.into_iter().map(|line| (line, style)).collect();
    lines.push((format!("Valid for {left} s · {QR_HELP}"), theme.text));
    lines
}

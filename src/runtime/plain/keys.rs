//! The keys of plain mode: those of the terminal in raw mode, or the lines of standard input.

use std::io::{self, IsTerminal};
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind};
use futures_util::StreamExt;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::time::{Instant, timeout_at};
use tui_input::InputRequest;

use crate::app::action::{Action, Layer};
use crate::app::msg::Msg;
use crate::config::key_press::KeyPress;
use crate::config::keymap::Keymap;
use crate::runtime::RawMode;

/// From how many characters at once a text was pasted and not typed. Without an escape sequence, a
/// terminal cannot be asked to mark pasted text.
const PASTE: usize = 5;

/// How soon a key has to follow another one to belong to the same text.
const PAUSE: Duration = Duration::from_millis(10);

/// Where keys come from.
pub(super) enum KeySource {
    Terminal(TerminalKeys),
    /// One key a line, by its name in the keymap.
    Lines(Lines<BufReader<Stdin>>),
    /// Standard input has ended.
    Over,
}

/// The keys of a terminal in raw mode.
pub(super) struct TerminalKeys {
    events: EventStream,
    raw: Option<RawMode>,
    /// The events that came soon after one another, and until when another one belongs to them.
    gathered: Vec<Event>,
    until: Instant,
}

/// What has come from a source.
pub(super) enum Pressed {
    /// Events of the terminal that came at once.
    Events(Vec<Event>),
    Line(String),
    TerminalClosed,
}

impl KeySource {
    pub(super) fn open() -> io::Result<Self> {
        if !io::stdin().is_terminal() {
            return Ok(Self::Lines(BufReader::new(tokio::io::stdin()).lines()));
        }
        let raw = Some(RawMode::enable()?);
        let (events, until) = (EventStream::new(), Instant::now());
        Ok(Self::Terminal(TerminalKeys { events, raw, gathered: Vec::new(), until }))
    }

    /// Whether keys are pressed, and not read from lines.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    /// Whether no more keys come.
    pub(super) fn are_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    /// Waits for the next key. If this is cancelled, no key is lost.
    pub(super) async fn next(&mut self) -> io::Result<Pressed> {
        loop {
            match self {
                Self::Terminal(keys) => return keys.next().await,
                Self::Lines(lines) => match lines.next_line().await? {
                    Some(line) => return Ok(Pressed::Line(line)),
                    None => *self = Self::Over,
                },
                Self::Over => std::future::pending().await,
            }
        }
    }

    /// Gives the terminal back while `stop` suspends the process.
    pub(super) fn suspended(&mut self, stop: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        match self {
            Self::Terminal(keys) => {
                keys.raw = None;
                stop()?;
                keys.raw = Some(RawMode::enable()?);
                Ok(())
            }
            Self::Lines(_) | Self::Over => stop(),
        }
    }
}

impl TerminalKeys {
    async fn next(&mut self) -> io::Result<Pressed> {
        loop {
            let event = if self.gathered.is_empty() {
                self.events.next().await
            } else {
                match timeout_at(self.until, self.events.next()).await {
                    Ok(event) => event,
                    Err(_) => return Ok(Pressed::Events(std::mem::take(&mut self.gathered))),
                }
            };
            let Some(event) = event else { return Ok(Pressed::TerminalClosed) };
            self.gathered.push(event?);
            self.until = Instant::now() + PAUSE;
        }
    }
}

/// Whether an event is a key that was pressed.
pub(super) fn is_key(event: &Event) -> bool {
    matches!(event, Event::Key(key) if key.kind != KeyEventKind::Release)
}

/// Whether events that came at once are a pasted text: more characters than a person presses. A key
/// that is held down comes many times.
pub(super) fn is_paste(events: &[Event]) -> bool {
    let codes = events.iter().filter_map(|event| match event {
        Event::Key(KeyEvent { code: code @ (KeyCode::Char(_) | KeyCode::Enter), .. }) => Some(code),
        _ => None,
    });
    let codes: Vec<_> = codes.collect();
    codes.len() >= PASTE && codes.iter().any(|code| *code != codes[0])
}

/// The messages of a line: a key by its name, or in a text field the text with Enter. A `None` among
/// them is a key without a meaning; without any, the line is no key.
pub(super) fn of_line(line: &str, layer: Layer, keymap: &Keymap) -> Option<Vec<Option<Msg>>> {
    let line = line.trim();
    let key = if line.is_empty() { KeyPress::parse("enter") } else { KeyPress::parse(line) };
    let action = key.as_ref().ok().and_then(|key| keymap.action(layer, *key)).map(Msg::Action);
    if action.is_some() || (!layer.is_text() && key.is_ok()) {
        return Some(vec![action]);
    }
    let command = line.strip_prefix(':').filter(|_| !layer.is_text());
    let opens = command.is_some().then(|| KeyPress::parse(":")).and_then(Result::ok);
    if let (Some(name), Some(key)) = (command, opens)
        && let Some(open) = keymap.action(layer, key)
    {
        let run = [Msg::Paste(name.to_owned()), Msg::Action(Action::Accept)];
        return Some([Msg::Action(open)].into_iter().chain(run).map(Some).collect());
    }
    let typed = |text: &str| {
        [
            Msg::Edit(InputRequest::DeleteLine),
            Msg::Paste(text.to_owned()),
            Msg::Action(Action::Accept),
        ]
    };
    layer.is_text().then(|| typed(line).map(Some).to_vec())
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;

    #[test]
    fn a_line_is_a_key_or_a_text() {
        let keymap = Keymap::default();
        let of = |line: &str, layer| of_line(line, layer, &keymap);
        let action = |action| Some(vec![Some(Msg::Action(action))]);
        assert_eq!(of("x", Layer::Board), action(Action::HangUp));
        assert_eq!(of(" ctrl-c ", Layer::Board), action(Action::Quit));
        assert_eq!(of("", Layer::Picker), action(Action::Accept));
        assert_eq!(of("esc", Layer::Filter), action(Action::Back));
        assert_eq!(of("z", Layer::Board), Some(vec![None]), "a key without a meaning");
        assert_eq!(of("hang up", Layer::Board), None);
        let command = of(":hang-up-now", Layer::Board).expect("a command");
        assert_eq!(command[0], Some(Msg::Action(Action::CommandLine)));
        assert_eq!(command[1], Some(Msg::Paste("hang-up-now".to_owned())));
        let text = of("grace h", Layer::Filter).expect("a text");
        assert_eq!(
            text[1..],
            [Some(Msg::Paste("grace h".to_owned())), Some(Msg::Action(Action::Accept))]
        );
    }

    #[test]
    fn many_characters_at_once_are_a_paste() {
        let typed = |text: &str| -> Vec<Event> {
            let key = |char| KeyEvent::new(KeyCode::Char(char), KeyModifiers::NONE);
            text.chars().map(|char| Event::Key(key(char))).collect()
        };
        assert!(!is_paste(&typed("xb")));
        assert!(!is_paste(&typed("jjjjjjjj")), "a key that is held down");
        assert!(is_paste(&typed("see box X")));
    }
}

//! A question on a plain terminal whose answer is not shown.

use std::io::{self, Write};

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// The terminal without echo; dropping this gives it back.
struct Raw;

impl Raw {
    fn enter() -> io::Result<Self> {
        enable_raw_mode().map(|()| Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // The terminal may be gone; there is nobody left to tell.
        let _ = disable_raw_mode();
    }
}

/// Asks; `None` if that was given up.
pub(super) fn ask(prompt: &str) -> io::Result<Option<String>> {
    let mut err = io::stderr();
    // Before the question: who answers quickly must not see the answer.
    let raw = Raw::enter()?;
    write!(err, "{prompt}")?;
    err.flush()?;
    let answer = read();
    drop(raw);
    writeln!(err)?;
    answer
}

fn read() -> io::Result<Option<String>> {
    let mut typed = String::new();
    loop {
        let key = match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => key,
            Event::Paste(text) => {
                typed.push_str(text.trim_end_matches(['\r', '\n']));
                continue;
            }
            _ => continue,
        };
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(Some(typed)),
            // The same, from a line that was typed ahead.
            KeyCode::Char('j') if control => return Ok(Some(typed)),
            KeyCode::Char('c' | 'd') if control => return Ok(None),
            KeyCode::Char('u') if control => typed.clear(),
            KeyCode::Esc => return Ok(None),
            KeyCode::Backspace => {
                typed.pop();
            }
            KeyCode::Char(char) if !control => typed.push(char),
            _ => {}
        }
    }
}

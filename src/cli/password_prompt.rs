//! A prompt on a plain terminal whose answer is not shown.
//!
//! `rpassword` 7.5 is not used: it shows the prompt before it turns the echo off, it swallows Esc, and
//! its Ctrl-C raises SIGINT before it restores the terminal.

use std::io::{self, Write};

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use crate::runtime::RawMode;

/// Shows a prompt and reads the answer; `None` if the person gives up with Esc, Ctrl-C or Ctrl-D.
pub(super) fn ask(prompt: &str) -> io::Result<Option<String>> {
    let mut err = io::stderr();
    // Enabled before the prompt is shown, so that an answer that is typed at once is not echoed.
    let raw = RawMode::enable()?;
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
            // Enter in a line that was typed before raw mode was enabled.
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

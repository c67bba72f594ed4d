//! The terminal: raw mode and the alternate screen, restored on every way out.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::Once;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::{Frame, Terminal};

/// Bytes of a large frame, so that it is written at once.
const FRAME_BYTES: usize = 64 * 1024;

/// The terminal while the board has it. Dropping it restores the terminal.
pub(super) struct BoardTerminal {
    /// Never dropped: its `Drop` prints to standard error, which panics when the real terminal is
    /// gone. [`restore`] does what that `Drop` would do.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
}

/// Why no board can be shown here; `None` if one can.
pub fn check() -> Option<&'static str> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Some("the board needs a terminal; without one, use `onhook watch`");
    }
    match std::env::var("TERM").as_deref() {
        Ok("dumb") => Some("the terminal 'dumb' cannot show the board; use `onhook watch`"),
        _ => None,
    }
}

impl BoardTerminal {
    pub(super) fn open() -> io::Result<Self> {
        restore_on_panic();
        enter()?;
        let terminal = Terminal::new(backend()).map(ManuallyDrop::new);
        terminal.map(|terminal| Self { terminal }).inspect_err(|_| restore())
    }

    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Draws one frame; only the cells that changed are written.
    pub(super) fn draw(&mut self, view: impl FnOnce(&mut Frame)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(view)?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Clears the screen, so that the next frame is written whole.
    pub(super) fn redraw(&mut self) -> io::Result<()> {
        // Not `Terminal::clear`: it queries the position of the cursor and waits for the answer,
        // which the reader of keys consumes.
        execute!(io::stdout(), Clear(ClearType::All))?;
        let new = ManuallyDrop::new(Terminal::new(backend())?);
        let mut old = std::mem::replace(&mut self.terminal, new);
        old.show_cursor()?;
        drop(ManuallyDrop::into_inner(old));
        Ok(())
    }

    /// Rings the bell, and asks the terminal for a desktop notification.
    ///
    /// `text` has been cleaned: it holds no control characters.
    pub(super) fn notify(&mut self, text: &str, bell: bool, notify: bool) -> io::Result<()> {
        let backend = self.terminal.backend_mut();
        if bell {
            write!(backend, "\u{7}")?;
        }
        if notify {
            write!(backend, "\u{1b}]9;{text}\u{1b}\\")?;
        }
        Backend::flush(backend)
    }

    pub(super) fn close(&mut self) -> io::Result<()> {
        Backend::flush(self.terminal.backend_mut())?;
        restore();
        Ok(())
    }

    pub(super) fn reopen(&mut self) -> io::Result<()> {
        enter()?;
        self.redraw()
    }
}

impl Drop for BoardTerminal {
    fn drop(&mut self) {
        restore();
    }
}

fn backend() -> CrosstermBackend<BufWriter<Stdout>> {
    CrosstermBackend::new(BufWriter::with_capacity(FRAME_BYTES, io::stdout()))
}

/// Bracketed paste distinguishes pasted text from keys, so that a stray paste hangs nothing up.
fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)
        .inspect_err(|_| restore())
}

fn restore() {
    // The terminal may be gone.
    let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// Restores the terminal before a panic of the loop is printed. A panic of a task is contained
/// where the task is awaited, and goes to the log only.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            tracing::error!(%info, "panic");
            if std::thread::current().name() == Some("main") {
                restore();
                print(info);
            }
        }));
    });
}

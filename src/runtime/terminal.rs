//! The terminal: raw mode and the alternate screen, restored on every way out.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::{Frame, Terminal};

use super::clipboard;
use crate::notify;

/// Bytes of a large frame, so that it is written at once.
const FRAME_BYTES: usize = 64 * 1024;

/// Whether the terminal's stack has the title that the window had before.
static TITLE_SAVED: AtomicBool = AtomicBool::new(false);

/// The terminal while the board has it. Dropping it restores the terminal.
pub(super) struct BoardTerminal {
    /// Never dropped: its `Drop` prints to standard error, which panics when the real terminal is
    /// gone. [`restore`] does what that `Drop` would do.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
    /// Whether the window has a title of this program.
    has_title: bool,
    /// The title that is shown.
    title: Option<String>,
}

/// Why no board can be shown here; `None` if one can.
pub fn check() -> Option<&'static str> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Some(
            "the board needs a terminal; without one, use `onhook --plain` or `onhook watch`",
        );
    }
    match std::env::var("TERM").as_deref() {
        Ok("dumb") => Some("the terminal 'dumb' cannot show the board; use `onhook --plain`"),
        _ => None,
    }
}

impl BoardTerminal {
    /// Takes the terminal. `has_title` is whether the window's title is replaced.
    pub(super) fn open(has_title: bool) -> io::Result<Self> {
        restore_on_panic();
        enter(has_title)?;
        let terminal = Terminal::new(backend()).map(ManuallyDrop::new);
        let opened = terminal.map(|terminal| Self { terminal, has_title, title: None });
        opened.inspect_err(|_| restore())
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

    /// Writes sequences that draw nothing, such as the bell.
    pub(super) fn write(&mut self, sequences: &str) -> io::Result<()> {
        let backend = self.terminal.backend_mut();
        backend.write_all(sequences.as_bytes())?;
        Backend::flush(backend)
    }

    /// Puts a text on the clipboard of the terminal.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        let in_tmux = std::env::var_os("TMUX").is_some_and(|value| !value.is_empty());
        let backend = self.terminal.backend_mut();
        write!(backend, "{}", clipboard::sequence(text, in_tmux))?;
        Backend::flush(backend)
    }

    /// Shows a title, if titles are on.
    pub(super) fn set_title(&mut self, text: String) -> io::Result<()> {
        if self.has_title && self.title.as_ref() != Some(&text) {
            self.write(&notify::title(&text))?;
            self.title = Some(text);
        }
        Ok(())
    }

    pub(super) fn close(&mut self) -> io::Result<()> {
        Backend::flush(self.terminal.backend_mut())?;
        restore();
        self.title = None;
        Ok(())
    }

    pub(super) fn reopen(&mut self) -> io::Result<()> {
        enter(self.has_title)?;
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
fn enter(has_title: bool) -> io::Result<()> {
    enable_raw_mode()?;
    if has_title {
        TITLE_SAVED.store(true, Ordering::Relaxed);
        execute!(io::stdout(), Print(notify::SAVE_TITLE)).inspect_err(|_| restore())?;
    }
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)
        .inspect_err(|_| restore())
}

fn restore() {
    // The terminal may be gone.
    let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    if TITLE_SAVED.swap(false, Ordering::Relaxed) {
        let _ = execute!(io::stdout(), Print(notify::RESTORE_TITLE));
    }
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

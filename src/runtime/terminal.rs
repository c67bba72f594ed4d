//! The terminal: taken over whole, and given back on every way out.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::Once;
use std::time::{Duration, Instant};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::{Frame, Terminal};

/// Room for a large frame, so that it leaves in one write.
const FRAME_BYTES: usize = 64 * 1024;

/// The screen while the board has it. Dropping it gives the terminal back.
pub(super) struct Screen {
    /// Not dropped with this: its farewell panics when the real terminal has gone, and standard
    /// error with it. What it would do, this does.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
    attracted: Option<Instant>,
}

/// Why there can be no board here; `None` if there can.
pub fn check() -> Option<&'static str> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Some("the board needs a terminal; without one, use `onhook watch`");
    }
    match std::env::var("TERM").as_deref() {
        Ok("dumb") => Some("the terminal 'dumb' cannot show the board; use `onhook watch`"),
        _ => None,
    }
}

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        restore_on_panic();
        take_over()?;
        let terminal = Terminal::new(backend()).map(ManuallyDrop::new);
        terminal.map(|terminal| Self { terminal, attracted: None }).inspect_err(|_| give_back())
    }

    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Draws one frame, and writes only what has changed.
    pub(super) fn draw(&mut self, view: impl FnOnce(&mut Frame)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(view)?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Forgets what is on the screen, so that the next frame is written whole.
    pub(super) fn redraw(&mut self) -> io::Result<()> {
        // Not `Terminal::clear`: that asks the terminal for its cursor and waits for the answer,
        // which the task that reads keys takes away.
        execute!(io::stdout(), Clear(ClearType::All))?;
        let new = ManuallyDrop::new(Terminal::new(backend())?);
        let mut old = std::mem::replace(&mut self.terminal, new);
        old.show_cursor()?;
        drop(ManuallyDrop::into_inner(old));
        Ok(())
    }

    /// Rings the bell, and asks the terminal for a desktop notification.
    ///
    /// At most once a second, whatever comes. `text` has been cleaned: it holds no control
    /// characters.
    pub(super) fn attract(&mut self, text: &str, bell: bool, notify: bool) -> io::Result<()> {
        if self.attracted.is_some_and(|at| at.elapsed() < Duration::from_secs(1)) {
            return Ok(());
        }
        self.attracted = Some(Instant::now());
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
        give_back();
        Ok(())
    }

    pub(super) fn reopen(&mut self) -> io::Result<()> {
        take_over()?;
        self.redraw()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn backend() -> CrosstermBackend<BufWriter<Stdout>> {
    CrosstermBackend::new(BufWriter::with_capacity(FRAME_BYTES, io::stdout()))
}

/// Pasted text is told apart from typed keys, so that a stray paste hangs nothing up.
fn take_over() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)
        .inspect_err(|_| give_back())
}

fn give_back() {
    // The terminal may be gone; there is nobody left to tell.
    let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// Gives the terminal back before a panic of the loop is printed. A panic of a task is contained
/// where the task is waited for, and only goes to the log.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            tracing::error!(%info, "panic");
            if std::thread::current().name() == Some("main") {
                give_back();
                print(info);
            }
        }));
    });
}

//! Signals: ending, suspending, going on.

use std::io;

use signal_hook::consts::SIGTSTP;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// TERM, HUP, INT or QUIT.
    End,
    /// TSTP from outside; the key is an action.
    Suspend,
    /// CONT.
    Continue,
}

pub(super) struct Signals {
    end: [Stream; 4],
    suspend: Stream,
    go_on: Stream,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            end: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
                signal(SignalKind::interrupt())?,
                signal(SignalKind::quit())?,
            ],
            suspend: signal(SignalKind::from_raw(SIGTSTP))?,
            go_on: signal(SignalKind::from_raw(signal_hook::consts::SIGCONT))?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        let [terminate, hangup, interrupt, quit] = &mut self.end;
        tokio::select! {
            _ = terminate.recv() => Signal::End,
            _ = hangup.recv() => Signal::End,
            _ = interrupt.recv() => Signal::End,
            _ = quit.recv() => Signal::End,
            _ = self.suspend.recv() => Signal::Suspend,
            _ = self.go_on.recv() => Signal::Continue,
        }
    }
}

/// Stops the process as the shell expects it; returns when it is continued.
pub(super) fn stop_this_process() -> io::Result<()> {
    signal_hook::low_level::emulate_default_handler(SIGTSTP)
}

//! A client of the control socket, which asks for the status and hangs up by what it has read.

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use onhook::app::State;
use onhook::calls::{CallKey, Phase};
use onhook::control::protocol::{
    ControlCommand, ControlReply, ControlRequest, ReplyLine, Selector,
};

/// What the client hangs up.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// One of the calls of the last status that it has read, by its key.
    Known(usize),
    /// What a selector means when the program reads it.
    Selected(Selector),
}

/// A connected client.
pub struct Client {
    stream: UnixStream,
    received: Vec<u8>,
    /// The keys of the calls in the last status.
    known: Vec<String>,
    /// The commands whose replies have not come.
    waiting: usize,
}

impl Client {
    pub fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("the program listens");
        stream.set_nonblocking(true).expect("a socket");
        Self { stream, received: Vec::new(), known: Vec::new(), waiting: 0 }
    }

    /// The command that hangs up `target`, if the client knows it.
    pub fn hangup(&self, target: &Target) -> Option<Selector> {
        match target {
            Target::Selected(selector) => Some(selector.clone()),
            Target::Known(at) => {
                let at = at.checked_rem(self.known.len())?;
                Some(Selector::Call(self.known[at].clone()))
            }
        }
    }

    pub fn send(&mut self, command: ControlCommand) {
        let line = serde_json::to_string(&ControlRequest::new(command)).expect("JSON") + "\n";
        self.stream.write_all(line.as_bytes()).expect("room for some lines");
        self.waiting += 1;
    }

    /// Reads the replies that have come; whether there were any.
    pub fn receive(&mut self) -> Result<bool, String> {
        let mut bytes = [0; 4096];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err("(g) the program has closed the control socket".to_owned()),
                Ok(read) => self.received.extend(&bytes[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(format!("(g) the control socket: {error}")),
            }
        }
        let mut any = false;
        while let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.received.drain(..=end).collect();
            let line: ReplyLine =
                serde_json::from_slice(&line).map_err(|error| format!("(g) a reply: {error}"))?;
            self.waiting =
                self.waiting.checked_sub(1).ok_or("(g) more replies than commands".to_owned())?;
            match line.reply {
                ControlReply::Status(status) => {
                    self.known = status.calls.into_iter().map(|call| call.call).collect();
                }
                ControlReply::Hangup { .. } | ControlReply::Error(_) => {}
                other => return Err(format!("(g) not a reply to any command: {other:?}")),
            }
            any = true;
        }
        Ok(any)
    }

    /// (g) Each command is answered once.
    pub fn all_answered(&self) -> Result<(), String> {
        match self.waiting {
            0 => Ok(()),
            waiting => Err(format!("(g) {waiting} commands have no reply")),
        }
    }
}

/// The calls that a hang-up may mean now; none if it is to be refused.
pub fn meant(calls: &Selector, yes: bool, state: &State) -> HashSet<CallKey> {
    let fitting: HashSet<CallKey> = match calls {
        Selector::Call(name) => {
            let id = name.rsplit('/').next().and_then(|id| id.parse::<i64>().ok());
            state.calls.live().filter(|call| Some(call.key.id) == id).map(|it| it.key).collect()
        }
        Selector::Selected => state.selection().into_iter().collect(),
        Selector::Latest => {
            let latest = state.calls.live().map(|call| call.placed).max();
            state.calls.live().filter(|it| Some(it.placed) == latest).map(|it| it.key).collect()
        }
        Selector::Ringing => {
            let ringing = state.calls.live().filter(|call| call.phase == Phase::Ringing);
            ringing.map(|call| call.key).collect()
        }
        // The plans name no caller.
        Selector::From(_) => HashSet::new(),
        Selector::Only | Selector::All => state.calls.live().map(|call| call.key).collect(),
    };
    let several = yes && *calls != Selector::Only || *calls == Selector::Latest;
    if fitting.len() > 1 && !several { HashSet::new() } else { fitting }
}

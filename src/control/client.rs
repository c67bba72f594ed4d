//! The client's side of the control socket: blocking, since a command has nothing else to do.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::protocol::{ControlCommand, ControlReply, ControlRequest, MAX_LINE, ReplyLine};

/// Why no answer was received.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens on any of the sockets.
    #[error("no onhook is running; start `onhook`, or `onhook watch`")]
    NotRunning,
    /// The folder of the socket belongs to another user.
    #[error("{path}: belongs to another user, so it is not used")]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    #[error("the control socket: {0}")]
    Socket(#[from] io::Error),
    /// The other side has ended.
    #[error("onhook has ended")]
    Ended,
    /// The answer is not one of this version.
    #[error("onhook answers in a form that this program does not know: {0}")]
    Unknown(String),
}

/// A connection to a running instance.
pub struct ControlClient {
    stream: BufReader<UnixStream>,
}

impl ControlClient {
    /// Connects to the first of these sockets on which an instance listens.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] if there is none.
    pub fn connect(sockets: &[PathBuf]) -> Result<Self, ClientError> {
        for socket in sockets {
            match UnixStream::connect(socket) {
                Ok(stream) => {
                    check_owner(socket)?;
                    return Ok(Self { stream: BufReader::new(stream) });
                }
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(ClientError::NotRunning)
    }

    /// Sends a command and waits for its reply.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn send(&mut self, command: ControlCommand) -> Result<ControlReply, ClientError> {
        let mut line = serde_json::to_string(&ControlRequest::new(command))
            .map_err(|error| ClientError::Unknown(error.to_string()))?;
        line.push('\n');
        self.stream.get_mut().write_all(line.as_bytes())?;
        self.reply()
    }

    /// Waits for the next reply.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn reply(&mut self) -> Result<ControlReply, ClientError> {
        let line = self.line()?;
        let line: ReplyLine = serde_json::from_str(&line)
            .map_err(|error| ClientError::Unknown(format!("{error}: {line}")))?;
        Ok(line.reply)
    }

    /// Waits for the next line, which is returned without its line feed.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn line(&mut self) -> Result<String, ClientError> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(ClientError::Ended);
        }
        debug_assert!(line.len() <= MAX_LINE + 1, "the server sends no longer lines");
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}

/// Whether nothing listens: there is no file, or the file is left from an instance that has ended.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// Refuses a socket of another user: it could make one believe that a call has ended.
fn check_owner(socket: &Path) -> Result<(), ClientError> {
    let folder = socket.parent().unwrap_or(socket);
    let owner = std::fs::metadata(folder)?.uid();
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(ClientError::Foreign { path: folder.to_owned() })
}

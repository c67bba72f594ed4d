//! The server's side of the control socket: one task for each client, none of which can delay the
//! program.
//!
//! Each client has a queue of lines. A client that does not read while its queue fills is disconnected,
//! and the last line that it receives is the reply `dropped`. Until a command has its reply, nothing more
//! is read from the client.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::event::{ClientId, ControlEvent};
use super::protocol::{ControlReply, ControlRequest, MAX_LINE, RefusalCode};
use crate::text;

/// The largest number of clients.
const MAX_CLIENTS: usize = 64;
/// The lines that wait for a client at most.
const QUEUE: usize = 16_384;
/// The commands of all clients that wait for the program at most.
const COMMANDS: usize = 64;
/// How long a client may take to read what was written to it.
const READS: Duration = Duration::from_secs(30);
/// Owner only.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Why the socket cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("onhook status and hangup go to process {process}")]
    Taken {
        /// The id of the process that serves it.
        process: String,
    },
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error("{path}: {mode:o} lets other users in; run: chmod 700 {path}")]
    Loose { path: PathBuf, mode: u32 },
    #[error("{path}: belongs to another user; set ONHOOK_RUNTIME_DIR to a folder of yours")]
    Foreign { path: PathBuf },
}

/// A line for a client.
struct QueuedLine {
    text: Arc<str>,
    /// Whether it is the reply to the client's last command.
    is_reply: bool,
}

/// What the program has of a client.
struct Client {
    queue: mpsc::Sender<QueuedLine>,
    follows: bool,
    watches: bool,
    /// The client has not read fast enough; its queue is not filled any more.
    dropped: Arc<std::sync::atomic::AtomicBool>,
}

type Clients = Arc<Mutex<HashMap<ClientId, Client>>>;

fn locked(clients: &Clients) -> MutexGuard<'_, HashMap<ClientId, Client>> {
    // Nothing panics while it holds the lock, and a map is whole after any of its methods.
    clients.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The socket while it is served. Dropping it removes the socket.
pub struct ControlServer {
    clients: Clients,
    path: PathBuf,
    accept: tokio::task::JoinHandle<()>,
    /// Held, so that no other instance takes the socket.
    _lock: File,
}

impl ControlServer {
    /// Serves the socket at this path. Its folder is created, for the owner only.
    ///
    /// # Errors
    /// Why it cannot be served: another instance has it, or the folder is not safe.
    pub fn start(path: &Path) -> Result<(Self, mpsc::Receiver<ControlEvent>), ServerError> {
        let failed = |error| ServerError::File { path: path.to_owned(), error };
        let folder = path.parent().unwrap_or(path);
        make_private(folder)?;
        let lock = lock(&path.with_extension("lock"))?;
        // It is left from an instance that has ended, since that one's lock is free.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        // Others cannot enter the folder, so that the time before this is harmless.
        std::fs::set_permissions(path, PermissionsExt::from_mode(FILE_MODE)).map_err(failed)?;
        let (sender, events) = mpsc::channel(COMMANDS);
        let clients = Clients::default();
        let accept = tokio::spawn(accept(listener, clients.clone(), sender));
        Ok((Self { clients, path: path.to_owned(), accept, _lock: lock }, events))
    }

    /// Queues the reply to the last command of a client.
    pub fn reply(&self, client: ClientId, reply: &ControlReply) {
        self.queue(client, &reply.to_line().into(), true);
    }

    /// From now on the client receives each status.
    pub fn follow(&self, client: ClientId) {
        if let Some(client) = locked(&self.clients).get_mut(&client) {
            client.follows = true;
        }
    }

    /// From now on the client receives each record, after those of what there is already.
    pub fn watch(&self, client: ClientId, present: impl Iterator<Item = String>) {
        if let Some(client) = locked(&self.clients).get_mut(&client) {
            client.watches = true;
        }
        self.reply(client, &ControlReply::Watching);
        for record in present {
            self.queue(client, &record.into(), false);
        }
    }

    /// Whether any client receives records.
    pub fn has_watchers(&self) -> bool {
        locked(&self.clients).values().any(|client| client.watches)
    }

    /// Whether any client receives the status.
    pub fn has_followers(&self) -> bool {
        locked(&self.clients).values().any(|client| client.follows)
    }

    /// Queues a record, without its line feed.
    pub fn record(&self, line: &str) {
        self.broadcast(line, |client| client.watches);
    }

    /// Queues a status.
    pub fn status(&self, reply: &ControlReply) {
        self.broadcast(&reply.to_line(), |client| client.follows);
    }

    fn broadcast(&self, line: &str, receives: impl Fn(&Client) -> bool) {
        let line: Arc<str> = line.into();
        locked(&self.clients).retain(|_, client| !receives(client) || client.queue(&line, false));
    }

    fn queue(&self, id: ClientId, text: &Arc<str>, is_reply: bool) {
        let mut clients = locked(&self.clients);
        if clients.get(&id).is_some_and(|client| !client.queue(text, is_reply)) {
            clients.remove(&id);
        }
    }
}

impl Client {
    /// Queues a line. Returns whether it had room; without room the client is to be removed: without a
    /// sender its task writes what is queued, and ends.
    fn queue(&self, text: &Arc<str>, is_reply: bool) -> bool {
        let queued = self.queue.try_send(QueuedLine { text: text.clone(), is_reply }).is_ok();
        if !queued {
            self.dropped.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        queued
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.accept.abort();
        // The queues end with their senders, and the tasks of the clients with the queues.
        locked(&self.clients).clear();
        // The lock is still held: no other instance has made a socket of this name.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Creates the folder of the socket, or checks that it is for its owner only.
fn make_private(folder: &Path) -> Result<(), ServerError> {
    let failed = |error| ServerError::File { path: folder.to_owned(), error };
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(failed)?;
    let found = std::fs::metadata(folder).map_err(failed)?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(ServerError::Foreign { path: folder.to_owned() });
    }
    let mode = found.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(ServerError::Loose { path: folder.to_owned(), mode });
    }
    Ok(())
}

/// Takes the lock file, and writes the id of this process to it.
fn lock(path: &Path) -> Result<File, ServerError> {
    let failed = |error| ServerError::File { path: path.to_owned(), error };
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true).mode(FILE_MODE);
    let mut file = options.open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // The id is for the message only.
            let _ = file.read_to_string(&mut process);
            let process = text::clean(process.trim());
            return Err(ServerError::Taken { process });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0).map_err(failed)?;
    write!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(file)
}

async fn accept(listener: UnixListener, clients: Clients, events: mpsc::Sender<ControlEvent>) {
    let own = rustix::process::geteuid().as_raw();
    let mut next = 0;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Without free file descriptors, `accept` fails at once until one is closed.
                tracing::warn!(%error, "a control client was not accepted");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == own => {}
            peer => {
                tracing::warn!(?peer, "a control client of another user was refused");
                continue;
            }
        }
        let id = ClientId(next);
        next += 1;
        let (queue, lines) = mpsc::channel(QUEUE);
        let dropped = Arc::default();
        {
            let mut clients = locked(&clients);
            if clients.len() >= MAX_CLIENTS {
                let text = format!("{MAX_CLIENTS} clients are connected; close one of them");
                let reply = ControlReply::refusal(RefusalCode::TooManyClients, text);
                // Its buffer is empty, so that a short line is written or the client is gone.
                let _ = stream.try_write(format!("{}\n", reply.to_line()).as_bytes());
                continue;
            }
            let dropped = Arc::clone(&dropped);
            clients.insert(id, Client { queue, follows: false, watches: false, dropped });
        }
        let mut connection = ClientConnection { id, stream, lines, events: events.clone() };
        let clients = clients.clone();
        tokio::spawn(async move {
            if let Err(error) = connection.serve(&dropped).await {
                tracing::debug!(%error, "a control client has left");
            }
            // Before its stream is closed: who sees that may connect in its place.
            locked(&clients).remove(&id);
            // The program is gone while it ends.
            let _ = connection.events.send(ControlEvent::Closed(id)).await;
        });
    }
}

/// The connection of a client.
struct ClientConnection {
    id: ClientId,
    stream: UnixStream,
    lines: mpsc::Receiver<QueuedLine>,
    events: mpsc::Sender<ControlEvent>,
}

impl ClientConnection {
    /// Serves the client until it leaves, does not read, or is dropped.
    async fn serve(&mut self, dropped: &std::sync::atomic::AtomicBool) -> io::Result<()> {
        let mut received = Vec::new();
        let mut waits_for_reply = false;
        loop {
            // A second command may have come with the first one.
            while !waits_for_reply && let Some(line) = take_line(&mut received) {
                waits_for_reply = self.command(&line).await?;
            }
            if received.len() > MAX_LINE {
                let text = format!("a line has at most {MAX_LINE} bytes");
                let reply = ControlReply::refusal(RefusalCode::LineTooLong, text);
                return self.write(&reply.to_line()).await;
            }
            let room = MAX_LINE + 1 - received.len();
            tokio::select! {
                read = read_some(&mut self.stream, &mut received, room), if !waits_for_reply => {
                    if read? == 0 {
                        return Ok(());
                    }
                }
                line = self.lines.recv() => match line {
                    Some(line) => {
                        waits_for_reply &= !line.is_reply;
                        self.write(&line.text).await?;
                    }
                    None if dropped.load(std::sync::atomic::Ordering::Relaxed) => {
                        return self.write(&ControlReply::Dropped.to_line()).await;
                    }
                    None => return Ok(()),
                },
            }
        }
    }

    /// Hands a command to the program; whether its reply will come.
    async fn command(&mut self, line: &[u8]) -> io::Result<bool> {
        if line.trim_ascii().is_empty() {
            return Ok(false);
        }
        match ControlRequest::parse(line) {
            Ok(request) => {
                let command = ControlEvent::Command(self.id, request.command);
                self.events.send(command).await.map_err(io::Error::other)?;
                Ok(true)
            }
            Err(wrong) => {
                let text = text::clean(&wrong.to_string());
                let reply = ControlReply::refusal(RefusalCode::BadRequest, text);
                self.write(&reply.to_line()).await?;
                Ok(false)
            }
        }
    }

    async fn write(&mut self, line: &str) -> io::Result<()> {
        let line = format!("{line}\n");
        timeout(READS, self.stream.write_all(line.as_bytes())).await?
    }
}

/// Reads at most `room` bytes. Nothing is lost if it is cancelled.
async fn read_some(
    stream: &mut UnixStream,
    received: &mut Vec<u8>,
    room: usize,
) -> io::Result<usize> {
    stream.take(room as u64).read_buf(received).await
}

/// Removes the first line, without its line feed, if it is complete.
fn take_line(received: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = received.iter().position(|byte| *byte == b'\n')?;
    let rest = received.split_off(end + 1);
    let mut line = std::mem::replace(received, rest);
    line.truncate(end);
    Some(line)
}

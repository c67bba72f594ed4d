//! What the socket reports to the program.

use super::protocol::ControlCommand;

/// A client of the socket, for as long as it is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientId(pub u64);

/// What the socket reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlEvent {
    /// A client has sent a command, and receives one reply.
    Command(ClientId, ControlCommand),
    /// A client has left.
    Closed(ClientId),
    /// The socket cannot be served. The cause is cleaned.
    Unavailable(String),
}

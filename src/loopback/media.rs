//! The place where a media engine takes the part of a scripted person.
//!
//! This crate knows no media. A program that has an engine gives the server a [`MediaHook`], which is
//! called once for each call that a scripted person and a client have established.

use grammers_tl_types::enums;
use tokio::sync::mpsc;

use crate::dh::DH_LEN;

/// Receives the person's side of each established call. It must return at once: an engine runs on a
/// thread or task of its own.
pub type MediaHook = Box<dyn Fn(MediaCall) + Send + Sync>;

/// The person's side of a call that has just been established.
pub struct MediaCall {
    /// The `key` of the person in the scenario.
    pub person: String,
    /// The key of the call.
    pub key: [u8; DH_LEN],
    /// Whether the person is the caller.
    pub outgoing: bool,
    /// The library version that the server has chosen.
    pub library_version: String,
    pub connections: Vec<enums::PhoneConnection>,
    pub p2p_allowed: bool,
    pub custom_parameters: Option<String>,
    /// The data that the client sends by `phone.sendSignalingData`. It ends when the call ends.
    pub signaling: mpsc::UnboundedReceiver<Vec<u8>>,
    /// What the person's app sends to the server.
    pub replies: MediaReplies,
}

/// The way from the person's app to the server.
#[derive(Clone)]
pub struct MediaReplies {
    pub(crate) call: usize,
    pub(crate) queue: mpsc::UnboundedSender<(usize, MediaReply)>,
}

/// What a person's app sends to the server.
pub(crate) enum MediaReply {
    Signaling(Vec<u8>),
    Disconnect,
}

impl MediaReplies {
    /// Sends data to the client, as `phone.sendSignalingData` does. Nothing happens after the end of
    /// the call.
    pub fn send_signaling(&self, data: Vec<u8>) {
        self.send(MediaReply::Signaling(data));
    }

    /// Ends the call with the reason disconnect.
    pub fn disconnect(&self) {
        self.send(MediaReply::Disconnect);
    }

    fn send(&self, reply: MediaReply) {
        // Without a server there is no call.
        let _ = self.queue.send((self.call, reply));
    }
}

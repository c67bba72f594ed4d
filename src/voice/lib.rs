//! The media of one Telegram call: two engines agree on a connection and exchange sound.
//!
//! ```text
//!  phone.sendSignalingData ⇄ framing ⇄ negotiate ─┐
//!                                                  ├─ session ─ transport (ICE, DTLS, SRTP)
//!  UDP socket, TCP to relays ⇄ relay, stun, turn ─┘     │   ▲
//!                                                  playout   codec
//!                                                       ▼   │
//!                          device ⇄ rings ⇄ apm, level, record, play_file
//! ```
//!
//! [`Media::start`] runs all of it in a thread, [`MediaEvent`]s report what happens. Below the engine
//! nothing has a socket or reads a clock. The crate knows no Telegram types: keys come from
//! [`PrivateValue`], everything else from [`MediaParameters`].
//!
//! | to change | open |
//! |---|---|
//! | the key exchange, the emoji | `key.rs`, `emoji.rs` |
//! | how signaling is sealed and framed | `seal.rs`, `framing/` |
//! | what two engines send each other | `message.rs`, `negotiate.rs` |
//! | which packets go where | `session.rs`, `relay.rs`, `turn.rs`, `servers.rs` |
//! | the WebRTC library | `transport.rs`, the only file that uses it |
//! | the jitter buffer | `playout.rs` |
//! | the sound system | `device.rs`, `device/` |
//! | the level of a microphone, how tones are played outside of a call | `microphone_meter.rs`, `tone_player.rs` |

#![cfg(feature = "voice")]

pub mod apm;
mod candidate;
pub mod codec;
pub mod device;
mod emoji;
mod engine;
mod framing;
mod key;
pub mod level;
mod message;
mod microphone_meter;
pub mod mixer;
mod negotiate;
mod parameters;
pub mod play_file;
pub mod playout;
pub mod record;
mod relay;
mod seal;
mod servers;
mod session;
pub mod stats;
mod stun;
mod tone_player;
pub mod tones;
mod transport;
mod turn;

#[cfg(test)]
mod testing;

pub use emoji::Emoji;
pub use engine::{Media, MediaEvent, MediaFigures, RecordingEvent};
pub use key::{Agreement, Group, KeyError, PrivateValue, PublicValue, SharedKey};
pub use microphone_meter::{MeterEvent, MicrophoneMeter};
pub use parameters::{CustomParameters, LibraryVersion, MediaParameters, SoundProcessing};
pub use servers::{MediaServer, ReflectorServer, Route, StunService, TurnCredentials, TurnService};
pub use session::{MediaConnection, MediaFailure, Path};
pub use tone_player::TonePlayer;

//! The media of one Telegram call.

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
pub mod tones;
mod transport;

#[cfg(test)]
mod testing;

pub use emoji::Emoji;
pub use engine::{Media, MediaEvent, MediaFigures, RecordingEvent};
pub use key::{Agreement, Group, KeyError, PrivateValue, PublicValue, SharedKey};
pub use parameters::{CustomParameters, LibraryVersion, MediaParameters, SoundProcessing};
pub use servers::{MediaServer, ReflectorServer, Route, StunService};
pub use session::{MediaConnection, MediaFailure, Path};

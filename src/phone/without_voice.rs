//! In place of `phone` in a build without the feature `voice`. Calls are neither answered nor placed,
//! because [`PhoneOff::Build`](crate::app::phone::PhoneOff::Build) refuses both.
#![expect(
    clippy::needless_pass_by_value,
    clippy::unused_async,
    reason = "the interface is that of `phone`"
)]

mod settings;

use std::future::pending;
use std::path::Path;

use tokio::sync::mpsc::UnboundedSender;

use crate::app::effect::PhoneEffect;
use crate::app::msg::Msg;
use crate::words::notice::PHONE_NOT_BUILT;

pub use settings::{CallFiles, DirectCalls, EchoCancelling, PhoneSettings, SoundSystem};

/// Whether this build can make calls.
pub const HAS_VOICE: bool = false;

/// Carries out nothing, because there are no media.
pub struct Phone;

impl Phone {
    pub fn new(_settings: PhoneSettings) -> Self {
        Self
    }

    /// Sends all effects to `stand_in`.
    pub fn replace_engine(&mut self, stand_in: UnboundedSender<PhoneEffect>) {
        drop(stand_in);
    }

    pub fn use_files(&mut self, _files: CallFiles) {}

    /// Never returns, because there are no events.
    pub async fn next_event(&mut self) -> Msg {
        pending().await
    }

    pub fn run(&mut self, effect: PhoneEffect) -> Option<Msg> {
        tracing::error!(?effect, "this build has no media");
        None
    }

    pub async fn close(&mut self) {}
}

/// Fails, because no file can be played.
pub fn check_sound_file(_path: &Path) -> Result<(), String> {
    Err(PHONE_NOT_BUILT.to_owned())
}

pub mod echo {
    //! The people of the embedded server, who have no media either.

    use onhook_loopback::MediaHook;

    /// Leaves the people silent.
    pub fn echo() -> MediaHook {
        Box::new(drop)
    }
}

//! The people of the embedded server who answer calls: they play back what they hear, half a second
//! later.

use std::thread;
use std::time::Duration;

use onhook_loopback::{MediaCall, MediaHook};
use onhook_voice::device::DeviceChoice;
use onhook_voice::device::synthetic::{SpokenSound, SyntheticDevice};
use onhook_voice::{
    CustomParameters, LibraryVersion, Media, MediaEvent, MediaParameters, Route, SharedKey,
    SoundProcessing,
};
use zeroize::Zeroizing;

use super::servers::usable_servers;
use crate::telegram::relay_server;

/// How long after it was heard sound is played back.
const DELAY: Duration = Duration::from_millis(500);

/// What takes the part of the people of a scenario in calls with sound.
pub fn echo() -> MediaHook {
    Box::new(|call| {
        // The signaling of a call ends with it, so that the thread does as well. Without a thread the
        // person stays silent.
        let _ = thread::Builder::new().name("echo".to_owned()).spawn(move || answer(call));
    })
}

/// Plays one person until the call ends.
fn answer(mut call: MediaCall) {
    // With a version that this engine lacks the person stays silent.
    let Some(version) = LibraryVersion::of_name(&call.library_version) else { return };
    let relays: Vec<_> = call.connections.iter().map(relay_server).collect();
    let custom = call.custom_parameters.as_deref().map(CustomParameters::parse);
    let parameters = MediaParameters {
        key: SharedKey::of_bytes(Zeroizing::new(call.key)),
        caller: call.outgoing,
        version,
        servers: relays.iter().flat_map(usable_servers).collect(),
        route: if call.p2p_allowed { Route::Any } else { Route::RelaysOnly },
        custom: custom.unwrap_or_default(),
        muted: false,
        processing: SoundProcessing::NONE,
    };
    let device = Box::new(SyntheticDevice::new(SpokenSound::Echo(DELAY)));
    let replies = call.replies.clone();
    let report = move |event| match event {
        MediaEvent::Signaling(bytes) => replies.send_signaling(bytes),
        MediaEvent::Ended(Some(failure)) => {
            tracing::debug!(%failure, "the media of a scripted person have ended");
            replies.disconnect();
        }
        _ => {}
    };
    let media = Media::start(parameters, device, DeviceChoice::default(), report);
    while let Some(bytes) = call.signaling.blocking_recv() {
        media.signaling(bytes);
    }
}

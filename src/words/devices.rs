//! Sentences about the sound devices.

use crate::calls::sound::SoundFault;

/// An answer or a call waits for the check of the devices.
pub const CHECKING: &str = "the sound devices are being checked";

/// A call was not answered or placed, because it could not have sound: in one line of 80 columns.
pub fn refused(fault: &SoundFault) -> String {
    let plug_in = "plug one in, or [voice] sound = \"silent\"";
    let doctor = "onhook doctor, [voice] sound = \"silent\"";
    let (cause, remedy) = match fault {
        SoundFault::NoServer(_) => ("no sound server", doctor),
        SoundFault::Late(_) => ("sound hangs", doctor),
        SoundFault::Failed(_) => ("no sound", doctor),
        SoundFault::NoDevices => ("no sound devices", doctor),
        SoundFault::NoMicrophone => ("no microphone", plug_in),
        SoundFault::NoLoudspeaker => ("no loudspeaker", plug_in),
    };
    format!("{cause}; nothing was sent · {remedy}")
}

/// The same with all that is known, for a command without a screen.
pub fn refused_in_full(fault: &SoundFault) -> String {
    let start = "start PipeWire or PulseAudio";
    let (cause, remedy) = match fault {
        SoundFault::NoServer(cause) => (cause.clone(), start),
        SoundFault::Late(seconds) => (
            format!("the sound server did not answer within {seconds} s"),
            "start the sound server again",
        ),
        SoundFault::Failed(cause) => (cause.clone(), start),
        SoundFault::NoDevices => {
            ("there is no microphone and no loudspeaker".to_owned(), "plug them in")
        }
        SoundFault::NoMicrophone => ("there is no microphone".to_owned(), "plug one in"),
        SoundFault::NoLoudspeaker => ("there is no loudspeaker".to_owned(), "plug one in"),
    };
    format!(
        "{cause}; nothing was sent; {remedy}, or set sound = \"silent\" in [voice] of config.toml; \
         `onhook doctor` checks the sound"
    )
}

/// The title of the dialog in which devices are chosen.
pub const TITLE: &str = "Sound devices";
/// The sound system has not answered yet.
pub const ASKING: &str = "asking the sound system…";
/// Beside the meter: the microphone is open as long as the list is shown.
pub const METER_IS_OPEN: &str = "the microphone is open while this is shown";
/// The same where there is little room.
pub const METER_IS_OPEN_SHORT: &str = "open while shown";
/// The microphone has recorded exact silence for some time.
pub const NO_SIGNAL: &str = "no signal";
/// In place of the meter.
pub const NOT_MEASURED: &str = "no level yet";
/// After the name of a device.
pub const IS_MUTED: &str = " (muted in the sound settings)";
/// Plain mode has no list of devices.
pub const IN_SETTINGS: &str = "not here: set microphone and loudspeaker in [voice] of config.toml";
/// By the settings there is no sound.
pub const SILENT: &str = "calls are silent: [voice] sound = \"silent\" in config.toml";

/// The heading of the loudspeakers or the microphones.
pub fn heading(is_microphone: bool, by_settings: bool) -> String {
    let heading = if is_microphone { "Microphone" } else { "Loudspeaker" };
    if by_settings { format!("{heading} · set in config.toml") } else { heading.to_owned() }
}

/// The settings name the device, so that it cannot be chosen.
pub fn by_settings(is_microphone: bool) -> String {
    let word = if is_microphone { "microphone" } else { "loudspeaker" };
    format!("config.toml sets the {word}; change it there: [voice] {word}")
}

/// The default of the sound server, which is `port` now.
pub fn default_port(port: Option<&str>) -> String {
    port.map_or("default: none".to_owned(), |port| format!("default: {port}"))
}

/// A chosen device that is not there.
pub fn missing(name: &str) -> String {
    format!("{} (not connected)", crate::text::clean(name))
}

/// The choice holds until the program ends only.
pub fn not_saved(cause: &str) -> String {
    format!("the choice of devices is not saved: {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_about_the_devices_fits_80_columns_with_its_remedy() {
        let long = "x".repeat(200);
        let faults = [
            SoundFault::NoServer(long.clone()),
            SoundFault::Late(2),
            SoundFault::Failed(long),
            SoundFault::NoDevices,
            SoundFault::NoMicrophone,
            SoundFault::NoLoudspeaker,
        ];
        for fault in faults {
            let text = refused(&fault);
            assert!(crate::text::width(&text) <= 76, "{text}");
            for text in [text, refused_in_full(&fault)] {
                assert!(text.contains("nothing was sent"), "{text}");
                assert!(text.contains("sound = \"silent\""), "{text}");
            }
        }
    }
}

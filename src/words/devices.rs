//! Sentences about the sound devices.

use crate::calls::sound::SoundFault;

/// An answer or a call waits for the check of the devices.
pub const CHECKING: &str = "the sound devices are being checked";

/// A call was not answered or placed, because it could not have sound: in one line of 80 columns.
pub fn refused(fault: &SoundFault) -> String {
    let plug_in = "plug one in, or set [voice] sound = \"silent\"";
    let doctor = "onhook doctor, or [voice] sound = \"silent\"";
    let (cause, remedy) = match fault {
        SoundFault::NoServer(_) => ("no sound server", doctor),
        SoundFault::Late(_) => ("sound server silent", doctor),
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

//! The dialog in which a loudspeaker and a microphone are chosen.

use super::*;
use crate::app::devices::DevicesEvent;
use crate::calls::sound::{ChosenPort, ChosenPorts, MicrophoneLevel, SoundDirection, SoundPort};

fn port(direction: SoundDirection, name: &str, description: &str) -> SoundPort {
    SoundPort {
        direction,
        name: name.to_owned(),
        description: description.to_owned(),
        is_default: name.ends_with(".analog"),
        is_muted: name.contains("headset"),
    }
}

fn reported(state: &mut State, event: DevicesEvent) {
    update(state, Msg::Devices(event), at(58));
}

/// A board on which the list is open, with a chosen microphone that is not connected.
fn opened() -> State {
    use SoundDirection::{Loudspeaker, Microphone};
    let mut state = full_board();
    press(&mut state, &[Action::Devices], 58);
    let ports = vec![
        port(Loudspeaker, "out.analog", "Built-in Audio Analog Stereo"),
        port(
            Loudspeaker,
            "out.headset",
            "A headset 张伟 with a name that fits on no line of a terminal",
        ),
        port(Microphone, "in.analog", "Built-in Audio Analog Stereo"),
        port(Microphone, "in.usb", "USB microphone"),
    ];
    reported(&mut state, DevicesEvent::Listed(Ok(ports)));
    let microphone = ChosenPort { name: Some("in.gone".to_owned()), by_settings: true };
    let chosen = ChosenPorts { loudspeaker: ChosenPort::default(), microphone };
    reported(&mut state, DevicesEvent::Chosen(chosen));
    let level = MicrophoneLevel { level: 0.4, no_signal: false };
    reported(&mut state, DevicesEvent::Level(Ok(level)));
    state
}

#[test]
fn the_devices_at_each_size() {
    for (width, height) in [(40, 8), (80, 24), (120, 30)] {
        shows(&format!("devices_{width}x{height}"), &mut opened(), (width, height));
    }
    let mut state = opened();
    press(&mut state, &[Action::Bottom], 59);
    reported(&mut state, DevicesEvent::Level(Err("the sound server is gone".to_owned())));
    shows("devices_bottom_40x8", &mut state, (40, 8));
}

#[test]
fn the_devices_that_are_not_known() {
    let mut state = full_board();
    press(&mut state, &[Action::Devices], 58);
    shows("devices_asking_80x24", &mut state, (80, 24));
    let cause = "no sound server answers; tried /run/user/1000/pulse/native (no such file)";
    reported(&mut state, DevicesEvent::Listed(Err(cause.to_owned())));
    shows("devices_failed_80x24", &mut state, (80, 24));
}

#[test]
fn the_line_at_the_cursor_and_the_meter_are_visible_at_every_size() {
    for steps in 0..8 {
        let mut state = opened();
        press(&mut state, &vec![Action::Down; steps], 58);
        let level = MicrophoneLevel { level: 0.4, no_signal: false };
        reported(&mut state, DevicesEvent::Level(Ok(level)));
        for (width, height) in [(40, 5), (40, 8), (60, 12), (80, 24), (200, 60)] {
            let text = text_of(&drawn(&mut state, &look(), (width, height), 60));
            assert!(text.contains('▮') && text.contains("▶ "), "{steps} {width}x{height}\n{text}");
        }
    }
    for width in 1..=70 {
        for height in 1..=20 {
            drawn(&mut opened(), &look(), (width, height), 60);
        }
    }
}

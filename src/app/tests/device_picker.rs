//! Choosing a loudspeaker and a microphone.

use super::*;
use crate::app::device_picker::{DevicePicker, DeviceWatch, PortKey};
use crate::app::devices::DevicesEvent;
use crate::app::dialog::Dialog;
use crate::app::effect::PhoneEffect;
use crate::calls::sound::{ChosenPort, ChosenPorts, SoundDirection, SoundPort};

fn port(direction: SoundDirection, name: &str, is_default: bool) -> SoundPort {
    let (name, description) = (name.to_owned(), format!("The {name}"));
    SoundPort { direction, name, description, is_default, is_muted: false }
}

fn ports(loudspeakers: &[&str], microphones: &[&str]) -> Vec<SoundPort> {
    let all = |direction, names: &[&str]| {
        let ports = names.iter().enumerate();
        ports.map(|(at, name)| port(direction, name, at == 0)).collect::<Vec<_>>()
    };
    let mut found = all(SoundDirection::Loudspeaker, loudspeakers);
    found.extend(all(SoundDirection::Microphone, microphones));
    found
}

fn listed(state: &mut State, ports: Vec<SoundPort>) -> Vec<Effect> {
    update(state, Msg::Devices(DevicesEvent::Listed(Ok(ports))), at(2.0))
}

fn chosen(state: &mut State, loudspeaker: ChosenPort, microphone: ChosenPort) -> Vec<Effect> {
    let chosen = ChosenPorts { loudspeaker, microphone };
    update(state, Msg::Devices(DevicesEvent::Chosen(chosen)), at(2.0))
}

fn named(name: &str) -> ChosenPort {
    ChosenPort { name: Some(name.to_owned()), by_settings: false }
}

fn picker(state: &State) -> &DevicePicker {
    match &state.dialog {
        Some(Dialog::Devices(picker)) => picker,
        other => panic!("no list of devices: {other:?}"),
    }
}

fn key(direction: SoundDirection, name: Option<&str>) -> PortKey {
    PortKey { direction, name: name.map(str::to_owned) }
}

fn watch(watch: DeviceWatch) -> Vec<Effect> {
    vec![Effect::Phone(PhoneEffect::Watch(watch))]
}

fn meter(name: Option<&str>) -> Vec<Effect> {
    watch(DeviceWatch::Meter(name.map(str::to_owned)))
}

#[test]
fn the_microphone_is_open_only_while_the_list_is_shown() {
    type Closing = fn(&mut State) -> Vec<Effect>;
    let closings: [(&str, Closing, DeviceWatch); 4] = [
        ("back", |state| press(state, Action::Back, 3.0), DeviceWatch::Off),
        ("help", |state| press(state, Action::Help, 3.0), DeviceWatch::Ports),
        (
            "too small",
            |state| update(state, Msg::Resized { width: 80, height: 4 }, at(3.0)),
            DeviceWatch::Off,
        ),
        ("unplugged", |state| listed(state, ports(&["speakers"], &[])), DeviceWatch::Ports),
    ];
    for (what, close, wanted) in closings {
        let mut state = board();
        let opened = press(&mut state, Action::Devices, 1.0);
        assert_eq!(opened, watch(DeviceWatch::Ports), "{what}: the list first");
        assert_eq!(listed(&mut state, ports(&["speakers"], &["mic"])), meter(None), "{what}");
        assert_eq!(listed(&mut state, ports(&["speakers"], &["mic"])), [], "{what}");
        assert_eq!(close(&mut state), watch(wanted), "{what}");
    }
}

#[test]
fn the_measured_microphone_is_the_one_at_the_cursor_or_else_the_chosen_one() {
    let mut state = board();
    press(&mut state, Action::Devices, 1.0);
    listed(&mut state, ports(&["speakers"], &["mic", "usb"]));
    assert_eq!(chosen(&mut state, ChosenPort::default(), named("usb")), meter(Some("usb")));
    assert_eq!(press(&mut state, Action::Down, 2.0), [], "on a loudspeaker");
    assert_eq!(press(&mut state, Action::Down, 2.0), meter(None), "on the default microphone");
    assert_eq!(press(&mut state, Action::Down, 2.0), meter(Some("mic")));
    assert_eq!(press(&mut state, Action::Bottom, 2.0), meter(Some("usb")));
    assert_eq!(press(&mut state, Action::Down, 2.0), [], "the end of the list");
}

#[test]
fn enter_uses_the_port_at_the_cursor_unless_the_settings_name_another_one() {
    let mut state = board();
    press(&mut state, Action::Devices, 1.0);
    assert_eq!(press(&mut state, Action::Accept, 1.5), [], "nothing is listed yet");
    listed(&mut state, ports(&["speakers", "headset"], &["mic"]));
    press(&mut state, Action::Down, 2.0);
    press(&mut state, Action::Down, 2.0);
    let (direction, name) = (SoundDirection::Loudspeaker, Some("headset".to_owned()));
    let wanted = [Effect::Phone(PhoneEffect::Choose { direction, name })];
    assert_eq!(press(&mut state, Action::Accept, 2.1), wanted);
    assert!(state.dialog.is_some(), "the list stays open");
    let fixed = ChosenPort { name: Some("speakers".to_owned()), by_settings: true };
    chosen(&mut state, fixed, ChosenPort::default());
    assert_eq!(press(&mut state, Action::Accept, 2.2), []);
    assert!(state.notices.newest().is_some_and(|it| it.contains("[voice] loudspeaker")));
}

#[test]
fn a_port_that_disappears_takes_the_cursor_to_the_default_and_no_other_port() {
    let mut state = board();
    press(&mut state, Action::Devices, 1.0);
    listed(&mut state, ports(&["speakers", "headset"], &["mic"]));
    press(&mut state, Action::Down, 2.0);
    press(&mut state, Action::Down, 2.0);
    assert_eq!(picker(&state).cursor(), key(SoundDirection::Loudspeaker, Some("headset")));
    listed(&mut state, ports(&["speakers"], &["mic"]));
    assert_eq!(picker(&state).cursor(), key(SoundDirection::Loudspeaker, None));
    listed(&mut state, ports(&["new", "speakers", "headset"], &["mic"]));
    assert_eq!(picker(&state).cursor(), key(SoundDirection::Loudspeaker, Some("headset")));

    chosen(&mut state, named("headset"), named("usb"));
    listed(&mut state, ports(&["speakers"], &["mic"]));
    assert_eq!(picker(&state).cursor(), key(SoundDirection::Loudspeaker, Some("headset")));
    let rows = picker(&state).rows(SoundDirection::Microphone);
    let rows: Vec<_> = rows.iter().map(|row| (row.port.is_some(), row.is_chosen)).collect();
    assert_eq!(rows, [(true, false), (true, false), (false, true)], "the chosen one is missing");
}

#[test]
fn without_a_list_the_key_names_the_settings() {
    let mut state = board();
    state.has_screens = false;
    assert_eq!(press(&mut state, Action::Devices, 1.0), []);
    assert!(state.dialog.is_none());
    assert!(state.notices.newest().is_some_and(|it| it.contains("[voice]")));
}

//! Sound on macOS and Windows, by the `cpal` crate.
//!
//! Nothing of this has been run: the machines that test onhook run Linux, where `cpal` needs the
//! headers of ALSA. It is written against the documentation of `cpal` 0.18 and compiled for Windows
//! and macOS only. `cpal` has neither volumes nor monitors, so [`DeviceEvent::MutedAtServer`] and
//! [`DeviceEvent::Suspended`] never come, and a device that cannot run at 48 kHz is not used.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{ErrorKind, Host};

use super::PortDirection::{Loudspeaker, Microphone};
use super::pace::Pace;
use super::{
    Device, DeviceChoice, DeviceError, DeviceEvent, Port, PortDirection, SampleRings, StopFlag,
    UsedPorts,
};

use stream::{OpenError, StreamEnds, StreamFault, SystemStream};

mod stream;

/// How long to wait before each attempt to open a direction again; the last one repeats.
const RETRY_AFTER: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(5),
];
/// How often gaps are reported at most.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// The microphone and the loudspeaker of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDevice;

impl Device for SystemDevice {
    fn run(
        &mut self,
        rings: SampleRings,
        choice: &DeviceChoice,
        stop: &StopFlag,
    ) -> Result<(), DeviceError> {
        let mut lines = SystemLines::new(rings, choice.clone());
        lines.start()?;
        let mut pace = Pace::new(Instant::now(), 0);
        while let Some(now) = pace.wait(stop) {
            if let Some(choice) = stop.take_choice() {
                lines.choose(choice);
            }
            lines.take_faults(now);
            lines.retry(now);
            lines.fill_in();
            lines.report(now);
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<Port>, DeviceError> {
        let host = cpal::default_host();
        let microphones = host.input_devices().map_err(|error| system(&error))?;
        let microphone = host.default_input_device();
        let mut ports: Vec<_> = microphones
            .filter_map(|it| port(&it, Microphone, microphone.as_ref() == Some(&it)))
            .collect();
        let loudspeakers = host.output_devices().map_err(|error| system(&error))?;
        let loudspeaker = host.default_output_device();
        ports.extend(
            loudspeakers.filter_map(|it| port(&it, Loudspeaker, loudspeaker.as_ref() == Some(&it))),
        );
        Ok(ports)
    }
}

fn system(error: &cpal::Error) -> DeviceError {
    DeviceError::System { reason: error.to_string() }
}

/// A device that goes away while it is described is not listed.
fn port(device: &cpal::Device, direction: PortDirection, is_default: bool) -> Option<Port> {
    let name = device.id().ok()?.to_string();
    let description = device.description().map_or_else(|_| name.clone(), |it| it.name().to_owned());
    Some(Port {
        direction,
        name,
        description,
        is_default,
        is_monitor: false,
        muted: false,
        volume: 1.0,
    })
}

/// One direction.
#[derive(Default)]
struct SystemLine {
    stream: Option<SystemStream>,
    /// Counts the streams, so that a fault of one that is closed is not taken for the next.
    number: u64,
    attempts: usize,
    /// When to try again, if there is no stream.
    retry: Option<Instant>,
}

/// Both directions of a running device.
struct SystemLines {
    host: Host,
    ends: StreamEnds,
    events: Sender<DeviceEvent>,
    choice: DeviceChoice,
    microphone: SystemLine,
    loudspeaker: SystemLine,
    /// The microphone in use, or the last one that was.
    last_microphone: Option<String>,
    fault_sender: Sender<StreamFault>,
    faults: Receiver<StreamFault>,
    is_lost: bool,
    late: u32,
    reported: Option<Instant>,
}

impl SystemLines {
    fn new(rings: SampleRings, choice: DeviceChoice) -> Self {
        let (fault_sender, faults) = mpsc::channel();
        Self {
            host: cpal::default_host(),
            events: rings.events.clone(),
            ends: StreamEnds::new(rings),
            choice,
            microphone: SystemLine::default(),
            loudspeaker: SystemLine::default(),
            last_microphone: None,
            fault_sender,
            faults,
            is_lost: false,
            late: 0,
            reported: None,
        }
    }

    fn event(&self, event: DeviceEvent) {
        // An engine that is gone reads no events; its stop flag ends the device.
        let _ = self.events.send(event);
    }

    fn line(&mut self, direction: PortDirection) -> &mut SystemLine {
        match direction {
            Microphone => &mut self.microphone,
            Loudspeaker => &mut self.loudspeaker,
        }
    }

    fn used(&self) -> UsedPorts {
        let name = |line: &SystemLine| line.stream.as_ref().map(|it| it.name.clone());
        UsedPorts { microphone: name(&self.microphone), loudspeaker: name(&self.loudspeaker) }
    }

    /// Opens both directions.
    ///
    /// # Errors
    /// When neither can be opened.
    fn start(&mut self) -> Result<(), DeviceError> {
        let opened = [Microphone, Loudspeaker].into_iter();
        let opened = opened.filter(|direction| self.choice.opens(*direction)).collect::<Vec<_>>();
        let outcomes: Vec<_> =
            opened.into_iter().map(|direction| (direction, self.open(direction))).collect();
        if outcomes.iter().all(|(_, outcome)| outcome.is_err()) {
            let reason = outcomes.into_iter().find_map(|(_, outcome)| outcome.err());
            return Err(DeviceError::NoPorts { reason: reason.unwrap_or_default() });
        }
        self.report_outcomes(outcomes);
        Ok(())
    }

    /// Opens the streams of another choice; a direction whose port stays is not interrupted.
    fn choose(&mut self, choice: DeviceChoice) {
        let before = std::mem::replace(&mut self.choice, choice);
        let used = self.used();
        if before.microphone != self.choice.microphone {
            // The user agrees to whatever this choice opens.
            self.last_microphone = None;
        }
        let outcomes = [
            (Microphone, before.microphone, used.microphone, self.choice.microphone.clone()),
            (Loudspeaker, before.loudspeaker, used.loudspeaker, self.choice.loudspeaker.clone()),
        ]
        .map(|(direction, old, used, new)| {
            let stays = old == new && used.is_some() && (new.is_none() || used == new);
            let is_closed = !self.choice.opens(direction);
            (direction, if stays || is_closed { Ok(()) } else { self.open(direction) })
        });
        self.report_outcomes(outcomes);
    }

    fn report_outcomes(
        &mut self,
        outcomes: impl IntoIterator<Item = (PortDirection, Result<(), String>)>,
    ) {
        let mut refusal = String::new();
        for (direction, outcome) in outcomes {
            if let Err(reason) = outcome {
                refusal.clone_from(&reason);
                self.event(DeviceEvent::Unavailable { direction, reason });
                self.schedule(direction, Instant::now());
            }
        }
        let used = self.used();
        self.is_lost = used == UsedPorts::default();
        if self.is_lost {
            self.event(DeviceEvent::Lost { reason: refusal });
        } else {
            self.event(DeviceEvent::Started(used));
        }
    }

    /// Opens the chosen port of a direction, or the default if it is not there.
    fn open(&mut self, direction: PortDirection) -> Result<(), String> {
        let chosen = match direction {
            Microphone => self.choice.microphone.clone(),
            Loudspeaker => self.choice.loudspeaker.clone(),
        };
        let line = self.line(direction);
        // The old stream has to release its end of the ring first.
        line.stream = None;
        line.retry = None;
        line.number += 1;
        let number = line.number;
        let try_open = |lines: &Self, name: Option<&str>| {
            stream::open(&lines.host, direction, name, &lines.ends, number, &lines.fault_sender)
        };
        let opened = match try_open(self, chosen.as_deref()) {
            Err(OpenError::NotFound) if chosen.is_some() => {
                let name = chosen.unwrap_or_default();
                self.event(DeviceEvent::NotFound { direction, name });
                try_open(self, None)
            }
            other => other,
        };
        let stream = opened.map_err(|error| error.to_string())?;
        let name = stream.name.clone();
        self.line(direction).stream = Some(stream);
        if direction == Microphone {
            self.check_microphone(name);
        }
        Ok(())
    }

    /// Reports a microphone that is neither the chosen one nor, without a choice, the last one.
    fn check_microphone(&mut self, name: String) {
        let expected = self.choice.microphone.as_ref().or(self.last_microphone.as_ref());
        if expected.is_some_and(|it| *it != name) {
            self.event(DeviceEvent::MicrophoneReplaced { to: name.clone() });
        }
        self.last_microphone = Some(name);
    }

    fn schedule(&mut self, direction: PortDirection, now: Instant) {
        let line = self.line(direction);
        line.retry = Some(now + RETRY_AFTER[line.attempts.min(RETRY_AFTER.len() - 1)]);
        line.attempts += 1;
    }

    /// Takes what the streams have reported.
    fn take_faults(&mut self, now: Instant) {
        while let Ok(StreamFault { direction, number, error }) = self.faults.try_recv() {
            if self.line(direction).number != number {
                continue;
            }
            match error.kind() {
                ErrorKind::Xrun => self.late += 1,
                // Sound is a little less punctual.
                ErrorKind::RealtimeDenied => {}
                // The stream goes on with another default.
                ErrorKind::DeviceChanged => self.rerouted(direction),
                _ => self.closed(direction, &error, now),
            }
        }
    }

    fn rerouted(&mut self, direction: PortDirection) {
        self.event(DeviceEvent::PortsChanged);
        let device = match direction {
            Microphone => self.host.default_input_device(),
            Loudspeaker => self.host.default_output_device(),
        };
        let Some(name) = device.and_then(|it| it.id().ok()).map(|it| it.to_string()) else {
            return;
        };
        if let Some(stream) = &mut self.line(direction).stream {
            stream.name.clone_from(&name);
        }
        self.moved(direction, name);
    }

    fn moved(&mut self, direction: PortDirection, to: String) {
        self.event(DeviceEvent::Moved { direction, to: to.clone() });
        if direction == Microphone {
            self.check_microphone(to);
        }
    }

    fn closed(&mut self, direction: PortDirection, error: &cpal::Error, now: Instant) {
        self.line(direction).stream = None;
        let reason = error.to_string();
        if self.used() == UsedPorts::default() {
            self.is_lost = true;
            self.event(DeviceEvent::Lost { reason });
        } else {
            self.event(DeviceEvent::Unavailable { direction, reason });
        }
        self.schedule(direction, now);
    }

    /// Opens a direction again whose time has come.
    fn retry(&mut self, now: Instant) {
        for direction in [Microphone, Loudspeaker] {
            if self.line(direction).retry.is_none_or(|retry| now < retry) {
                continue;
            }
            if self.open(direction).is_err() {
                self.schedule(direction, now);
                continue;
            }
            self.line(direction).attempts = 0;
            if std::mem::take(&mut self.is_lost) {
                self.event(DeviceEvent::Returned(self.used()));
            } else {
                let used = self.used();
                let name = match direction {
                    Microphone => used.microphone,
                    Loudspeaker => used.loudspeaker,
                };
                self.event(DeviceEvent::Moved { direction, to: name.unwrap_or_default() });
            }
        }
    }

    /// Sends 10 ms of silence for a microphone, and discards 10 ms for a loudspeaker, that is not
    /// there.
    fn fill_in(&self) {
        if self.microphone.stream.is_none() {
            self.ends.send_silence();
        }
        if self.loudspeaker.stream.is_none() {
            self.ends.discard();
        }
    }

    fn report(&mut self, now: Instant) {
        if self.reported.is_some_and(|it| now.saturating_duration_since(it) < REPORT_EVERY) {
            return;
        }
        self.reported = Some(now);
        let (missing, dropped) = self.ends.take_gaps();
        let at_server = std::mem::take(&mut self.late);
        if missing > 0 || at_server > 0 {
            self.event(DeviceEvent::Underflow { samples: missing, at_server });
        }
        if dropped > 0 {
            self.event(DeviceEvent::Overflow { samples: dropped });
        }
    }
}

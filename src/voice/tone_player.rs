//! Plays a tone of the telephone on a loudspeaker, outside of a call.
//!
//! Its two threads, one that fills the ring and one of the device, exist only while the tone is played.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::device::{
    BLOCK_SAMPLES, Device, DeviceChoice, EngineRings, PortDirection, StopFlag, sample_rings,
};
use crate::tones::Tone;

/// The samples that are kept ready for the device: 40 ms, as many as a sound server asks for at first.
const AHEAD: usize = 4 * BLOCK_SAMPLES;
/// How often the ring is filled.
const TURN: Duration = Duration::from_millis(10);
/// How long the sound server may take to play what it has after the end of a tone.
const TAIL: Duration = Duration::from_millis(200);
/// How long a tone that ends may be delayed by a device that is slow to start.
const SLOW_START: Duration = Duration::from_secs(5);
/// How long the loudspeaker may be in use by what had it before.
const RELEASE: Duration = Duration::from_secs(2);

/// A tone that is being played. Dropping it stops the tone at once.
pub struct TonePlayer {
    stop: StopFlag,
}

impl TonePlayer {
    /// Plays a tone until it ends, for `limit` at most. The microphone stays closed. Where the device
    /// cannot be used there is silence.
    ///
    /// The tone begins once the sender of `released` is dropped, which has the loudspeaker until then.
    /// If that takes more than 2 s, the tone is left out.
    pub fn start(
        tone: Tone,
        limit: Option<Duration>,
        device: Box<dyn Device>,
        loudspeaker: Option<String>,
        released: Option<Receiver<Infallible>>,
    ) -> Self {
        let stop = StopFlag::new();
        let flag = stop.clone();
        let play = move || {
            let is_free = released.is_none_or(|it| {
                matches!(it.recv_timeout(RELEASE), Err(RecvTimeoutError::Disconnected))
            });
            if is_free && !flag.is_stopped() {
                run(tone, limit, device, loudspeaker, &flag);
            }
        };
        // Without a thread there is silence.
        let _ = thread::Builder::new().name("tone".to_owned()).spawn(play);
        Self { stop }
    }
}

impl Drop for TonePlayer {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

fn run(
    tone: Tone,
    limit: Option<Duration>,
    mut device: Box<dyn Device>,
    loudspeaker: Option<String>,
    stop: &StopFlag,
) {
    let (rings, ends) = sample_rings();
    let only = Some(PortDirection::Loudspeaker);
    let choice = DeviceChoice { microphone: None, loudspeaker, only };
    let body = || device.run(rings, &choice, stop);
    thread::scope(|scope| {
        let device = thread::Builder::new().name("sound".to_owned()).spawn_scoped(scope, body);
        if let Ok(device) = device {
            feed(tone, limit, ends, stop, || device.is_finished());
        }
        stop.stop();
    });
}

/// Fills the ring until the tone is over or stopped, or its device has ended.
fn feed(
    tone: Tone,
    limit: Option<Duration>,
    mut rings: EngineRings,
    stop: &StopFlag,
    is_over: impl Fn() -> bool,
) {
    let most = limit.map_or(usize::MAX, |limit| (limit.as_millis() / TURN.as_millis()) as usize);
    let mut blocks = tone.blocks().take(most);
    let given_up = limit.map(|limit| Instant::now() + limit + SLOW_START);
    let mut ended = false;
    while !is_over() {
        let now = Instant::now();
        let mut waiting = rings.loudspeaker.buffer().capacity() - rings.loudspeaker.slots();
        while !ended && waiting < AHEAD {
            match blocks.next() {
                Some(block) => {
                    for sample in block {
                        // There is room: less than 40 ms of the ring are used.
                        let _ = rings.loudspeaker.push(sample);
                    }
                    waiting += BLOCK_SAMPLES;
                }
                None => ended = true,
            }
        }
        if ended && waiting == 0 {
            stop.wait_until(now + TAIL);
            return;
        }
        if given_up.is_some_and(|moment| now > moment) || !stop.wait_until(now + TURN) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::device::synthetic::{HeardBlock, SpokenSound, SyntheticDevice};
    use crate::testing::{DEADLINE, amplitude};

    /// Starts a tone, and returns what the loudspeaker plays.
    fn start(
        tone: Tone,
        limit: Option<Duration>,
        released: Option<Receiver<Infallible>>,
    ) -> (TonePlayer, Receiver<HeardBlock>) {
        let (device, heard) = SyntheticDevice::new(SpokenSound::Silence).recorded();
        (TonePlayer::start(tone, limit, Box::new(device), None, released), heard)
    }

    /// The blocks until the device is closed, or so many.
    fn blocks(heard: &Receiver<HeardBlock>, most: usize) -> Vec<bool> {
        let next =
            || heard.recv_timeout(DEADLINE).map(|it| amplitude(&it.samples, 425.0) > 2_000.0);
        (0..most).map_while(|_| next().ok()).collect()
    }

    #[test]
    fn a_tone_is_heard_with_its_rhythm_and_the_device_is_closed_after_it() {
        // The tone, how long it lasts, and the first whole second of it in blocks of 10 ms.
        let rows = [
            (Tone::Ended, None, 65, 45),
            (Tone::Busy, Some(Duration::from_secs(1)), 100, 50),
            (Tone::Ringback, Some(Duration::from_millis(1_500)), 150, 100),
        ];
        for (tone, limit, length, loud) in rows {
            let (_player, heard) = start(tone, limit, None);
            let played = blocks(&heard, usize::MAX);
            let is_loud = played.iter().filter(|it| **it).count();
            // The ramps at both ends of each beat are quieter, and a busy machine starts late.
            assert!(is_loud.abs_diff(loud) <= 8, "{tone:?}: {is_loud} of {}", played.len());
            assert!(played.len() >= length, "{tone:?}: {}", played.len());
        }
    }

    #[test]
    fn a_tone_is_stopped_at_once() {
        let (player, heard) = start(Tone::Ringback, None, None);
        assert!(blocks(&heard, 50).contains(&true));
        drop(player);
        let rest = blocks(&heard, usize::MAX);
        assert!(rest.len() < 80, "the second of tone was cut: {}", rest.len());
    }

    #[test]
    fn a_tone_waits_until_the_loudspeaker_is_free() {
        let (holder, released) = mpsc::channel();
        let (_player, heard) = start(Tone::Ended, None, Some(released));
        assert!(heard.try_recv().is_err());
        drop(holder);
        assert!(blocks(&heard, usize::MAX).contains(&true));

        let (_holder, released) = mpsc::channel();
        let (player, heard) = start(Tone::Ended, None, Some(released));
        drop(player);
        assert!(blocks(&heard, usize::MAX).is_empty(), "a tone that was stopped before it began");
    }
}

//! Streams of notes over simulated lines, judged by what is heard.

mod interruptions;
mod random;

use std::sync::LazyLock;

use super::*;
use crate::codec::{Encoder, FRAME};
use crate::testing::{Dice, amplitude, rms, sine};

/// The length of a trace.
const SECONDS: usize = 30;
/// A note lasts 100 ms; each has another frequency than the two before and after it.
const NOTE: usize = 4_800;
const AMPLITUDE: f64 = 12_000.0;
/// The delay of the encoder and the decoder together.
const CODEC_DELAY: usize = 312;

fn note(index: usize) -> f64 {
    400.0 + 60.0 * (index * 3 % 7) as f64
}

fn melody() -> Vec<i16> {
    (0..SECONDS * 10).flat_map(|index| sine(note(index), AMPLITUDE, NOTE)).collect()
}

/// Packets of 20 ms from our encoder, with redundancy.
static SHORT: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut encoder = Encoder::new().expect("an encoder");
    encoder.set_loss(20).expect("a loss");
    let sound = melody();
    sound
        .as_chunks::<FRAME>()
        .0
        .iter()
        .map(|frame| encoder.encode(frame).expect("a packet").to_vec())
        .collect()
});

/// Packets of 60 ms, as official apps send them.
static LONG: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| encode_long(&melody(), 10));

/// Packets of 60 ms, with redundancy against a loss in percent.
fn encode_long(sound: &[i16], loss: u8) -> Vec<Vec<u8>> {
    let mut encoder =
        ropus::Encoder::builder(48_000, ropus::Channels::Mono, ropus::Application::Voip)
            .bitrate(ropus::Bitrate::Bits(32_000))
            .inband_fec(ropus::InbandFec::Enabled)
            .packet_loss_perc(loss)
            .complexity(5)
            .build()
            .expect("an encoder");
    sound
        .chunks_exact(3 * FRAME)
        .map(|block| {
            let mut packet = [0; 4_000];
            let length = encoder.encode(block, &mut packet).expect("a packet");
            packet[..length].to_vec()
        })
        .collect()
}

/// A packet and when it arrives, in samples after the first.
type Arrival = (Samples, AudioPacket);

/// A stream of packets on a line without loss or jitter.
fn stream(payloads: &[Vec<u8>]) -> Vec<Arrival> {
    let samples = codec::duration(&payloads[0]).expect("a packet");
    payloads
        .iter()
        .enumerate()
        .map(|(index, payload)| {
            let time = index * samples;
            // Both numbers overflow within the first second.
            let packet = AudioPacket {
                sequence: 65_530_u16.wrapping_add(index as u16),
                timestamp: (u32::MAX - 20_000).wrapping_add(time as u32),
                payload: payload.clone(),
            };
            (time as Samples, packet)
        })
        .collect()
}

/// What came out of the buffer.
struct Heard {
    sound: Vec<i16>,
    /// The lag at each block.
    lags: Vec<Samples>,
    stats: PlayoutStats,
}

/// Plays packets in simulated time.
fn play(mut packets: Vec<Arrival>, seconds: usize) -> Heard {
    packets.sort_by_key(|&(arrival, _)| arrival);
    let mut packets = packets.into_iter().peekable();
    let mut playout = Playout::new().expect("a decoder");
    let start = Instant::now();
    let at = |samples: Samples| start + Duration::from_nanos(samples as u64 * 62_500 / 3);
    let (mut sound, mut lags) = (Vec::new(), Vec::new());
    for block in 0..seconds as Samples * 100 {
        let now = block * BLOCK as Samples;
        while let Some((arrival, packet)) = packets.next_if(|&(arrival, _)| arrival <= now) {
            playout.push(packet, at(arrival));
        }
        sound.extend(playout.pull(at(now)));
        lags.push(playout.stats().lag.as_micros() as Samples * 48 / 1_000);
    }
    Heard { sound, lags, stats: playout.stats() }
}

impl Heard {
    /// The mean lag in milliseconds.
    fn mean_lag(&self) -> i64 {
        self.lags.iter().sum::<Samples>() / self.lags.len() as Samples / 48
    }

    /// The share of the notes `from..to`, in percent, that are heard where the lag puts them. The
    /// packets of these notes were sent `shift` later than at the beginning of the stream.
    fn notes(&self, from: usize, to: usize, shift: Samples) -> usize {
        let heard = (from..to).filter(|&index| {
            let sent = index * NOTE + shift as usize;
            let lag = self.lags[sent / BLOCK + 6] as usize;
            let start = sent + lag + CODEC_DELAY;
            let middle = &self.sound[start + 960..start + NOTE - 960];
            amplitude(middle, note(index)) > AMPLITUDE / 2.0
        });
        heard.count() * 100 / (to - from)
    }

    /// Blocks without sound between two seconds.
    fn dropouts(&self, from: usize, to: usize) -> usize {
        dropouts(&self.sound[from * 48_000..to * 48_000])
    }
}

/// Blocks that are much quieter than the melody.
fn dropouts(sound: &[i16]) -> usize {
    let loud = AMPLITUDE / std::f64::consts::SQRT_2;
    sound.chunks(BLOCK).filter(|block| rms(block) < loud / 4.0).count()
}

/// Blocks that are quiet although no packet is missing. The codec makes a few where a note begins.
fn dropouts_of_the_codec(payloads: &[Vec<u8>]) -> usize {
    let mut decoder = Decoder::new().expect("a decoder");
    let sound: Vec<i16> = payloads
        .iter()
        .flat_map(|payload| decoder.decode(payload).expect("sound").to_vec())
        .collect();
    dropouts(&sound[48_000..])
}

/// Delays each packet by a random time and loses some.
fn disturb(packets: Vec<Arrival>, jitter: i64, loss: i64) -> Vec<Arrival> {
    let mut dice = Dice::new(3);
    packets
        .into_iter()
        .filter_map(|(arrival, packet)| {
            let delayed = arrival + dice.between(0, milliseconds(jitter));
            (dice.between(0, 99) >= loss).then_some((delayed, packet))
        })
        .collect()
}

fn drift(packets: Vec<Arrival>, ppm: i64) -> Vec<Arrival> {
    packets
        .into_iter()
        .map(|(arrival, packet)| (arrival + arrival * ppm / 1_000_000, packet))
        .collect()
}

/// A line, and the worst that may come of it: about twice what was measured.
struct Line {
    name: &'static str,
    /// Whether the packets are those of 60 ms.
    long: bool,
    jitter: i64,
    loss: i64,
    /// Lowest and highest mean lag in milliseconds.
    lag: (i64, i64),
    /// The least percentage of notes heard in their place.
    notes: usize,
    dropouts: usize,
    concealed: u64,
    late: u64,
    stretched: u64,
}

const LINES: [Line; 8] = [
    Line {
        name: "20 ms packets, clean",
        long: false,
        jitter: 0,
        loss: 0,
        lag: (15, 25),
        notes: 100,
        dropouts: 0,
        concealed: 0,
        late: 0,
        stretched: 0,
    },
    Line {
        name: "20 ms packets, 100 ms of jitter with reordering",
        long: false,
        jitter: 100,
        loss: 0,
        lag: (90, 115),
        notes: 98,
        dropouts: 2,
        concealed: 2,
        late: 10,
        stretched: 20,
    },
    Line {
        name: "20 ms packets, 5 % loss and 30 ms of jitter",
        long: false,
        jitter: 30,
        loss: 5,
        lag: (40, 65),
        notes: 98,
        dropouts: 6,
        concealed: 6,
        late: 2,
        stretched: 20,
    },
    Line {
        name: "20 ms packets, 20 % loss",
        long: false,
        jitter: 0,
        loss: 20,
        lag: (25, 45),
        notes: 90,
        dropouts: 170,
        concealed: 160,
        late: 2,
        stretched: 20,
    },
    Line {
        name: "20 ms packets, 20 % loss and 100 ms of jitter",
        long: false,
        jitter: 100,
        loss: 20,
        lag: (95, 130),
        notes: 80,
        dropouts: 350,
        concealed: 330,
        late: 8,
        stretched: 30,
    },
    Line {
        name: "60 ms packets, clean",
        long: true,
        jitter: 0,
        loss: 0,
        lag: (15, 25),
        notes: 96,
        dropouts: 0,
        concealed: 0,
        late: 0,
        stretched: 0,
    },
    Line {
        name: "60 ms packets, 5 % loss and 30 ms of jitter",
        long: true,
        jitter: 30,
        loss: 5,
        lag: (40, 65),
        notes: 90,
        dropouts: 80,
        concealed: 40,
        late: 2,
        stretched: 24,
    },
    Line {
        name: "60 ms packets, 20 % loss and 100 ms of jitter",
        long: true,
        jitter: 100,
        loss: 20,
        lag: (95, 140),
        notes: 60,
        dropouts: 800,
        concealed: 200,
        late: 8,
        stretched: 24,
    },
];

#[test]
fn the_sound_survives_bad_lines() {
    let kinds = [&SHORT, &LONG].map(|payloads| (payloads, dropouts_of_the_codec(payloads)));
    for line in LINES {
        let name = line.name;
        let (payloads, baseline) = kinds[usize::from(line.long)];
        let packets = disturb(stream(payloads), line.jitter, line.loss);
        let arrived = packets.len() as u64;
        let heard = play(packets, SECONDS);
        let stats = heard.stats;
        let lag = heard.mean_lag();
        assert!((line.lag.0..=line.lag.1).contains(&lag), "{name}: lag {lag} ms");
        let notes = heard.notes(5, SECONDS * 10 - 5, 0);
        assert!(notes >= line.notes, "{name}: {notes} % of the notes");
        let dropouts = heard.dropouts(1, SECONDS);
        let allowed = line.dropouts + baseline;
        assert!(dropouts <= allowed, "{name}: {dropouts} dropouts, {allowed} allowed");
        assert!(stats.concealed <= line.concealed, "{name}: {stats:?}");
        assert!(stats.late <= line.late, "{name}: {stats:?}");
        assert!(stats.stretched <= line.stretched, "{name}: {stats:?}");
        assert_eq!((stats.resets, stats.refused, stats.doubled), (0, 0, 0), "{name}");
        // Packets of the last 100 ms may not have arrived.
        assert!(arrived - stats.received <= 5, "{name}: {stats:?}");
        let lost = payloads.len() as u64 - arrived;
        assert!(stats.lost.abs_diff(lost) <= 5, "{name}: {stats:?}");
        if line.loss > 0 {
            assert!(stats.fec * 10 >= stats.lost * 7, "{name}: {stats:?}");
        }
    }
}

#[test]
fn clocks_that_differ_do_not_interrupt_the_sound() {
    let rounds = 3;
    let payloads: Vec<Vec<u8>> = (0..rounds).flat_map(|_| SHORT.iter().cloned()).collect();
    let baseline = dropouts_of_the_codec(&payloads);
    for ppm in [-300, 300] {
        let heard = play(drift(stream(&payloads), ppm), rounds * SECONDS - 1);
        let stats = heard.stats;
        // 300 ppm are 27 ms in 90 s.
        assert!((1..=20).contains(&stats.stretched), "{ppm} ppm: {stats:?}");
        assert!((10..=36).contains(&heard.mean_lag()), "{ppm} ppm: {} ms", heard.mean_lag());
        assert!(stats.lag <= Duration::from_millis(40), "{ppm} ppm: {stats:?}");
        assert_eq!((stats.concealed, stats.late, stats.resets), (0, 0, 0), "{ppm} ppm");
        assert!(heard.dropouts(1, rounds * SECONDS - 1) <= baseline, "{ppm} ppm");
    }
}

#[test]
fn doubled_and_swapped_packets_are_put_right() {
    let once = stream(&SHORT);
    let reference = play(disturb(once.clone(), 30, 0), SECONDS);
    let twice = disturb(once, 30, 0)
        .into_iter()
        .flat_map(|(arrival, packet)| [(arrival + 240, packet.clone()), (arrival, packet)])
        .collect();
    let heard = play(twice, SECONDS);
    assert!(heard.sound == reference.sound);
    assert!(heard.stats.received - heard.stats.doubled <= 1);
    assert_eq!(heard.stats.late, reference.stats.late);
}

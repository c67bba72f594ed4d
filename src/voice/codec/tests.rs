//! Sounds that are encoded and decoded again, and packets of any form.

use proptest::prelude::*;
use ropus::opus::decoder::{
    opus_packet_get_nb_samples, opus_packet_has_lbrr, opus_packet_parse_impl,
};

use super::*;
use crate::testing::{
    Dice, TestFolder, amplitude, ogg_file, opus_head, opus_tags, opusdec, rms, sine,
};

fn packets(hertz: f64, count: usize, loss: u8) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new().expect("an encoder");
    encoder.set_loss(loss).expect("a loss");
    let sound = sine(hertz, 12_000.0, count * FRAME);
    let (frames, _) = sound.as_chunks();
    frames.iter().map(|frame| encoder.encode(frame).expect("a packet").to_vec()).collect()
}

/// The sound from the tenth packet on, when encoder and decoder have settled.
fn decoded(
    packets: &[Vec<u8>],
    mut decode: impl FnMut(&mut Decoder, usize) -> Vec<i16>,
) -> Vec<i16> {
    let mut decoder = Decoder::new().expect("a decoder");
    (0..packets.len()).map(|index| decode(&mut decoder, index)).skip(10).flatten().collect()
}

#[test]
fn a_tone_comes_back_at_its_level() {
    let packets = packets(440.0, 60, 0);
    let sound = decoded(&packets, |decoder, index| {
        decoder.decode(&packets[index]).unwrap_or_default().to_vec()
    });
    assert_eq!(sound.len(), 50 * FRAME);
    let heard = amplitude(&sound, 440.0);
    assert!((10_800.0..13_200.0).contains(&heard), "{heard}");
    assert!(amplitude(&sound, 1_000.0) < 100.0);
}

/// Also with the redundancy for a line that loses packets.
#[test]
fn the_reference_decoder_reads_what_a_call_sends() {
    let folder = TestFolder::new();
    for loss in [0, 20] {
        let path = folder.path().join(format!("{loss}.opus"));
        let head = [opus_head(1, 0, 0), opus_tags()];
        let file = [&head[..], &packets(440.0, 60, loss)].concat();
        std::fs::write(&path, ogg_file(&file, 60 * FRAME as u64)).expect("a file");
        let Some(sound) = opusdec(&path) else { return };
        assert_eq!(sound.len(), 60 * FRAME, "loss of {loss} %");
        let heard = amplitude(&sound[10 * FRAME..], 440.0);
        assert!((10_800.0..13_200.0).contains(&heard), "loss of {loss} %: {heard}");
        assert!(amplitude(&sound[10 * FRAME..], 1_000.0) < 100.0);
    }
}

#[test]
fn the_bit_rate_is_the_one_of_official_apps() {
    // A tone on noise, so that the encoder has a use for the bits.
    let mut encoder = Encoder::new().expect("an encoder");
    let mut noise = Dice::new(1);
    let mut sound = sine(300.0, 8_000.0, 250 * FRAME);
    for sample in &mut sound {
        *sample += noise.between(-3_000, 3_000) as i16;
    }
    let bytes: usize = sound
        .as_chunks()
        .0
        .iter()
        .map(|frame| encoder.encode(frame).expect("a packet").len())
        .sum();
    let rate = bytes * 8 / 5;
    assert!((24_000..=36_000).contains(&rate), "{rate} bit/s");
}

#[test]
fn the_loss_is_rounded_to_steps_and_redundancy_follows_it() {
    let mut encoder = Encoder::new().expect("an encoder");
    for (reported, set) in
        [(0, 0), (2, 0), (3, 5), (7, 5), (8, 10), (22, 20), (23, 25), (100, 30), (255, 30)]
    {
        encoder.set_loss(reported).expect("a loss");
        assert_eq!(encoder.loss(), set, "{reported} %");
    }
    let redundant = |loss| packets(440.0, 40, loss).iter().filter(|packet| has_fec(packet)).count();
    assert_eq!(redundant(0), 0);
    assert!(redundant(20) > 30);
}

/// Notes of 100 ms; the first packet of each is lost, so nothing before it has its sound.
#[test]
fn a_lost_packet_is_restored_from_the_next_one() {
    let note = |index: usize| [440.0, 700.0, 560.0][index / 5 % 3];
    let mut encoder = Encoder::new().expect("an encoder");
    encoder.set_loss(20).expect("a loss");
    let packets: Vec<Vec<u8>> = (0..60)
        .map(|index| {
            let sound = sine(note(index), 12_000.0, FRAME);
            encoder.encode(sound.as_array().expect("a frame")).expect("a packet").to_vec()
        })
        .collect();
    let (mut restored, mut concealed) = (0.0, 0.0);
    let mut redundant = Decoder::new().expect("a decoder");
    let mut blind = Decoder::new().expect("a decoder");
    for (index, packet) in packets.iter().enumerate() {
        if index % 5 == 0 && index > 0 {
            let next = &packets[index + 1];
            restored +=
                amplitude(redundant.decode_fec(next, FRAME).expect("sound"), note(index)) / 11.0;
            concealed += amplitude(blind.conceal(FRAME).expect("sound"), note(index)) / 11.0;
        } else {
            redundant.decode(packet).expect("sound");
            blind.decode(packet).expect("sound");
        }
    }
    assert!(restored > 5_000.0 && concealed < 2_000.0, "{restored} and {concealed}");
}

#[test]
fn concealment_continues_the_sound_and_then_fades() {
    let packets = packets(440.0, 30, 0);
    let mut decoder = Decoder::new().expect("a decoder");
    for packet in &packets {
        decoder.decode(packet).expect("sound");
    }
    let first = rms(decoder.conceal(480).expect("sound"));
    assert!(first > 2_000.0, "{first}");
    for _ in 0..60 {
        decoder.conceal(480).expect("sound");
    }
    let last = rms(decoder.conceal(480).expect("sound"));
    assert!(last < 200.0, "{last}");
}

#[test]
fn lengths_are_cut_to_what_the_codec_can_do() {
    let mut decoder = Decoder::new().expect("a decoder");
    for (asked, given) in [(0, 0), (119, 0), (120, 120), (500, 480), (5_760, 5_760), (9_999, 5_760)]
    {
        assert_eq!(decoder.conceal(asked).expect("sound").len(), given);
    }
}

#[test]
fn packets_of_official_apps_are_taken() {
    let sound = sine(440.0, 12_000.0, 20 * 2_880);
    // 60 ms at 20 kbit/s is one frame of the SILK layer; at 32 kbit/s it is three frames.
    for (bitrate, frames) in [(16_000, 1), (32_000, 3)] {
        let mut opus = ropus::Encoder::builder(48_000, Channels::Mono, Application::Voip)
            .bitrate(Bitrate::Bits(bitrate))
            .inband_fec(InbandFec::Enabled)
            .packet_loss_perc(20)
            .build()
            .expect("an encoder");
        let mut decoder = Decoder::new().expect("a decoder");
        let mut heard = Vec::new();
        for block in sound.chunks(2_880) {
            let mut packet = [0; 4_000];
            let length = opus.encode(block, &mut packet).expect("a packet");
            let packet = &packet[..length];
            assert_eq!(duration(packet), Some(2_880));
            let form = Packet::parse(packet).expect("a form");
            assert_eq!(form.samples() / (2_880 / frames), frames);
            heard.extend_from_slice(decoder.decode(packet).expect("sound"));
        }
        let level = amplitude(&heard[9_600..], 440.0);
        assert!(level > 10_000.0, "{bitrate} bit/s: {level}");
    }
}

#[test]
fn stereo_is_mixed() {
    let left = sine(440.0, 8_000.0, 30 * FRAME);
    let right = sine(700.0, 8_000.0, 30 * FRAME);
    let both: Vec<i16> =
        left.iter().zip(&right).flat_map(|(&left, &right)| [left, right]).collect();
    let mut opus = ropus::Encoder::builder(48_000, Channels::Stereo, Application::Audio)
        .bitrate(Bitrate::Bits(96_000))
        .build()
        .expect("an encoder");
    let mut decoder = Decoder::new().expect("a decoder");
    let mut heard = Vec::new();
    for block in both.chunks(2 * FRAME) {
        let mut packet = [0; 4_000];
        let length = opus.encode(block, &mut packet).expect("a packet");
        heard.extend_from_slice(decoder.decode(&packet[..length]).expect("sound"));
    }
    for hertz in [440.0, 700.0] {
        let heard = amplitude(&heard[9_600..], hertz);
        assert!((3_000.0..5_000.0).contains(&heard), "{hertz} Hz: {heard}");
    }
}

#[test]
fn forms_beyond_the_limits_are_refused() {
    let long = vec![0; 1_276];
    let cases: &[(&str, Vec<u8>, Option<usize>)] = &[
        ("nothing", vec![], None),
        ("a first byte alone", vec![0x08], Some(960)),
        ("a frame of 1,275 bytes", [&[0x08][..], &long[1..]].concat(), Some(960)),
        ("a frame of 1,276 bytes", [&[0x08][..], &long].concat(), None),
        ("two equal frames", vec![0x09, 1, 1], Some(1_920)),
        ("two equal frames of unequal length", vec![0x09, 1, 1, 1], None),
        ("two frames", vec![0x0a, 1, 1, 1], Some(1_920)),
        ("two frames, the first longer than the packet", vec![0x0a, 4, 1, 1], None),
        ("two frames, a length cut short", vec![0x0a, 252], None),
        ("two frames, the last of 1,276 bytes", [&[0x0a, 0][..], &long].concat(), None),
        ("three frames of 20 ms", vec![0x0b, 0x03, 1, 1, 1], Some(2_880)),
        ("no frames", vec![0x0b, 0x00], None),
        ("a count that is not there", vec![0x0b], None),
        ("six frames of 20 ms", vec![0x0b, 0x06, 1, 1, 1, 1, 1, 1], Some(5_760)),
        ("seven frames of 20 ms", vec![0x0b, 0x07, 1, 1, 1, 1, 1, 1, 1], None),
        ("two frames of 60 ms", vec![0x19, 1, 1], Some(5_760)),
        ("three frames of 60 ms", vec![0x1b, 0x03, 1, 1, 1], None),
        ("padding", vec![0x0b, 0x41, 2, 1, 0, 0], Some(960)),
        ("more padding than bytes", vec![0x0b, 0x41, 9, 1, 0, 0], None),
        ("a length of padding cut short", vec![0x0b, 0x41, 255], None),
    ];
    for (name, bytes, samples) in cases {
        assert_eq!(duration(bytes), *samples, "{name}");
    }
}

/// Valid packets of several modes with some of their bytes changed, and random ones.
fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let real = (0..16usize, changes, 0..40usize).prop_map(|(index, changes, cut)| {
        let mut bytes = packets(440.0 + index as f64, 3, 20).pop().unwrap_or_default();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        bytes
    });
    let random = proptest::collection::vec(any::<u8>(), 0..200);
    let toc = (any::<u8>(), any::<u8>(), 0..1_400usize, any::<u8>())
        .prop_map(|(toc, count, length, fill)| [&[toc, count][..], &vec![fill; length]].concat());
    prop_oneof![real, random, toc]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The forms are judged as the codec judges them.
    #[test]
    fn the_form_agrees_with_the_codec(packet in any_packet()) {
        let length = packet.len() as i32;
        let mut sizes = [0; 48];
        let frames = if packet.is_empty() {
            -1
        } else {
            opus_packet_parse_impl(&packet, length, false, &mut 0, &mut sizes, &mut 0, None)
        };
        let samples = if frames > 0 { opus_packet_get_nb_samples(&packet, 48_000).ok() } else { None };
        prop_assert_eq!(duration(&packet), samples.map(|samples| samples as usize));
        if samples.is_some() && sizes[0] > 1 {
            prop_assert_eq!(Ok(has_fec(&packet)), opus_packet_has_lbrr(&packet, length));
        }
    }

    /// No packet makes the decoder panic or give another length than the form declares.
    #[test]
    fn lengths_hold_for_any_packet(
        packets in proptest::collection::vec((any_packet(), 0..8_000usize), 1..6),
    ) {
        let mut decoder = Decoder::new().expect("a decoder");
        for (packet, samples) in packets {
            let declared = duration(&packet);
            if let Ok(sound) = decoder.decode(&packet) {
                prop_assert_eq!(Some(sound.len()), declared);
            }
            let expected = samples.min(MAX_PACKET_SAMPLES) / 120 * 120;
            match decoder.decode_fec(&packet, samples) {
                Ok(sound) => prop_assert_eq!(sound.len(), expected),
                Err(error) => prop_assert!(declared.is_none() || error == CodecError::Decode),
            }
            prop_assert_eq!(decoder.conceal(samples).map(<[i16]>::len), Ok(expected));
        }
    }
}

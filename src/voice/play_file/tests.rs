//! Files of all kinds, whole and damaged.

use std::fs;
use std::io::Cursor;
use std::process::Command;

use proptest::prelude::*;
use ropus::{Application, Channels, Encoder};

use super::{FilePlayer, PlayProblem, PlayedBlock, SoundFile};
use crate::record::CallRecorder;
use crate::testing::{
    TestFolder, amplitude, ogg_file, opus_head, opus_tags, sine, start, wait_until,
};

/// All samples of a file with these bytes.
fn played(bytes: &[u8]) -> Result<Vec<i16>, PlayProblem> {
    let mut file = SoundFile::read(Box::new(Cursor::new(bytes.to_vec())))?;
    let mut samples = Vec::new();
    while let Some(block) = file.next_block()? {
        samples.extend(block);
    }
    Ok(samples)
}

fn chunk(id: &[u8], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_le_bytes();
    let padding = vec![0; content.len() % 2];
    [id, &length, content, &padding].concat()
}

fn wave(format: &[u16], rate: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    let [code, channels, bits, rest @ ..] = format else { panic!("three fields") };
    let mut fields = [code.to_le_bytes(), channels.to_le_bytes()].concat();
    fields.extend(rate.to_le_bytes());
    // Bytes a second and a frame, which players do not need.
    fields.extend([0; 6]);
    fields.extend(bits.to_le_bytes());
    fields.extend(rest.iter().flat_map(|it| it.to_le_bytes()));
    let mut content = b"WAVE".to_vec();
    content.extend(chunk(b"fmt ", &fields));
    content.extend(chunks.concat());
    chunk(b"RIFF", &content)
}

fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|it| it.to_le_bytes()).collect()
}

/// One second of 440 Hz in each of the channels.
fn tone(channels: usize) -> Vec<u8> {
    let frames = sine(440.0, 9_000.0, 48_000).into_iter();
    bytes(&frames.flat_map(|it| vec![it; channels]).collect::<Vec<_>>())
}

/// A second of 440 Hz, of which the first 312 samples are skipped and the last 1,000 trimmed.
fn opus_file(gain: i16) -> Vec<u8> {
    let builder = Encoder::builder(48_000, Channels::Mono, Application::Voip);
    let mut encoder = builder.build().expect("an encoder");
    let mut packets = vec![opus_head(1, 312, gain), opus_tags()];
    for frame in sine(440.0, 9_000.0, 48_000).chunks(960) {
        let mut packet = [0; 1_275];
        let length = encoder.encode(frame, &mut packet).expect("a packet");
        packets.push(packet[..length].to_vec());
    }
    ogg_file(&packets, 47_000)
}

#[test]
fn waves_of_all_forms_are_played() {
    let list = chunk(b"LIST", b"odd");
    let data = |channels| chunk(b"data", &tone(channels));
    let mut unknown_length = wave(&[1, 1, 16], 48_000, &[data(1)]);
    unknown_length[40..44].fill(0xff);
    let extensible = [0xfffe, 2, 16, 22, 16, 3, 0, 1, 0, 0, 0x10, 0x80, 0, 0, 0, 0];
    for (name, file) in [
        ("mono", wave(&[1, 1, 16], 48_000, &[data(1)])),
        ("stereo", wave(&[1, 2, 16], 48_000, &[data(2)])),
        ("with other chunks", wave(&[1, 1, 16], 48_000, &[list, data(1)])),
        ("of unknown length", unknown_length),
        ("extensible", wave(&extensible, 48_000, &[data(2)])),
    ] {
        let samples = played(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(samples.len(), 48_000, "{name}");
        assert!((amplitude(&samples, 440.0) - 9_000.0).abs() < 5.0, "{name}");
    }
    // The same samples at half the rate sound for two seconds, an octave lower.
    let slow = played(&wave(&[1, 1, 16], 24_000, &[data(1)])).expect("samples");
    assert_eq!(slow.len(), 96_000);
    assert!((amplitude(&slow[4_800..90_000], 220.0) - 9_000.0).abs() < 50.0);
}

#[test]
fn left_and_right_become_their_mean() {
    let file = wave(&[1, 2, 16], 48_000, &[chunk(b"data", &bytes(&[100, 300, -32_768, -32_768]))]);
    assert_eq!(played(&file).expect("samples")[..3], [200, -32_768, 0]);
}

#[test]
fn opus_is_played_without_what_its_codec_added() {
    let samples = played(&opus_file(0)).expect("samples");
    // 47,000 - 312 samples, filled up to whole blocks.
    assert_eq!(samples.len(), 47_040);
    assert_eq!(samples[46_688..], [0; 352]);
    assert!((amplitude(&samples[4_800..43_200], 440.0) - 9_000.0).abs() < 500.0);
    // -6.02 dB in 1/256 dB.
    let quiet = played(&opus_file(-1_541)).expect("samples");
    assert!((amplitude(&quiet[4_800..43_200], 440.0) - 4_500.0).abs() < 250.0);
}

#[test]
fn what_the_reference_encoder_writes_is_played() {
    let folder = TestFolder::new();
    let (from, to) = (folder.path().join("tone.wav"), folder.path().join("tone.opus"));
    // A second of a tone, in stereo.
    fs::write(&from, wave(&[1, 2, 16], 44_100, &[chunk(b"data", &tone(2)[..176_400])]))
        .expect("a file");
    let mut program = Command::new("opusenc");
    program.args(["--quiet", "--comment", "TITLE=Hold"]).arg(&from).arg(&to);
    let Some(mut child) = start(&mut program) else { return };
    assert!(child.wait().expect("it ends").success());
    let samples = played(&fs::read(&to).expect("what it wrote")).expect("samples");
    assert_eq!(samples.len(), 48_000);
    let measured = amplitude(&samples[4_800..43_200], 440.0 * 44_100.0 / 48_000.0);
    assert!((measured - 9_000.0).abs() < 300.0, "{measured}");
}

#[test]
fn a_recording_is_played_with_both_sides() {
    let folder = TestFolder::new();
    let path = folder.path().join("call.opus");
    let mut recorder = CallRecorder::start(&path).expect("a recording");
    let (me, peer) = (sine(440.0, 9_000.0, 96_000), sine(1_000.0, 6_000.0, 96_000));
    for (me, peer) in me.as_chunks::<480>().0.iter().zip(peer.as_chunks::<480>().0) {
        recorder.record(me, peer);
    }
    recorder.finish().expect("not failed").expect("written");
    let mut player = FilePlayer::start(&path).expect("a player");
    let mut samples = Vec::new();
    let mut end = None;
    wait_until("the file ends", || {
        loop {
            match player.next_block() {
                PlayedBlock::Samples(block) => samples.extend(block),
                PlayedBlock::Late => return false,
                PlayedBlock::Ended(outcome) => {
                    end = Some(outcome);
                    return true;
                }
            }
        }
    });
    assert!(matches!(end, Some(Ok(()))), "{end:?}");
    assert_eq!(samples.len(), 96_000);
    let middle = &samples[9_600..86_400];
    assert!((amplitude(middle, 440.0) - 4_500.0).abs() < 450.0);
    assert!((amplitude(middle, 1_000.0) - 3_000.0).abs() < 300.0);
}

#[test]
fn other_files_are_refused_with_what_they_are() {
    let ogg = |packet: &[u8]| ogg_file(&[packet.to_vec(), vec![1], vec![1]], 1);
    let data = chunk(b"data", &tone(1));
    let wave = |format: &[u16], rate| wave(format, rate, std::slice::from_ref(&data));
    let no_tags = ogg_file(&[opus_head(1, 0, 0), vec![0], vec![0]], 1);
    for (file, expected) in [
        (Vec::new(), "it is empty"),
        (b"ID3\x04 and more".to_vec(), "it is MP3"),
        (b"fLaC and more".to_vec(), "it is FLAC"),
        (b"\0\0\0\x20ftypM4A and more".to_vec(), "it is MP4"),
        (b"#!/bin/sh\necho no".to_vec(), "it is neither Ogg nor WAV"),
        (ogg(b"\x01vorbis and more"), "it is Ogg with Vorbis"),
        (ogg(b"theora"), "it is Ogg without Opus"),
        (ogg(&opus_head(6, 0, 0)), "it is Opus with 6 channels"),
        (ogg(b"OpusHead\x01"), "it is damaged: its OpusHead is cut off"),
        (no_tags, "it is damaged: its second packet is not OpusTags"),
        (wave(&[1, 1, 24], 48_000), "it is WAV with 24 bits"),
        (wave(&[3, 1, 32], 48_000), "it is WAV with samples of kind 3"),
        (wave(&[1, 6, 16], 48_000), "it is WAV with 6 channels"),
        (wave(&[1, 1, 16], 44_101), "it has 44101 samples a second"),
        (b"RIFF\0\0\0\0WAVE".to_vec(), "it is damaged: it ends before its samples"),
    ] {
        let error = played(&file).expect_err(expected).to_string();
        assert!(error.starts_with(expected), "{expected}: {error}");
        let has_remedy = error.contains("ffmpeg") || error.contains("damaged");
        assert!(has_remedy, "{error}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = TestFolder::new();
    let path = folder.path().join("nothing.wav");
    let error = SoundFile::open(&path).err().expect("an error").to_string();
    let expected =
        format!("{} cannot be played: No such file or directory (os error 2)", path.display());
    assert_eq!(error, expected);
    fs::write(&path, "text").expect("a file");
    let error = FilePlayer::start(&path).err().expect("an error").to_string();
    assert!(error.contains("neither Ogg nor WAV"), "{error}");
}

/// A short file, of which each byte matters.
fn short_files() -> Vec<Vec<u8>> {
    let samples = sine(440.0, 9_000.0, 960);
    let mut encoder =
        Encoder::builder(48_000, Channels::Mono, Application::Voip).build().expect("an encoder");
    let mut packet = [0; 1_275];
    let length = encoder.encode(&samples, &mut packet).expect("a packet");
    let opus = ogg_file(&[opus_head(1, 312, 0), opus_tags(), packet[..length].to_vec()], 960);
    vec![wave(&[1, 2, 16], 24_000, &[chunk(b"data", &bytes(&samples))]), opus]
}

#[test]
fn a_file_that_is_cut_off_anywhere_gives_sound_or_an_error() {
    for file in short_files() {
        for length in 0..file.len() {
            // Both are right; a panic or an endless loop is not.
            let _ = played(&file[..length]);
        }
        assert!(played(&file).is_ok());
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(rest: Vec<u8>, head in 0_usize..4) {
        let head: &[u8] = [&b""[..], b"OggS", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0"][head];
        let _ = played(&[head, &rest].concat());
    }

    #[test]
    fn damaged_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        for mut file in short_files() {
            for (at, value) in &changes {
                let at = at.index(file.len());
                file[at] = *value;
            }
            let _ = played(&file);
        }
    }

    #[test]
    fn random_packets_never_panic(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..6),
        channels in 1_u8..=2,
        pre_skip: u16,
        gain: i16,
        end: u64,
    ) {
        let all = [vec![opus_head(channels, pre_skip, gain), opus_tags()], packets].concat();
        let _ = played(&ogg_file(&all, end));
    }
}

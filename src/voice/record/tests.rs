//! Recordings, judged by the tools of Opus and by what is in them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{CallRecorder, RecordError, RecordSummary};
use crate::device::SampleBlock;
use crate::testing::{TestFolder, amplitude, opusdec, sine, start, wait_until};

const BLOCK: usize = 480;

/// Tones of this side and of the peer, block by block.
fn two_tones(blocks: usize) -> Vec<(SampleBlock, SampleBlock)> {
    let (me, peer) = (sine(440.0, 9_000.0, blocks * BLOCK), sine(1_000.0, 5_000.0, blocks * BLOCK));
    let block = |samples: &[i16]| samples.try_into().expect("a block");
    me.chunks(BLOCK).zip(peer.chunks(BLOCK)).map(|(me, peer)| (block(me), block(peer))).collect()
}

/// Where in the recording each page ends, in samples.
fn pages(path: &Path) -> Vec<u64> {
    let bytes = fs::read(path).expect("the file");
    let starts = bytes.windows(4).enumerate().filter(|(_, it)| it == b"OggS");
    let position = |(at, _): (usize, &[u8])| {
        bytes.get(at + 6..at + 14).map(|it| u64::from_le_bytes(it.try_into().expect("8 bytes")))
    };
    starts.filter_map(position).collect()
}

/// The left and right channel, by opusdec.
fn decoded(path: &Path) -> Option<(Vec<i16>, Vec<i16>)> {
    let samples = opusdec(path)?;
    let channel = |first| samples.iter().skip(first).step_by(2).copied().collect();
    Some((channel(0), channel(1)))
}

#[test]
fn this_side_is_left_and_the_peer_is_right() {
    let folder = TestFolder::new();
    let path = folder.path().join("call.opus");
    let mut recorder = CallRecorder::start(&path).expect("a recording");
    let mode = fs::metadata(&path).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only the owner reads it");
    // An odd number of blocks ends within a packet.
    for (me, peer) in two_tones(325) {
        recorder.record(&me, &peer);
    }
    assert!(recorder.failure().is_none());
    let duration = Duration::from_millis(3_250);
    let summary = recorder.finish().expect("not failed").expect("written");
    assert_eq!(summary, RecordSummary { duration, missing: Duration::ZERO });

    let Some((left, right)) = decoded(&path) else { return };
    assert_eq!((left.len(), right.len()), (156_000, 156_000), "as long as what was recorded");
    for (channel, own, loudness, other) in
        [(&left, 440.0, 9_000.0, 1_000.0), (&right, 1_000.0, 5_000.0, 440.0)]
    {
        for from in [9_600, 72_000, 150_000] {
            let piece = &channel[from..from + 4_800];
            let measured = amplitude(piece, own);
            assert!((measured - loudness).abs() < 0.1 * loudness, "{own} Hz: {measured}");
            let measured = amplitude(piece, other);
            // The codec saves bits where both channels are alike, so a little leaks.
            assert!(measured < 0.1 * loudness, "{other} Hz beside {own} Hz: {measured}");
        }
    }
}

#[test]
fn opusinfo_finds_no_fault() {
    let folder = TestFolder::new();
    for blocks in [0, 1, 100, 325] {
        let path = folder.path().join(format!("{blocks}.opus"));
        let mut recorder = CallRecorder::start(&path).expect("a recording");
        for (me, peer) in two_tones(blocks) {
            recorder.record(&me, &peer);
        }
        recorder.finish().expect("not failed").expect("written");
        let mut program = Command::new("opusinfo");
        let Some(child) = start(program.arg(&path).stdout(Stdio::piped()).stderr(Stdio::piped()))
        else {
            return;
        };
        let output = child.wait_with_output().expect("it ends");
        let text =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{blocks} blocks: {text}");
        assert!(!text.to_lowercase().contains("warning"), "{blocks} blocks: {text}");
        assert!(text.contains("Channels: 2"), "{blocks} blocks: {text}");
    }
}

#[test]
fn each_second_is_written_before_the_recording_ends() {
    let folder = TestFolder::new();
    let path = folder.path().join("call.opus");
    let mut recorder = CallRecorder::start(&path).expect("a recording");
    for (me, peer) in two_tones(310) {
        recorder.record(&me, &peer);
    }
    // As a crash would leave it.
    wait_until("three seconds are written", || pages(&path).len() == 5);
    assert_eq!(pages(&path), [0, 0, 48_000, 96_000, 144_000]);
    recorder.finish().expect("not failed").expect("written");
    assert_eq!(pages(&path).len(), 6);
}

#[test]
fn a_file_that_is_there_is_not_replaced() {
    let folder = TestFolder::new();
    let path = folder.path().join("call.opus");
    fs::write(&path, "precious").expect("a file");
    let error = CallRecorder::start(&path).err().expect("an error");
    assert!(matches!(error, RecordError::Exists { .. }));
    assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
    assert_eq!(fs::read(&path).expect("the file"), b"precious");
    // A file takes the place of the folder.
    let nowhere = path.join("folder.opus");
    let error = CallRecorder::start(&nowhere).err().expect("an error");
    assert!(matches!(error, RecordError::Create { .. }), "{error}");
}

#[test]
fn a_full_disk_is_reported_once_and_the_call_goes_on() {
    // What is written to this file is refused as it is by a full disk.
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("the device");
    let mut recorder = CallRecorder::into_file(full, "/dev/full".into()).expect("a thread");
    let mut failure = None;
    wait_until("the failure is reported", || {
        failure = recorder.failure();
        failure.is_some()
    });
    let text = failure.expect("it is reported").to_string();
    assert!(text.contains("/dev/full") && text.contains("No space left on device"), "{text}");
    for (me, peer) in two_tones(10) {
        recorder.record(&me, &peer);
    }
    assert!(recorder.failure().is_none(), "once");
    assert!(recorder.finish().is_none());
}

#[test]
fn what_the_disk_was_too_slow_for_is_silence() {
    let folder = TestFolder::new();
    let path = folder.path().join("call.opus");
    let mut recorder = CallRecorder::start(&path).expect("a recording");
    let tones = two_tones(200);
    for (at, (me, peer)) in tones.iter().enumerate() {
        if at == 100 {
            // As if half a second had not fitted in the queue.
            recorder.missing = 50;
        }
        recorder.record(me, peer);
    }
    let summary = recorder.finish().expect("not failed").expect("written");
    let (duration, missing) = (Duration::from_millis(2_500), Duration::from_millis(500));
    assert_eq!(summary, RecordSummary { duration, missing });
    let Some((left, _)) = decoded(&path) else { return };
    assert!(amplitude(&left[38_400..43_200], 440.0) > 8_000.0);
    assert!(amplitude(&left[52_800..57_600], 440.0) < 100.0, "silence from 1.0 to 1.5 s");
    assert!(amplitude(&left[81_600..86_400], 440.0) > 8_000.0);
}

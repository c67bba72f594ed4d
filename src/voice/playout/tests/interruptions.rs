//! Pauses, outages, detours, and packets that do not belong to the stream.

use super::*;

/// The stream with a pause from the packet at 10 s on. Sending goes on `pause` later, and the
/// timestamps have advanced by `advance`.
fn paused(pause: Samples, advance: Samples) -> Vec<Arrival> {
    let mut packets = stream(&SHORT);
    for (arrival, packet) in &mut packets[500..] {
        *arrival += pause;
        packet.timestamp = packet.timestamp.wrapping_add(advance as u32);
    }
    packets
}

#[test]
fn a_peer_that_is_muted_comes_back() {
    for (name, seconds, advances, resets, settling) in [
        ("2 s, times advance", 2, true, 0, 0),
        ("2 s, times stand still", 2, false, 0, 20),
        ("10 s, times advance", 10, true, 1, 0),
        ("10 s, times stand still", 10, false, 1, 0),
    ] {
        let pause = milliseconds(1_000) * seconds as Samples;
        let heard = play(paused(pause, if advances { pause } else { 0 }), 20 + seconds);
        let stats = heard.stats;
        assert_eq!((stats.resets, stats.lost, stats.late), (resets, 0, 0), "{name}: {stats:?}");
        assert!(stats.concealed <= 65, "{name}: {stats:?}");
        assert_eq!(heard.notes(5, 99, 0), 100, "{name}");
        let silence = &heard.sound[11 * 48_000..(10 + seconds) * 48_000];
        assert!(silence.iter().all(|&sample| sample == 0), "{name}");
        let notes = heard.notes(101 + settling, 190, pause);
        assert!(notes == 100, "{name}: {notes} %");
        assert!(stats.lag <= Duration::from_millis(36), "{name}: {stats:?}");
    }
}

/// A peer that sends only now and then while it is silent: one packet every 400 ms.
#[test]
fn pauses_without_loss_do_not_shift_the_sound() {
    let packets = stream(&SHORT)
        .into_iter()
        .enumerate()
        .filter(|(index, _)| !(500..1_000).contains(index) || index % 20 == 0)
        .enumerate()
        .map(|(sent, (_, (arrival, packet)))| {
            (arrival, AudioPacket { sequence: sent as u16, ..packet })
        })
        .collect();
    let heard = play(packets, SECONDS);
    let stats = heard.stats;
    assert_eq!((stats.lost, stats.late, stats.resets, stats.fec), (0, 0, 0, 0), "{stats:?}");
    assert_eq!(heard.notes(201, 290, 0), 100);
    assert!(stats.lag <= Duration::from_millis(25), "{stats:?}");
}

/// Packets without sound, in bursts as libwebrtc sends them, also while it is silent.
#[test]
fn padding_is_neither_sound_nor_loss() {
    let mut sequence = 65_530_u16;
    let mut packets = Vec::new();
    let padding = |sequence, (arrival, packet): &Arrival| {
        let (arrival, payload) = (arrival + 48, Vec::new());
        (arrival, AudioPacket { sequence, timestamp: packet.timestamp, payload })
    };
    for (index, (arrival, packet)) in stream(&SHORT).into_iter().enumerate() {
        let is_silent = (500..1_000).contains(&index) && index % 20 != 0;
        let with_sound = (arrival, AudioPacket { sequence, ..packet });
        if !is_silent {
            packets.push(with_sound.clone());
            sequence = sequence.wrapping_add(1);
        }
        if index % 25 == 0 {
            for _ in 0..5 {
                packets.push(padding(sequence, &with_sound));
                sequence = sequence.wrapping_add(1);
            }
        }
    }
    let mut early = packets.clone();
    early.insert(0, padding(65_529, &early[0].clone()));
    for packets in [packets, early] {
        let heard = play(packets, SECONDS);
        let stats = heard.stats;
        let counts = (stats.lost, stats.late, stats.refused, stats.resets, stats.fec);
        assert_eq!(counts, (0, 0, 0, 0, 0), "{stats:?}");
        assert_eq!((heard.notes(5, 99, 0), heard.notes(201, 290, 0)), (100, 100));
        assert!(stats.lag <= Duration::from_millis(25), "{stats:?}");
    }
}

#[test]
fn sound_held_up_on_the_way_is_not_played_long_after() {
    // The line holds everything for 2.5 s, then delivers it at once.
    let held = stream(&SHORT)
        .into_iter()
        .map(|(arrival, packet)| match arrival / 48 {
            10_000..12_500 => (milliseconds(12_500), packet),
            _ => (arrival, packet),
        })
        .collect();
    let heard = play(held, SECONDS);
    let stats = heard.stats;
    assert_eq!((stats.lost, stats.resets), (0, 0), "{stats:?}");
    assert!(stats.late >= 70, "{stats:?}");
    // The target remembers the late packets for 8 s; then the lag shrinks within a second.
    assert_eq!((heard.notes(130, 200, 0), heard.notes(217, 290, 0)), (100, 100));
    let lag = heard.lags[14 * 100] / 48;
    assert!(lag <= 420, "{lag} ms");
    assert!(stats.lag <= Duration::from_millis(40), "{stats:?}");
}

#[test]
fn a_route_that_is_slower_from_now_on_is_followed() {
    let slower = stream(&SHORT)
        .into_iter()
        .map(|(arrival, packet)| {
            (
                if arrival < milliseconds(10_000) { arrival } else { arrival + milliseconds(900) },
                packet,
            )
        })
        .collect();
    let heard = play(slower, SECONDS);
    assert_eq!(heard.notes(120, 280, milliseconds(900)), 100);
    assert_eq!(heard.stats.late, 0);
    assert!(heard.stats.lag <= Duration::from_millis(40), "{:?}", heard.stats);
}

#[test]
fn an_outage_ends_with_the_first_packet() {
    // One packet before and one after the outage are lost as well.
    let outage = stream(&SHORT).into_iter().filter(|(arrival, _)| {
        let time = arrival / 48;
        !(10_000..18_000).contains(&time) && time != 5_000 && time != 25_000
    });
    let heard = play(outage.collect(), SECONDS);
    assert_eq!(heard.notes(182, 290, 0), 100);
    let stats = heard.stats;
    assert_eq!((stats.resets, stats.late, stats.lost), (1, 0, 2), "{stats:?}");
}

#[test]
fn packets_with_wild_numbers_change_nothing() {
    let reference = play(stream(&SHORT), SECONDS);
    let mut dice = Dice::new(9);
    let mut packets = stream(&SHORT);
    for index in 0..400 {
        let (arrival, packet) = packets[index * 3 + 50].clone();
        let far = dice.between(4 * 48_000, 0x7fff_ffff) as u32;
        let wild = match index % 3 {
            0 => AudioPacket { timestamp: packet.timestamp.wrapping_add(far), ..packet },
            1 => AudioPacket { timestamp: packet.timestamp.wrapping_sub(far), ..packet },
            _ => AudioPacket { sequence: packet.sequence.wrapping_add(9_999), ..packet },
        };
        packets.push((arrival + 100, wild));
    }
    let heard = play(packets, SECONDS);
    assert!(heard.sound == reference.sound);
    assert_eq!(heard.stats, PlayoutStats { refused: 400, ..reference.stats });
}

#[test]
fn a_stream_with_new_numbers_takes_over() {
    let mut packets = stream(&SHORT);
    for (_, packet) in &mut packets[500..] {
        packet.sequence = packet.sequence.wrapping_add(20_000);
        packet.timestamp = packet.timestamp.wrapping_add(0x5555_5555);
    }
    let heard = play(packets, SECONDS);
    assert_eq!(heard.notes(102, 290, 0), 100);
    assert_eq!((heard.stats.resets, heard.stats.refused, heard.stats.lost), (1, 1, 0));
}

#[test]
fn a_buffer_that_is_not_emptied_keeps_the_newest_packets() {
    let mut playout = Playout::new().expect("a decoder");
    let start = Instant::now();
    let at = |samples: Samples| start + duration(samples);
    for (arrival, packet) in stream(&SHORT).into_iter().take(500) {
        playout.push(packet, at(arrival));
    }
    assert_eq!(playout.stats().stale, 400);
    let now = milliseconds(10_000);
    playout.pull(at(now));
    assert!(playout.stats().stale > 490);
    assert_eq!(playout.stats().late, 0);
    assert!(playout.stats().lag <= Duration::from_millis(60), "{:?}", playout.stats());
}

#[test]
fn without_packets_there_is_silence() {
    let mut playout = Playout::new().expect("a decoder");
    let now = Instant::now();
    assert_eq!(playout.pull(now), [0; BLOCK]);
    for payload in [vec![], vec![0x0b, 0x00]] {
        playout.push(AudioPacket { sequence: 1, timestamp: 2, payload }, now);
    }
    assert_eq!(playout.pull(now), [0; BLOCK]);
    assert_eq!(playout.stats(), PlayoutStats { padding: 1, refused: 1, ..PlayoutStats::default() });
}

#[test]
fn nothing_is_decoded_before_it_is_needed() {
    let mut playout = Playout::new().expect("a decoder");
    let start = Instant::now();
    let (_, packet) = stream(&SHORT).swap_remove(0);
    playout.push(packet, start);
    // The first packet is played from 20 ms to 40 ms.
    for block in 0..4 {
        playout.pull(start + Duration::from_millis(10 * block));
        assert_eq!(playout.stats().held, 0, "block {block}");
    }
    playout.pull(start + Duration::from_millis(40));
    assert!(playout.stats().held > 0);
    assert_eq!(playout.stats().concealed, 0);
}

/// Bursts of a tone, of which a decoder that has concealed 10 ms leaves out 40 to 60 ms.
#[test]
fn a_single_packet_that_is_late_interrupts_no_tone() {
    let period = [sine(1_000.0, AMPLITUDE, 28_800), vec![0; 19_200]].concat();
    let gaps = |heard: &Heard| {
        let levels: Vec<_> = heard.sound.chunks(BLOCK).map(|it| amplitude(it, 1_000.0)).collect();
        levels.windows(2).filter(|it| it[0] > AMPLITUDE / 2.0 && it[1] <= AMPLITUDE / 2.0).count()
    };
    // Where the bursts begin within the packets.
    for shift in (0..6).map(|block| 100 + block * BLOCK) {
        let payloads = encode_long(&period.repeat(5)[shift..], 0);
        let in_time = gaps(&play(stream(&payloads), 5));
        for late in 17..50 {
            let mut packets = stream(&payloads);
            packets[late].0 += milliseconds(40);
            let heard = play(packets, 5);
            assert_eq!(gaps(&heard), in_time, "{shift}, {late}: {:?}", heard.stats);
        }
    }
}

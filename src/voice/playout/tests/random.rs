//! Any order of pushing and pulling.

use proptest::prelude::*;

use super::*;
use crate::playout::stream::CAPACITY;

/// What may happen to the buffer.
#[derive(Debug, Clone)]
enum BufferStep {
    Push { ahead: i16, later: i32, payload: usize, backwards: u64 },
    Pull { after: u64 },
}

fn any_step() -> impl Strategy<Value = BufferStep> {
    let ahead = prop_oneof![6 => Just(1), 2 => -5..20_i16, 1 => any::<i16>()];
    let later = prop_oneof![
        6 => Just(960),
        2 => -5_000..30_000_i32,
        1 => (-48..48).prop_map(|n| n * 3_000),
        1 => any::<i32>(),
    ];
    let push =
        (ahead, later, any::<usize>(), 0..50_u64).prop_map(|(ahead, later, payload, backwards)| {
            BufferStep::Push { ahead, later, payload, backwards }
        });
    let after = prop_oneof![8 => 0..30_u64, 1 => 0..10_000_u64];
    prop_oneof![3 => push, 4 => after.prop_map(|after| BufferStep::Pull { after })]
}

/// Packets of all lengths, some damaged.
static ODD: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut odd = [&SHORT[..20], &LONG[..20]].concat();
    for index in 0..20 {
        let mut damaged = odd[index * 2].clone();
        damaged[index % 5] ^= 0x55;
        odd.push(damaged);
    }
    // A frame of 2.5 ms, 48 of them, and one without sound.
    odd.extend([vec![0xe0, 1, 2, 3], [vec![0xe3, 48], vec![7; 96]].concat(), vec![0x08], vec![]]);
    odd
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_order_of_packets_breaks_the_buffer(steps in proptest::collection::vec(any_step(), 1..300)) {
        let mut playout = Playout::new().expect("a decoder");
        let mut now = Instant::now() + Duration::from_secs(100);
        let (mut sequence, mut timestamp) = (65_000_u16, u32::MAX - 9_000);
        let mut pushed = 0;
        for step in steps {
            match step {
                BufferStep::Push { ahead, later, payload, backwards } => {
                    sequence = sequence.wrapping_add(ahead as u16);
                    timestamp = timestamp.wrapping_add(later as u32);
                    let payload = ODD[payload % ODD.len()].clone();
                    let arrival = now.checked_sub(Duration::from_millis(backwards)).expect("a time");
                    playout.push(AudioPacket { sequence, timestamp, payload }, arrival);
                    pushed += 1;
                }
                BufferStep::Pull { after } => {
                    now += Duration::from_millis(after);
                    playout.pull(now);
                }
            }
            if let Some(stream) = &playout.stream {
                prop_assert!(stream.queue.len() <= CAPACITY);
            }
            prop_assert!(playout.ready() <= codec::MAX_PACKET_SAMPLES * 2);
            let stats = playout.stats();
            let counted = stats.received + stats.doubled + stats.refused + stats.padding;
            prop_assert_eq!(counted, pushed);
            prop_assert!(stats.late <= stats.received);
            prop_assert!(stats.target <= Duration::from_millis(400));
        }
    }
}

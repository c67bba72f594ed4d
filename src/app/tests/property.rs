//! `update` as a property over any sequence of messages.

use std::collections::HashSet;

use proptest::prelude::*;
use strum::IntoEnumIterator;

use super::*;
use crate::calls::{Provenance, Reference};

fn any_stage() -> impl Strategy<Value = Stage> {
    let relays = Relays { peer_to_peer: false, reflectors: 1, webrtc: 0 };
    prop_oneof![
        Just(Stage::Requested),
        Just(Stage::Waiting { received: None }),
        Just(Stage::Waiting { received: Some(at(1.0)) }),
        Just(Stage::Accepted),
        Just(Stage::Established { since: at(2.0), relays }),
    ]
}

fn any_reason() -> impl Strategy<Value = Option<EndReason>> {
    proptest::option::of(proptest::sample::select(EndReason::all().collect::<Vec<_>>()))
}

fn any_failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        Just(refused(400, "CALL_ALREADY_ACCEPTED")),
        Just(refused(400, "CALL_ALREADY_DECLINED")),
        Just(refused(500, "CALL_OCCUPY_FAILED")),
        Just(Failure::Refused { code: 420, name: "FLOOD_WAIT".to_owned(), value: Some(3) }),
        Just(Failure::NoAnswer { after: Duration::from_secs(15) }),
        Just(Failure::Offline),
    ]
}

fn any_msg() -> impl Strategy<Value = Msg> {
    let id = || 1i64..4;
    let event = prop_oneof![
        4 => (id(), any::<bool>(), any_stage())
            .prop_map(|(id, incoming, stage)| AccountEvent::Call(live(id, incoming, stage))),
        2 => (id(), any_reason()).prop_map(|(id, reason)| discarded(id, reason)),
        1 => id().prop_map(|id| AccountEvent::Call(CallEvent::Gone { id })),
        1 => (id(), any_reason()).prop_map(|(id, reason)| AccountEvent::Call(logged(id, reason))),
        2 => (id(), 1u32..3).prop_map(|(id, attempt)| done(id, attempt, Ok(RequestAnswer::End))),
        2 => (id(), 1u32..3, any_failure())
            .prop_map(|(id, attempt, failure)| done(id, attempt, Err(failure))),
        1 => any::<bool>().prop_map(|known| AccountEvent::Reconciled {
            lost_since: None,
            asked: vec![1, 2, 3],
            ended: known.then(Vec::new),
        }),
        1 => Just(AccountEvent::ConnectionState(ConnectionState::Online)),
        1 => Just(AccountEvent::ConnectionState(ConnectionState::Connecting)),
        1 => (0..20)
            .prop_map(|it| AccountEvent::LoggedOut(if it == 0 { Ok(()) } else { Err(String::new()) })),
        1 => Just(AccountEvent::Renamed(Ok("home".to_owned()))),
    ];
    let action = proptest::sample::select(Action::iter().collect::<Vec<_>>());
    prop_oneof![
        6 => event.prop_map(|event| Msg::Account(ACCOUNT, event)),
        5 => action.prop_map(Msg::Action),
        1 => proptest::char::range('a', 'z')
            .prop_map(|char| Msg::Edit(tui_input::InputRequest::InsertChar(char))),
        1 => id().prop_map(|id| Msg::Notify(NotifyEvent::Decline(key(id)))),
        1 => Just(Msg::Tick),
        1 => (0u16..50).prop_map(|last| Msg::HelpShown { last }),
        2 => proptest::sample::subsequence(vec![1, 2, 3], 0..=3)
            .prop_map(|ids| Msg::RowsShown(ids.into_iter().map(key).collect())),
    ]
}

/// The calls that this message may act on: those that a hang-up key does, or the one of a button if it
/// rings.
fn targets(state: &State, msg: &Msg) -> HashSet<CallKey> {
    match msg {
        Msg::Notify(NotifyEvent::Decline(key)) if state.rings(*key) => {
            return HashSet::from([*key]);
        }
        Msg::Action(_) => {}
        _ => return HashSet::new(),
    }
    match &state.dialog {
        Some(Dialog::Picker(picker)) => picker.calls.iter().copied().collect(),
        None => state.targets().into_iter().collect(),
        Some(_) => HashSet::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_the_rules_hold(steps in proptest::collection::vec((any_msg(), 0u32..4000), 1..80)) {
        let mut state = board();
        let mut on_the_way = HashSet::new();
        let mut ended = HashSet::new();
        let mut now = 0.0;
        for (msg, wait) in steps {
            now += f64::from(wait) / 1000.0;
            let key_pressed = matches!(msg, Msg::Action(_));
            let could_be_targets = targets(&state, &msg);
            let asks = key_pressed && state.dialog.is_none() && state.has_unseen_marks();
            if let Msg::Account(_, AccountEvent::RequestDone { key, attempt, .. }) = &msg {
                let current = state.calls.get(*key).map(|call| call.request.next_attempt() - 1);
                if current.is_none_or(|current| current == *attempt) {
                    on_the_way.remove(key);
                }
            }
            for effect in update(&mut state, msg.clone(), at(now)) {
                let Effect::Account(_, AccountCommand::Request(order)) = effect else { continue };
                prop_assert!(!asks, "marked calls that are not on the screen are named first");
                let key = order.key;
                prop_assert!(could_be_targets.contains(&key), "{key:?} was no target: {msg:?}");
                let id = order.key.id;
                let own = Reference::Call(Handle { id, access_hash: 1000 + id });
                prop_assert_eq!(order.reference, own);
                prop_assert!(on_the_way.insert(order.key), "two on the way for {:?}", order.key);
            }
            // A call that was only taken for over may turn out to have been answered, and one that
            // is known from a message without an end may ring.
            let over = state.calls.recent().filter(|ended| {
                let announced =
                    ended.provenance == Provenance::ChatOnly && ended.ending == Ending::OVER;
                ended.ending != Ending::RangOut && !announced
            });
            ended.extend(over.map(|ended| ended.key));
            for call in state.calls.live() {
                prop_assert!(!ended.contains(&call.key), "{:?} has come back", call.key);
            }
            on_the_way.retain(|key| state.calls.get(*key).is_some());
            let rows = state.calls.rows();
            prop_assert_eq!(rows.iter().collect::<HashSet<_>>().len(), rows.len());
            prop_assert!(rows.iter().all(|key| state.calls.get(*key).is_some()));
            if let Some(selected) = state.selection() {
                prop_assert!(rows.contains(&selected));
            }
            if let Some(Dialog::Picker(picker)) = &state.dialog {
                prop_assert!(!picker.calls.is_empty());
                prop_assert!(picker.calls.iter().all(|key| state.calls.get(*key).is_some()));
                prop_assert!(picker.choices().contains(&picker.cursor));
            }
            let mut ticked = state.clone();
            update(&mut ticked, Msg::Tick, at(now));
            prop_assert!(ticked.next_wake(at(now)) > at(now), "a tick that asks for itself");
        }
    }
}

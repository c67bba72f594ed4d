//! Calls as events, without a server.

use std::time::Duration;

use jiff::Timestamp;
use onhook::calls::event::{CallEvent, LiveCall, Protocol, Stage};
use onhook::calls::reason::{EndReason, Ending, Recorded};
use onhook::calls::{AccountId, CallKey, Direction, EndedCall, Handle, Party, Provenance};

/// The user id of the account.
pub const ME: i64 = 1;

/// A moment, in seconds after a fixed one.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("in range")
}

/// A live call of the account with a peer.
pub fn live(id: i64, peer: Party, incoming: bool, date: Timestamp, stage: Stage) -> LiveCall {
    let (caller, callee) = if incoming { (peer.user_id, ME) } else { (ME, peer.user_id) };
    LiveCall {
        handle: Handle { id, access_hash: 1000 + id },
        caller,
        callee,
        peer,
        date,
        video: false,
        stage,
        protocol: Protocol::default(),
        exchange: None,
    }
}

/// The event of a live call.
pub fn event(call: LiveCall) -> CallEvent {
    CallEvent::Live(Box::new(call))
}

/// An incoming call that nobody answered. The one with this number was placed in the minute of its number.
pub fn unanswered(number: i64, peer: Party, reason: EndReason) -> EndedCall {
    EndedCall {
        key: CallKey::private(AccountId(0), number),
        peer,
        direction: Direction::Incoming,
        video: false,
        placed: at(number * 60),
        ring_timeout: Duration::from_secs(90),
        answered: None,
        at: at(number * 60 + 9),
        was_answered: false,
        sent: None,
        maybe_sent: None,
        ending: Ending::Recorded { reason: Recorded::Reason(reason), duration: None },
        rule: None,
        route: None,
        failure: None,
        reply: None,
        provenance: Provenance::Live,
    }
}

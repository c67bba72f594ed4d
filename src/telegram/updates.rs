//! Turns Telegram's updates into call events. Updates about other things are ignored.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use grammers_client::tl::{self, Deserializable};
use grammers_session::updates::UpdatesLike;
use jiff::Timestamp;

use super::peers::PartyCache;
use crate::calls::account::AccountEvent;
use crate::calls::event::{
    CallEvent, Invitation, InvitationState, KeyExchange, LiveCall, LoggedCall, Protocol, RelayKind,
    RelayServer, Relays, Stage,
};
use crate::calls::reason::{EndReason, Recorded};
use crate::calls::{Direction, Handle, Party};
use crate::text;

/// The updates and users of a raw container; none for containers of other kinds.
pub(super) fn unpack(container: &UpdatesLike) -> (&[tl::enums::Update], &[tl::enums::User]) {
    match container {
        UpdatesLike::Updates(tl::enums::Updates::Updates(updates)) => {
            (&updates.updates, &updates.users)
        }
        UpdatesLike::Updates(tl::enums::Updates::Combined(updates)) => {
            (&updates.updates, &updates.users)
        }
        UpdatesLike::Updates(tl::enums::Updates::UpdateShort(short)) => {
            (std::slice::from_ref(&short.update), &[])
        }
        _ => (&[], &[]),
    }
}

/// The call events in the bytes of an `Updates`, as the user `self_id` receives it; none if the bytes
/// cannot be read.
pub fn read_updates(bytes: &[u8], self_id: i64) -> Vec<CallEvent> {
    let Ok(updates) = tl::enums::Updates::from_bytes(bytes) else { return Vec::new() };
    let container = UpdatesLike::Updates(updates);
    let (list, users) = unpack(&container);
    let names = PartyCache::default();
    names.insert_users(parties_among(users, list));
    list.iter().filter_map(|update| event(update, self_id, &names)).collect()
}

/// The call event of an update, if the update is about a call.
pub(super) fn event(
    update: &tl::enums::Update,
    self_id: i64,
    names: &PartyCache,
) -> Option<CallEvent> {
    match update {
        tl::enums::Update::PhoneCall(update) => {
            Some(phone_call(&update.phone_call, self_id, names))
        }
        tl::enums::Update::NewMessage(update) => message_event(&update.message, names),
        tl::enums::Update::EditMessage(update) => message_event(&update.message, names),
        _ => None,
    }
}

/// The event of an update that is about no call.
pub(super) fn other_event(update: &tl::enums::Update) -> Option<AccountEvent> {
    match update {
        tl::enums::Update::DeleteMessages(update) => {
            Some(AccountEvent::MessagesDeleted(update.messages.clone()))
        }
        update => service_notification(update).map(AccountEvent::ServiceNotification),
    }
}

/// Those users of a container that are parties of the calls in it.
pub(super) fn parties_among<'a>(
    users: &'a [tl::enums::User],
    updates: &[tl::enums::Update],
) -> Vec<&'a tl::enums::User> {
    if users.is_empty() {
        return Vec::new();
    }
    with_ids(users, &updates.iter().flat_map(parties).collect())
}

/// Those users of an answer that are parties of the calls in its messages.
pub(super) fn parties_among_messages<'a>(
    users: &'a [tl::enums::User],
    messages: &[tl::enums::Message],
) -> Vec<&'a tl::enums::User> {
    with_ids(users, &messages.iter().flat_map(message_parties).collect())
}

fn with_ids<'a>(users: &'a [tl::enums::User], ids: &HashSet<i64>) -> Vec<&'a tl::enums::User> {
    users.iter().filter(|user| ids.contains(&user.id())).collect()
}

/// The user ids of the parties of a call that an update about the call names.
pub(super) fn parties(update: &tl::enums::Update) -> Vec<i64> {
    use tl::enums::PhoneCall;
    let call = match update {
        tl::enums::Update::NewMessage(update) => return message_parties(&update.message),
        tl::enums::Update::EditMessage(update) => return message_parties(&update.message),
        tl::enums::Update::PhoneCall(update) => &update.phone_call,
        _ => return Vec::new(),
    };
    match call {
        PhoneCall::Requested(call) => vec![call.admin_id, call.participant_id],
        PhoneCall::Waiting(call) => vec![call.admin_id, call.participant_id],
        PhoneCall::Accepted(call) => vec![call.admin_id, call.participant_id],
        PhoneCall::Call(call) => vec![call.admin_id, call.participant_id],
        PhoneCall::Empty(_) | PhoneCall::Discarded(_) => Vec::new(),
    }
}

/// The user ids of the parties of a call that its service message names.
fn message_parties(message: &tl::enums::Message) -> Vec<i64> {
    let tl::enums::Message::Service(message) = message else { return Vec::new() };
    let others = match &message.action {
        tl::enums::MessageAction::PhoneCall(_) => Vec::new(),
        tl::enums::MessageAction::ConferenceCall(action) => other_users(action),
        _ => return Vec::new(),
    };
    peer_of(message).into_iter().chain(others).collect()
}

/// The id of the call of an update, if the call has not ended.
pub(super) fn live_call(update: &tl::enums::Update) -> Option<i64> {
    use tl::enums::PhoneCall;
    let tl::enums::Update::PhoneCall(update) = update else { return None };
    match &update.phone_call {
        PhoneCall::Requested(call) => Some(call.id),
        PhoneCall::Waiting(call) => Some(call.id),
        PhoneCall::Accepted(call) => Some(call.id),
        PhoneCall::Call(call) => Some(call.id),
        PhoneCall::Empty(_) | PhoneCall::Discarded(_) => None,
    }
}

/// The text of an `updateServiceNotification` with the flag `popup`.
fn service_notification(update: &tl::enums::Update) -> Option<String> {
    match update {
        tl::enums::Update::ServiceNotification(update) if update.popup => {
            Some(text::clean(&update.message))
        }
        _ => None,
    }
}

/// The event of a message, if it is the service message of a call or an invitation to one.
pub(super) fn message_event(message: &tl::enums::Message, names: &PartyCache) -> Option<CallEvent> {
    let tl::enums::Message::Service(message) = message else { return None };
    let peer = names.get(peer_of(message)?);
    let direction = if message.out { Direction::Outgoing } else { Direction::Incoming };
    let date = time(message.date);
    match &message.action {
        tl::enums::MessageAction::PhoneCall(action) => {
            Some(CallEvent::Logged(Box::new(LoggedCall {
                id: action.call_id,
                peer,
                direction,
                video: action.video,
                date,
                reason: action.reason.as_ref().map(recorded),
                duration: seconds(action.duration),
            })))
        }
        tl::enums::MessageAction::ConferenceCall(action) => {
            Some(CallEvent::Invited(Box::new(Invitation {
                conference: action.call_id,
                message: message.id,
                peer,
                direction,
                video: action.video,
                date,
                state: invitation_state(action),
                others: others(action, names),
            })))
        }
        _ => None,
    }
}

/// Official clients take a duration of 0 for none.
fn invitation_state(action: &tl::types::MessageActionConferenceCall) -> InvitationState {
    match seconds(action.duration).filter(|seconds| *seconds > 0) {
        _ if action.active => InvitationState::Joined,
        Some(seconds) => InvitationState::Left(seconds),
        None if action.missed => InvitationState::Missed,
        None => InvitationState::Open,
    }
}

fn others(action: &tl::types::MessageActionConferenceCall, names: &PartyCache) -> Vec<Party> {
    other_users(action).into_iter().map(|user| names.get(user)).collect()
}

fn other_users(action: &tl::types::MessageActionConferenceCall) -> Vec<i64> {
    let peers = action.other_participants.as_deref().unwrap_or_default();
    let users = peers.iter().filter_map(|peer| match peer {
        tl::enums::Peer::User(user) => Some(user.user_id),
        _ => None,
    });
    users.collect()
}

/// The user whose chat a message is in; `None` for the chat of a group.
fn peer_of(message: &tl::types::MessageService) -> Option<i64> {
    match &message.peer_id {
        tl::enums::Peer::User(user) => Some(user.user_id),
        _ => None,
    }
}

/// The fields that all constructors of a live call have.
macro_rules! common_fields {
    ($call:ident) => {
        CommonFields {
            handle: Handle { id: $call.id, access_hash: $call.access_hash },
            parties: ($call.admin_id, $call.participant_id),
            date: $call.date,
            video: $call.video,
            protocol: &$call.protocol,
        }
    };
}

/// The event of a `PhoneCall`, with the name of the peer if that is known.
pub(super) fn phone_call(
    call: &tl::enums::PhoneCall,
    self_id: i64,
    names: &PartyCache,
) -> CallEvent {
    use tl::enums::PhoneCall;
    let (common, stage, exchange) = match call {
        PhoneCall::Empty(call) => return CallEvent::Gone { id: call.id },
        PhoneCall::Discarded(call) => {
            return CallEvent::Discarded {
                id: call.id,
                reason: call.reason.as_ref().map(recorded),
                duration: seconds(call.duration),
                video: call.video,
            };
        }
        PhoneCall::Requested(call) => {
            let g_a_hash = Some(call.g_a_hash.clone());
            let exchange = KeyExchange { g_a_hash, ..KeyExchange::default() };
            (common_fields!(call), Stage::Requested, Some(exchange))
        }
        PhoneCall::Waiting(call) => {
            (common_fields!(call), Stage::Waiting { received: call.receive_date.map(time) }, None)
        }
        PhoneCall::Accepted(call) => {
            let g_b = Some(call.g_b.clone());
            let exchange = KeyExchange { g_b, ..KeyExchange::default() };
            (common_fields!(call), Stage::Accepted, Some(exchange))
        }
        PhoneCall::Call(call) => {
            let stage = Stage::Established { since: time(call.start_date), relays: relays(call) };
            (common_fields!(call), stage, Some(established_exchange(call)))
        }
    };
    common.live(stage, exchange, self_id, names)
}

fn established_exchange(call: &tl::types::PhoneCall) -> KeyExchange {
    let custom_parameters = call.custom_parameters.as_ref().map(|parameters| {
        let tl::enums::DataJson::Json(json) = parameters;
        json.data.clone()
    });
    KeyExchange {
        g_a_or_b: Some((call.g_a_or_b.clone(), call.key_fingerprint)),
        relays: call.connections.iter().map(relay_server).collect(),
        custom_parameters,
        ..KeyExchange::default()
    }
}

/// A server for the media of a call.
pub fn relay_server(connection: &tl::enums::PhoneConnection) -> RelayServer {
    match connection {
        tl::enums::PhoneConnection::Connection(relay) => RelayServer {
            id: relay.id,
            ipv4: relay.ip.clone(),
            ipv6: relay.ipv6.clone(),
            port: relay.port,
            kind: RelayKind::Reflector { peer_tag: relay.peer_tag.clone(), tcp: relay.tcp },
        },
        tl::enums::PhoneConnection::Webrtc(relay) => RelayServer {
            id: relay.id,
            ipv4: relay.ip.clone(),
            ipv6: relay.ipv6.clone(),
            port: relay.port,
            kind: RelayKind::WebRtc {
                turn: relay.turn,
                stun: relay.stun,
                username: relay.username.clone(),
                password: relay.password.clone(),
            },
        },
    }
}

/// The fields that all constructors of a live call have.
struct CommonFields<'a> {
    handle: Handle,
    parties: (i64, i64),
    date: i32,
    video: bool,
    protocol: &'a tl::enums::PhoneCallProtocol,
}

impl CommonFields<'_> {
    fn live(
        self,
        stage: Stage,
        exchange: Option<KeyExchange>,
        self_id: i64,
        names: &PartyCache,
    ) -> CallEvent {
        let (caller, callee) = self.parties;
        let tl::enums::PhoneCallProtocol::Protocol(protocol) = self.protocol;
        CallEvent::Live(Box::new(LiveCall {
            handle: self.handle,
            caller,
            callee,
            peer: names.get(if caller == self_id { callee } else { caller }),
            date: time(self.date),
            video: self.video,
            stage,
            protocol: Protocol {
                layers: (protocol.min_layer, protocol.max_layer),
                libraries: protocol.library_versions.iter().map(|it| text::clean(it)).collect(),
            },
            exchange: exchange.map(Arc::new),
        }))
    }
}

fn relays(call: &tl::types::PhoneCall) -> Relays {
    let webrtc =
        |it: &&tl::enums::PhoneConnection| matches!(it, tl::enums::PhoneConnection::Webrtc(_));
    let webrtc = call.connections.iter().filter(webrtc).count();
    Relays { peer_to_peer: call.p2p_allowed, reflectors: call.connections.len() - webrtc, webrtc }
}

fn recorded(reason: &tl::enums::PhoneCallDiscardReason) -> Recorded {
    use tl::enums::PhoneCallDiscardReason as Reason;
    Recorded::Reason(match reason {
        Reason::Missed => EndReason::Missed,
        Reason::Disconnect => EndReason::Disconnect,
        Reason::Hangup => EndReason::HangUp,
        Reason::Busy => EndReason::Busy,
        Reason::MigrateConferenceCall(_) => return Recorded::Migrated,
    })
}

/// Telegram's `date`: seconds since 1970 on the server's clock.
pub(super) fn time(date: i32) -> Timestamp {
    Timestamp::UNIX_EPOCH
        .saturating_add(Duration::from_secs(u64::try_from(date).unwrap_or(0)))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

fn seconds(duration: Option<i32>) -> Option<u32> {
    duration.and_then(|seconds| u32::try_from(seconds).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol() -> tl::enums::PhoneCallProtocol {
        tl::types::PhoneCallProtocol {
            udp_p2p: true,
            udp_reflector: true,
            min_layer: 65,
            max_layer: 92,
            library_versions: vec!["13.0.0\u{1b}".to_owned()],
        }
        .into()
    }

    fn event_of(call: impl Into<tl::enums::PhoneCall>) -> CallEvent {
        let update = tl::types::UpdatePhoneCall { phone_call: call.into() }.into();
        event(&update, 1, &PartyCache::default()).expect("it is about a call")
    }

    fn live(event: CallEvent) -> LiveCall {
        match event {
            CallEvent::Live(live) => *live,
            other => panic!("not a live call: {other:?}"),
        }
    }

    #[test]
    fn a_requested_call_is_live() {
        let call = live(event_of(tl::types::PhoneCallRequested {
            video: true,
            id: -7,
            access_hash: 9,
            date: 100,
            admin_id: 2,
            participant_id: 1,
            g_a_hash: vec![0; 32],
            protocol: protocol(),
        }));
        assert_eq!(call.handle, Handle { id: -7, access_hash: 9 });
        assert_eq!((call.caller, call.callee, call.peer.user_id), (2, 1, 2));
        assert_eq!((call.stage, call.video, call.date.as_second()), (Stage::Requested, true, 100));
        let wanted = Protocol { layers: (65, 92), libraries: vec!["13.0.0".to_owned()] };
        assert_eq!(call.protocol, wanted);
    }

    #[test]
    fn a_waiting_call_has_its_receipt() {
        for receive_date in [None, Some(101)] {
            let call = live(event_of(tl::types::PhoneCallWaiting {
                video: false,
                id: 7,
                access_hash: 9,
                date: 100,
                admin_id: 1,
                participant_id: 2,
                protocol: protocol(),
                receive_date,
            }));
            assert_eq!(call.peer.user_id, 2, "the peer of an outgoing call is the callee");
            assert_eq!(call.stage, Stage::Waiting { received: receive_date.map(time) });
        }
    }

    #[test]
    fn an_accepted_call_is_live() {
        let call = live(event_of(tl::types::PhoneCallAccepted {
            video: false,
            id: 7,
            access_hash: 9,
            date: 100,
            admin_id: 1,
            participant_id: 2,
            g_b: vec![0; 256],
            protocol: protocol(),
        }));
        assert_eq!(call.stage, Stage::Accepted);
    }

    #[test]
    fn an_established_call_has_its_relays() {
        let reflector = tl::types::PhoneConnection {
            tcp: false,
            id: 1,
            ip: String::new(),
            ipv6: String::new(),
            port: 1,
            peer_tag: vec![],
        };
        let call = live(event_of(tl::types::PhoneCall {
            p2p_allowed: true,
            video: false,
            conference_supported: false,
            id: 7,
            access_hash: 9,
            date: 100,
            admin_id: 1,
            participant_id: 2,
            g_a_or_b: vec![],
            key_fingerprint: 0,
            protocol: protocol(),
            connections: vec![reflector.into()],
            start_date: 130,
            custom_parameters: None,
        }));
        let relays = Relays { peer_to_peer: true, reflectors: 1, webrtc: 0 };
        assert_eq!(call.stage, Stage::Established { since: time(130), relays });
    }

    #[test]
    fn a_discarded_call_has_its_reason_and_an_empty_one_is_gone() {
        use tl::enums::PhoneCallDiscardReason as Tl;
        let slug = tl::types::PhoneCallDiscardReasonMigrateConferenceCall { slug: "s".to_owned() };
        let reasons = [
            (None, None),
            (Some(Tl::Missed), Some(Recorded::Reason(EndReason::Missed))),
            (Some(Tl::Busy), Some(Recorded::Reason(EndReason::Busy))),
            (Some(Tl::Hangup), Some(Recorded::Reason(EndReason::HangUp))),
            (Some(Tl::Disconnect), Some(Recorded::Reason(EndReason::Disconnect))),
            (Some(slug.into()), Some(Recorded::Migrated)),
        ];
        for (reason, wanted) in reasons {
            let event = event_of(tl::types::PhoneCallDiscarded {
                need_rating: false,
                need_debug: false,
                video: true,
                id: 7,
                reason,
                duration: Some(-1),
            });
            let wanted =
                CallEvent::Discarded { id: 7, reason: wanted, duration: None, video: true };
            assert_eq!(event, wanted, "a negative duration is none");
        }
        assert_eq!(event_of(tl::types::PhoneCallEmpty { id: 7 }), CallEvent::Gone { id: 7 });
    }
}

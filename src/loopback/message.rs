//! Decrypted messages: checks, containers, service messages, message ids and sequence numbers.
//!
//! Sources: <https://core.telegram.org/mtproto/service_messages>,
//! <https://core.telegram.org/mtproto/service_messages_about_messages>.

pub(crate) mod invalid;
pub(crate) mod pack;

use std::collections::VecDeque;

use grammers_tl_types::{self as tl, Deserializable, Identifiable, Serializable, types};

use crate::crypt::{AuthKey, Incoming};
use pack::{compress, constructor, decompress, parse_container};

const MSG_CONTAINER: u32 = 0x73f1_f8dc;
const GZIP_PACKED: u32 = 0x3072_cfa1;
const RPC_RESULT: u32 = 0xf35c_6d01;

/// How long a salt is the newest one, in seconds. After that it is accepted for the same time again.
const SALT_LIFETIME: i64 = 1800;
/// The most salts that `future_salts` returns.
const MAX_FUTURE_SALTS: i64 = 32;
/// How far the time in a client's message id may be behind or ahead of the server, in seconds.
///
/// Source: <https://core.telegram.org/mtproto/description#message-identifier-msg-id>.
const CLOCK_BEHIND: i64 = 300;
const CLOCK_AHEAD: i64 = 30;
/// The most messages in a container, and the size in bytes from which none is added.
const CONTAINER_MESSAGES: usize = 100;
const CONTAINER_BYTES: usize = 512 * 1024;
/// How many received message ids are stored to detect duplicates.
const SEEN_MSG_IDS: usize = 512;

/// The state of the MTProto session of one connection.
pub(crate) struct MtprotoSession {
    key: AuthKey,
    session_id: Option<i64>,
    /// The newest message ids that were received, oldest first.
    seen: VecDeque<i64>,
    /// The highest received message id and its sequence number.
    last_received: Option<(i64, i32)>,
    last_sent_msg_id: i64,
    /// The number of content-related messages sent, from which sequence numbers follow.
    content_related_sent: i32,
    pending: VecDeque<Reply>,
    /// By how many half hours the salts are ahead of the clock.
    salts_ahead: i64,
    /// The error code with which the next content-related message is refused.
    next_refusal: Option<i32>,
    /// Whether the next payload carries the id of another session.
    misaddress_next: bool,
}

/// A message to the client.
pub(crate) struct Reply {
    body: Vec<u8>,
    /// Whether the message is content-related: the client must acknowledge it.
    content_related: bool,
    /// Whether the message responds to a message of the client, which its id expresses.
    is_response: bool,
}

/// What a client's message requires from the connection.
#[derive(Debug, PartialEq)]
pub(crate) enum RpcRequest {
    /// A method call: the id that the result refers to, and the serialized request.
    Rpc { msg_id: i64, body: Vec<u8> },
    /// Close the connection after this many seconds unless the request is repeated.
    DisconnectAfter(i32),
}

/// A violation of the protocol; it ends the connection.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("{0}")]
pub(crate) struct Violation(&'static str);

impl Reply {
    /// Updates that no request asked for.
    pub(crate) fn update(body: &[u8]) -> Self {
        Self { body: compress(body), content_related: true, is_response: false }
    }

    /// The result of a method call.
    pub(crate) fn result(req_msg_id: i64, result: &[u8]) -> Self {
        let mut body = RPC_RESULT.to_bytes();
        req_msg_id.serialize(&mut body);
        body.extend(compress(result));
        Self { body, content_related: true, is_response: true }
    }

    /// A service message.
    pub(crate) fn service(body: Vec<u8>) -> Self {
        Self { body, content_related: false, is_response: true }
    }
}

impl MtprotoSession {
    pub(crate) fn new(key: AuthKey) -> Self {
        Self {
            key,
            session_id: None,
            seen: VecDeque::new(),
            last_received: None,
            last_sent_msg_id: 0,
            content_related_sent: 0,
            pending: VecDeque::new(),
            salts_ahead: 0,
            next_refusal: None,
            misaddress_next: false,
        }
    }

    /// Invalidates the current and the previous salt.
    pub(crate) fn change_salts(&mut self) {
        self.salts_ahead += 2;
    }

    /// Answers the next content-related message with `bad_msg_notification` and this code.
    pub(crate) fn refuse_next(&mut self, code: i32) {
        self.next_refusal = Some(code);
    }

    /// Sends the next payload with the id of a session that does not exist.
    pub(crate) fn misaddress_next_payload(&mut self) {
        self.misaddress_next = true;
    }

    /// The half hour whose salt is the newest one at `now`.
    fn epoch(&self, now: i64) -> i64 {
        now.div_euclid(1000 * SALT_LIFETIME) + self.salts_ahead
    }

    /// Queues a message to the client.
    pub(crate) fn queue(&mut self, reply: Reply) {
        self.pending.push_back(reply);
    }

    /// Processes a decrypted message and queues the responses to its service messages.
    ///
    /// `now` is in milliseconds of the server's clock.
    ///
    /// # Errors
    /// [`Violation`] for a message that the protocol does not allow.
    pub(crate) fn receive(
        &mut self,
        message: &Incoming,
        now: i64,
    ) -> Result<Vec<RpcRequest>, Violation> {
        let epoch = self.epoch(now);
        if message.salt != self.key.salt(epoch) && message.salt != self.key.salt(epoch - 1) {
            let refusal = types::BadServerSalt {
                bad_msg_id: message.msg_id,
                bad_msg_seqno: message.seq_no,
                error_code: 48,
                new_server_salt: self.key.salt(epoch),
            };
            // A session begins with the first accepted message. The refusal is sent in the session
            // of the refused message without a `new_session_created`.
            self.session_id.get_or_insert(message.session_id);
            self.queue(Reply::service(tl::enums::BadMsgNotification::from(refusal).to_bytes()));
            return Ok(Vec::new());
        }
        if let Some(code) = Self::msg_id_error(message, now) {
            self.refuse(message.msg_id, message.seq_no, code);
            return Ok(Vec::new());
        }
        if self.seen.contains(&message.msg_id) {
            return Ok(Vec::new());
        }
        if self.last_received.is_none() || self.session_id != Some(message.session_id) {
            self.begin_session(message, epoch);
        }
        let mut requests = Vec::new();
        self.process(message.msg_id, message.seq_no, &message.body, now, &mut requests)?;
        Ok(requests)
    }

    /// The code of `bad_msg_notification` for a wrong message id.
    ///
    /// Source: <https://core.telegram.org/mtproto/service_messages_about_messages#notification-of-ignored-error-message>.
    fn msg_id_error(message: &Incoming, now: i64) -> Option<i32> {
        let sent_at = message.msg_id >> 32;
        let now = now.div_euclid(1000);
        if message.msg_id % 4 != 0 {
            return Some(18);
        }
        if sent_at < now - CLOCK_BEHIND {
            return Some(16);
        }
        if sent_at > now + CLOCK_AHEAD {
            return Some(17);
        }
        None
    }

    fn refuse(&mut self, bad_msg_id: i64, bad_msg_seqno: i32, error_code: i32) {
        let notification = types::BadMsgNotification { bad_msg_id, bad_msg_seqno, error_code };
        self.queue(Reply::service(tl::enums::BadMsgNotification::from(notification).to_bytes()));
    }

    fn begin_session(&mut self, message: &Incoming, epoch: i64) {
        self.session_id = Some(message.session_id);
        self.seen.clear();
        self.last_received = None;
        let created = types::NewSessionCreated {
            first_msg_id: message.msg_id,
            unique_id: message.session_id.rotate_left(32) ^ message.msg_id,
            server_salt: self.key.salt(epoch),
        };
        let body = tl::enums::NewSession::from(created).to_bytes();
        self.queue(Reply { body, content_related: true, is_response: false });
    }

    fn process(
        &mut self,
        msg_id: i64,
        seq_no: i32,
        body: &[u8],
        now: i64,
        requests: &mut Vec<RpcRequest>,
    ) -> Result<(), Violation> {
        let id = constructor(body)?;
        if id == MSG_CONTAINER {
            for inner in parse_container(body)? {
                if constructor(&inner.body)? == MSG_CONTAINER {
                    return Err(Violation("a container inside a container"));
                }
                self.process(inner.msg_id, inner.seq_no, &inner.body, now, requests)?;
            }
            return Ok(());
        }
        let decompressed;
        let (id, body) = if id == GZIP_PACKED {
            decompressed = decompress(body)?;
            (constructor(&decompressed)?, &decompressed[..])
        } else {
            (id, body)
        };
        if !self.accept(msg_id, seq_no, id) {
            return Ok(());
        }
        self.dispatch(msg_id, id, body, now, requests)
    }

    /// Checks the sequence number and stores the message id; `false` if the message must be ignored.
    fn accept(&mut self, msg_id: i64, seq_no: i32, id: u32) -> bool {
        if self.seen.contains(&msg_id) {
            return false;
        }
        let content_related = id != types::MsgsAck::CONSTRUCTOR_ID;
        let code = match self.last_received {
            _ if content_related && seq_no % 2 == 0 => Some(35),
            _ if !content_related && seq_no % 2 != 0 => Some(34),
            _ if content_related && self.next_refusal.is_some() => self.next_refusal.take(),
            Some((last_id, last_seq)) if msg_id > last_id && seq_no < last_seq => Some(32),
            _ => None,
        };
        if let Some(code) = code {
            self.refuse(msg_id, seq_no, code);
            return false;
        }
        self.last_received =
            Some(self.last_received.map_or((msg_id, seq_no), |last| last.max((msg_id, seq_no))));
        self.seen.push_back(msg_id);
        if self.seen.len() > SEEN_MSG_IDS {
            self.seen.pop_front();
        }
        true
    }

    fn dispatch(
        &mut self,
        msg_id: i64,
        id: u32,
        body: &[u8],
        now: i64,
        requests: &mut Vec<RpcRequest>,
    ) -> Result<(), Violation> {
        use tl::functions::{GetFutureSalts, Ping, PingDelayDisconnect};
        let malformed = |_| Violation("a malformed service message");
        match id {
            types::MsgsAck::CONSTRUCTOR_ID => {}
            Ping::CONSTRUCTOR_ID => {
                let ping = Ping::from_bytes(&body[4..]).map_err(malformed)?;
                self.pong(msg_id, ping.ping_id);
            }
            PingDelayDisconnect::CONSTRUCTOR_ID => {
                let ping = PingDelayDisconnect::from_bytes(&body[4..]).map_err(malformed)?;
                self.pong(msg_id, ping.ping_id);
                requests.push(RpcRequest::DisconnectAfter(ping.disconnect_delay));
            }
            GetFutureSalts::CONSTRUCTOR_ID => {
                let count = GetFutureSalts::from_bytes(&body[4..]).map_err(malformed)?.num;
                self.future_salts(msg_id, i64::from(count).clamp(1, MAX_FUTURE_SALTS), now);
            }
            _ => requests.push(RpcRequest::Rpc { msg_id, body: body.to_vec() }),
        }
        Ok(())
    }

    fn pong(&mut self, msg_id: i64, ping_id: i64) {
        let pong = types::Pong { msg_id, ping_id };
        self.queue(Reply::service(tl::enums::Pong::from(pong).to_bytes()));
    }

    /// Queues `future_salts`, which is not wrapped in `rpc_result` because it contains `req_msg_id`.
    fn future_salts(&mut self, req_msg_id: i64, count: i64, now: i64) {
        let epoch = now.div_euclid(1000 * SALT_LIFETIME);
        let salts = (epoch..epoch + count).map(|epoch| types::FutureSalt {
            valid_since: (epoch * SALT_LIFETIME) as i32,
            valid_until: ((epoch + 2) * SALT_LIFETIME) as i32,
            salt: self.key.salt(epoch + self.salts_ahead),
        });
        let salts = types::FutureSalts {
            req_msg_id,
            now: now.div_euclid(1000) as i32,
            salts: tl::RawVec(salts.collect()),
        };
        self.queue(Reply::service(tl::enums::FutureSalts::from(salts).to_bytes()));
    }

    /// The next payload to write, or `None` if no message is queued.
    pub(crate) fn next_payload(&mut self, now: i64) -> Option<Vec<u8>> {
        let session_id = self.session_id?;
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < CONTAINER_MESSAGES && bytes < CONTAINER_BYTES {
            let Some(reply) = self.pending.pop_front() else { break };
            bytes += reply.body.len();
            let number = self.next_number(reply.content_related, reply.is_response, now);
            batch.push((number, reply.body));
        }
        let salt = self.key.salt(self.epoch(now));
        let misaddressed = !batch.is_empty() && std::mem::take(&mut self.misaddress_next);
        let session_id = if misaddressed { !session_id } else { session_id };
        if batch.len() == 1 {
            let (number, body) = batch.pop()?;
            return Some(self.key.encrypt(salt, session_id, number, &body));
        }
        if batch.is_empty() {
            return None;
        }
        let mut container = MSG_CONTAINER.to_bytes();
        (batch.len() as i32).serialize(&mut container);
        for ((msg_id, seq_no), body) in batch {
            msg_id.serialize(&mut container);
            seq_no.serialize(&mut container);
            (body.len() as i32).serialize(&mut container);
            container.extend(body);
        }
        let number = self.next_number(false, false, now);
        Some(self.key.encrypt(salt, session_id, number, &container))
    }

    /// The next message id, which increases with the clock, and the next sequence number.
    fn next_number(&mut self, content_related: bool, is_response: bool, now: i64) -> (i64, i32) {
        let (seconds, millis) = (now.div_euclid(1000), now.rem_euclid(1000));
        let clock = (seconds << 32) | ((millis << 32) / 1000);
        let id =
            (clock & !3).max((self.last_sent_msg_id & !3) + 4) | if is_response { 1 } else { 3 };
        self.last_sent_msg_id = id;
        let seq_no = self.content_related_sent * 2 + i32::from(content_related);
        self.content_related_sent += i32::from(content_related);
        (id, seq_no)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn session() -> MtprotoSession {
        MtprotoSession::new(AuthKey::new([7; 256]))
    }

    fn message(session: &MtprotoSession, number: i64, seq_no: i32, body: Vec<u8>) -> Incoming {
        let salt = session.key.salt(NOW / 1000 / SALT_LIFETIME);
        let msg_id = ((NOW / 1000) << 32) + number * 4;
        Incoming { salt, session_id: 5, msg_id, seq_no, body }
    }

    fn ping(ping_id: i64) -> Vec<u8> {
        tl::functions::Ping { ping_id }.to_bytes()
    }

    fn replies(session: &mut MtprotoSession) -> Vec<u32> {
        session.pending.drain(..).map(|reply| constructor(&reply.body).expect("a reply")).collect()
    }

    #[test]
    fn a_wrong_salt_is_answered_only_with_bad_server_salt() {
        let mut session = session();
        let wrong = Incoming { salt: 0, ..message(&session, 1, 1, ping(1)) };
        assert_eq!(session.receive(&wrong, NOW), Ok(vec![]));
        assert_eq!(replies(&mut session), [types::BadServerSalt::CONSTRUCTOR_ID]);
    }

    #[test]
    fn the_previous_salt_is_accepted() {
        let mut session = session();
        let good = message(&session, 1, 1, ping(1));
        let later = NOW + 1000 * SALT_LIFETIME;
        let good = Incoming { msg_id: ((later / 1000) << 32) + 4, ..good };
        session.receive(&good, later).expect("served");
        let wanted = [types::NewSessionCreated::CONSTRUCTOR_ID, types::Pong::CONSTRUCTOR_ID];
        assert_eq!(replies(&mut session), wanted);
    }

    #[test]
    fn new_session_created_is_sent_once_and_a_duplicate_message_is_ignored() {
        let mut session = session();
        let other = MtprotoSession::new(session.key.clone());
        let first = || message(&other, 1, 1, ping(1));
        session.receive(&first(), NOW).expect("served");
        assert_eq!(replies(&mut session).len(), 2);
        session.receive(&first(), NOW).expect("ignored");
        assert!(replies(&mut session).is_empty());
        let second = message(&session, 2, 3, ping(2));
        session.receive(&second, NOW).expect("served");
        assert_eq!(replies(&mut session), [types::Pong::CONSTRUCTOR_ID]);
    }

    #[test]
    fn a_message_id_or_sequence_number_out_of_range_is_refused_with_its_code() {
        let codes = [(NOW + 400_000, 1, 1, 16), (NOW - 100_000, 1, 1, 17), (NOW, 1, 2, 35)];
        for (now, number, seq_no, code) in codes {
            let mut session = session();
            let mut sent = message(&session, number, seq_no, ping(1));
            sent.salt = session.key.salt(now / 1000 / SALT_LIFETIME);
            session.receive(&sent, now).expect("no violation");
            let reply = session.pending.pop_back().expect("a refusal");
            let refusal =
                types::BadMsgNotification::from_bytes(&reply.body[4..]).expect("its type");
            assert_eq!(refusal.error_code, code);
        }
        let mut session = session();
        let odd = message(&session, 1, 1, ping(1));
        let odd = Incoming { msg_id: odd.msg_id + 1, ..odd };
        session.receive(&odd, NOW).expect("no violation");
        let reply = session.pending.pop_back().expect("a refusal");
        let refusal = types::BadMsgNotification::from_bytes(&reply.body[4..]).expect("its type");
        assert_eq!(refusal.error_code, 18);
    }

    #[test]
    fn requests_in_containers_and_gzip_are_returned() {
        let mut session = session();
        let first = message(&session, 1, 1, vec![]);
        let request = tl::functions::updates::GetState {}.to_bytes().repeat(500);
        let body = compress(&request);
        assert!(body.len() < request.len());
        let mut container = MSG_CONTAINER.to_bytes();
        2i32.serialize(&mut container);
        for (at, body) in [ping(1), body].into_iter().enumerate() {
            (first.msg_id + 4 + at as i64 * 4).serialize(&mut container);
            (1 + at as i32 * 2).serialize(&mut container);
            (body.len() as i32).serialize(&mut container);
            container.extend(body);
        }
        let outer = Incoming { msg_id: first.msg_id + 400, seq_no: 4, body: container, ..first };
        let wanted = RpcRequest::Rpc { msg_id: first.msg_id + 8, body: request };
        assert_eq!(session.receive(&outer, NOW), Ok(vec![wanted]));
    }

    #[test]
    fn future_salts_returns_the_requested_count_beginning_with_the_current_salt() {
        let mut session = session();
        session.future_salts(9, 2, NOW);
        let reply = session.pending.pop_back().expect("salts");
        let salts = types::FutureSalts::from_bytes(&reply.body[4..]).expect("their type");
        assert_eq!(salts.salts.0.len(), 2);
        assert_eq!(salts.salts.0[0].salt, session.key.salt(NOW / 1000 / SALT_LIFETIME));
    }

    #[test]
    fn malformed_bodies_are_violations() {
        for body in [vec![1], MSG_CONTAINER.to_bytes(), GZIP_PACKED.to_bytes(), vec![0xff; 3]] {
            let mut session = session();
            let garbage = message(&session, 1, 1, body);
            assert!(session.receive(&garbage, NOW).is_err());
        }
    }

    #[test]
    fn message_ids_increase_and_distinguish_responses_from_updates() {
        let mut session = session();
        let ids: Vec<_> = (0..100).map(|at| session.next_number(true, at % 2 == 0, NOW)).collect();
        assert!(ids.is_sorted());
        for (at, (id, seq_no)) in ids.into_iter().enumerate() {
            assert_eq!(id % 4, if at % 2 == 0 { 1 } else { 3 });
            assert_eq!(seq_no as usize, at * 2 + 1);
        }
    }
}

//! Messages inside the encryption: checks, containers, service messages, numbering.
//!
//! One [`Link`] per TCP connection. It knows nothing of users and calls.
//! Sources: <https://core.telegram.org/mtproto/service_messages>,
//! <https://core.telegram.org/mtproto/service_messages_about_messages>.

pub(crate) mod invalid;
pub(super) mod pack;

use std::collections::VecDeque;

use grammers_tl_types::{self as tl, Deserializable, Identifiable, Serializable, types};

use super::crypt::{AuthKey, Incoming};
use pack::{constructor, packed, parse_container, unpack};

const MSG_CONTAINER: u32 = 0x73f1_f8dc;
const GZIP_PACKED: u32 = 0x3072_cfa1;
const RPC_RESULT: u32 = 0xf35c_6d01;

/// How long a salt is the newest, in seconds; after that it is accepted as long again.
const SALT_LIFE: i64 = 1800;
/// How many salts `future_salts` offers.
const FUTURE_SALTS: i64 = 32;
/// How far a client's clock may be behind and ahead, in seconds.
const CLOCK_BEHIND: i64 = 300;
const CLOCK_AHEAD: i64 = 30;
/// How many messages share a container, and how large it becomes, in bytes.
const CONTAINER_MESSAGES: usize = 100;
const CONTAINER_BYTES: usize = 512 * 1024;
/// How many message ids are remembered to notice repeats.
const REMEMBERED: usize = 512;

/// The state of one client session on one connection.
pub(super) struct Link {
    key: AuthKey,
    session_id: Option<i64>,
    seen: VecDeque<i64>,
    last: Option<(i64, i32)>,
    sent: i64,
    content_sent: i32,
    waiting: VecDeque<Reply>,
    /// By how many half hours the salts are ahead of the clock.
    salts_ahead: i64,
    /// With which code the next request is refused.
    refusing: Option<i32>,
    /// Whether the next payload goes to a session that is not this one.
    misaddressed: bool,
}

/// Something to be sent to the client.
pub(super) struct Reply {
    body: Vec<u8>,
    /// Whether the client has to acknowledge it.
    content: bool,
    /// Whether it answers a request, which shows in its id.
    answer: bool,
}

/// What a client's message asks of the server.
#[derive(Debug, PartialEq)]
pub(super) enum RpcRequest {
    /// A method call: the id to answer to, and the body.
    Rpc { msg_id: i64, body: Vec<u8> },
    /// Close the connection if nothing has come for so many seconds.
    DisconnectAfter(i32),
}

/// A message that ends the connection.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("{0}")]
pub(super) struct Violation(&'static str);

impl Reply {
    /// An update, pushed without being asked for.
    pub(super) fn update(body: &[u8]) -> Self {
        Self { body: packed(body), content: true, answer: false }
    }

    /// The result of a method call.
    pub(super) fn result(req_msg_id: i64, result: &[u8]) -> Self {
        let mut body = RPC_RESULT.to_bytes();
        req_msg_id.serialize(&mut body);
        body.extend(packed(result));
        Self { body, content: true, answer: true }
    }

    /// A service message.
    pub(super) fn service(body: Vec<u8>) -> Self {
        Self { body, content: false, answer: true }
    }
}

impl Link {
    pub(super) fn new(key: AuthKey) -> Self {
        Self {
            key,
            session_id: None,
            seen: VecDeque::new(),
            last: None,
            sent: 0,
            content_sent: 0,
            waiting: VecDeque::new(),
            salts_ahead: 0,
            refusing: None,
            misaddressed: false,
        }
    }

    /// Makes the salts of now and before invalid.
    pub(super) fn change_salts(&mut self) {
        self.salts_ahead += 2;
    }

    /// Refuses the next request by `bad_msg_notification`.
    pub(super) fn refuse_next(&mut self, code: i32) {
        self.refusing = Some(code);
    }

    /// Sends the next payload to a session that does not exist.
    pub(super) fn misaddress_next(&mut self) {
        self.misaddressed = true;
    }

    /// The half hour whose salt is the newest at `now`.
    fn epoch(&self, now: i64) -> i64 {
        now.div_euclid(1000 * SALT_LIFE) + self.salts_ahead
    }

    /// Queues something for the client.
    pub(super) fn queue(&mut self, reply: Reply) {
        self.waiting.push_back(reply);
    }

    /// Takes a decrypted message apart; answers to service messages are queued at once.
    ///
    /// `now` is in milliseconds of the server's clock.
    ///
    /// # Errors
    /// [`Violation`] for what no client may send.
    pub(super) fn receive(
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
            // The client learns of its session only by an accepted message, so this is answered
            // in the session of the request without beginning one.
            self.session_id.get_or_insert(message.session_id);
            self.queue(Reply::service(tl::enums::BadMsgNotification::from(refusal).to_bytes()));
            return Ok(Vec::new());
        }
        if let Some(code) = Self::fault_of(message, now) {
            self.refuse(message.msg_id, message.seq_no, code);
            return Ok(Vec::new());
        }
        if self.seen.contains(&message.msg_id) {
            return Ok(Vec::new());
        }
        if self.last.is_none() || self.session_id != Some(message.session_id) {
            self.begin_session(message, epoch);
        }
        let mut requests = Vec::new();
        self.process(message.msg_id, message.seq_no, &message.body, now, &mut requests)?;
        Ok(requests)
    }

    /// The error code of a message that has to be refused.
    fn fault_of(message: &Incoming, now: i64) -> Option<i32> {
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
        self.last = None;
        let created = types::NewSessionCreated {
            first_msg_id: message.msg_id,
            unique_id: message.session_id.rotate_left(32) ^ message.msg_id,
            server_salt: self.key.salt(epoch),
        };
        let body = tl::enums::NewSession::from(created).to_bytes();
        self.queue(Reply { body, content: true, answer: false });
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
        let unpacked;
        let (id, body) = if id == GZIP_PACKED {
            unpacked = unpack(body)?;
            (constructor(&unpacked)?, &unpacked[..])
        } else {
            (id, body)
        };
        if !self.is_new(msg_id, seq_no, id) {
            return Ok(());
        }
        self.dispatch(msg_id, id, body, now, requests)
    }

    /// Checks the sequence number and remembers the message; `false` if it must not be served.
    fn is_new(&mut self, msg_id: i64, seq_no: i32, id: u32) -> bool {
        if self.seen.contains(&msg_id) {
            return false;
        }
        let content = id != types::MsgsAck::CONSTRUCTOR_ID;
        let code = match self.last {
            _ if content && seq_no % 2 == 0 => Some(35),
            _ if !content && seq_no % 2 != 0 => Some(34),
            _ if content && self.refusing.is_some() => self.refusing.take(),
            Some((last_id, last_seq)) if msg_id > last_id && seq_no < last_seq => Some(32),
            _ => None,
        };
        if let Some(code) = code {
            self.refuse(msg_id, seq_no, code);
            return false;
        }
        self.last = Some(self.last.map_or((msg_id, seq_no), |last| last.max((msg_id, seq_no))));
        self.seen.push_back(msg_id);
        if self.seen.len() > REMEMBERED {
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
                let wanted = GetFutureSalts::from_bytes(&body[4..]).map_err(malformed)?.num;
                self.future_salts(msg_id, i64::from(wanted).clamp(1, FUTURE_SALTS), now);
            }
            _ => requests.push(RpcRequest::Rpc { msg_id, body: body.to_vec() }),
        }
        Ok(())
    }

    fn pong(&mut self, msg_id: i64, ping_id: i64) {
        let pong = types::Pong { msg_id, ping_id };
        self.queue(Reply::service(tl::enums::Pong::from(pong).to_bytes()));
    }

    /// Answers bare, as the protocol asks: the result names its request by itself.
    fn future_salts(&mut self, req_msg_id: i64, wanted: i64, now: i64) {
        let epoch = now.div_euclid(1000 * SALT_LIFE);
        let salts = (epoch..epoch + wanted).map(|epoch| types::FutureSalt {
            valid_since: (epoch * SALT_LIFE) as i32,
            valid_until: ((epoch + 2) * SALT_LIFE) as i32,
            salt: self.key.salt(epoch + self.salts_ahead),
        });
        let salts = types::FutureSalts {
            req_msg_id,
            now: now.div_euclid(1000) as i32,
            salts: tl::RawVec(salts.collect()),
        };
        self.queue(Reply::service(tl::enums::FutureSalts::from(salts).to_bytes()));
    }

    /// The next payload to write, or `None` when nothing waits.
    pub(super) fn next_payload(&mut self, now: i64) -> Option<Vec<u8>> {
        let session_id = self.session_id?;
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < CONTAINER_MESSAGES && bytes < CONTAINER_BYTES {
            let Some(reply) = self.waiting.pop_front() else { break };
            bytes += reply.body.len();
            let number = self.number(reply.content, reply.answer, now);
            batch.push((number, reply.body));
        }
        let salt = self.key.salt(self.epoch(now));
        let misaddressed = !batch.is_empty() && std::mem::take(&mut self.misaddressed);
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
        let number = self.number(false, false, now);
        Some(self.key.encrypt(salt, session_id, number, &container))
    }

    /// The next message id, rising with the clock, and sequence number.
    fn number(&mut self, content: bool, answer: bool, now: i64) -> (i64, i32) {
        let (seconds, millis) = (now.div_euclid(1000), now.rem_euclid(1000));
        let clock = (seconds << 32) | ((millis << 32) / 1000);
        let id = (clock & !3).max((self.sent & !3) + 4) | if answer { 1 } else { 3 };
        self.sent = id;
        let seq_no = self.content_sent * 2 + i32::from(content);
        self.content_sent += i32::from(content);
        (id, seq_no)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn link() -> Link {
        Link::new(AuthKey::new([7; 256]))
    }

    fn message(link: &Link, number: i64, seq_no: i32, body: Vec<u8>) -> Incoming {
        let salt = link.key.salt(NOW / 1000 / SALT_LIFE);
        let msg_id = ((NOW / 1000) << 32) + number * 4;
        Incoming { salt, session_id: 5, msg_id, seq_no, body }
    }

    fn ping(ping_id: i64) -> Vec<u8> {
        tl::functions::Ping { ping_id }.to_bytes()
    }

    fn replies(link: &mut Link) -> Vec<u32> {
        link.waiting.drain(..).map(|reply| constructor(&reply.body).expect("a reply")).collect()
    }

    #[test]
    fn a_wrong_salt_is_answered_with_the_right_one_and_nothing_else() {
        let mut link = link();
        let wrong = Incoming { salt: 0, ..message(&link, 1, 1, ping(1)) };
        assert_eq!(link.receive(&wrong, NOW), Ok(vec![]));
        assert_eq!(replies(&mut link), [types::BadServerSalt::CONSTRUCTOR_ID]);
    }

    #[test]
    fn the_salt_before_is_still_accepted() {
        let mut link = link();
        let good = message(&link, 1, 1, ping(1));
        let later = NOW + 1000 * SALT_LIFE;
        let good = Incoming { msg_id: ((later / 1000) << 32) + 4, ..good };
        link.receive(&good, later).expect("served");
        let wanted = [types::NewSessionCreated::CONSTRUCTOR_ID, types::Pong::CONSTRUCTOR_ID];
        assert_eq!(replies(&mut link), wanted);
    }

    #[test]
    fn a_session_is_announced_once_and_a_repeat_is_not_served() {
        let mut link = link();
        let twin = Link::new(link.key.clone());
        let first = || message(&twin, 1, 1, ping(1));
        link.receive(&first(), NOW).expect("served");
        assert_eq!(replies(&mut link).len(), 2);
        link.receive(&first(), NOW).expect("ignored");
        assert!(replies(&mut link).is_empty());
        let second = message(&link, 2, 3, ping(2));
        link.receive(&second, NOW).expect("served");
        assert_eq!(replies(&mut link), [types::Pong::CONSTRUCTOR_ID]);
    }

    #[test]
    fn a_wrong_clock_number_or_parity_is_refused() {
        let codes = [(NOW + 400_000, 1, 1, 16), (NOW - 100_000, 1, 1, 17), (NOW, 1, 2, 35)];
        for (now, number, seq_no, code) in codes {
            let mut link = link();
            let mut sent = message(&link, number, seq_no, ping(1));
            sent.salt = link.key.salt(now / 1000 / SALT_LIFE);
            link.receive(&sent, now).expect("no violation");
            let reply = link.waiting.pop_back().expect("a refusal");
            let refusal =
                types::BadMsgNotification::from_bytes(&reply.body[4..]).expect("its type");
            assert_eq!(refusal.error_code, code);
        }
        let mut link = link();
        let odd = message(&link, 1, 1, ping(1));
        let odd = Incoming { msg_id: odd.msg_id + 1, ..odd };
        link.receive(&odd, NOW).expect("no violation");
        let reply = link.waiting.pop_back().expect("a refusal");
        let refusal = types::BadMsgNotification::from_bytes(&reply.body[4..]).expect("its type");
        assert_eq!(refusal.error_code, 18);
    }

    #[test]
    fn containers_and_compressed_requests_are_opened() {
        let mut link = link();
        let first = message(&link, 1, 1, vec![]);
        let request = tl::functions::updates::GetState {}.to_bytes().repeat(500);
        let body = packed(&request);
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
        assert_eq!(link.receive(&outer, NOW), Ok(vec![wanted]));
    }

    #[test]
    fn at_least_two_future_salts_are_given_and_the_first_is_the_present_one() {
        let mut link = link();
        link.future_salts(9, 2, NOW);
        let reply = link.waiting.pop_back().expect("salts");
        let salts = types::FutureSalts::from_bytes(&reply.body[4..]).expect("their type");
        assert_eq!(salts.salts.0.len(), 2);
        assert_eq!(salts.salts.0[0].salt, link.key.salt(NOW / 1000 / SALT_LIFE));
    }

    #[test]
    fn garbage_is_a_violation_and_never_a_panic() {
        for body in [vec![1], MSG_CONTAINER.to_bytes(), GZIP_PACKED.to_bytes(), vec![0xff; 3]] {
            let mut link = link();
            let garbage = message(&link, 1, 1, body);
            assert!(link.receive(&garbage, NOW).is_err());
        }
    }

    #[test]
    fn ids_rise_and_tell_answers_from_pushes() {
        let mut link = link();
        let ids: Vec<_> = (0..100).map(|at| link.number(true, at % 2 == 0, NOW)).collect();
        assert!(ids.is_sorted());
        for (at, (id, seq_no)) in ids.into_iter().enumerate() {
            assert_eq!(id % 4, if at % 2 == 0 { 1 } else { 3 });
            assert_eq!(seq_no as usize, at * 2 + 1);
        }
    }
}

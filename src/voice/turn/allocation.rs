//! One allocation at a TURN server, without socket and clock.
//!
//! ```text
//! Requested ── 401 with a nonce ──► Requested, with credentials ── success ──► Allocated ──► Ended
//!     └──────────── refused, or no response ──────────────────────────────────────────────────►┘
//! ```

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::permission::{LONGEST_PACKET, Permissions};
use crate::servers::TurnCredentials;
use crate::stun::message::{ERROR, SUCCESS, StunMessage, StunMessageBuilder, TransactionId};

/// The methods of TURN (RFC 8656, section 17), as types of a request, and those of indications.
const ALLOCATE: u16 = 0x0003;
const REFRESH: u16 = 0x0004;
const CREATE_PERMISSION: u16 = 0x0008;
const SEND_INDICATION: u16 = 0x0016;
const DATA_INDICATION: u16 = 0x0017;

/// The attributes (RFC 8489, section 18.3; RFC 8656, section 18).
const USERNAME: u16 = 0x0006;
const ERROR_CODE: u16 = 0x0009;
const LIFETIME: u16 = 0x000d;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const DATA: u16 = 0x0013;
const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;
const REQUESTED_TRANSPORT: u16 = 0x0019;
/// The value of `REQUESTED-TRANSPORT` for UDP, and three reserved bytes.
const UDP: [u8; 4] = [17, 0, 0, 0];

/// Codes of errors (RFC 8489, section 14.8).
const UNAUTHENTICATED: u16 = 401;
const STALE_NONCE: u16 = 438;

/// The retransmission of requests (RFC 8489, section 6.2.1): RTO, Rc, and Rm times RTO as the wait after
/// the last one.
const RETRANSMISSION: Duration = Duration::from_millis(500);
const REQUESTS: u32 = 7;
const LAST_WAIT: Duration = Duration::from_secs(8);
/// How often a request is made again with a new nonce, before it counts as refused.
const MOST_NONCES: u32 = 3;
/// The longest realm and nonce, in bytes (RFC 8489, sections 14.9 and 14.10).
const LONGEST_TEXT: usize = 763;
/// The longest lifetime that is believed. Servers limit it to an hour (RFC 8656, section 7.2).
const LONGEST_LIFETIME: Duration = Duration::from_hours(1);
/// How long before the end of its lifetime an allocation is refreshed (RFC 8656, section 8).
const REFRESH_AHEAD: Duration = Duration::from_mins(1);

/// An allocation, from the first request to its end.
pub(crate) struct TurnAllocation {
    /// The id of the connection at Telegram.
    id: i64,
    server: SocketAddr,
    credentials: TurnCredentials,
    /// What the server has asked for; `None` as long as it takes requests without credentials.
    challenge: Option<AuthChallenge>,
    state: AllocationState,
    permissions: Permissions,
    transactions: Vec<TurnTransaction>,
    /// The ids of transactions differ from these random bytes by a number.
    ids: TransactionId,
    count: u32,
    outbox: VecDeque<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AllocationState {
    Requested,
    Allocated { relayed: SocketAddr, refresh: Instant, expires: Instant },
    Ended,
}

/// The realm and nonce of a server, and the key that they make of the credentials.
struct AuthChallenge {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    key: Zeroizing<[u8; 16]>,
}

/// A request that waits for its response.
struct TurnTransaction {
    purpose: RequestPurpose,
    id: TransactionId,
    bytes: Vec<u8>,
    /// How often it was sent, and when it is sent again or given up.
    sent: u32,
    next: Instant,
    /// How many nonces it has had that were stale.
    stale: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestPurpose {
    Allocate,
    Refresh,
    /// A permission for packets of the IP address of this peer.
    Permit(SocketAddr),
}

impl RequestPurpose {
    fn method(self) -> u16 {
        match self {
            Self::Allocate => ALLOCATE,
            Self::Refresh => REFRESH,
            Self::Permit(_) => CREATE_PERMISSION,
        }
    }
}

/// What a datagram of the server is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FromAllocation<'a> {
    /// The allocation was made.
    Ready,
    /// A packet that came to the relayed address.
    Packet { relayed: SocketAddr, peer: SocketAddr, bytes: &'a [u8] },
    /// The response to a request, with nothing to report.
    Handled,
}

impl TurnAllocation {
    /// Requests an allocation. `ids` are random.
    pub(crate) fn new(
        id: i64,
        server: SocketAddr,
        credentials: TurnCredentials,
        ids: TransactionId,
        now: Instant,
    ) -> Self {
        let mut allocation = Self {
            id,
            server,
            credentials,
            challenge: None,
            state: AllocationState::Requested,
            permissions: Permissions::default(),
            transactions: Vec::new(),
            ids,
            count: 0,
            outbox: VecDeque::new(),
        };
        allocation.request(RequestPurpose::Allocate, 0, now);
        allocation
    }

    pub(crate) fn connection_id(&self) -> i64 {
        self.id
    }

    pub(crate) fn server(&self) -> SocketAddr {
        self.server
    }

    /// The address at which packets of peers arrive, while there is one.
    pub(crate) fn relayed(&self) -> Option<SocketAddr> {
        match self.state {
            AllocationState::Allocated { relayed, .. } => Some(relayed),
            AllocationState::Requested | AllocationState::Ended => None,
        }
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let (refresh, expires) = match self.state {
            AllocationState::Allocated { refresh, expires, .. } => (Some(refresh), Some(expires)),
            AllocationState::Requested | AllocationState::Ended => (None, None),
        };
        let transactions = self.transactions.iter().map(|it| it.next).min();
        let times = [refresh, expires, self.permissions.next_refresh(), transactions];
        times.into_iter().flatten().min()
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let AllocationState::Allocated { refresh, expires, .. } = &mut self.state {
            if *expires <= now {
                self.end("it has expired");
                return;
            }
            if *refresh <= now {
                // Unless the refresh succeeds the allocation expires.
                *refresh = *expires;
                self.request(RequestPurpose::Refresh, 0, now);
            }
        }
        for peer in self.permissions.due(now) {
            self.request(RequestPurpose::Permit(peer), 0, now);
        }
        let mut failed = Vec::new();
        self.transactions.retain_mut(|transaction| {
            if transaction.next > now {
                return true;
            }
            if transaction.sent == REQUESTS {
                failed.push(transaction.purpose);
                return false;
            }
            self.outbox.push_back(transaction.bytes.clone());
            transaction.sent += 1;
            transaction.next = now
                + if transaction.sent == REQUESTS {
                    LAST_WAIT
                } else {
                    RETRANSMISSION * (1 << (transaction.sent - 1))
                };
            true
        });
        for purpose in failed {
            self.fail(purpose, "the server does not answer");
        }
    }

    /// The next datagram for the server.
    pub(crate) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    /// Handles a datagram of the server. `None` if it is not one of this allocation.
    pub(crate) fn receive<'a>(
        &mut self,
        bytes: &'a [u8],
        now: Instant,
    ) -> Option<FromAllocation<'a>> {
        let message = StunMessage::parse(bytes)?;
        if message.kind == DATA_INDICATION {
            return Some(self.packet(&message).unwrap_or(FromAllocation::Handled));
        }
        let is_response = |it: &TurnTransaction| {
            let method = it.purpose.method();
            it.id == message.id && [method | SUCCESS, method | ERROR].contains(&message.kind)
        };
        let index = self.transactions.iter().position(is_response)?;
        let purpose = self.transactions[index].purpose;
        if message.kind == purpose.method() | ERROR {
            self.error(index, &message, now);
            return Some(FromAllocation::Handled);
        }
        if !self.is_authentic(&message) {
            // As if it had not been received (RFC 8489, section 9.2.5).
            return Some(FromAllocation::Handled);
        }
        self.transactions.remove(index);
        Some(self.success(purpose, &message, now))
    }

    /// Requests a permission for packets of this peer, if it is of the family of the relayed address.
    pub(crate) fn permit(&mut self, peer: SocketAddr, now: Instant) {
        let same_family = self.relayed().is_some_and(|it| it.is_ipv4() == peer.is_ipv4());
        if same_family && self.permissions.add(peer) {
            self.request(RequestPurpose::Permit(peer), 0, now);
        }
    }

    /// The datagram that lets the server send a packet to a peer. `None` if it would not do that.
    pub(crate) fn wrap(&mut self, peer: SocketAddr, bytes: &[u8]) -> Option<Vec<u8>> {
        self.relayed()?;
        if bytes.len() > LONGEST_PACKET || !self.permissions.has(peer.ip()) {
            return None;
        }
        let id = self.next_id();
        let message = StunMessageBuilder::new(SEND_INDICATION, &id);
        Some(message.address(XOR_PEER_ADDRESS, peer).attribute(DATA, bytes).finish())
    }

    /// The request that ends the allocation, if the server may have one. Its response is not waited for.
    pub(crate) fn close(&mut self) -> Option<Vec<u8>> {
        let may_exist = match self.state {
            AllocationState::Allocated { .. } => true,
            // The request with credentials may have been granted, and the response be on its way.
            AllocationState::Requested => self.challenge.is_some(),
            AllocationState::Ended => false,
        };
        self.state = AllocationState::Ended;
        self.transactions.clear();
        let id = self.next_id();
        let message = StunMessageBuilder::new(REFRESH, &id).attribute(LIFETIME, &[0; 4]);
        may_exist.then(|| self.finish(message))
    }

    /// Makes a request, in place of one that was made for the same purpose.
    fn request(&mut self, purpose: RequestPurpose, stale: u32, now: Instant) {
        self.transactions.retain(|it| it.purpose != purpose);
        let id = self.next_id();
        let message = StunMessageBuilder::new(purpose.method(), &id);
        let message = match purpose {
            RequestPurpose::Allocate => message.attribute(REQUESTED_TRANSPORT, &UDP),
            RequestPurpose::Refresh => message,
            RequestPurpose::Permit(peer) => message.address(XOR_PEER_ADDRESS, peer),
        };
        let bytes = self.finish(message);
        self.transactions.push(TurnTransaction { purpose, id, bytes, sent: 0, next: now, stale });
    }

    fn next_id(&mut self) -> TransactionId {
        let mut id = self.ids;
        let number = self.count.to_be_bytes();
        id[8..].iter_mut().zip(number).for_each(|(byte, number)| *byte ^= number);
        self.count = self.count.wrapping_add(1);
        id
    }

    /// Adds the credentials that the server has asked for.
    fn finish(&self, message: StunMessageBuilder) -> Vec<u8> {
        let Some(challenge) = &self.challenge else { return message.finish() };
        message
            .attribute(USERNAME, self.credentials.username().as_bytes())
            .attribute(REALM, &challenge.realm)
            .attribute(NONCE, &challenge.nonce)
            .finish_signed(&challenge.key[..])
    }

    fn is_authentic(&self, message: &StunMessage) -> bool {
        self.challenge.as_ref().is_none_or(|it| message.is_authentic(&it.key[..]))
    }

    fn success(
        &mut self,
        purpose: RequestPurpose,
        message: &StunMessage,
        now: Instant,
    ) -> FromAllocation<'static> {
        match purpose {
            RequestPurpose::Allocate => {
                let relayed = message.address(XOR_RELAYED_ADDRESS).filter(is_usable);
                let (Some(relayed), Some(lifetime)) = (relayed, lifetime(message)) else {
                    self.end("the server has named no address or lifetime");
                    return FromAllocation::Handled;
                };
                let (refresh, expires) = times(lifetime, now);
                self.state = AllocationState::Allocated { relayed, refresh, expires };
                return FromAllocation::Ready;
            }
            RequestPurpose::Refresh => match (lifetime(message), &mut self.state) {
                (Some(lifetime), AllocationState::Allocated { refresh, expires, .. }) => {
                    (*refresh, *expires) = times(lifetime, now);
                }
                _ => self.end("the server has ended it"),
            },
            RequestPurpose::Permit(peer) => self.permissions.granted(peer.ip(), now),
        }
        FromAllocation::Handled
    }

    fn error(&mut self, index: usize, message: &StunMessage, now: Instant) {
        let purpose = self.transactions[index].purpose;
        let Some(code) = error_code(message) else { return };
        match code {
            UNAUTHENTICATED if self.challenge.is_none() => {
                self.answer_challenge(index, message, now);
            }
            STALE_NONCE if self.challenge.is_some() => self.answer_challenge(index, message, now),
            // A 401 has no `MESSAGE-INTEGRITY`, because the server does not accept the key.
            UNAUTHENTICATED => {
                self.transactions.remove(index);
                self.fail(purpose, "the credentials were refused");
            }
            _ if self.is_authentic(message) => {
                self.transactions.remove(index);
                tracing::debug!(id = self.id, code, "a TURN server has refused a request");
                self.fail(purpose, "the request was refused");
            }
            // As if it had not been received.
            _ => {}
        }
    }

    /// Makes a request again with the realm and nonce of its error.
    fn answer_challenge(&mut self, index: usize, message: &StunMessage, now: Instant) {
        let TurnTransaction { purpose, stale, .. } = self.transactions.remove(index);
        let text = |kind| {
            let text = message.attribute(kind).filter(|it| (1..=LONGEST_TEXT).contains(&it.len()));
            text.map(<[u8]>::to_vec)
        };
        let realm = text(REALM).or_else(|| Some(self.challenge.as_ref()?.realm.clone()));
        let (Some(realm), Some(nonce)) = (realm, text(NONCE)) else {
            self.fail(purpose, "the server asks for credentials without a realm and nonce");
            return;
        };
        if stale == MOST_NONCES {
            self.fail(purpose, "every nonce was stale");
            return;
        }
        let key = self.credentials.key(&realm);
        self.challenge = Some(AuthChallenge { realm, nonce, key });
        self.request(purpose, stale + 1, now);
    }

    fn fail(&mut self, purpose: RequestPurpose, reason: &'static str) {
        match purpose {
            RequestPurpose::Allocate | RequestPurpose::Refresh => self.end(reason),
            RequestPurpose::Permit(peer) => self.permissions.refused(peer.ip()),
        }
    }

    pub(crate) fn end(&mut self, reason: &'static str) {
        tracing::info!(id = self.id, reason, "a TURN server is not used any longer");
        self.state = AllocationState::Ended;
        self.transactions.clear();
        self.permissions = Permissions::default();
    }

    /// The packet in a data indication. One of a peer without a permission is dropped (RFC 8656,
    /// section 11.4).
    fn packet<'a>(&self, message: &StunMessage<'a>) -> Option<FromAllocation<'a>> {
        let relayed = self.relayed()?;
        let peer = message.address(XOR_PEER_ADDRESS)?;
        let bytes = message.attribute(DATA).filter(|it| it.len() <= LONGEST_PACKET)?;
        let is_permitted = is_usable(&peer) && self.permissions.has(peer.ip());
        is_permitted.then_some(FromAllocation::Packet { relayed, peer, bytes })
    }
}

/// Whether packets can be sent to an address and received from it.
fn is_usable(address: &SocketAddr) -> bool {
    let ip = address.ip();
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast()
}

/// The lifetime in a response, unless it is 0.
fn lifetime(message: &StunMessage) -> Option<Duration> {
    let seconds = u32::from_be_bytes(message.attribute(LIFETIME)?.try_into().ok()?);
    let lifetime = Duration::from_secs(seconds.into()).min(LONGEST_LIFETIME);
    (!lifetime.is_zero()).then_some(lifetime)
}

/// When an allocation of this lifetime is refreshed, and when it expires.
fn times(lifetime: Duration, now: Instant) -> (Instant, Instant) {
    let wait = lifetime.saturating_sub(REFRESH_AHEAD).max(lifetime / 2);
    (now + wait, now + lifetime)
}

/// The class and number in `ERROR-CODE` (RFC 8489, section 14.8).
fn error_code(message: &StunMessage) -> Option<u16> {
    let [_, _, class, number, ..] = *message.attribute(ERROR_CODE)? else { return None };
    Some(u16::from(class & 7) * 100 + u16::from(number))
}

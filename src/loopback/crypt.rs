//! MTProto 2.0 encryption, seen from the server.
//!
//! Written from the protocol's description, apart from the client's own code, so that both
//! ends cannot share a mistake. Source: <https://core.telegram.org/mtproto/description>.

use grammers_crypto::aes;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The length of an authorization key, in bytes.
pub const AUTH_KEY_LEN: usize = 256;
/// `auth_key_id` and `msg_key`, in front of every encrypted message.
const HEADER: usize = 8 + 16;
/// `salt`, `session_id`, `msg_id`, `seq_no` and length, in front of every body.
const INNER_HEADER: usize = 8 + 8 + 8 + 4 + 4;
const MIN_PADDING: usize = 12;
const MAX_PADDING: usize = 1024;

/// A permanent authorization key and its id.
#[derive(Clone)]
pub(super) struct AuthKey {
    bytes: [u8; AUTH_KEY_LEN],
    id: [u8; 8],
}

/// A decrypted message from a client.
#[derive(Debug, PartialEq)]
pub(super) struct Incoming {
    pub(super) salt: i64,
    pub(super) session_id: i64,
    pub(super) msg_id: i64,
    pub(super) seq_no: i32,
    pub(super) body: Vec<u8>,
}

/// Which way a message goes: the protocol's `x`.
#[derive(Clone, Copy)]
enum Sender {
    ToServer,
    ToClient,
}

impl Sender {
    fn x(self) -> usize {
        match self {
            Self::ToServer => 0,
            Self::ToClient => 8,
        }
    }
}

impl AuthKey {
    pub(super) fn new(bytes: [u8; AUTH_KEY_LEN]) -> Self {
        let mut id = [0; 8];
        id.copy_from_slice(&Sha1::digest(bytes)[12..20]);
        Self { bytes, id }
    }

    pub(super) fn bytes(&self) -> &[u8; AUTH_KEY_LEN] {
        &self.bytes
    }

    pub(super) fn id(&self) -> [u8; 8] {
        self.id
    }

    /// Opens a message from the client, or tells what is wrong with it.
    pub(super) fn decrypt(&self, payload: &[u8]) -> Result<Incoming, &'static str> {
        if payload.len() < HEADER + INNER_HEADER + MIN_PADDING
            || !(payload.len() - HEADER).is_multiple_of(16)
        {
            return Err("an encrypted message of an impossible length");
        }
        let msg_key: [u8; 16] = array(&payload[8..HEADER]);
        let (key, iv) = self.aes_key(&msg_key, Sender::ToServer);
        let mut handshake = payload[HEADER..].to_vec();
        aes::ige_decrypt(&mut handshake, &key, &iv);
        if self.msg_key(&handshake, Sender::ToServer) != msg_key {
            return Err("a message whose key does not match its text");
        }
        let len = i32::from_le_bytes(array(&handshake[28..32]));
        let padding = (handshake.len() - INNER_HEADER) as i64 - i64::from(len);
        let sound = len >= 4
            && len % 4 == 0
            && (MIN_PADDING as i64..=MAX_PADDING as i64).contains(&padding);
        if !sound {
            return Err("a message with a wrong inner length or padding");
        }
        Ok(Incoming {
            salt: i64::from_le_bytes(array(&handshake[0..8])),
            session_id: i64::from_le_bytes(array(&handshake[8..16])),
            msg_id: i64::from_le_bytes(array(&handshake[16..24])),
            seq_no: i32::from_le_bytes(array(&handshake[24..28])),
            body: handshake[INNER_HEADER..INNER_HEADER + len as usize].to_vec(),
        })
    }

    /// Closes a message for the client.
    pub(super) fn encrypt(
        &self,
        salt: i64,
        session_id: i64,
        (msg_id, seq_no): (i64, i32),
        body: &[u8],
    ) -> Vec<u8> {
        let mut handshake = Vec::with_capacity(INNER_HEADER + body.len() + 32);
        handshake.extend_from_slice(&salt.to_le_bytes());
        handshake.extend_from_slice(&session_id.to_le_bytes());
        handshake.extend_from_slice(&msg_id.to_le_bytes());
        handshake.extend_from_slice(&seq_no.to_le_bytes());
        handshake.extend_from_slice(&(body.len() as i32).to_le_bytes());
        handshake.extend_from_slice(body);
        let padding = MIN_PADDING + (16 - (handshake.len() + MIN_PADDING) % 16) % 16;
        let start = handshake.len();
        handshake.resize(start + padding, 0);
        super::random(&mut handshake[start..]);

        let msg_key = self.msg_key(&handshake, Sender::ToClient);
        let (key, iv) = self.aes_key(&msg_key, Sender::ToClient);
        aes::ige_encrypt(&mut handshake, &key, &iv);
        let mut payload = Vec::with_capacity(HEADER + handshake.len());
        payload.extend_from_slice(&self.id);
        payload.extend_from_slice(&msg_key);
        payload.extend_from_slice(&handshake);
        payload
    }

    fn msg_key(&self, handshake: &[u8], way: Sender) -> [u8; 16] {
        let x = way.x();
        let large = sha256(&[&self.bytes[88 + x..120 + x], handshake]);
        array(&large[8..24])
    }

    fn aes_key(&self, msg_key: &[u8; 16], way: Sender) -> ([u8; 32], [u8; 32]) {
        let x = way.x();
        let a = sha256(&[msg_key, &self.bytes[x..x + 36]]);
        let b = sha256(&[&self.bytes[40 + x..76 + x], msg_key]);
        let woven = |first: &[u8; 32], second: &[u8; 32]| {
            let mut woven = *first;
            woven[8..24].copy_from_slice(&second[8..24]);
            woven
        };
        (woven(&a, &b), woven(&b, &a))
    }

    /// The salt of the half hour `epoch`, so that none needs keeping.
    pub(super) fn salt(&self, epoch: i64) -> i64 {
        let digest = sha256(&[&self.bytes, &epoch.to_le_bytes()]);
        i64::from_le_bytes(array(&digest[..8]))
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

#[cfg(test)]
mod tests {
    use grammers_crypto::{DequeBuffer, decrypt_data_v2, encrypt_data_v2};

    use super::*;

    fn keys() -> (AuthKey, grammers_crypto::AuthKey) {
        let bytes = std::array::from_fn(|at| (at * 7) as u8);
        (AuthKey::new(bytes), grammers_crypto::AuthKey::from_bytes(bytes))
    }

    fn handshake(len: i32) -> Vec<u8> {
        let mut handshake = Vec::new();
        handshake.extend(11i64.to_le_bytes());
        handshake.extend(22i64.to_le_bytes());
        handshake.extend(33i64.to_le_bytes());
        handshake.extend(1i32.to_le_bytes());
        handshake.extend(len.to_le_bytes());
        handshake.extend([7; 8]);
        handshake
    }

    #[test]
    fn the_clients_messages_are_opened() {
        let (ours, theirs) = keys();
        let mut buffer = DequeBuffer::with_capacity(0, 0);
        buffer.extend(handshake(8));
        encrypt_data_v2(&mut buffer, &theirs);
        let incoming = ours.decrypt(buffer.as_ref()).expect("a good message");
        let wanted = Incoming { salt: 11, session_id: 22, msg_id: 33, seq_no: 1, body: vec![7; 8] };
        assert_eq!(incoming, wanted);
    }

    #[test]
    fn the_client_opens_ours() {
        let (ours, theirs) = keys();
        let mut payload = ours.encrypt(11, 22, (33, 1), &[7; 8]);
        let opened = decrypt_data_v2(&mut payload, &theirs).expect("a good message");
        assert_eq!(opened[..handshake(8).len()], handshake(8));
    }

    #[test]
    fn a_changed_bit_is_noticed() {
        let (ours, theirs) = keys();
        let mut buffer = DequeBuffer::with_capacity(0, 0);
        buffer.extend(handshake(8));
        encrypt_data_v2(&mut buffer, &theirs);
        let mut payload = buffer.as_ref().to_vec();
        let last = payload.len() - 1;
        payload[last] ^= 1;
        assert!(ours.decrypt(&payload).is_err());
    }

    #[test]
    fn a_wrong_inner_length_is_noticed() {
        let (ours, theirs) = keys();
        for len in [-4, 0, 6, 4096] {
            let mut buffer = DequeBuffer::with_capacity(0, 0);
            buffer.extend(handshake(len));
            encrypt_data_v2(&mut buffer, &theirs);
            assert!(ours.decrypt(buffer.as_ref()).is_err(), "length {len}");
        }
    }
}

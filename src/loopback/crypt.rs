//! MTProto 2.0 encryption from the server's side.
//!
//! Key identifiers, message keys, AES keys, padding and the checks of a decrypted message are
//! implemented here from <https://core.telegram.org/mtproto/description>, independently of the
//! client. AES-IGE and the TL codec are the client's own (`grammers-crypto`, `grammers-tl-types`):
//! a mistake in those is invisible between the two ends.

use grammers_crypto::aes;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The length of an authorization key, in bytes.
pub(crate) const AUTH_KEY_LEN: usize = 256;
/// The length of `auth_key_id` and `msg_key`, which precede every encrypted message, in bytes.
const HEADER: usize = 8 + 16;
/// The length of `salt`, `session_id`, `msg_id`, `seq_no` and the body length, in bytes.
const INNER_HEADER: usize = 8 + 8 + 8 + 4 + 4;
/// The bounds of the random padding of MTProto 2.0, in bytes.
const MIN_PADDING: usize = 12;
const MAX_PADDING: usize = 1024;

/// A permanent authorization key and its id.
#[derive(Clone)]
pub(crate) struct AuthKey {
    bytes: [u8; AUTH_KEY_LEN],
    id: [u8; 8],
}

/// A decrypted message from a client.
#[derive(Debug, PartialEq)]
pub(crate) struct Incoming {
    pub(crate) salt: i64,
    pub(crate) session_id: i64,
    pub(crate) msg_id: i64,
    pub(crate) seq_no: i32,
    pub(crate) body: Vec<u8>,
}

/// The direction of a message, which selects the parts of the key that encrypt it.
#[derive(Clone, Copy)]
enum MessageDirection {
    ToServer,
    ToClient,
}

impl MessageDirection {
    /// The offset `x` of the protocol, in bytes.
    fn x(self) -> usize {
        match self {
            Self::ToServer => 0,
            Self::ToClient => 8,
        }
    }
}

impl AuthKey {
    pub(crate) fn new(bytes: [u8; AUTH_KEY_LEN]) -> Self {
        let mut id = [0; 8];
        id.copy_from_slice(&Sha1::digest(bytes)[12..20]);
        Self { bytes, id }
    }

    pub(crate) fn bytes(&self) -> &[u8; AUTH_KEY_LEN] {
        &self.bytes
    }

    pub(crate) fn id(&self) -> [u8; 8] {
        self.id
    }

    /// Decrypts a message from the client.
    ///
    /// # Errors
    /// What is wrong with the message, as a phrase for the log.
    pub(crate) fn decrypt(&self, payload: &[u8]) -> Result<Incoming, &'static str> {
        if payload.len() < HEADER + INNER_HEADER + MIN_PADDING
            || !(payload.len() - HEADER).is_multiple_of(16)
        {
            return Err("an encrypted message of an impossible length");
        }
        let msg_key: [u8; 16] = array(&payload[8..HEADER]);
        let (key, iv) = self.aes_key(&msg_key, MessageDirection::ToServer);
        let mut plaintext = payload[HEADER..].to_vec();
        aes::ige_decrypt(&mut plaintext, &key, &iv);
        if self.msg_key(&plaintext, MessageDirection::ToServer) != msg_key {
            return Err("a message whose key does not match its text");
        }
        let len = i32::from_le_bytes(array(&plaintext[28..32]));
        let padding = (plaintext.len() - INNER_HEADER) as i64 - i64::from(len);
        let valid = len >= 4
            && len % 4 == 0
            && (MIN_PADDING as i64..=MAX_PADDING as i64).contains(&padding);
        if !valid {
            return Err("a message with a wrong inner length or padding");
        }
        Ok(Incoming {
            salt: i64::from_le_bytes(array(&plaintext[0..8])),
            session_id: i64::from_le_bytes(array(&plaintext[8..16])),
            msg_id: i64::from_le_bytes(array(&plaintext[16..24])),
            seq_no: i32::from_le_bytes(array(&plaintext[24..28])),
            body: plaintext[INNER_HEADER..INNER_HEADER + len as usize].to_vec(),
        })
    }

    /// Encrypts a message to the client.
    pub(crate) fn encrypt(
        &self,
        salt: i64,
        session_id: i64,
        (msg_id, seq_no): (i64, i32),
        body: &[u8],
    ) -> Vec<u8> {
        let mut plaintext = Vec::with_capacity(INNER_HEADER + body.len() + 32);
        plaintext.extend_from_slice(&salt.to_le_bytes());
        plaintext.extend_from_slice(&session_id.to_le_bytes());
        plaintext.extend_from_slice(&msg_id.to_le_bytes());
        plaintext.extend_from_slice(&seq_no.to_le_bytes());
        plaintext.extend_from_slice(&(body.len() as i32).to_le_bytes());
        plaintext.extend_from_slice(body);
        let padding = MIN_PADDING + (16 - (plaintext.len() + MIN_PADDING) % 16) % 16;
        let start = plaintext.len();
        plaintext.resize(start + padding, 0);
        crate::random(&mut plaintext[start..]);

        let msg_key = self.msg_key(&plaintext, MessageDirection::ToClient);
        let (key, iv) = self.aes_key(&msg_key, MessageDirection::ToClient);
        aes::ige_encrypt(&mut plaintext, &key, &iv);
        let mut payload = Vec::with_capacity(HEADER + plaintext.len());
        payload.extend_from_slice(&self.id);
        payload.extend_from_slice(&msg_key);
        payload.extend_from_slice(&plaintext);
        payload
    }

    fn msg_key(&self, plaintext: &[u8], direction: MessageDirection) -> [u8; 16] {
        let x = direction.x();
        let large = sha256(&[&self.bytes[88 + x..120 + x], plaintext]);
        array(&large[8..24])
    }

    fn aes_key(&self, msg_key: &[u8; 16], direction: MessageDirection) -> ([u8; 32], [u8; 32]) {
        let x = direction.x();
        let a = sha256(&[msg_key, &self.bytes[x..x + 36]]);
        let b = sha256(&[&self.bytes[40 + x..76 + x], msg_key]);
        let interleaved = |outer: &[u8; 32], inner: &[u8; 32]| {
            let mut bytes = *outer;
            bytes[8..24].copy_from_slice(&inner[8..24]);
            bytes
        };
        (interleaved(&a, &b), interleaved(&b, &a))
    }

    /// The salt of the half hour `epoch`, derived from the key so that no salt has to be stored.
    pub(crate) fn salt(&self, epoch: i64) -> i64 {
        let digest = sha256(&[&self.bytes, &epoch.to_le_bytes()]);
        i64::from_le_bytes(array(&digest[..8]))
    }
}

/// The SHA-256 digest of the concatenated parts.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
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

    fn plaintext(len: i32) -> Vec<u8> {
        let mut plaintext = Vec::new();
        plaintext.extend(11i64.to_le_bytes());
        plaintext.extend(22i64.to_le_bytes());
        plaintext.extend(33i64.to_le_bytes());
        plaintext.extend(1i32.to_le_bytes());
        plaintext.extend(len.to_le_bytes());
        plaintext.extend([7; 8]);
        plaintext
    }

    fn encrypt_by_grammers(key: &grammers_crypto::AuthKey, len: i32) -> Vec<u8> {
        let mut buffer = DequeBuffer::with_capacity(0, 0);
        buffer.extend(plaintext(len));
        encrypt_data_v2(&mut buffer, key);
        buffer.as_ref().to_vec()
    }

    #[test]
    fn messages_encrypted_by_grammers_are_decrypted() {
        let (server, client) = keys();
        let payload = encrypt_by_grammers(&client, 8);
        let incoming = server.decrypt(&payload).expect("a valid message");
        let wanted = Incoming { salt: 11, session_id: 22, msg_id: 33, seq_no: 1, body: vec![7; 8] };
        assert_eq!(incoming, wanted);
    }

    #[test]
    fn grammers_decrypts_messages_of_the_server() {
        let (server, client) = keys();
        let mut payload = server.encrypt(11, 22, (33, 1), &[7; 8]);
        let decrypted = decrypt_data_v2(&mut payload, &client).expect("a valid message");
        assert_eq!(decrypted[..plaintext(8).len()], plaintext(8));
    }

    #[test]
    fn a_message_with_a_changed_bit_is_refused() {
        let (server, client) = keys();
        let mut payload = encrypt_by_grammers(&client, 8);
        let last = payload.len() - 1;
        payload[last] ^= 1;
        assert!(server.decrypt(&payload).is_err());
    }

    #[test]
    fn a_message_with_a_wrong_inner_length_is_refused() {
        let (server, client) = keys();
        for len in [-4, 0, 6, 4096] {
            let payload = encrypt_by_grammers(&client, len);
            assert!(server.decrypt(&payload).is_err(), "length {len}");
        }
    }
}

//! The encryption of signaling.
//!
//! A sealed packet is a message key of 16 bytes and the plaintext encrypted with AES-256 in counter
//! mode, both derived from the key of the call as in MTProto 2.0. The plaintext is not padded. Source:
//! `EncryptedConnection` of tgcalls.

use aes::Aes256;
use aes::cipher::{KeyIvInit, StreamCipher};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::key::SharedKey;

/// The length of the message key in front of the ciphertext, in bytes.
const MESSAGE_KEY: usize = 16;
/// The shortest and the longest packet that is opened, in bytes. The shortest plaintext is a sequence
/// number and a type.
const SIZES: std::ops::RangeInclusive<usize> = 21..=128 * 1024;

/// Who sends a packet; the two directions use different parts of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SealDirection {
    CallerToCallee,
    CalleeToCaller,
}

impl SealDirection {
    pub(crate) fn reversed(self) -> Self {
        match self {
            Self::CallerToCallee => Self::CalleeToCaller,
            Self::CalleeToCaller => Self::CallerToCallee,
        }
    }

    /// Where the part of the key begins that this direction uses for signaling.
    fn offset(self) -> usize {
        match self {
            Self::CallerToCallee => 128,
            Self::CalleeToCaller => 136,
        }
    }
}

/// Why a packet is not opened.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SealError {
    #[error("a signaling packet of {0} bytes")]
    Size(usize),
    #[error("a signaling packet that the key does not open")]
    Key,
}

/// Encrypts a packet.
pub(crate) fn seal(key: &SharedKey, direction: SealDirection, plaintext: &[u8]) -> Vec<u8> {
    let message_key = message_key(key, direction, plaintext);
    let mut packet = [&message_key[..], plaintext].concat();
    cipher(key, direction, &message_key).apply_keystream(&mut packet[MESSAGE_KEY..]);
    packet
}

/// Decrypts a packet, and checks its message key in constant time.
pub(crate) fn open(
    key: &SharedKey,
    direction: SealDirection,
    packet: &[u8],
) -> Result<Vec<u8>, SealError> {
    let size = Err(SealError::Size(packet.len()));
    let Some((message_key, ciphertext)) = packet.split_first_chunk::<MESSAGE_KEY>() else {
        return size;
    };
    if !SIZES.contains(&packet.len()) {
        return size;
    }
    let mut plaintext = ciphertext.to_vec();
    cipher(key, direction, message_key).apply_keystream(&mut plaintext);
    let expected = self::message_key(key, direction, &plaintext);
    let difference = expected.iter().zip(message_key).fold(0, |all, (a, b)| all | (a ^ b));
    if difference == 0 { Ok(plaintext) } else { Err(SealError::Key) }
}

fn message_key(key: &SharedKey, direction: SealDirection, plaintext: &[u8]) -> [u8; MESSAGE_KEY] {
    let part = &key.bytes()[88 + direction.offset()..][..32];
    let hash = Sha256::new().chain_update(part).chain_update(plaintext).finalize();
    std::array::from_fn(|byte| hash[8 + byte])
}

fn cipher(key: &SharedKey, direction: SealDirection, message_key: &[u8]) -> ctr::Ctr128BE<Aes256> {
    let (key, offset) = (key.bytes(), direction.offset());
    let a = Sha256::new().chain_update(message_key).chain_update(&key[offset..][..36]).finalize();
    let b =
        Sha256::new().chain_update(&key[40 + offset..][..36]).chain_update(message_key).finalize();
    let aes_key: [u8; 32] = concat([&a[..8], &b[8..24], &a[24..]]);
    let counter: [u8; 16] = concat([&b[..4], &a[8..16], &b[24..28]]);
    ctr::Ctr128BE::new(&aes_key.into(), &counter.into())
}

/// Joins three slices, whose lengths add up to `N`.
fn concat<const N: usize>(parts: [&[u8]; 3]) -> [u8; N] {
    let mut joined = [0; N];
    let mut bytes = parts.into_iter().flatten();
    joined.fill_with(|| bytes.next().copied().unwrap_or_default());
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> SharedKey {
        SharedKey::of_bytes(std::array::from_fn(|byte| (byte * 7 + 3) as u8).into())
    }

    /// Vectors of an implementation in Python with `hashlib` and OpenSSL.
    #[test]
    fn packets_are_those_of_another_implementation() {
        let hex = |bytes: &[u8]| bytes.iter().map(|it| format!("{it:02x}")).collect::<String>();
        let cases = [
            (
                SealDirection::CallerToCallee,
                "286f14486767e3655e8c57409e3ad0b46d6a2fcf7537655e5b5cd0730062e601daf0c1",
            ),
            (
                SealDirection::CalleeToCaller,
                "710eb1bc1749fc4cfd49a816ff0e3d7e83e2fcff14adfd0d86b979846c102026d007fb",
            ),
        ];
        for (direction, expected) in cases {
            assert_eq!(hex(&seal(&key(), direction, b"a signaling message")), expected);
        }
    }

    proptest! {
        #[test]
        fn a_packet_opens_in_its_direction_only(
            plaintext in prop::collection::vec(any::<u8>(), 5..200),
            flipped in any::<prop::sample::Index>(),
        ) {
            let direction = SealDirection::CallerToCallee;
            let packet = seal(&key(), direction, &plaintext);
            prop_assert_eq!(open(&key(), direction, &packet), Ok(plaintext));
            prop_assert_eq!(open(&key(), direction.reversed(), &packet), Err(SealError::Key));
            let mut changed = packet;
            let bit = flipped.index(changed.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(open(&key(), direction, &changed), Err(SealError::Key));
        }

        #[test]
        fn foreign_bytes_are_refused(packet in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(open(&key(), SealDirection::CallerToCallee, &packet).is_err());
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let direction = SealDirection::CalleeToCaller;
        for (length, fits) in
            [(4, false), (5, true), (128 * 1024 - 16, true), (128 * 1024 - 15, false)]
        {
            let packet = seal(&key(), direction, &vec![1; length]);
            assert_eq!(open(&key(), direction, &packet).is_ok(), fits, "{length}");
        }
    }
}

//! The four emoji by which two people compare the key of their call.
//!
//! Source: <https://core.telegram.org/api/end-to-end/voice-calls#key-verification>.

mod table;

use sha2::{Digest, Sha256};
use table::EMOJI;

/// An emoji and its name in English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emoji {
    pub picture: &'static str,
    pub name: &'static str,
}

/// The emoji of a key of 256 bytes and the caller's public value.
///
/// Each 8 bytes of SHA-256(key, `g_a`) are a big-endian number, and its lower 63 bits modulo 333 are the
/// index of an emoji.
pub(crate) fn of_key(key: &[u8; 256], g_a: &[u8; 256]) -> [Emoji; 4] {
    let hash = Sha256::new().chain_update(key).chain_update(g_a).finalize();
    std::array::from_fn(|part| {
        let bytes = std::array::from_fn(|byte| hash[part * 8 + byte]);
        let number = u64::from_be_bytes(bytes) & (u64::MAX >> 1);
        let (picture, name) = EMOJI[(number % EMOJI.len() as u64) as usize];
        Emoji { picture, name }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn pictures_and_names_are_unique() {
        let pictures: HashSet<_> = EMOJI.iter().map(|(picture, _)| picture).collect();
        let names: HashSet<_> = EMOJI.iter().map(|(_, name)| name).collect();
        assert_eq!((pictures.len(), names.len()), (EMOJI.len(), EMOJI.len()));
    }

    #[test]
    fn the_emoji_depend_on_the_key_and_on_the_public_value() {
        let emoji = of_key(&[1; 256], &[2; 256]);
        // SHA-256 of 256 bytes 1 and 256 bytes 2, computed with Python's hashlib.
        assert_eq!(
            emoji.map(|it| it.name),
            ["four leaf clover", "hourglass with flowing sand", "eyes", "snowflake"]
        );
        assert_ne!(emoji, of_key(&[1; 256], &[3; 256]));
        assert_ne!(emoji, of_key(&[3; 256], &[2; 256]));
    }
}

//! The Diffie-Hellman key exchange of calls, from the server's and a scripted person's side.
//!
//! Sources: <https://core.telegram.org/api/end-to-end/voice-calls> and, for the prime and the checks,
//! <https://core.telegram.org/mtproto/auth_key#dh-key-exchange-complete>.

use std::sync::LazyLock;

use num_bigint::BigUint;
use sha1::{Digest, Sha1};

use crate::scenario::DhScript;

/// The length of the prime and of all values of the exchange, in bytes.
pub(crate) const DH_LEN: usize = 256;

/// The 2048-bit safe prime that Telegram's servers send, in hexadecimal.
const P: &str = "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f\
    48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37\
    20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64\
    2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4\
    a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754\
    fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4\
    e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f\
    0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b";
/// The generator that belongs to [`P`].
pub(crate) const G: u8 = 3;
/// `P` plus this is a prime `p` with `p mod 3 = 2` whose `(p - 1) / 2` is even.
const TO_UNSAFE_PRIME: u16 = 570;
/// `P` plus this is divisible by 3.
const TO_COMPOSITE: u16 = 4;

/// Telegram's prime.
pub(crate) fn prime() -> &'static BigUint {
    static PRIME: LazyLock<BigUint> =
        LazyLock::new(|| BigUint::parse_bytes(P.as_bytes(), 16).expect("hex digits"));
    &PRIME
}

/// `version`, `g` and `p` of `messages.dhConfig`.
pub(crate) fn config(script: DhScript) -> (i32, i32, Vec<u8>) {
    let (version, g, p) = match script {
        DhScript::Telegram => (3, G, prime().clone()),
        DhScript::Unsafe => (4, G, prime() + TO_UNSAFE_PRIME),
        // The generator 4 is allowed with every prime.
        DhScript::Composite => (5, 4, prime() + TO_COMPOSITE),
        // The prime modulo 8 is 3, and the generator 2 requires 7.
        DhScript::Generator => (6, 2, prime().clone()),
        DhScript::GeneratorRange => (7, 8, prime().clone()),
        DhScript::Short => (8, 4, prime() >> 1024_u16),
    };
    (version, i32::from(g), p.to_bytes_be())
}

/// The number in big-endian bytes, padded with zeros to [`DH_LEN`].
pub(crate) fn padded(number: &BigUint) -> [u8; DH_LEN] {
    let bytes = number.to_bytes_be();
    let mut padded = [0; DH_LEN];
    padded[DH_LEN - bytes.len()..].copy_from_slice(&bytes);
    padded
}

/// Whether `2^1984 <= value <= p - 2^1984`, which both parties must check for `g_a` and `g_b`.
pub(crate) fn is_in_range(value: &[u8]) -> bool {
    let (value, margin) = (BigUint::from_bytes_be(value), BigUint::from(1_u8) << 1984_u16);
    value >= margin && value <= prime() - margin
}

/// `key_fingerprint`: the last 64 bits of the SHA-1 of the key.
pub(crate) fn fingerprint(key: &[u8; DH_LEN]) -> i64 {
    let mut last = [0; 8];
    last.copy_from_slice(&Sha1::digest(key)[12..]);
    i64::from_le_bytes(last)
}

/// The secret exponent of one party.
#[derive(Clone)]
pub(crate) struct SecretExponent(BigUint);

impl SecretExponent {
    pub(crate) fn random() -> Self {
        let mut bytes = [0; DH_LEN];
        crate::random(&mut bytes);
        Self(BigUint::from_bytes_be(&bytes))
    }

    /// `g_a` or `g_b`.
    pub(crate) fn public(&self) -> [u8; DH_LEN] {
        padded(&BigUint::from(G).modpow(&self.0, prime()))
    }

    /// The key that follows from the other party's public value.
    pub(crate) fn key(&self, public: &[u8]) -> [u8; DH_LEN] {
        padded(&BigUint::from_bytes_be(public).modpow(&self.0, prime()))
    }
}

/// Gives each scripted person's side of a call its own exponent.
///
/// The exponents are consecutive numbers, because the next public value is then one multiplication
/// away, and a scenario may have a hundred thousand calls. Nobody keeps a secret from this server.
#[derive(Default)]
pub(crate) struct ExponentSource {
    first: Option<BigUint>,
    /// The number of exponents that were given, and the public value of the next one.
    given: u64,
    next_public: BigUint,
}

impl ExponentSource {
    /// The number of the next exponent, and its public value.
    pub(crate) fn next(&mut self) -> (u64, [u8; DH_LEN]) {
        if self.first.is_none() {
            let first = SecretExponent::random();
            self.next_public = BigUint::from_bytes_be(&first.public());
            self.first = Some(first.0);
        }
        let next_public = &self.next_public * G % prime();
        let public = std::mem::replace(&mut self.next_public, next_public);
        self.given += 1;
        (self.given - 1, padded(&public))
    }

    /// The exponent with a number that [`Self::next`] has returned.
    pub(crate) fn exponent(&self, number: u64) -> SecretExponent {
        SecretExponent(self.first.clone().unwrap_or_default() + number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parties_compute_the_same_key() {
        let mut source = ExponentSource::default();
        for _ in 0..3 {
            let (number, g_a) = source.next();
            let a = source.exponent(number);
            let b = SecretExponent::random();
            assert_eq!(a.public(), g_a, "the public value belongs to the exponent");
            assert!(is_in_range(&g_a));
            assert_eq!(a.key(&b.public()), b.key(&g_a));
        }
    }

    #[test]
    fn values_at_the_ends_of_the_group_are_out_of_range() {
        let margin = BigUint::from(1_u8) << 1984_u16;
        let one = BigUint::from(1_u8);
        for (value, wanted) in [
            (BigUint::ZERO, false),
            (one.clone(), false),
            (prime() - &one, false),
            (&margin - &one, false),
            (margin.clone(), true),
            (prime() - &margin, true),
            (prime() - &margin + &one, false),
        ] {
            assert_eq!(is_in_range(&value.to_bytes_be()), wanted, "{value}");
        }
        assert!(!is_in_range(&[]));
    }

    #[test]
    fn a_key_that_begins_with_a_zero_is_hashed_with_it() {
        let (mut key, mut shifted) = ([7; DH_LEN], [7; DH_LEN]);
        key[0] = 0;
        shifted[DH_LEN - 1] = 0;
        assert_ne!(fingerprint(&key), fingerprint(&shifted));
        let digest = Sha1::digest(key);
        assert_eq!(fingerprint(&key).to_le_bytes(), digest[12..]);
    }
}

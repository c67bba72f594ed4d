//! The Diffie-Hellman exchange of a call, and the key that it agrees on.
//!
//! Source: <https://core.telegram.org/api/end-to-end/voice-calls>. The numbers are big-endian and 256
//! bytes long. [`PrivateValue`] and [`SharedKey`] wipe their bytes when they are dropped; the copies that
//! `num-bigint` makes while it computes cannot be wiped.

use num_bigint::BigUint;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::emoji::{self, Emoji};

/// The length of the prime, of each public value, and of the key, in bytes.
pub const LENGTH: usize = 256;

/// A public value, `g_a` or `g_b`, in 256 bytes.
pub type PublicValue = [u8; LENGTH];

/// Why a key exchange is refused.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    #[error("the prime of the key exchange is not a safe prime of 2048 bits")]
    UnsafePrime,
    #[error("the generator of the key exchange does not fit its prime")]
    UnsafeGenerator,
    #[error("a value of the key exchange is out of range")]
    OutOfRange,
    #[error("the caller's value is not the one that was announced")]
    CommitmentMismatch,
    #[error("the fingerprint of the key differs")]
    FingerprintMismatch,
    #[error("the system has no random numbers")]
    NoRandomness,
}

/// A checked prime and generator of `messages.getDhConfig`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    prime: BigUint,
    generator: BigUint,
}

impl Group {
    /// Checks that the prime is a safe prime of 2048 bits, and that the generator generates its
    /// subgroup of prime order. Source of the checks:
    /// <https://core.telegram.org/mtproto/auth_key>.
    pub fn new(prime: &[u8], generator: i32) -> Result<Self, KeyError> {
        let known = prime == KNOWN_PRIME;
        let prime = BigUint::from_bytes_be(prime);
        if !known {
            let half = &prime >> 1_u32;
            if prime.bits() != 2048 || !is_prime(&prime)? || !is_prime(&half)? {
                return Err(KeyError::UnsafePrime);
            }
        }
        let remainder =
            |divisor: u32| (&prime % divisor).to_u32_digits().first().copied().unwrap_or(0);
        let fits = match generator {
            2 => remainder(8) == 7,
            3 => remainder(3) == 2,
            4 => true,
            5 => [1, 4].contains(&remainder(5)),
            6 => [19, 23].contains(&remainder(24)),
            7 => [3, 5, 6].contains(&remainder(7)),
            _ => false,
        };
        if !fits {
            return Err(KeyError::UnsafeGenerator);
        }
        Ok(Self { prime, generator: BigUint::from(generator.unsigned_abs()) })
    }

    /// A public value as a number, if it is in the range that Telegram requires: at least 2^1984, and
    /// at most the prime minus that.
    fn in_range(&self, value: &[u8]) -> Result<BigUint, KeyError> {
        let value = BigUint::from_bytes_be(value);
        let margin = BigUint::from(1_u32) << (2048 - 64);
        if value < margin || value > &self.prime - &margin {
            return Err(KeyError::OutOfRange);
        }
        Ok(value)
    }
}

/// The secret exponent of one side, with its public value.
pub struct PrivateValue {
    group: Group,
    exponent: Zeroizing<[u8; LENGTH]>,
    public: PublicValue,
}

impl PrivateValue {
    /// Makes a private value of the system's random numbers and those of `messages.getDhConfig`.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`], and [`KeyError::OutOfRange`] with a chance of 2^-63.
    pub fn generate(group: Group, server_random: &[u8]) -> Result<Self, KeyError> {
        let mut exponent = Zeroizing::new([0; LENGTH]);
        fill_random(&mut *exponent)?;
        for (byte, random) in exponent.iter_mut().zip(server_random) {
            *byte ^= random;
        }
        Self::of_exponent(group, exponent)
    }

    fn of_exponent(group: Group, exponent: Zeroizing<[u8; LENGTH]>) -> Result<Self, KeyError> {
        let power = group.generator.modpow(&BigUint::from_bytes_be(&*exponent), &group.prime);
        let public = padded(&power);
        group.in_range(&public)?;
        Ok(Self { group, exponent, public })
    }

    /// `g_a` of the caller, `g_b` of the callee.
    pub fn public(&self) -> &PublicValue {
        &self.public
    }

    /// SHA-256 of the public value, with which the caller commits to it (`g_a_hash`).
    pub fn commitment(&self) -> [u8; 32] {
        commitment(&self.public)
    }

    /// What the caller agrees on, from the `g_b` of `phoneCallAccepted`.
    pub fn agree_as_caller(&self, g_b: &[u8]) -> Result<Agreement, KeyError> {
        self.agree(g_b, &self.public)
    }

    /// What the callee agrees on, from the `g_a` of `phoneCall`, which must be the one that `g_a_hash`
    /// of `phoneCallRequested` announced, and must give the key that the caller has.
    pub fn agree_as_callee(
        &self,
        g_a: &[u8],
        g_a_hash: &[u8],
        fingerprint: i64,
    ) -> Result<Agreement, KeyError> {
        let value = self.group.in_range(g_a)?;
        if commitment(g_a) != *g_a_hash {
            return Err(KeyError::CommitmentMismatch);
        }
        let agreement = self.agree(g_a, &padded(&value))?;
        if agreement.key.fingerprint() != fingerprint {
            return Err(KeyError::FingerprintMismatch);
        }
        Ok(agreement)
    }

    fn agree(&self, other: &[u8], g_a: &PublicValue) -> Result<Agreement, KeyError> {
        let other = self.group.in_range(other)?;
        let exponent = BigUint::from_bytes_be(&*self.exponent);
        let key = Zeroizing::new(padded(&other.modpow(&exponent, &self.group.prime)));
        let emoji = emoji::of_key(&key, g_a);
        Ok(Agreement { key: SharedKey(key), emoji })
    }
}

/// What the two sides of a call agree on.
#[derive(Debug, Clone)]
pub struct Agreement {
    pub key: SharedKey,
    /// The emoji that both people see if nobody is between them.
    pub emoji: [Emoji; 4],
}

/// The key of a call.
#[derive(Clone)]
pub struct SharedKey(Zeroizing<[u8; LENGTH]>);

impl SharedKey {
    pub fn of_bytes(bytes: Zeroizing<[u8; LENGTH]>) -> Self {
        Self(bytes)
    }

    /// A copy of the key.
    pub fn to_bytes(&self) -> Zeroizing<[u8; LENGTH]> {
        self.0.clone()
    }

    /// The last 8 bytes of SHA-1 of the key, little-endian.
    pub fn fingerprint(&self) -> i64 {
        let hash = Sha1::digest(self.bytes());
        i64::from_le_bytes(std::array::from_fn(|byte| hash[12 + byte]))
    }

    pub(crate) fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl std::fmt::Debug for SharedKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SharedKey")
    }
}

fn commitment(public: &[u8]) -> [u8; 32] {
    Sha256::digest(public).into()
}

/// A number below 2^2048 in 256 bytes, with zeros in front.
fn padded(number: &BigUint) -> [u8; LENGTH] {
    let bytes = number.to_bytes_be();
    let mut padded = [0; LENGTH];
    padded[LENGTH - bytes.len()..].copy_from_slice(&bytes);
    padded
}

/// The Miller-Rabin test with 32 random bases. A composite passes with a probability of at most 4^-32;
/// the bases must be random, because the number could be chosen to pass for known ones.
fn is_prime(number: &BigUint) -> Result<bool, KeyError> {
    let one = BigUint::from(1_u32);
    if number.bits() < 3 || !number.bit(0) {
        return Ok(false);
    }
    let minus_one = number - &one;
    let twos = minus_one.trailing_zeros().unwrap_or(0);
    let odd = &minus_one >> twos;
    for _ in 0..32 {
        let mut base = [0; LENGTH];
        fill_random(&mut base)?;
        // From 2 to the number minus 2.
        let base = BigUint::from_bytes_be(&base) % (&minus_one - 2_u32) + 2_u32;
        let mut power = base.modpow(&odd, number);
        let mut passes = power == one || power == minus_one;
        for _ in 1..twos {
            if passes {
                break;
            }
            power = &power * &power % number;
            passes = power == minus_one;
        }
        if !passes {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fill_random(bytes: &mut [u8]) -> Result<(), KeyError> {
    getrandom::fill(bytes).map_err(|_| KeyError::NoRandomness)
}

/// The prime that Telegram's servers send, which is known to be safe.
/// Source: <https://core.telegram.org/mtproto/auth_key>.
#[rustfmt::skip]
const KNOWN_PRIME: [u8; LENGTH] = [
    0xc7, 0x1c, 0xae, 0xb9, 0xc6, 0xb1, 0xc9, 0x04, 0x8e, 0x6c, 0x52, 0x2f, 0x70, 0xf1, 0x3f, 0x73,
    0x98, 0x0d, 0x40, 0x23, 0x8e, 0x3e, 0x21, 0xc1, 0x49, 0x34, 0xd0, 0x37, 0x56, 0x3d, 0x93, 0x0f,
    0x48, 0x19, 0x8a, 0x0a, 0xa7, 0xc1, 0x40, 0x58, 0x22, 0x94, 0x93, 0xd2, 0x25, 0x30, 0xf4, 0xdb,
    0xfa, 0x33, 0x6f, 0x6e, 0x0a, 0xc9, 0x25, 0x13, 0x95, 0x43, 0xae, 0xd4, 0x4c, 0xce, 0x7c, 0x37,
    0x20, 0xfd, 0x51, 0xf6, 0x94, 0x58, 0x70, 0x5a, 0xc6, 0x8c, 0xd4, 0xfe, 0x6b, 0x6b, 0x13, 0xab,
    0xdc, 0x97, 0x46, 0x51, 0x29, 0x69, 0x32, 0x84, 0x54, 0xf1, 0x8f, 0xaf, 0x8c, 0x59, 0x5f, 0x64,
    0x24, 0x77, 0xfe, 0x96, 0xbb, 0x2a, 0x94, 0x1d, 0x5b, 0xcd, 0x1d, 0x4a, 0xc8, 0xcc, 0x49, 0x88,
    0x07, 0x08, 0xfa, 0x9b, 0x37, 0x8e, 0x3c, 0x4f, 0x3a, 0x90, 0x60, 0xbe, 0xe6, 0x7c, 0xf9, 0xa4,
    0xa4, 0xa6, 0x95, 0x81, 0x10, 0x51, 0x90, 0x7e, 0x16, 0x27, 0x53, 0xb5, 0x6b, 0x0f, 0x6b, 0x41,
    0x0d, 0xba, 0x74, 0xd8, 0xa8, 0x4b, 0x2a, 0x14, 0xb3, 0x14, 0x4e, 0x0e, 0xf1, 0x28, 0x47, 0x54,
    0xfd, 0x17, 0xed, 0x95, 0x0d, 0x59, 0x65, 0xb4, 0xb9, 0xdd, 0x46, 0x58, 0x2d, 0xb1, 0x17, 0x8d,
    0x16, 0x9c, 0x6b, 0xc4, 0x65, 0xb0, 0xd6, 0xff, 0x9c, 0xa3, 0x92, 0x8f, 0xef, 0x5b, 0x9a, 0xe4,
    0xe4, 0x18, 0xfc, 0x15, 0xe8, 0x3e, 0xbe, 0xa0, 0xf8, 0x7f, 0xa9, 0xff, 0x5e, 0xed, 0x70, 0x05,
    0x0d, 0xed, 0x28, 0x49, 0xf4, 0x7b, 0xf9, 0x59, 0xd9, 0x56, 0x85, 0x0c, 0xe9, 0x29, 0x85, 0x1f,
    0x0d, 0x81, 0x15, 0xf6, 0x35, 0xb1, 0x05, 0xee, 0x2e, 0x4e, 0x15, 0xd0, 0x4b, 0x24, 0x54, 0xbf,
    0x6f, 0x4f, 0xad, 0xf0, 0x34, 0xb1, 0x04, 0x03, 0x11, 0x9c, 0xd8, 0xe3, 0xb9, 0x2f, 0xcc, 0x5b,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> Group {
        Group::new(&KNOWN_PRIME, 3).expect("Telegram's prime is safe")
    }

    fn private(byte: u8) -> PrivateValue {
        PrivateValue::of_exponent(group(), Zeroizing::new([byte; LENGTH])).expect("in range")
    }

    #[test]
    fn both_sides_agree_on_a_key() {
        let (caller, callee) = (
            PrivateValue::generate(group(), &[7; LENGTH]).expect("random"),
            PrivateValue::generate(group(), &[]).expect("random"),
        );
        let key = caller.agree_as_caller(callee.public()).expect("in range");
        let same = callee
            .agree_as_callee(caller.public(), &caller.commitment(), key.key.fingerprint())
            .expect("announced");
        assert_eq!(key.key.bytes(), same.key.bytes());
        assert_eq!(key.emoji, same.emoji);
    }

    #[test]
    fn values_are_those_of_python() {
        let (caller, callee) = (private(0x11), private(0x22));
        let key = caller.agree_as_caller(callee.public()).expect("in range");
        assert_eq!(key.key.fingerprint(), -1_835_592_242_857_304_495);
        assert_eq!(
            key.emoji.map(|it| it.name),
            ["smiling face with horns", "anchor", "swimmer", "digit seven"]
        );
        assert_eq!(format!("{:?}", key.key), "SharedKey");
    }

    /// 1 in 256 keys begins with a zero, which belongs to what is hashed.
    #[test]
    fn a_key_is_padded_to_256_bytes() {
        let (caller, callee) = (private(1), private(3));
        let key = caller.agree_as_caller(callee.public()).expect("in range");
        assert_eq!((key.key.bytes()[0], key.key.fingerprint()), (0, 6_119_835_132_086_137_630));
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let value = private(1);
        let prime = BigUint::from_bytes_be(&KNOWN_PRIME);
        let margin = BigUint::from(1_u32) << 1984_u32;
        let refused = [
            BigUint::from(0_u32),
            BigUint::from(1_u32),
            &margin - 1_u32,
            &prime - &margin + 1_u32,
            &prime - 1_u32,
            prime.clone(),
            &prime + &margin,
        ];
        for number in refused {
            let outcome = value.agree_as_caller(&number.to_bytes_be()).map(|_| ());
            assert_eq!(outcome, Err(KeyError::OutOfRange), "{number}");
        }
        for number in [margin.clone(), &prime - &margin] {
            assert!(value.agree_as_caller(&number.to_bytes_be()).is_ok(), "{number}");
        }
        assert!(value.agree_as_caller(&[0xff; 300]).is_err());
    }

    #[test]
    fn the_callee_refuses_what_was_not_announced() {
        let (caller, callee) = (private(3), private(4));
        let key = caller.agree_as_caller(callee.public()).expect("in range");
        let agree = |hash: [u8; 32], fingerprint| {
            callee.agree_as_callee(caller.public(), &hash, fingerprint).map(|_| ())
        };
        let hash = caller.commitment();
        assert_eq!(agree(hash, key.key.fingerprint()), Ok(()));
        assert_eq!(agree([0; 32], key.key.fingerprint()), Err(KeyError::CommitmentMismatch));
        assert_eq!(agree(hash, key.key.fingerprint() ^ 1), Err(KeyError::FingerprintMismatch));
    }

    #[test]
    fn only_safe_primes_and_their_generators_are_accepted() {
        let prime = BigUint::from_bytes_be(&KNOWN_PRIME);
        for number in [&prime + 2_u32, &prime - 2_u32, &prime >> 1_u32] {
            let refused = Group::new(&number.to_bytes_be(), 3);
            assert_eq!(refused, Err(KeyError::UnsafePrime));
        }
        // The residues of the prime: 3 modulo 8, 2 modulo 3, 3 modulo 5, 11 modulo 24, 6 modulo 7.
        let fits = [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8].map(|g| Group::new(&KNOWN_PRIME, g).is_ok());
        assert_eq!(fits, [false, false, false, false, true, true, false, false, true, false]);
    }

    #[test]
    fn primes_are_recognised() {
        let primes = (0_u32..200).filter(|it| is_prime(&BigUint::from(*it)) == Ok(true));
        let expected = (4_u32..200).filter(|it| (2..*it).all(|divisor| it % divisor != 0));
        assert_eq!(primes.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        // Carmichael numbers, which pass Fermat's test for most bases.
        for number in [561_u32, 1105, 8911, 825_265] {
            assert_eq!(is_prime(&BigUint::from(number)), Ok(false));
        }
        assert_eq!(is_prime(&BigUint::from_bytes_be(&KNOWN_PRIME)), Ok(true));
    }
}

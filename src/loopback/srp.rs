//! The server's side of SRP, the protocol of the two-step password. The password itself is not stored.
//!
//! Source: <https://core.telegram.org/api/srp>.

use grammers_tl_types::types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow as Algorithm;
use hmac::Hmac;
use num_bigint::BigUint;
use sha2::Sha512;

use crate::crypt::sha256;
use crate::dh::{G, padded, prime};

/// The iterations of PBKDF2-HMAC-SHA-512.
const PBKDF2_ITERATIONS: u32 = 100_000;

/// The salts and the verifier `v` of a password.
pub(crate) struct PasswordVerifier {
    salt1: [u8; 40],
    salt2: [u8; 16],
    v: BigUint,
}

/// One challenge of `account.getPassword`; it is valid for one attempt.
pub(crate) struct SrpChallenge {
    /// `srp_id`.
    pub(crate) id: i64,
    /// `srp_B`.
    pub(crate) public: [u8; 256],
    /// The exponent `b`.
    secret: BigUint,
}

impl PasswordVerifier {
    pub(crate) fn new(password: &str) -> Self {
        let (mut salt1, mut salt2) = ([0; 40], [0; 16]);
        crate::random(&mut salt1);
        crate::random(&mut salt2);
        let inner = salted(&salted(password.as_bytes(), &salt1), &salt2);
        let mut derived = [0; 64];
        pbkdf2::pbkdf2::<Hmac<Sha512>>(&inner, &salt1, PBKDF2_ITERATIONS, &mut derived)
            .expect("HMAC accepts keys of any length");
        let x = BigUint::from_bytes_be(&salted(&derived, &salt2));
        Self { salt1, salt2, v: BigUint::from(G).modpow(&x, prime()) }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        Algorithm {
            salt1: self.salt1.to_vec(),
            salt2: self.salt2.to_vec(),
            g: i32::from(G),
            p: padded(prime()).to_vec(),
        }
    }

    pub(crate) fn challenge(&self) -> SrpChallenge {
        let (mut id, mut secret) = ([0; 8], [0; 256]);
        crate::random(&mut id);
        crate::random(&mut secret);
        let secret = BigUint::from_bytes_be(&secret);
        let p = prime();
        let k = BigUint::from_bytes_be(&sha256(&[&padded(p), &padded(&BigUint::from(G))]));
        let public = (k * &self.v + BigUint::from(G).modpow(&secret, p)) % p;
        SrpChallenge { id: i64::from_le_bytes(id), public: padded(&public), secret }
    }

    /// Whether `a` and `m1` prove knowledge of the password.
    pub(crate) fn verifies(&self, challenge: &SrpChallenge, a: &[u8], m1: &[u8]) -> bool {
        let p = prime();
        let public = BigUint::from_bytes_be(a);
        if a.len() > 256 || public == BigUint::ZERO || public >= *p {
            return false;
        }
        let a = padded(&public);
        let u = BigUint::from_bytes_be(&sha256(&[&a, &challenge.public]));
        let shared = (public * self.v.modpow(&u, p)).modpow(&challenge.secret, p);
        let key = sha256(&[&padded(&shared)]);
        let (of_p, of_g) = (sha256(&[&padded(p)]), sha256(&[&padded(&BigUint::from(G))]));
        let mixed: Vec<u8> = of_p.iter().zip(of_g).map(|(p, g)| p ^ g).collect();
        let wanted = sha256(&[
            &mixed,
            &sha256(&[&self.salt1]),
            &sha256(&[&self.salt2]),
            &a,
            &challenge.public,
            &key,
        ]);
        wanted == m1
    }
}

fn salted(data: &[u8], salt: &[u8]) -> [u8; 32] {
    sha256(&[salt, data, salt])
}

#[cfg(test)]
mod tests {
    use grammers_crypto::two_factor_auth::{calculate_2fa, check_p_and_g};

    use super::*;

    fn answer(
        verifier: &PasswordVerifier,
        challenge: &SrpChallenge,
        password: &str,
    ) -> (Vec<u8>, Vec<u8>) {
        let Algorithm { salt1, salt2, p, g } = verifier.algorithm();
        let secret = vec![0x5a; 256];
        let public = challenge.public.to_vec();
        let (m1, a) = calculate_2fa(&salt1, &salt2, &p, &g, public, secret, password);
        (a.to_vec(), m1.to_vec())
    }

    #[test]
    fn a_proof_by_grammers_is_accepted_only_with_the_right_password() {
        let verifier = PasswordVerifier::new("correct horse");
        let challenge = verifier.challenge();
        let (a, m1) = answer(&verifier, &challenge, "correct horse");
        assert!(verifier.verifies(&challenge, &a, &m1));
        assert!(
            !verifier.verifies(&verifier.challenge(), &a, &m1),
            "another challenge needs another proof"
        );
        let (a, m1) = answer(&verifier, &challenge, "wrong horse");
        assert!(!verifier.verifies(&challenge, &a, &m1));
        assert!(!verifier.verifies(&challenge, &[0; 256], &m1), "0 would need no password");
    }

    #[test]
    fn grammers_accepts_the_prime_and_the_generator() {
        let Algorithm { p, g, .. } = PasswordVerifier::new("x").algorithm();
        assert!(check_p_and_g(&p, &g));
    }
}

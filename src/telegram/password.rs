//! The SRP proof of the two-step password.
//!
//! `grammers-crypto` calculates it. Parameters on which it would panic are refused first.
//! Source: <https://core.telegram.org/api/srp>.

use grammers_client::tl;
use grammers_crypto::two_factor_auth::{calculate_2fa, check_p_and_g};
use tl::enums::PasswordKdfAlgo as Algorithm;

/// The proof of a password, or `None` if the algorithm is unknown or its parameters are not valid.
pub(super) fn prove(
    challenge: &tl::types::account::Password,
    password: &str,
) -> Option<tl::enums::InputCheckPasswordSrp> {
    let Some(Algorithm::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algorithm)) =
        &challenge.current_algo
    else {
        return None;
    };
    let public = challenge.srp_b.clone()?;
    let srp_id = challenge.srp_id?;
    let is_valid = (2..=7).contains(&algorithm.g)
        && !public.is_empty()
        && public.len() <= 256
        && check_p_and_g(&algorithm.p, &algorithm.g);
    if !is_valid {
        return None;
    }
    let mut secret = vec![0; 256];
    getrandom::fill(&mut secret).ok()?;
    let (m1, a) = calculate_2fa(
        &algorithm.salt1,
        &algorithm.salt2,
        &algorithm.p,
        &algorithm.g,
        public,
        secret,
        password,
    );
    Some(tl::types::InputCheckPasswordSrp { srp_id, a: a.to_vec(), m1: m1.to_vec() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_would_panic_are_refused() {
        let good = tl::types::account::Password {
            has_recovery: false,
            has_secure_values: false,
            has_password: true,
            current_algo: None,
            srp_b: Some(vec![1; 256]),
            srp_id: Some(1),
            hint: None,
            email_unconfirmed_pattern: None,
            new_algo: Algorithm::Unknown,
            new_secure_algo: tl::enums::SecurePasswordKdfAlgo::Unknown,
            secure_random: Vec::new(),
            pending_reset_date: None,
            login_email_pattern: None,
        };
        let of = |g, p: Vec<u8>| {
            let (salt1, salt2) = (vec![1], vec![2]);
            let kind =
                tl::types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
                    salt1,
                    salt2,
                    g,
                    p,
                };
            Some(Algorithm::from(kind))
        };
        for algorithm in [
            None,
            Some(Algorithm::Unknown),
            of(99, vec![7; 256]),
            of(3, vec![7; 257]),
            of(3, Vec::new()),
            of(3, vec![0xff; 256]),
        ] {
            let challenge =
                tl::types::account::Password { current_algo: algorithm, ..good.clone() };
            assert!(prove(&challenge, "x").is_none(), "{:?}", challenge.current_algo);
        }
    }
}

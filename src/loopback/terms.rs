//! What the parties of a call agree on through the server: protocol, keys and connections.

use grammers_tl_types::{enums, types};

use crate::reflector::SHARED_LEN;
use crate::scenario::{BestVersion, PhoneScript};
use crate::world::MethodError;

/// The layers of the protocol that all clients state.
///
/// Source: <https://core.telegram.org/constructor/phoneCallProtocol>.
const LAYERS: (i32, i32) = (65, 92);

const FLAGS_INVALID: MethodError = (400, "CALL_PROTOCOL_FLAGS_INVALID");
const LAYER_INVALID: MethodError = (400, "CALL_PROTOCOL_LAYER_INVALID");
const COMPAT_LAYER_INVALID: MethodError = (406, "CALL_PROTOCOL_COMPAT_LAYER_INVALID");

/// What the parties of a call have agreed on.
#[derive(Debug, Clone)]
pub(crate) struct CallTerms {
    pub(crate) g_a_hash: [u8; 32],
    /// Empty until the caller confirms.
    pub(crate) g_a: Vec<u8>,
    /// Empty until the callee accepts.
    pub(crate) g_b: Vec<u8>,
    pub(crate) key_fingerprint: i64,
    /// The protocol of the caller.
    pub(crate) offered: types::PhoneCallProtocol,
    /// The protocol of both; `None` until the callee accepts.
    pub(crate) agreed: Option<types::PhoneCallProtocol>,
    pub(crate) connections: Vec<enums::PhoneConnection>,
    /// The part of `peer_tag` that both parties share, while reflectors relay it.
    pub(crate) shared_tag: Option<[u8; SHARED_LEN]>,
    pub(crate) p2p_allowed: bool,
    pub(crate) custom_parameters: Option<String>,
    pub(crate) asks: Asks,
    /// The number of the scripted party's exponent, if a party is scripted.
    pub(crate) exponent: Option<u64>,
}

/// `need_rating` and `need_debug` of `phoneCallDiscarded`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asks {
    pub(crate) rating: bool,
    pub(crate) debug: bool,
}

impl CallTerms {
    pub(crate) fn new(g_a_hash: [u8; 32], offered: types::PhoneCallProtocol) -> Self {
        Self {
            g_a_hash,
            g_a: Vec::new(),
            g_b: Vec::new(),
            key_fingerprint: 0,
            offered,
            agreed: None,
            connections: Vec::new(),
            shared_tag: None,
            p2p_allowed: false,
            custom_parameters: None,
            asks: Asks::default(),
            exponent: None,
        }
    }

    /// The protocol as the caller receives it.
    pub(crate) fn protocol(&self) -> enums::PhoneCallProtocol {
        self.agreed.as_ref().unwrap_or(&self.offered).clone().into()
    }
}

/// The protocol of an app with these library versions.
pub(crate) fn protocol_of(library_versions: Vec<String>) -> types::PhoneCallProtocol {
    types::PhoneCallProtocol {
        udp_p2p: true,
        udp_reflector: true,
        min_layer: LAYERS.0,
        max_layer: LAYERS.1,
        library_versions,
    }
}

/// Checks the protocol of one client.
///
/// # Errors
/// Those of <https://core.telegram.org/method/phone.requestCall>, and the error 406 of
/// <https://core.telegram.org/method/phone.acceptCall> for a list without library versions, or
/// without the one that the scenario requires.
pub(crate) fn check_protocol(
    protocol: &types::PhoneCallProtocol,
    required_version: Option<&str>,
) -> Result<(), MethodError> {
    let types::PhoneCallProtocol { udp_p2p, udp_reflector, min_layer, max_layer, .. } = *protocol;
    let versions = &protocol.library_versions;
    if !udp_p2p && !udp_reflector {
        return Err(FLAGS_INVALID);
    }
    if min_layer > max_layer || max_layer < LAYERS.0 || min_layer > LAYERS.1 {
        return Err(LAYER_INVALID);
    }
    let has = |required: &str| versions.iter().any(|version| version == required);
    if versions.is_empty() || required_version.is_some_and(|required| !has(required)) {
        return Err(COMPAT_LAYER_INVALID);
    }
    Ok(())
}

/// The protocol of a call: what both clients have, with one library version.
///
/// Telegram does not document which version it chooses, so the scenario does.
///
/// # Errors
/// `CALL_PROTOCOL_COMPAT_LAYER_INVALID` if the clients have nothing in common.
pub(crate) fn agree(
    caller: &types::PhoneCallProtocol,
    callee: &types::PhoneCallProtocol,
    script: &PhoneScript,
) -> Result<types::PhoneCallProtocol, MethodError> {
    let has = |protocol: &types::PhoneCallProtocol, version: &String| {
        let served = script.versions.as_ref().is_none_or(|versions| versions.contains(version));
        served && protocol.library_versions.contains(version)
    };
    let of_caller = caller.library_versions.iter().filter(|version| has(callee, version));
    let of_callee = callee.library_versions.iter().filter(|version| has(caller, version));
    let best = match script.best {
        BestVersion::Numeric => of_caller.max_by_key(|version| numbers(version)),
        BestVersion::Text => of_caller.max(),
        BestVersion::Caller => of_caller.into_iter().next(),
        BestVersion::Callee => of_callee.into_iter().next(),
    };
    let best = best.ok_or(COMPAT_LAYER_INVALID)?;
    let agreed = types::PhoneCallProtocol {
        udp_p2p: caller.udp_p2p && callee.udp_p2p,
        udp_reflector: caller.udp_reflector && callee.udp_reflector,
        min_layer: caller.min_layer.max(callee.min_layer),
        max_layer: caller.max_layer.min(callee.max_layer),
        library_versions: vec![best.clone()],
    };
    let common = agreed.min_layer <= agreed.max_layer;
    let connected = agreed.udp_p2p || agreed.udp_reflector;
    if common && connected { Ok(agreed) } else { Err(COMPAT_LAYER_INVALID) }
}

/// The parts of a version, which are compared as numbers.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol(versions: &str) -> types::PhoneCallProtocol {
        protocol_of(versions.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect())
    }

    #[test]
    fn a_protocol_that_no_call_can_have_is_refused() {
        let good = protocol("13.0.0 9.0.0");
        let flags =
            types::PhoneCallProtocol { udp_p2p: false, udp_reflector: false, ..good.clone() };
        let layers = |min_layer, max_layer| types::PhoneCallProtocol {
            min_layer,
            max_layer,
            ..good.clone()
        };
        for (protocol, required, wanted) in [
            (good.clone(), None, Ok(())),
            (good.clone(), Some("9.0.0"), Ok(())),
            (good.clone(), Some("10.0.0"), Err(COMPAT_LAYER_INVALID)),
            (protocol(""), None, Err(COMPAT_LAYER_INVALID)),
            (flags, None, Err(FLAGS_INVALID)),
            (layers(92, 65), None, Err(LAYER_INVALID)),
            (layers(93, 95), None, Err(LAYER_INVALID)),
            (layers(1, 64), None, Err(LAYER_INVALID)),
        ] {
            assert_eq!(check_protocol(&protocol, required), wanted, "{protocol:?}");
        }
    }

    #[test]
    fn the_clients_agree_on_one_version_of_both() {
        let (caller, callee) = ("9.0.0 13.0.0 8.0.0", "8.0.0 13.0.0 9.0.0");
        let numeric = PhoneScript::default();
        let script = |best, versions: Option<&str>| PhoneScript {
            best,
            versions: versions.map(|it| protocol(it).library_versions),
            ..numeric.clone()
        };
        for (best, versions, wanted) in [
            (BestVersion::Numeric, None, "13.0.0"),
            (BestVersion::Numeric, Some("12.0.0 8.0.0 9.0.0"), "9.0.0"),
            (BestVersion::Text, None, "9.0.0"),
            (BestVersion::Caller, None, "9.0.0"),
            (BestVersion::Callee, None, "8.0.0"),
            (BestVersion::Callee, Some("13.0.0"), "13.0.0"),
        ] {
            let agreed = agree(&protocol(caller), &protocol(callee), &script(best, versions));
            assert_eq!(agreed.expect("a version").library_versions, [wanted]);
        }
        let nothing = agree(&protocol("13.0.0"), &protocol("12.0.0"), &numeric);
        assert_eq!(nothing, Err(COMPAT_LAYER_INVALID));
        let unserved = script(BestVersion::Numeric, Some("12.0.0"));
        let nothing = agree(&protocol(caller), &protocol(callee), &unserved);
        assert_eq!(nothing, Err(COMPAT_LAYER_INVALID));
        let other = types::PhoneCallProtocol { min_layer: 80, max_layer: 100, ..protocol(caller) };
        let agreed = agree(&other, &protocol(callee), &numeric).expect("a version");
        assert_eq!((agreed.min_layer, agreed.max_layer), (80, 92));
        let only_p2p = types::PhoneCallProtocol { udp_reflector: false, ..protocol(caller) };
        let only_relay = types::PhoneCallProtocol { udp_p2p: false, ..protocol(callee) };
        let nothing = agree(&only_p2p, &only_relay, &numeric);
        assert_eq!(nothing, Err(COMPAT_LAYER_INVALID));
    }
}

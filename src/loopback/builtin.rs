//! The built-in scenarios: the files of `assets/scenarios`, compiled in.

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        const BUILTIN: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../assets/scenarios/", $name, ".toml")))),*];
    };
}

builtin!(
    "bad-line",
    "busy",
    "chaos",
    "error-already-accepted",
    "error-already-declined",
    "error-bot",
    "error-connection-lost",
    "error-connection-lost-late",
    "error-flood-wait",
    "error-frozen",
    "error-garbage",
    "error-internal",
    "error-key-duplicated",
    "error-key-invalid",
    "error-key-unregistered",
    "error-migrate",
    "error-no-answer",
    "error-not-inited",
    "error-occupy-failed",
    "error-password-needed",
    "error-peer-flood",
    "error-peer-invalid",
    "error-popup",
    "error-session-expired",
    "error-session-revoked",
    "error-timeout",
    "error-transport-dc",
    "error-transport-flood",
    "error-transport-key",
    "error-unknown",
    "error-user-banned",
    "error-user-deactivated",
    "flood",
    "frozen-later",
    "noisy",
    "phone",
    "quiet",
    "sign-in",
    "sign-in-email",
    "sign-in-forgotten",
);

/// The TOML text of a built-in scenario.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(builtin, _)| *builtin == name).map(|(_, text)| *text)
}

/// The names of all built-in scenarios, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}

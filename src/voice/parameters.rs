//! What both sides of a call have agreed on before their engines start.

use serde_json::Value;

use crate::apm::EchoMode;
use crate::framing::{FramingKind, SctpTimers};
use crate::key::SharedKey;
use crate::servers::{MediaServer, Route};

/// The versions of the call library that this engine speaks. Their differences are in the signaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LibraryVersion {
    V8,
    V9,
    V13,
}

impl LibraryVersion {
    /// All versions, the highest first.
    pub const ALL: [Self; 3] = [Self::V13, Self::V9, Self::V8];

    /// The version of this name in `phoneCallProtocol.library_versions`.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::V8 => "8.0.0",
            Self::V9 => "9.0.0",
            Self::V13 => "13.0.0",
        }
    }
}

/// What a call needs in order to have sound.
#[derive(Debug, Clone)]
pub struct MediaParameters {
    pub key: SharedKey,
    /// Whether this side has placed the call.
    pub caller: bool,
    pub version: LibraryVersion,
    pub servers: Vec<MediaServer>,
    pub route: Route,
    pub custom: CustomParameters,
    pub muted: bool,
    pub processing: SoundProcessing,
}

/// What is done to the sound of the microphone before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoundProcessing {
    pub echo: EchoMode,
    /// Reduce noise.
    pub noise: bool,
    /// Even out the level.
    pub gain: bool,
}

impl SoundProcessing {
    /// The sound is sent as it is.
    pub const NONE: Self = Self { echo: EchoMode::Off, noise: false, gain: false };
}

/// `phoneCall.custom_parameters`, of which the names that are not listed are ignored.
///
/// Source of the names: tgcalls (`InstanceV2Impl`, `InstanceV2ReferenceImpl`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the server")]
pub struct CustomParameters {
    /// `network_signaling_nosctp`: version 13 without SCTP.
    pub without_sctp: bool,
    /// `network_kcp_experiment`: versions 8 and 9 with the signaling of version 13.
    pub signaling_of_13: bool,
    /// `network_standalone_reflectors`: relays are not announced.
    pub fixed_relay_tags: bool,
    /// `network_use_mtproto`: media without DTLS, which this engine does not have.
    pub without_dtls: bool,
    /// `network_sctp_…_ms`: the timers of signaling over SCTP.
    pub(crate) sctp_timers: SctpTimers,
    /// The names of the others.
    pub ignored: Vec<String>,
}

impl CustomParameters {
    /// Reads the JSON of the server. What is not an object has no parameters.
    pub fn parse(json: &str) -> Self {
        let mut parameters = Self::default();
        let Ok(Value::Object(fields)) = serde_json::from_str(json) else { return parameters };
        for (name, value) in fields {
            let is_set = value == Value::Bool(true) || value == 1;
            match name.as_str() {
                "network_signaling_nosctp" => parameters.without_sctp = is_set,
                "network_kcp_experiment" => parameters.signaling_of_13 = is_set,
                "network_standalone_reflectors" => parameters.fixed_relay_tags = is_set,
                "network_use_mtproto" => parameters.without_dtls = is_set,
                "network_sctp_t1_init_ms"
                | "network_sctp_t1_cookie_ms"
                | "network_sctp_max_backoff_ms" => {
                    parameters.sctp_timers.set(&name, value.as_u64());
                }
                _ => parameters.ignored.push(name),
            }
        }
        parameters
    }

    /// The format of signaling of a version.
    pub(crate) fn framing(&self, version: LibraryVersion) -> FramingKind {
        match version {
            LibraryVersion::V8 | LibraryVersion::V9 if !self.signaling_of_13 => FramingKind::Acked,
            _ if self.without_sctp => FramingKind::Compressed,
            _ => FramingKind::Sctp(self.sctp_timers),
        }
    }
}

#[cfg(test)]
mod tests {
    use FramingKind::{Acked, Compressed, Sctp};

    use super::*;

    #[test]
    fn parameters_are_read_and_others_are_named() {
        let json = r#"{"network_signaling_nosctp":true,"network_kcp_experiment":1,
            "network_standalone_reflectors":false,"audio_x":{"a":1}}"#;
        let expected = CustomParameters {
            without_sctp: true,
            signaling_of_13: true,
            ignored: vec!["audio_x".to_owned()],
            ..CustomParameters::default()
        };
        assert_eq!(CustomParameters::parse(json), expected);
        let timers = |json| CustomParameters::parse(json).sctp_timers;
        let mut short = SctpTimers::default();
        short.set("network_sctp_t1_init_ms", Some(400));
        short.set("network_sctp_max_backoff_ms", Some(3_000));
        let json = r#"{"network_sctp_t1_cookie_ms":900,"network_sctp_max_backoff_ms":3000,
            "network_sctp_t1_init_ms":400}"#;
        assert_eq!(timers(json), short);
        let wrong = r#"{"network_sctp_t1_init_ms":-5,"network_sctp_t1_cookie_ms":3,
            "network_sctp_max_backoff_ms":"never"}"#;
        assert_eq!(timers(wrong), SctpTimers::default());
        for nonsense in ["", "[]", "{", "null", "\u{0}"] {
            assert_eq!(CustomParameters::parse(nonsense), CustomParameters::default());
        }
    }

    #[test]
    fn the_format_follows_the_version_and_the_parameters() {
        let framing = |json: &str| {
            let parameters = CustomParameters::parse(json);
            LibraryVersion::ALL.map(|version| parameters.framing(version))
        };
        let sctp = Sctp(SctpTimers::default());
        assert_eq!(framing("{}"), [sctp, Acked, Acked]);
        assert_eq!(framing(r#"{"network_kcp_experiment":true}"#), [sctp; 3]);
        assert_eq!(framing(r#"{"network_signaling_nosctp":true}"#), [Compressed, Acked, Acked]);
    }

    #[test]
    fn versions_have_their_names() {
        for version in LibraryVersion::ALL {
            assert_eq!(LibraryVersion::of_name(version.name()), Some(version));
        }
        assert_eq!(LibraryVersion::of_name("12.0.0"), None);
    }
}

//! `[phone]`, `[signaling]` and what people do with calls that clients place and answer.

use serde::Deserialize;
use toml::Spanned;

use super::Container;

/// `[phone]`: how the server carries out the calls of clients.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PhoneScript {
    /// The result of `messages.getDhConfig`.
    pub(crate) dh: DhScript,
    /// Which library version the server chooses.
    pub(crate) best: BestVersion,
    /// The library versions of which the server chooses one; without it all.
    pub(crate) versions: Option<Vec<String>>,
    /// A library version without which a list is refused.
    pub(crate) required_version: Option<String>,
    /// The result of `phone.acceptCall`.
    pub(crate) accept_result: AcceptResult,
    /// Whether the server ends a call that nobody acknowledges or answers in time.
    pub(crate) timeouts: bool,
    /// `p2p_allowed`.
    pub(crate) p2p: bool,
    /// `custom_parameters`.
    pub(crate) custom_parameters: Option<Spanned<String>>,
    /// The result of `phone.getCallConfig`.
    pub(crate) config: Spanned<String>,
    /// What the server asks of a client after a call.
    pub(crate) asks: Vec<AskScript>,
    /// How often each update about a call that a client has placed is repeated.
    pub(crate) repeat: u32,
    /// The delay of each such update, in seconds.
    pub(crate) late: Option<Spanned<f64>>,
    /// The container of such updates.
    pub(crate) container: Container,
    /// The reflectors; without it there is one.
    pub(crate) reflector: Option<Vec<ReflectorScript>>,
    pub(crate) stun: StunScript,
    pub(crate) turn: TurnScript,
}

impl PhoneScript {
    pub(crate) fn reflectors(&self) -> Vec<ReflectorScript> {
        self.reflector.clone().unwrap_or_else(|| vec![ReflectorScript::default()])
    }
}

/// `[[phone.reflector]]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReflectorScript {
    /// Whether clients reach it by TCP.
    pub(crate) tcp: bool,
    /// The seed of the random numbers.
    pub(crate) seed: u64,
    /// The percentage of packets that are lost.
    pub(crate) lose: Option<Spanned<f64>>,
    /// The delay of each packet, in seconds.
    pub(crate) delay: Option<Spanned<f64>>,
    /// The most that is added to the delay of a packet, in seconds.
    pub(crate) jitter: Option<Spanned<f64>>,
    /// When an outage starts, in seconds after the first call was established.
    pub(crate) down_at: Option<Spanned<f64>>,
    /// How long it lasts; without it for ever.
    pub(crate) down_for: Option<Spanned<f64>>,
}

/// The STUN server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StunScript {
    #[default]
    On,
    /// Calls list it, and it does not answer.
    Silent,
    /// Calls do not list it.
    Absent,
}

/// The TURN server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TurnScript {
    /// Calls do not list one.
    #[default]
    Absent,
    On,
    /// Calls list it, and it does not answer.
    Silent,
    /// It refuses the credentials that calls list.
    Refuses,
}

impl Default for PhoneScript {
    fn default() -> Self {
        Self {
            dh: DhScript::default(),
            best: BestVersion::default(),
            versions: None,
            required_version: None,
            accept_result: AcceptResult::default(),
            timeouts: true,
            p2p: true,
            custom_parameters: None,
            config: Spanned::new(0..0, DEFAULT_CONFIG.to_owned()),
            asks: Vec::new(),
            repeat: 0,
            late: None,
            container: Container::default(),
            reflector: None,
            stun: StunScript::default(),
            turn: TurnScript::default(),
        }
    }
}

/// `phone.getCallConfig` without `config`: settings of the library for calls, as far as they are public.
const DEFAULT_CONFIG: &str = r#"{"audio_frame_size":60,"audio_init_bitrate":16000}"#;

/// The result of `messages.getDhConfig`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DhScript {
    /// The prime and generator of Telegram.
    #[default]
    Telegram,
    /// A prime `p` of which `(p - 1) / 2` is not one.
    Unsafe,
    /// A number that is no prime.
    Composite,
    /// A generator that does not belong to the prime.
    Generator,
    /// A generator above 7.
    GeneratorRange,
    /// A number of 1024 bits.
    Short,
}

/// Which of the library versions of both clients the server chooses. Telegram does not document it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BestVersion {
    /// The highest one.
    #[default]
    Numeric,
    /// The last one in the order of texts.
    Text,
    /// The first one in the list of the caller.
    Caller,
    /// The first one in the list of the callee.
    Callee,
}

/// The result of `phone.acceptCall`. The documentation and the clients disagree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AcceptResult {
    /// `phoneCallWaiting`, as clients demand.
    #[default]
    Waiting,
    /// `phoneCallAccepted`, as documented.
    Accepted,
}

/// What the server asks of a client after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AskScript {
    Rating,
    Debug,
}

/// `answers`: what a person's app does when a client calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AnswerStyle {
    /// There is no app; only the person's sessions can answer.
    #[default]
    Absent,
    /// It accepts, and takes part in the media.
    Echo,
    /// The server refuses the call, because the person is busy.
    Busy,
    /// It acknowledges the call, and nobody answers.
    Never,
    Declines,
    /// It accepts, and hangs up after some time.
    HangsUp,
}

/// `refuses`: the error of `phone.requestCall` for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RequestRefusal {
    /// `USER_PRIVACY_RESTRICTED`.
    Privacy,
    /// `USER_IS_BLOCKED`.
    Blocked,
    /// `PARTICIPANT_VERSION_OUTDATED`.
    Outdated,
    /// `INPUT_USER_DEACTIVATED`.
    Deactivated,
    /// `CALL_PROTOCOL_COMPAT_LAYER_INVALID`.
    Incompatible,
}

/// `hostile`: what is wrong in the calls with a person, as if the server or the person lied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Hostility {
    /// A `g_a` whose hash is not `g_a_hash`.
    WrongGA,
    /// `g_a` and `g_b` are 0.
    Zero,
    /// `g_a` and `g_b` are 1.
    One,
    /// `g_a` and `g_b` are `p - 1`.
    PMinusOne,
    WrongFingerprint,
    /// A library version that no client has.
    UnknownVersion,
    NoConnections,
    /// `custom_parameters` that are no JSON.
    GarbageParameters,
}

/// `[signaling]`: what happens to the data of `phone.sendSignalingData`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignalingScript {
    /// The seed of the random numbers.
    pub(crate) seed: u64,
    /// The percentage of data that is not relayed.
    pub(crate) lose: Option<Spanned<f64>>,
    /// The percentage that is relayed twice.
    pub(crate) double: Option<Spanned<f64>>,
    /// The percentage in which one bit is changed.
    pub(crate) corrupt: Option<Spanned<f64>>,
    /// The percentage that is relayed after the data that follow.
    pub(crate) reorder: Option<Spanned<f64>>,
    /// The delay of all data, in seconds.
    pub(crate) delay: Option<Spanned<f64>>,
}

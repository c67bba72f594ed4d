//! The JSON messages by which two engines agree on a connection, and the one of the data channel.
//!
//! Source: `v2/Signaling.cpp` of tgcalls, and the traffic of ntgcalls 3.0.5. Numbers are written as
//! strings, and read as either.

use std::collections::BTreeMap;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// A message of an engine. Fields and kinds that are not listed are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "@type")]
pub(crate) enum SignalingMessage {
    InitialSetup(InitialSetup),
    Candidates {
        candidates: Vec<CandidateLine>,
    },
    NegotiateChannels(NegotiateChannels),
    MediaState(MediaState),
    #[serde(other)]
    Other,
}

/// The ICE credentials and DTLS fingerprints of one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct InitialSetup {
    pub(crate) ufrag: String,
    pub(crate) pwd: String,
    #[serde(default)]
    pub(crate) renomination: bool,
    pub(crate) fingerprints: Vec<DtlsFingerprint>,
}

/// The fingerprint of a DTLS certificate, and the role of its owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DtlsFingerprint {
    pub(crate) hash: String,
    pub(crate) setup: String,
    pub(crate) fingerprint: String,
}

/// An ICE candidate as a line of SDP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CandidateLine {
    #[serde(rename = "sdpString")]
    pub(crate) sdp: String,
}

/// An offer of outgoing channels, or the answer to one: the same exchange and what is accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NegotiateChannels {
    #[serde(rename = "exchangeId", with = "text")]
    pub(crate) exchange: u32,
    pub(crate) contents: Vec<Content>,
}

/// One outgoing channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Content {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(with = "text")]
    pub(crate) ssrc: u32,
    #[serde(default)]
    pub(crate) payload_types: Vec<PayloadType>,
    #[serde(default)]
    pub(crate) rtp_extensions: Vec<RtpExtension>,
    /// Fields of other kinds of content, which an answer repeats.
    #[serde(flatten)]
    pub(crate) other: BTreeMap<String, Value>,
}

/// A codec of a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PayloadType {
    pub(crate) id: u8,
    pub(crate) name: String,
    pub(crate) clockrate: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) channels: Option<u8>,
    #[serde(default)]
    pub(crate) feedback_types: Vec<FeedbackType>,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, Value>,
}

/// A kind of RTCP feedback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FeedbackType {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) subtype: String,
}

/// An RTP header extension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RtpExtension {
    pub(crate) uri: String,
    pub(crate) id: u8,
}

/// What one side sends at the moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MediaState {
    pub(crate) muted: bool,
    #[serde(default)]
    pub(crate) low_battery: bool,
    #[serde(default = "inactive")]
    pub(crate) video_state: String,
    #[serde(default)]
    pub(crate) video_rotation: u32,
    #[serde(default = "inactive")]
    pub(crate) screencast_state: String,
}

impl MediaState {
    /// The state of a side that sends sound only.
    pub(crate) fn of_sound(muted: bool) -> Self {
        let (video_state, screencast_state) = (inactive(), inactive());
        Self { muted, low_battery: false, video_state, video_rotation: 0, screencast_state }
    }
}

fn inactive() -> String {
    "inactive".to_owned()
}

/// A number as a string.
mod text {
    use super::*;

    pub(super) fn serialize<S: Serializer>(number: &u32, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
        let number = match Value::deserialize(from)? {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_u64().and_then(|it| u32::try_from(it).ok()),
            _ => None,
        };
        number.ok_or_else(|| D::Error::custom("expected a number of 32 bits"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_has_the_form_of_tgcalls() {
        let content = Content {
            kind: "audio".to_owned(),
            ssrc: 3_000_000_000,
            payload_types: vec![PayloadType {
                id: 111,
                name: "opus".to_owned(),
                clockrate: 48_000,
                channels: Some(2),
                feedback_types: vec![FeedbackType {
                    kind: "transport-cc".to_owned(),
                    subtype: String::new(),
                }],
                parameters: [("minptime".to_owned(), Value::from("10"))].into(),
            }],
            rtp_extensions: vec![RtpExtension { uri: "urn:x".to_owned(), id: 2 }],
            other: BTreeMap::new(),
        };
        let message = SignalingMessage::NegotiateChannels(NegotiateChannels {
            exchange: 7,
            contents: vec![content],
        });
        let json = serde_json::json!({
            "@type": "NegotiateChannels",
            "exchangeId": "7",
            "contents": [{
                "type": "audio",
                "ssrc": "3000000000",
                "payloadTypes": [{
                    "id": 111, "name": "opus", "clockrate": 48000, "channels": 2,
                    "feedbackTypes": [{ "type": "transport-cc", "subtype": "" }],
                    "parameters": { "minptime": "10" },
                }],
                "rtpExtensions": [{ "uri": "urn:x", "id": 2 }],
            }],
        });
        assert_eq!(serde_json::to_value(&message).expect("JSON"), json);
        assert_eq!(serde_json::from_value::<SignalingMessage>(json).expect("a message"), message);
    }

    #[test]
    fn numbers_are_read_as_strings_and_as_numbers() {
        let read = |exchange: &str| {
            let text =
                format!(r#"{{"@type":"NegotiateChannels","exchangeId":{exchange},"contents":[]}}"#);
            match serde_json::from_str::<SignalingMessage>(&text) {
                Ok(SignalingMessage::NegotiateChannels(message)) => Some(message.exchange),
                _ => None,
            }
        };
        assert_eq!(read(r#""4294967295""#), Some(u32::MAX));
        assert_eq!(read("12"), Some(12));
        for wrong in [r#""-1""#, "-1", "4294967296", "1.5", "null", r#""""#] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn unknown_messages_and_fields_are_ignored() {
        let read = |text: &str| serde_json::from_str::<SignalingMessage>(text).ok();
        assert_eq!(
            read(r#"{"@type":"VideoParameters","aspectRatio":1}"#),
            Some(SignalingMessage::Other)
        );
        assert_eq!(read(r#"{"no":"type"}"#), None);
        let state = read(r#"{"@type":"MediaState","muted":true,"new":1}"#);
        assert_eq!(state, Some(SignalingMessage::MediaState(MediaState::of_sound(true))));
    }

    proptest! {
        #[test]
        fn random_text_is_no_message(text in ".{0,200}") {
            prop_assert!(serde_json::from_str::<SignalingMessage>(&text).is_err());
        }
    }
}

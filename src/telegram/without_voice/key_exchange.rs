//! In place of `key_exchange` in a build without the feature `voice`: no keys are exchanged.
#![expect(clippy::unused_self, reason = "the interface is that of `key_exchange`")]

use grammers_client::tl;

use crate::calls::own_call::OwnCallEvent;

/// The calls of an account whose keys this session exchanges: none.
#[derive(Clone, Default)]
pub(super) struct OwnCalls {}

/// What follows from an update about a call: nothing.
pub(super) enum OwnCallStep {}

impl OwnCalls {
    pub(super) fn update(&self, _call: &tl::enums::PhoneCall) -> Option<OwnCallStep> {
        None
    }

    pub(super) fn event(&self, _call: &tl::enums::PhoneCall) -> Option<OwnCallEvent> {
        None
    }
}

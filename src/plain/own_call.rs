//! What plain mode announces of the call in which this session takes part, and of choosing a person.

use super::{Facts, Narrator};
use crate::app::State;
use crate::app::dial_dialog::{Dial, DialState};
use crate::app::dialog::Dialog;
use crate::app::phone::OwnCall;
use crate::app::recording::RecordingStage;
use crate::calls::own_call::{CallQuality, NamedEmoji, PhoneStage, SoundRoute};
use crate::words;
use crate::words::plain;

/// What was announced of the call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AnnouncedOwnCall {
    stage: PhoneStage,
    emoji: Option<[NamedEmoji; 4]>,
    muted: bool,
    peer_muted: bool,
    recording: bool,
    route: Option<SoundRoute>,
    quality: CallQuality,
    trouble: Option<String>,
}

/// What was announced of the dialog in which a person is chosen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AnnouncedDial {
    state: DialState,
    /// The user id of the person whom Enter calls.
    chosen: Option<i64>,
}

impl AnnouncedOwnCall {
    pub(super) fn of(own: &OwnCall) -> Self {
        Self {
            stage: own.stage,
            emoji: own.emoji,
            muted: own.muted,
            peer_muted: own.peer_muted,
            recording: own.recording == RecordingStage::On,
            route: own.path,
            quality: own.figures.quality,
            trouble: own.trouble.clone(),
        }
    }

    /// A call of which nothing was announced.
    fn new(stage: PhoneStage) -> Self {
        Self {
            stage,
            emoji: None,
            muted: false,
            peer_muted: false,
            recording: false,
            route: None,
            quality: CallQuality::default(),
            trouble: None,
        }
    }
}

impl AnnouncedDial {
    pub(super) fn of(dial: &Dial) -> Self {
        let chosen = dial.people().get(dial.cursor).map(|party| party.user_id);
        Self { state: dial.state.clone(), chosen }
    }
}

impl Narrator {
    /// Announces what has changed of the call.
    pub(super) fn announce_own_call(&mut self, before: &Facts, state: &State) {
        let (Some(own), Some(now)) = (&state.phone, &self.facts.own_call) else { return };
        let name = state.shown_name(&own.peer);
        // How a call begins is announced as well.
        let new = AnnouncedOwnCall::new(PhoneStage::Cancelling);
        let was = before.own_call.as_ref().unwrap_or(&new);
        let mut announced = Vec::new();
        if now.stage != was.stage {
            announced.push(plain::own_call(&name, words::phone::stage(now.stage)));
        }
        if let Some(emoji) = now.emoji.filter(|_| was.emoji.is_none()) {
            announced.push(plain::key_emoji(&emoji.map(|it| it.name)));
        }
        if let Some(route) = now.route.filter(|route| Some(*route) != was.route) {
            announced.push(plain::own_call(&name, words::phone::route(route)));
        }
        if now.muted != was.muted {
            announced.push(plain::own_mute(now.muted).to_owned());
        }
        if now.peer_muted != was.peer_muted {
            announced.push(plain::peer_mute(&name, now.peer_muted));
        }
        if now.recording && !was.recording {
            announced.push(plain::own_call(&name, words::phone::RECORDING));
        }
        if now.quality != was.quality {
            announced.push(plain::quality(words::phone::quality(now.quality)));
        }
        if let Some(trouble) = now.trouble.as_ref().filter(|_| now.trouble != was.trouble) {
            announced.push(trouble.clone());
        }
        self.sentences.extend(announced);
    }

    /// Announces the person whom Enter calls, and what a look-up has come to.
    pub(super) fn announce_dial(&mut self, before: &Facts, state: &State) {
        let (Some(Dialog::Dial(dial)), Some(now)) = (&state.dialog, &self.facts.dial) else {
            return;
        };
        if before.dial.as_ref() == Some(now) {
            return;
        }
        let people = dial.people();
        let sentence = match (&dial.state, people.get(dial.cursor)) {
            (DialState::Failed(cause), _) => cause.clone(),
            (DialState::LookingUp(_), _) => words::phone::LOOKING_UP.to_owned(),
            (DialState::ReadingContacts, None) => words::phone::READING_CONTACTS.to_owned(),
            (DialState::Ready, None) => words::phone::ENTER_LOOKS_UP.to_owned(),
            (DialState::ReadingContacts | DialState::Ready, Some(party)) => {
                plain::enter_calls(&state.shown_name(party), dial.cursor + 1, people.len())
            }
        };
        self.sentences.push(sentence);
    }
}

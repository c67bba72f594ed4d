//! Declining with a text: the keys of its dialog, the decline, and then the text.
//!
//! The text is sent once, and only after Telegram has confirmed the decline.

use jiff::Timestamp;
use tui_input::Input;

use super::action::Action;
use super::dialog::Dialog;
use super::effect::Effect;
use super::reply_dialog::ReplyDialog;
use super::{State, has_frames};
use crate::calls::account::AccountCommand;
use crate::calls::failure::Failure;
use crate::calls::reply_text::{ReplyFailure, ReplyState, ReplyText};
use crate::calls::{
    AccountId, Call, CallKey, CallKind, EndedCall, Origin, Phase, SentAnswer, Verb,
};
use crate::words;
use crate::words::notice;

/// A text of the settings, without white space around it.
///
/// # Errors
/// What is wrong with it.
pub fn checked_text(text: &str) -> Result<String, &'static str> {
    ReplyText::new(text).map(|text| text.as_str().to_owned()).map_err(words::reply::bad_setting)
}

/// Whether a call can be declined with a text: it rings, and a person calls.
pub fn takes_text(call: &Call) -> bool {
    call.phase == Phase::Ringing && call.key.kind == CallKind::Private
}

impl State {
    /// Opens the dialog for the only call of the picker; the picker stays open for other calls.
    pub(super) fn open_reply(&mut self) {
        let Some(Dialog::Picker(picker)) = &self.dialog else { return };
        let [key] = picker.calls.as_slice() else { return };
        if let Some(call) = self.calls.get(*key).filter(|call| takes_text(call)) {
            self.dialog = Some(Dialog::Reply(Box::new(ReplyDialog {
                key: call.key,
                input: Input::default(),
                texts: self.texts.clone(),
                cursor: 0,
                wrong: None,
            })));
        }
    }

    pub(super) fn act_in_reply(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let Some(Dialog::Reply(dialog)) = &mut self.dialog else { return Vec::new() };
        let last = dialog.texts.len().saturating_sub(1);
        match action {
            Action::Up => dialog.cursor = dialog.cursor.saturating_sub(1),
            Action::Down => dialog.cursor = (dialog.cursor + 1).min(last),
            Action::Accept => {
                let text = dialog.chosen().unwrap_or(dialog.input.value());
                match ReplyText::new(text) {
                    Ok(text) => {
                        let key = dialog.key;
                        let effects = self.decline_with_text(key, text, Origin::Key, now);
                        // What was typed stays while the call cannot be declined.
                        if !effects.is_empty() {
                            self.dialog = None;
                        }
                        return effects;
                    }
                    Err(wrong) => dialog.wrong = Some(wrong),
                }
            }
            _ => self.dialog = None,
        }
        Vec::new()
    }

    /// Declines a call, and sends its caller a text once Telegram has confirmed that. Nothing is sent
    /// if the call no longer rings, or is an invitation to a group call.
    pub(super) fn decline_with_text(
        &mut self,
        key: CallKey,
        text: ReplyText,
        origin: Origin,
        now: Timestamp,
    ) -> Vec<Effect> {
        if key.kind != CallKind::Private {
            return Vec::new();
        }
        let effects = self.decline(key, origin, now);
        if !effects.is_empty() {
            self.calls.update(key, |call| call.reply = Some(ReplyState::Waiting(text)));
        }
        effects
    }

    /// Sends the text of a call whose decline was confirmed, if the decline has ended the call.
    pub(super) fn send_reply(&mut self, key: CallKey, now: Timestamp) -> Vec<Effect> {
        let Some(ended) = self.calls.ended(key) else { return Vec::new() };
        let Some(ReplyState::Waiting(text)) = &ended.reply else { return Vec::new() };
        if !was_declined(ended) {
            self.reply_failed(key, ReplyFailure::TooLate, now);
            return Vec::new();
        }
        let (user_id, text) = (ended.peer.user_id, text.clone());
        self.calls.refine(key, |ended| ended.reply = Some(ReplyState::Sending));
        vec![Effect::Account(key.account, AccountCommand::SendText { key, user_id, text })]
    }

    /// Gives up a text that waits for a decline.
    pub(super) fn reply_failed(&mut self, key: CallKey, failure: ReplyFailure, now: Timestamp) {
        let live = self.calls.get(key).map(|call| &call.reply);
        let reply = live.or_else(|| self.calls.ended(key).map(|ended| &ended.reply));
        if matches!(reply, Some(Some(ReplyState::Waiting(_)))) {
            self.set_reply(key, ReplyState::NotSent(failure), now);
        }
    }

    /// Applies the outcome of a text that was sent.
    pub(super) fn text_sent(
        &mut self,
        key: CallKey,
        outcome: Result<(), ReplyFailure>,
        now: Timestamp,
    ) {
        let reply = self.calls.ended(key).and_then(|ended| ended.reply.as_ref());
        if reply == Some(&ReplyState::Sending) {
            self.set_reply(
                key,
                outcome.map_or_else(ReplyState::NotSent, |()| ReplyState::Sent),
                now,
            );
        }
    }

    /// Gives up the texts of an account that no longer reports anything.
    pub(super) fn abandon_replies(&mut self, account: AccountId, now: Timestamp) {
        let theirs = self.calls.recent().filter(|ended| ended.key.account == account);
        let pending = theirs.filter(|ended| ended.has_pending_reply());
        for key in pending.map(|ended| ended.key).collect::<Vec<_>>() {
            self.reply_failed(key, ReplyFailure::DeclineUnknown, now);
            let unknown = Err(ReplyFailure::Failed(Failure::Unreadable));
            self.text_sent(key, unknown, now);
        }
    }

    /// Whether a text waits for its decline or its outcome.
    pub(super) fn is_replying(&self) -> bool {
        let waits = |call: &Call| call.reply.as_ref().is_some_and(ReplyState::is_pending);
        self.calls.live().any(waits) || self.calls.recent().any(EndedCall::has_pending_reply)
    }

    /// Shows what has become of a text. A small screen may have no room for the recent calls, so that a
    /// notice names it there; that a text was not sent is always noticed.
    fn set_reply(&mut self, key: CallKey, reply: ReplyState, now: Timestamp) {
        let sent = reply == ReplyState::Sent;
        if self.calls.get(key).is_some() {
            // The error of the decline is on its row.
            self.calls.update(key, |call| call.reply = Some(reply));
            return;
        }
        self.calls.refine(key, |ended| ended.reply = Some(reply));
        let Some(ended) = self.calls.ended(key) else { return };
        let name = self.noticed_name(&ended.peer);
        let text = notice::ended_first(&name, &words::call::ending_with_reasons(ended));
        if !sent {
            self.notices.show_long(text, now);
        } else if !has_frames(self.size) {
            self.notices.show(text, now);
        }
    }

    /// Closes the dialog of a call that no longer rings.
    pub(super) fn close_reply(&mut self, key: CallKey, now: Timestamp) {
        if !matches!(&self.dialog, Some(Dialog::Reply(dialog)) if dialog.key == key) {
            return;
        }
        let (peer, cause) = match (self.calls.get(key), self.calls.ended(key)) {
            (Some(call), _) if takes_text(call) => return,
            (Some(call), _) => (&call.peer, words::call::phase(call.phase).to_owned()),
            (None, Some(ended)) => (&ended.peer, words::call::ending(ended)),
            (None, None) => return,
        };
        let text = words::reply::ended_first(&self.noticed_name(peer), &cause);
        self.dialog = None;
        self.notices.show_long(text, now);
    }
}

/// Whether a decline from this session has ended the call, as Telegram has confirmed.
fn was_declined(ended: &EndedCall) -> bool {
    ended.ended_here() == Some(Verb::Decline)
        && ended.sent.is_some_and(|sent| sent.answer == SentAnswer::Done)
}

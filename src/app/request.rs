//! Requests on calls: from the key to the request, and from its outcome back to the row.
//!
//! The rules that keep the wrong call alive are here: a request is made only for a call that
//! lives at this moment, by its own key, and only if none is under way for it.

use jiff::Timestamp;

use super::countdown::remaining;
use super::dialog::{Choice, Dialog, Picker};
use super::effect::Effect;
use super::{State, has_room};
use crate::calls::account::{AccountCommand, RequestAnswer};
use crate::calls::failure::{Failure, Remedy};
use crate::calls::own_call::SoundRoute;
use crate::calls::reason::{Ending, InvitationEnd};
use crate::calls::reply_text::ReplyFailure;
use crate::calls::{
    Call, CallKey, CallKind, CallRequest, Origin, OutcomeCheck, Phase, PossibleDiscard, Reference,
    RequestKind, RequestState,
};
use crate::words::notice;

/// Why no request can be made on a call now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// A request is under way.
    InProgress,
    /// The call was answered on another device.
    NotFromHere,
    /// Telegram asked for a wait, of which this many seconds are left.
    Wait(i64),
}

impl Obstacle {
    /// The notice about it, for the call with this name.
    pub(super) fn notice(self, name: &str) -> String {
        match self {
            Self::InProgress => notice::in_progress(name),
            Self::NotFromHere => notice::not_from_here(name),
            Self::Wait(seconds) => notice::wait(name, seconds),
        }
    }
}

/// Why no request can be made on this call now; `None` if one can.
pub fn obstacle(call: &Call, now: Timestamp) -> Option<Obstacle> {
    match &call.request {
        RequestState::Idle => None,
        RequestState::Sending { .. } => Some(Obstacle::InProgress),
        RequestState::Failed { failure, at, .. } => match failure.remedy() {
            Remedy::NotFromHere => Some(Obstacle::NotFromHere),
            Remedy::RetryAfter(wait) => remaining(*at, wait, now).map(Obstacle::Wait),
            _ => None,
        },
    }
}

impl State {
    /// The calls that a hang-up key acts on: the marked ones, or else the selected one.
    ///
    /// A call that the filter hides is never among them, since it is not on the screen.
    pub fn targets(&self) -> Vec<CallKey> {
        let marked = self.calls.marked();
        if marked.is_empty() {
            return self.selection().into_iter().collect();
        }
        self.calls.rows().iter().copied().filter(|key| marked.contains(key)).collect()
    }

    /// Whether the screen shows the calls; a notice is shown if not.
    fn shows_calls(&mut self, now: Timestamp) -> bool {
        let room = has_room(self.size);
        if !room {
            self.notices.show(notice::TOO_SMALL_TO_HANG_UP, now);
        }
        room
    }

    /// Opens the picker for the targets on which a request can be made.
    pub(super) fn open_picker(&mut self, now: Timestamp) -> Vec<Effect> {
        if !self.shows_calls(now) {
            return Vec::new();
        }
        let unseen = self.has_unseen_marks();
        let calls = self.possible_targets(now);
        let Some(first) = calls.first().and_then(|key| self.calls.get(*key)) else {
            return Vec::new();
        };
        // An invitation to a group call is declined without a reason.
        let group = calls.iter().all(|key| key.kind == CallKind::Group);
        if group && !unseen {
            return self.discard(&calls, Choice::Default, Origin::Key, now);
        }
        let cursor = if calls.len() > 1 || group {
            Choice::Default
        } else {
            Choice::Reason(first.default_reason())
        };
        self.dialog = Some(Dialog::Picker(Picker { calls, cursor, moved: false }));
        Vec::new()
    }

    /// Sends each target its usual reason. If marked calls are not on the screen, the picker names them
    /// first.
    pub(super) fn hang_up_now(&mut self, now: Timestamp) -> Vec<Effect> {
        if self.has_unseen_marks() {
            return self.open_picker(now);
        }
        if !self.shows_calls(now) {
            return Vec::new();
        }
        let calls = self.possible_targets(now);
        self.discard(&calls, Choice::Default, Origin::Key, now)
    }

    /// The targets on which a request can be made; notices name the obstacles of the others.
    fn possible_targets(&mut self, now: Timestamp) -> Vec<CallKey> {
        let targets = self.targets();
        if targets.is_empty() {
            self.notice_no_target(now);
        } else if self.calls.marked().is_empty() && self.is_selected_too_lately(now) {
            let call = targets.first().and_then(|key| self.calls.get(*key));
            if let Some(name) = call.map(|call| self.noticed_name(&call.peer)) {
                self.notices.show(notice::selected_lately(&name), now);
            }
            return Vec::new();
        }
        let mut possible = Vec::new();
        for key in targets {
            let Some(call) = self.calls.get(key) else { continue };
            if self.account(key.account).is_out() {
                self.notices.show(notice::SIGNED_OUT, now);
                continue;
            }
            match obstacle(call, now) {
                None => possible.push(key),
                Some(obstacle) => {
                    let text = obstacle.notice(&self.noticed_name(&call.peer));
                    self.notices.show(text, now);
                }
            }
        }
        possible
    }

    /// Shows why a hang-up key has no target.
    fn notice_no_target(&mut self, now: Timestamp) {
        // Behind a frozen display, the cursor can be moved to a call that has ended.
        let over = self.selected.or(self.lost_call).and_then(|key| self.calls.ended(key));
        let text = match over {
            _ if !self.calls.marked().is_empty() => notice::MARKED_HIDDEN.to_owned(),
            Some(ended) if self.lost.is_some() || self.selected.is_some() => {
                notice::selected_call_over(&self.noticed_name(&ended.peer))
            }
            _ => notice::NO_CALL.to_owned(),
        };
        self.notices.show(text, now);
    }

    /// Sends what was chosen in the picker, and closes it.
    pub(super) fn choose(&mut self, choice: Choice, now: Timestamp) -> Vec<Effect> {
        let Some(Dialog::Picker(picker)) = self.dialog.take() else { return Vec::new() };
        self.discard(&picker.calls, choice, Origin::Key, now)
    }

    /// Declines a call that was named from outside the board. Nothing is sent if it no longer rings.
    pub(super) fn decline(&mut self, key: CallKey, origin: Origin, now: Timestamp) -> Vec<Effect> {
        let call = self.calls.get(key).filter(|call| call.phase == Phase::Ringing);
        let Some(call) = call else {
            let ended = self.calls.ended(key).map(|ended| &ended.peer);
            let peer = self.calls.get(key).map(|call| &call.peer).or(ended);
            let text = peer.map(|peer| notice::no_longer_rings(&self.noticed_name(peer)));
            self.notices.show(text.unwrap_or_else(|| notice::CALL_OVER.to_owned()), now);
            return Vec::new();
        };
        if self.account(key.account).is_out() {
            self.notices.show(notice::SIGNED_OUT, now);
            return Vec::new();
        }
        if let Some(obstacle) = obstacle(call, now) {
            let text = obstacle.notice(&self.noticed_name(&call.peer));
            self.notices.show(text, now);
            return Vec::new();
        }
        self.discard(&[key], Choice::Default, origin, now)
    }

    /// Makes the requests. Each call is checked as it is now, not as it was when it was chosen.
    pub(super) fn discard(
        &mut self,
        calls: &[CallKey],
        choice: Choice,
        origin: Origin,
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        for key in calls {
            let server_now = self.server_now(key.account, now);
            let Some(call) = self.calls.get(*key) else { continue };
            if obstacle(call, now).is_some() {
                continue;
            }
            let reason = match choice {
                Choice::Default => call.default_reason(),
                Choice::Reason(reason) => reason,
            };
            let kind = match call.reference {
                Reference::Call(_) => {
                    // This session knows when sound passed; of other calls, when they were
                    // established.
                    let own = self.own_call(*key).map(|own| own.talked(now));
                    let duration = own.unwrap_or_else(|| call.talked(server_now));
                    let connection_id = match call.route {
                        Some(SoundRoute::Relayed { connection_id }) => connection_id,
                        Some(SoundRoute::Direct) | None => 0,
                    };
                    let video = call.video;
                    RequestKind::Discard { reason, duration, video, connection_id }
                }
                Reference::Invitations(_) => RequestKind::DeclineInvitation,
            };
            let (attempt, reference) = (call.request.next_attempt(), call.reference.clone());
            let request = CallRequest { key: *key, reference, kind, origin, attempt };
            effects.push(Effect::Account(key.account, AccountCommand::Request(request)));
            let sending = RequestState::Sending { kind, origin, since: now, attempt };
            self.calls.update(*key, |call| call.request = sending);
            if self.calls.unmark(*key) && self.calls.marked().is_empty() {
                // The next key must not fall through to the row under the cursor.
                self.release_cursor(now);
            }
        }
        effects
    }

    /// Applies the outcome of a request.
    ///
    /// The end of the call may have come before; an error is then only noted with it.
    pub(super) fn request_done(
        &mut self,
        key: CallKey,
        attempt: u32,
        outcome: Result<RequestAnswer, Failure>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let at = self.server_now(key.account, now);
        let Some(call) = self.calls.get(key) else {
            match outcome {
                Ok(answer) => {
                    self.calls.confirm(key, answer, at);
                    return self.send_reply(key, now);
                }
                Err(failure) => {
                    let sent = self.calls.ended(key).and_then(|ended| ended.sent);
                    if sent.is_some_and(|sent| sent.origin == Origin::Rule) {
                        self.rule_failed(key.account, &failure, now);
                    }
                    let cause = ReplyFailure::of_decline(&failure);
                    self.calls.annotate(key, failure);
                    self.reply_failed(key, cause, now);
                }
            }
            return Vec::new();
        };
        let RequestState::Sending { kind, origin, attempt: current, .. } = call.request else {
            return Vec::new();
        };
        if current != attempt {
            return Vec::new();
        }
        let failure = match outcome {
            Ok(answer) => {
                let ending = match kind {
                    RequestKind::Discard { .. } => Ending::OVER,
                    RequestKind::DeclineInvitation => Ending::Invitation(InvitationEnd::Answered),
                };
                self.end_call(key, ending, now);
                self.calls.confirm(key, answer, at);
                return self.send_reply(key, now);
            }
            Err(failure) => failure,
        };
        if failure.remedy() == Remedy::AlreadyOver {
            self.end_call(key, Ending::OVER, now);
            self.calls.annotate(key, failure);
            self.reply_failed(key, ReplyFailure::TooLate, now);
            return Vec::new();
        }
        if self.own_call(key).is_some() {
            // The other call must not be answered at a later end, which nobody expects.
            self.answer_next = None;
        }
        let (unknown, since) = (failure.remedy() == Remedy::Unknown, call.placed);
        if origin == Origin::Media && failure != Failure::Offline {
            self.calls.update(key, |call| call.end_was_sent = true);
        }
        if origin == Origin::Rule {
            self.rule_failed(key.account, &failure, now);
        }
        // A call that the rule has not declined rings, unless it was answered on another device.
        let rings = origin == Origin::Rule && failure.remedy() != Remedy::NotFromHere;
        self.reply_failed(key, ReplyFailure::of_decline(&failure), now);
        let look_up = unknown || failure.is_peer_invalid();
        let check = if look_up { OutcomeCheck::Pending } else { OutcomeCheck::None };
        self.calls.update(key, |call| {
            if unknown {
                call.maybe_sent = Some(PossibleDiscard { reason: kind.reason(), origin });
            }
            call.request = RequestState::Failed { kind, origin, failure, at: now, attempt, check };
        });
        let mut effects = if rings { self.leave_alone(key, now) } else { Vec::new() };
        if !look_up || !self.is_online(key.account) {
            return effects;
        }
        let command = match key.kind {
            CallKind::Private => {
                AccountCommand::Reconcile { calls: vec![key.id], since, lost_since: None }
            }
            CallKind::Group => {
                let messages = self.calls.get(key).map(|call| call.invitations().to_vec());
                AccountCommand::ReadInvitations(messages.unwrap_or_default())
            }
        };
        effects.push(Effect::Account(key.account, command));
        effects
    }

    /// Applies that the look-up of a call has found no end. `known` is whether it succeeded.
    pub(super) fn still_alive(&mut self, key: CallKey, known: bool) {
        self.calls.update(key, |call| {
            call.doubtful &= !known;
            if let RequestState::Failed { check, .. } = &mut call.request
                && *check == OutcomeCheck::Pending
            {
                *check = if known { OutcomeCheck::NoEnd } else { OutcomeCheck::None };
            }
        });
    }

    /// Dismisses the error on the selected call.
    pub(super) fn dismiss(&mut self, now: Timestamp) {
        let Some(call) = self.selected_call() else { return };
        let RequestState::Failed { failure, .. } = &call.request else { return };
        let (key, remedy) = (call.key, failure.remedy());
        if remedy == Remedy::NotFromHere {
            // Nothing more can happen to it here.
            self.end_call(key, Ending::ELSEWHERE, now);
        } else {
            self.calls.update(key, |call| {
                call.request = RequestState::Idle;
                call.reply = None;
            });
        }
    }
}

//! Invitations to group calls. All invitations to one conference are one row.

use jiff::Timestamp;

use super::account::AccountContext;
use super::event::{Invitation, InvitationState};
use super::reason::{Ending, InvitationEnd, rang_in_full};
use super::{Call, CallKey, Calls, Change, Direction, EndedCall, Ignored, Reference, Tombstone};

impl Calls {
    /// Applies an invitation as it is now.
    pub(super) fn apply_invitation(
        &mut self,
        key: CallKey,
        invitation: Invitation,
        context: &AccountContext,
    ) -> Result<Change, Ignored> {
        if invitation.direction == Direction::Outgoing {
            return Err(Ignored("an invitation that the account has sent"));
        }
        let end = match invitation.state {
            InvitationState::Open => return self.invite(key, invitation, context),
            InvitationState::Joined => InvitationEnd::Joined { talked: None },
            InvitationState::Left(seconds) => InvitationEnd::Joined { talked: Some(seconds) },
            InvitationState::Missed => {
                let rang = context.server_now.as_second() - invitation.date.as_second();
                if rang_in_full(rang, context.ring_timeout) {
                    InvitationEnd::Missed
                } else {
                    InvitationEnd::Answered
                }
            }
        };
        if self.live.contains_key(&key) {
            let missed = invitation.state == InvitationState::Missed;
            if missed && self.remove_invitation(key, invitation.message) {
                return Ok(Change::Updated);
            }
            self.end(key, Ending::Invitation(end), context.server_now);
            return Ok(Change::Ended);
        }
        if !self.ended.contains_key(&key) {
            self.remember_ended(key, Tombstone::Shown);
            self.show(EndedCall::of_invitation(key, &invitation, end, context.ring_timeout));
            return Ok(Change::Ended);
        }
        let joined = matches!(end, InvitationEnd::Joined { .. });
        let refined = self.refine(key, |ended| {
            let unconfirmed = matches!(ended.ending, Ending::RangOut | Ending::Over { .. });
            if joined || unconfirmed {
                ended.ending = Ending::Invitation(end);
            }
        });
        if refined { Ok(Change::Refined) } else { Err(Ignored("known to have ended")) }
    }

    /// Applies that messages were deleted. Returns the calls that ended with them.
    pub fn delete_messages(&mut self, deleted: &[i32], context: &AccountContext) -> Vec<CallKey> {
        let mut ended = Vec::new();
        let of_account = self.live().filter(|call| call.key.account == context.account);
        let keys: Vec<_> = of_account.map(|call| call.key).collect();
        for key in keys {
            for message in deleted {
                let Some(call) = self.get(key) else { break };
                if call.invitations().contains(message) && !self.remove_invitation(key, *message) {
                    let ending = Ending::Invitation(InvitationEnd::Deleted);
                    self.end(key, ending, context.server_now);
                    ended.push(key);
                }
            }
        }
        ended
    }

    /// Removes one of several invitations; `false` if it is the only one.
    fn remove_invitation(&mut self, key: CallKey, message: i32) -> bool {
        let others = |call: &Call| call.invitations().iter().any(|other| *other != message);
        if !self.get(key).is_some_and(others) {
            return false;
        }
        self.update(key, |call| {
            if let Reference::Invitations(messages) = &mut call.reference {
                messages.retain(|other| *other != message);
            }
        });
        true
    }

    /// Adds an invitation that has not been answered.
    fn invite(
        &mut self,
        key: CallKey,
        invitation: Invitation,
        context: &AccountContext,
    ) -> Result<Change, Ignored> {
        let Invitation { message, peer, direction, video, date, others, .. } = invitation;
        if let Some(call) = self.get(key) {
            let known = call.invitations().contains(&message);
            let updated = self.update(key, |call| {
                call.doubtful = false;
                call.others = others;
                if let Reference::Invitations(messages) = &mut call.reference
                    && !known
                {
                    messages.push(message);
                }
            });
            return if updated { Ok(Change::Updated) } else { Err(Ignored("already known")) };
        }
        if context.has_rung_out(date) {
            return Err(Ignored("an invitation that is too old"));
        }
        if self.ended(key).is_some_and(|ended| ended.invitations.contains(&message)) {
            return Err(Ignored("an invitation that was answered before"));
        }
        self.forget_end(key);
        let (reference, ring) = (Reference::Invitations(vec![message]), context.ring_timeout);
        let call = Call { video, others, ..Call::new(key, reference, peer, direction, date, ring) };
        self.insert(call);
        Ok(Change::Added)
    }

    /// The messages of invitations that have rung for longer than the ring timeout, and are to be
    /// read again: their edits may have been missed.
    pub fn overdue_invitations(&self, context: &AccountContext) -> Vec<CallKey> {
        let overdue = |placed: Timestamp| {
            let rang = context.server_now.duration_since(placed);
            rang.as_secs_f64() > context.ring_timeout.as_secs_f64()
        };
        self.live()
            .filter(|call| call.key.account == context.account)
            .filter(|call| !call.invitations().is_empty() && !call.reread)
            .filter(|call| overdue(call.placed))
            .map(|call| call.key)
            .collect()
    }
}

impl Call {
    /// The ids of the messages that invite to it; none for a call between two users.
    pub fn invitations(&self) -> &[i32] {
        match &self.reference {
            Reference::Call(_) => &[],
            Reference::Invitations(messages) => messages,
        }
    }
}

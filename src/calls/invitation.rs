//! Invitations to group calls. All invitations to one conference are one row.

use jiff::Timestamp;

use super::account::AccountContext;
use super::event::{Invitation, InvitationState};
use super::reason::{Ending, InvitationEnd, rang_in_full};
use super::{
    AccountId, CLOSED_INVITATIONS, Call, CallKey, Calls, Change, Direction, EndedCall, Ignored,
    Reference, Tombstone,
};

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
        self.close_invitation(key.account, invitation.message);
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
                if !call.invitations().contains(message) {
                    continue;
                }
                self.close_invitation(key.account, *message);
                if !self.remove_invitation(key, *message) {
                    let ending = Ending::Invitation(InvitationEnd::Deleted);
                    self.end(key, ending, context.server_now);
                    ended.push(key);
                }
            }
        }
        ended
    }

    /// Remembers that an invitation is over.
    pub(super) fn close_invitation(&mut self, account: AccountId, message: i32) {
        if self.closed_invitations.contains(&(account, message)) {
            return;
        }
        self.closed_invitations.push_back((account, message));
        if self.closed_invitations.len() > CLOSED_INVITATIONS {
            self.closed_invitations.pop_front();
        }
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
        if self.closed_invitations.contains(&(key.account, message)) {
            return Err(Ignored("an invitation that is over"));
        }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::calls::event::CallEvent;
    use crate::calls::{AccountId, CallKind, Party};
    use crate::words::call::ending;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a year in range")
    }

    fn context(account: u16, second: i64) -> AccountContext {
        AccountContext {
            account: AccountId(account),
            self_id: 1,
            server_now: at(second),
            ring_timeout: Duration::from_secs(90),
        }
    }

    fn key(account: u16) -> CallKey {
        CallKey { account: AccountId(account), kind: CallKind::Group, id: 7 }
    }

    /// The message `message` of second 0, which invites to the conference 7.
    fn invitation(message: i32, state: InvitationState) -> Invitation {
        Invitation {
            conference: 7,
            message,
            peer: Party::unknown(2),
            direction: Direction::Incoming,
            video: false,
            date: at(0),
            state,
            others: Vec::new(),
        }
    }

    fn apply(
        calls: &mut Calls,
        invitation: Invitation,
        context: &AccountContext,
    ) -> Result<Change, Ignored> {
        calls.apply(CallEvent::Invited(Box::new(invitation)), context)
    }

    /// A message, its state, and the second at which it comes.
    type Came = (i32, InvitationState, i64);

    #[test]
    fn invitations_are_one_call_until_the_last_of_them_has_ended() {
        use InvitationState::{Joined, Left, Missed, Open};
        let cases: [(&[Came], &str); 20] = [
            (&[(1, Open, 0)], "rings [1]"),
            (&[(1, Open, 0), (1, Open, 1)], "rings [1]"),
            (&[(1, Open, 0), (2, Open, 1)], "rings [1, 2]"),
            (&[(1, Open, 181)], "nothing"),
            (&[(1, Open, 0), (1, Missed, 5)], "declined or cancelled"),
            (&[(1, Open, 0), (1, Missed, 90)], "missed"),
            (&[(1, Open, 0), (1, Joined, 5)], "joined elsewhere"),
            (&[(1, Open, 0), (1, Left(61), 70)], "joined elsewhere, 01:01"),
            (&[(1, Open, 0), (2, Open, 1), (1, Missed, 5)], "rings [2]"),
            (
                &[(1, Open, 0), (2, Open, 1), (1, Missed, 5), (2, Missed, 6)],
                "declined or cancelled",
            ),
            (&[(1, Open, 0), (2, Open, 1), (1, Joined, 5)], "joined elsewhere"),
            // Seen only once it was over.
            (&[(1, Missed, 5)], "declined or cancelled"),
            (&[(1, Joined, 5)], "joined elsewhere"),
            // More becomes known, and nothing less certain replaces it.
            (&[(1, Joined, 5), (1, Left(9), 15)], "joined elsewhere, 00:09"),
            (&[(1, Missed, 5), (1, Joined, 6)], "joined elsewhere"),
            (&[(1, Joined, 5), (1, Missed, 6)], "joined elsewhere"),
            // The answered one does not ring again; another one does.
            (&[(1, Open, 0), (1, Missed, 5), (1, Open, 6)], "declined or cancelled"),
            (&[(1, Open, 0), (1, Missed, 5), (2, Open, 6)], "rings [2]"),
            (&[(1, Open, 0), (2, Open, 1), (1, Missed, 5), (1, Open, 6)], "rings [2]"),
            (
                &[(1, Open, 0), (1, Missed, 5), (2, Open, 6), (2, Missed, 7), (1, Open, 8)],
                "declined or cancelled",
            ),
        ];
        for (messages, wanted) in cases {
            let mut calls = Calls::default();
            for (message, state, second) in messages {
                let _ = apply(&mut calls, invitation(*message, *state), &context(0, *second));
            }
            let found = match (calls.get(key(0)), calls.ended(key(0))) {
                (Some(call), _) => format!("rings {:?}", call.invitations()),
                (None, Some(ended)) => ending(ended),
                (None, None) => "nothing".to_owned(),
            };
            assert_eq!(found, wanted, "{messages:?}");
        }
    }

    #[test]
    fn an_invitation_that_the_account_has_sent_is_no_call() {
        let mut calls = Calls::default();
        for state in [InvitationState::Open, InvitationState::Joined] {
            let sent = Invitation { direction: Direction::Outgoing, ..invitation(1, state) };
            apply(&mut calls, sent, &context(0, 0)).expect_err("it is ignored");
        }
        assert!(calls.get(key(0)).is_none() && calls.ended(key(0)).is_none());
    }

    /// The conference in two accounts, with two invitations each.
    fn two_accounts() -> Calls {
        let mut calls = Calls::default();
        for (account, message) in [(0, 1), (0, 2), (1, 1), (1, 2)] {
            let open = invitation(message, InvitationState::Open);
            apply(&mut calls, open, &context(account, 1)).expect("it rings");
        }
        calls
    }

    #[test]
    fn a_call_ends_with_its_last_message_of_the_same_account() {
        let cases: [(&[i32], &[CallKey], &[i32]); 4] =
            [(&[3], &[], &[1, 2]), (&[1], &[], &[2]), (&[2], &[], &[1]), (&[1, 2], &[key(1)], &[])];
        for (deleted, ended, left) in cases {
            let mut calls = two_accounts();
            assert_eq!(calls.delete_messages(deleted, &context(1, 5)), ended, "{deleted:?}");
            let messages = calls.get(key(1)).map(|call| call.invitations().to_vec());
            assert_eq!(messages.unwrap_or_default(), left, "{deleted:?}");
            assert_eq!(calls.get(key(0)).map(Call::invitations), Some(&[1, 2][..]), "{deleted:?}");
        }
    }

    #[test]
    fn a_deleted_invitation_does_not_ring_again() {
        let mut calls = two_accounts();
        calls.delete_messages(&[1], &context(1, 5));
        calls.delete_messages(&[2], &context(1, 6));
        for message in [1, 2] {
            let open = invitation(message, InvitationState::Open);
            apply(&mut calls, open, &context(1, 7)).expect_err("it was deleted");
        }
        assert!(calls.get(key(1)).is_none());
        assert_eq!(calls.get(key(0)).map(Call::invitations), Some(&[1, 2][..]));
    }

    #[test]
    fn only_the_latest_invitations_that_are_over_are_remembered() {
        let mut calls = Calls::default();
        let closed = CLOSED_INVITATIONS as i32 + 1;
        for message in (1..=closed).chain([closed]) {
            let missed = invitation(message, InvitationState::Missed);
            let _ = apply(&mut calls, missed, &context(0, 5));
        }
        for (message, rings) in [(2, false), (closed, false), (1, true)] {
            let open = invitation(message, InvitationState::Open);
            assert_eq!(apply(&mut calls, open, &context(0, 6)).is_ok(), rings, "{message}");
        }
    }

    #[test]
    fn invitations_are_overdue_after_the_ring_timeout_until_they_are_read_again() {
        let mut calls = two_accounts();
        for (second, overdue) in [(0, false), (90, false), (91, true)] {
            let wanted = if overdue { vec![key(1)] } else { Vec::new() };
            assert_eq!(calls.overdue_invitations(&context(1, second)), wanted, "{second}");
        }
        calls.update(key(1), |call| call.reread = true);
        assert_eq!(calls.overdue_invitations(&context(1, 91)), []);
        assert_eq!(calls.overdue_invitations(&context(0, 91)), [key(0)]);
    }
}

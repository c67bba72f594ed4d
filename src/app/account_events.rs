//! What is done with the events of an account.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::State;
use super::account::AccountChange;
use super::effect::{Effect, LedgerEffect};
use crate::calls::account::AccountEvent;
use crate::calls::{AccountId, CallKey, Party};
use crate::words;

impl State {
    pub(super) fn account_event(
        &mut self,
        account: AccountId,
        event: AccountEvent,
        now: Timestamp,
    ) -> Vec<Effect> {
        if self.account(account).change == Some(AccountChange::SignedOut) {
            // What comes now would bring calls back that no account is shown for.
            return Vec::new();
        }
        match event {
            AccountEvent::OwnUser(own) => {
                return self.own_user_known(account, own).into_iter().collect();
            }
            AccountEvent::ConnectionState(connection) => {
                return self.connection_changed(account, connection, now);
            }
            AccountEvent::Clock { ahead, further } => {
                let account = self.account_mut(account);
                account.clock_ahead = Some(SignedDuration::from_millis(ahead));
                account.clock_further = SignedDuration::from_millis(further);
            }
            AccountEvent::AuthorizationFlags(flags) => {
                self.account_mut(account).authorization = flags;
            }
            AccountEvent::Frozen(frozen) => self.account_mut(account).frozen_by_telegram = frozen,
            AccountEvent::RingTimeout(timeout) => self.account_mut(account).ring_timeout = timeout,
            AccountEvent::Call(event) => return self.call_event(account, event, now),
            AccountEvent::SessionNotSaved => {
                self.notices.show_long(words::notice::SESSION_NOT_SAVED.to_owned(), now);
            }
            AccountEvent::ServiceNotification(text) => {
                self.calls.explain(account, &text);
                self.notices.show_long(text, now);
            }
            AccountEvent::LoggedOut(outcome) => return self.logged_out(account, outcome, now),
            AccountEvent::Renamed(outcome) => return self.account_renamed(account, outcome, now),
            AccountEvent::TaskPanicked => self.notices.show(words::notice::CONTAINED, now),
            AccountEvent::PeerResolved(party) => self.calls.rename(account, &party),
            AccountEvent::CaughtUp { calls, lost_since } => {
                return self.caught_up(account, &calls, lost_since);
            }
            AccountEvent::Reconciled { asked, lost_since, ended } => {
                let known = ended.is_some();
                // A look-up without a connection is repeated after the reconnect.
                let repeated =
                    !known && !self.is_online(account) && !self.account(account).is_out();
                let lost = &mut self.account_mut(account).lost;
                // This search may have begun before the latest loss; one more is made after it.
                let again =
                    known && lost.as_mut().is_some_and(|lost| std::mem::take(&mut lost.again));
                if known && !again {
                    lost.take_if(|lost| Some(lost.since) == lost_since);
                }
                for event in ended.into_iter().flatten() {
                    self.call_event(account, event, now);
                }
                for id in asked.into_iter().filter(|_| !repeated) {
                    self.still_alive(CallKey::private(account, id), known);
                }
                if again {
                    return self.reconcile(account);
                }
            }
            AccountEvent::InvitationsRead { asked, known } => {
                self.invitations_read(account, &asked, known);
            }
            AccountEvent::MessagesDeleted(messages) => {
                self.messages_deleted(account, &messages, now);
            }
            AccountEvent::OlderCalls(page) => return self.older_page(account, page, now),
            AccountEvent::CallsNotSwitched(cause) => {
                self.notices.show_long(words::notice::calls_not_switched(&cause), now);
            }
            AccountEvent::TextSent { key, outcome } => self.text_sent(key, outcome, now),
            // The command that asked for it reads it as well.
            AccountEvent::PersonFound { wanted, outcome } => {
                let effects = self.ordered_person_found(account, &wanted, &outcome, now);
                self.person_found(account, &wanted, outcome);
                return effects;
            }
            AccountEvent::OwnCall(event) => return self.own_call_event(account, event, now),
            AccountEvent::RequestDone { key, attempt, outcome } => {
                return self.request_done(key, attempt, outcome, now);
            }
        }
        Vec::new()
    }

    fn own_user_known(&mut self, account: AccountId, own: Party) -> Option<Effect> {
        let known = &mut self.account_mut(account).own;
        let (user_id, first) = (own.user_id, known.user_id == 0);
        // A party without a name must not replace one with a name.
        if own.name.is_some() || own.user_id != known.user_id {
            *known = own;
        }
        let ring_timeout = self.account(account).ring_timeout;
        let recall = Effect::Ledger(LedgerEffect::Recall { account, user_id, ring_timeout });
        (first && user_id != 0).then_some(recall)
    }

    /// Applies that messages were deleted; some may have been invitations.
    fn messages_deleted(&mut self, account: AccountId, messages: &[i32], now: Timestamp) {
        let context = self.context(account, now);
        let concerned = self.calls.live().filter(|call| {
            call.key.account == account && call.invitations().iter().any(|it| messages.contains(it))
        });
        let before: HashMap<_, _> =
            concerned.map(|call| (call.key, self.before_end(call.key))).collect();
        for key in self.calls.delete_messages(messages, &context) {
            self.call_has_ended(key, before[&key], now);
        }
    }
}

//! What is done with the answers of the ledger.

use jiff::Timestamp;

use super::State;
use super::do_not_disturb::DoNotDisturbEnd;
use super::effect::Effect;
use super::msg::LedgerEvent;
use crate::words;

impl State {
    pub(super) fn ledger_event(&mut self, event: LedgerEvent, now: Timestamp) -> Vec<Effect> {
        match event {
            LedgerEvent::Recalled { account, calls } => return self.recalled(account, calls, now),
            LedgerEvent::PageRead { number, page } => return self.page_read(number, page),
            LedgerEvent::OthersRead { of, calls } => self.others_read(of, calls),
            LedgerEvent::Counted { filter, counted } => {
                return Vec::from_iter(self.counted(&filter, counted));
            }
            LedgerEvent::CallerFacts { key, peer, facts } => {
                if self.calls.get(key).is_some_and(|call| call.peer.user_id == peer) {
                    let earlier = facts.earlier.clone();
                    self.callers.insert(key, facts);
                    return self.history_known(key, earlier, now);
                }
            }
            LedgerEvent::RulesCounted(counts) => self.rule_list.counts = counts,
            LedgerEvent::RuleCallsRead { rule, calls } => self.rule_calls_read(rule, calls),
            LedgerEvent::DoNotDisturb(times) => {
                let times = times.into_iter().map(|(account, until)| (account, until.into()));
                let lasts = |(_, end): &(String, DoNotDisturbEnd)| !end.is_over(now);
                self.do_not_disturb = times.filter(lasts).collect();
            }
            LedgerEvent::Unavailable(cause) => {
                self.notices.show_long(words::notice::ledger_off(&cause), now);
            }
            LedgerEvent::WriteFailed(cause) => {
                self.notices.show_long(words::notice::ledger_waits(&cause), now);
            }
        }
        Vec::new()
    }
}

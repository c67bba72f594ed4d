//! Do not disturb: for all accounts or one, for a time or until it is switched off.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, ToSpan};
use tui_input::Input;

use super::State;
use super::action::Action;
use super::dialog::Dialog;
use super::effect::{Effect, LedgerEffect};
use super::quiet_dialog::QuietDialog;
use crate::calls::AccountId;
use crate::words::quiet;

/// When do not disturb ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuietEnd {
    At(Timestamp),
    /// When it is switched off.
    Never,
}

/// For which accounts do not disturb is on, by their names on this machine. The empty name is all of them.
pub type QuietAccounts = BTreeMap<String, QuietEnd>;

/// What was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum QuietOrder {
    Until(QuietEnd),
    Off,
}

impl State {
    /// Until when calls of an account draw no attention; `None` if they do.
    pub fn quiet_until(&self, account: AccountId, now: Timestamp) -> Option<QuietEnd> {
        let own = self.quiet_accounts.get(&self.account(account).name);
        let ends = [self.quiet_accounts.get(""), own];
        ends.into_iter().flatten().copied().find(|end| !end.is_over(now))
    }

    /// Until when it is on for this account, or for any if none is named.
    pub fn quiet_of(&self, account: Option<AccountId>, now: Timestamp) -> Option<QuietEnd> {
        match account {
            Some(account) => self.quiet_until(account, now),
            None => self.quiet_accounts.values().copied().find(|end| !end.is_over(now)),
        }
    }

    /// Whether do not disturb is on for an account.
    pub(super) fn is_disturbed(&self, account: AccountId, now: Timestamp) -> bool {
        self.quiet_until(account, now).is_some()
    }

    /// When the next one ends.
    pub(super) fn next_quiet_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.quiet_accounts.values().filter_map(|end| end.time()).filter(|at| *at > now).min()
    }

    /// Opens the dialog, for all accounts.
    pub(super) fn open_quiet_dialog(&mut self) {
        let dialog = QuietDialog { account: None, input: Input::default(), is_wrong: false };
        self.dialog = Some(Dialog::Quiet(dialog));
    }

    pub(super) fn act_in_quiet_dialog(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let present: Vec<_> = self.present().map(|(id, _)| id).collect();
        let Some(Dialog::Quiet(dialog)) = &mut self.dialog else { return Vec::new() };
        match action {
            Action::Complete | Action::CompleteBack => {
                let at = dialog.account.and_then(|it| present.iter().position(|id| *id == it));
                let count = present.len() + 1;
                let step = if action == Action::Complete { 1 } else { count - 1 };
                let next = (at.map_or(0, |at| at + 1) + step) % count;
                dialog.account = next.checked_sub(1).map(|at| present[at]);
                Vec::new()
            }
            Action::Accept => {
                let account = dialog.account;
                let text = dialog.input.value().to_owned();
                let is_on = self.quiet_of(account, now).is_some();
                let order = order(&text, is_on, &self.rules.zone, now);
                let Some(Dialog::Quiet(dialog)) = &mut self.dialog else { return Vec::new() };
                let Some(order) = order else {
                    dialog.is_wrong = true;
                    return Vec::new();
                };
                self.dialog = None;
                self.switch_quiet(account, order, now)
            }
            _ => {
                self.dialog = None;
                Vec::new()
            }
        }
    }

    fn switch_quiet(
        &mut self,
        account: Option<AccountId>,
        order: QuietOrder,
        now: Timestamp,
    ) -> Vec<Effect> {
        let name = account.map(|id| self.account(id).name.clone()).unwrap_or_default();
        self.quiet_accounts.retain(|_, end| !end.is_over(now));
        match order {
            QuietOrder::Until(end) => {
                let local = end.time().map(|at| at.to_zoned(self.rules.zone.clone()));
                let until = local.map(|local| local.strftime("%H:%M").to_string());
                let account = account.map(|id| self.shown_account(self.account(id)));
                let text = quiet::switched(until.as_deref(), account.as_deref());
                self.notices.show(text, now);
                self.quiet_accounts.insert(name, end);
            }
            // "Off" for all is off for each.
            QuietOrder::Off if name.is_empty() => self.quiet_accounts.clear(),
            QuietOrder::Off => {
                // What is on for all stays on for the others.
                if let Some(end) = self.quiet_accounts.remove("") {
                    let others = self.present().map(|(_, other)| other.name.clone());
                    let others: Vec<_> = others.collect();
                    for other in others {
                        self.quiet_accounts.entry(other).or_insert(end);
                    }
                }
                self.quiet_accounts.remove(&name);
            }
        }
        if order == QuietOrder::Off {
            let rest = account.filter(|_| !self.quiet_accounts.is_empty());
            let rest = rest.map(|id| self.shown_account(self.account(id)));
            self.notices.show(quiet::switched_off(rest.as_deref()), now);
        }
        let times = self.quiet_accounts.iter().map(|(name, end)| (name.clone(), end.time()));
        vec![Effect::Ledger(LedgerEffect::SaveQuiet(times.collect()))]
    }
}

impl From<Option<Timestamp>> for QuietEnd {
    fn from(until: Option<Timestamp>) -> Self {
        until.map_or(Self::Never, Self::At)
    }
}

impl QuietEnd {
    /// The time of the end, if it has one.
    pub fn time(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Never => None,
        }
    }

    pub fn is_over(self, now: Timestamp) -> bool {
        matches!(self, Self::At(at) if at <= now)
    }
}

/// What a text means: nothing is an hour, or `off` if it is on; `45m` and `2h` are times from now, `07:30` is
/// the next time of that clock, `on` is without an end, and `off`.
fn order(text: &str, is_on: bool, zone: &jiff::tz::TimeZone, now: Timestamp) -> Option<QuietOrder> {
    let text = text.trim().to_lowercase();
    let after =
        |duration| Some(QuietOrder::Until(QuietEnd::At(now.saturating_add(duration).ok()?)));
    match text.as_str() {
        "" if is_on => return Some(QuietOrder::Off),
        "" => return after(SignedDuration::from_hours(1)),
        "on" => return Some(QuietOrder::Until(QuietEnd::Never)),
        "off" => return Some(QuietOrder::Off),
        _ => {}
    }
    let number = |digits: &str| digits.parse().ok().filter(|number| (1..=10_000).contains(number));
    if let Some(minutes) = text.strip_suffix('m').and_then(number) {
        return after(SignedDuration::from_mins(minutes));
    }
    if let Some(hours) = text.strip_suffix('h').and_then(number) {
        return after(SignedDuration::from_hours(hours));
    }
    let (hour, minute) = text.split_once(':')?;
    let local = now.to_zoned(zone.clone());
    let time = jiff::civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
    let today = local.date().to_datetime(time).to_zoned(zone.clone()).ok()?;
    let end = if today.timestamp() > now {
        today
    } else {
        let tomorrow = local.date().checked_add(1.day()).ok()?;
        tomorrow.to_datetime(time).to_zoned(zone.clone()).ok()?
    };
    Some(QuietOrder::Until(QuietEnd::At(end.timestamp())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_times() {
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("a known zone");
        // 12:00 in Berlin.
        let now: Timestamp = "2026-11-27T11:00:00Z".parse().expect("a time");
        let at = |text: &str| {
            let at = text.parse().expect("a time");
            Some(QuietOrder::Until(QuietEnd::At(at)))
        };
        for (text, wanted) in [
            ("", at("2026-11-27T12:00:00Z")),
            ("45m", at("2026-11-27T11:45:00Z")),
            (" 2H ", at("2026-11-27T13:00:00Z")),
            ("22:30", at("2026-11-27T21:30:00Z")),
            ("12:00", at("2026-11-28T11:00:00Z")),
            ("7:00", at("2026-11-28T06:00:00Z")),
            ("on", Some(QuietOrder::Until(QuietEnd::Never))),
            ("off", Some(QuietOrder::Off)),
            ("0m", None),
            ("10001h", None),
            ("25:00", None),
            ("tomorrow", None),
        ] {
            assert_eq!(order(text, false, &zone, now), wanted, "{text}");
        }
        assert_eq!(order(" ", true, &zone, now), Some(QuietOrder::Off), "it is on");
    }
}

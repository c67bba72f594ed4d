//! Do not disturb: for all accounts or one, for a time or until it is switched off.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, ToSpan};
use tui_input::Input;

use super::State;
use super::action::Action;
use super::dialog::Dialog;
use super::do_not_disturb_dialog::DoNotDisturbDialog;
use super::effect::{Effect, LedgerEffect};
use crate::calls::AccountId;
use crate::words::do_not_disturb;

/// When do not disturb ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DoNotDisturbEnd {
    At(Timestamp),
    /// When it is switched off.
    Never,
}

/// For which accounts do not disturb is on, by their names on this machine. The empty name is all of them.
pub type DoNotDisturbAccounts = BTreeMap<String, DoNotDisturbEnd>;

/// What was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DoNotDisturbOrder {
    Until(DoNotDisturbEnd),
    Off,
}

impl State {
    /// Until when calls of an account draw no attention; `None` if they do.
    pub fn do_not_disturb_until(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> Option<DoNotDisturbEnd> {
        let own = self.do_not_disturb.get(&self.account(account).name);
        let ends = [self.do_not_disturb.get(""), own];
        ends.into_iter().flatten().copied().filter(|end| !end.is_over(now)).max()
    }

    /// Until when it is on for this account, or for any if none is named.
    pub fn do_not_disturb_of(
        &self,
        account: Option<AccountId>,
        now: Timestamp,
    ) -> Option<DoNotDisturbEnd> {
        match account {
            Some(account) => self.do_not_disturb_until(account, now),
            None => self.do_not_disturb.values().copied().filter(|end| !end.is_over(now)).max(),
        }
    }

    /// Whether do not disturb is on for an account.
    pub(super) fn is_do_not_disturb_on(&self, account: AccountId, now: Timestamp) -> bool {
        self.do_not_disturb_until(account, now).is_some()
    }

    /// When the next one ends.
    pub(super) fn next_do_not_disturb_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.do_not_disturb.values().filter_map(|end| end.time()).filter(|at| *at > now).min()
    }

    /// Opens the dialog, for all accounts.
    pub(super) fn open_do_not_disturb(&mut self) {
        let dialog = DoNotDisturbDialog { account: None, input: Input::default(), is_wrong: false };
        self.dialog = Some(Dialog::DoNotDisturb(dialog));
    }

    pub(super) fn act_in_do_not_disturb(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let present: Vec<_> = self.present().map(|(id, _)| id).collect();
        let Some(Dialog::DoNotDisturb(dialog)) = &self.dialog else { return Vec::new() };
        let is_on = self.do_not_disturb_of(dialog.account, now).is_some();
        let Some(Dialog::DoNotDisturb(dialog)) = &mut self.dialog else { return Vec::new() };
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
                let Some(order) = order(dialog.input.value(), is_on, &self.rules.zone, now) else {
                    dialog.is_wrong = true;
                    return Vec::new();
                };
                let account = dialog.account;
                self.dialog = None;
                self.switch_do_not_disturb(account, order, now)
            }
            _ => {
                self.dialog = None;
                Vec::new()
            }
        }
    }

    fn switch_do_not_disturb(
        &mut self,
        account: Option<AccountId>,
        order: DoNotDisturbOrder,
        now: Timestamp,
    ) -> Vec<Effect> {
        let name = account.map(|id| self.account(id).name.clone()).unwrap_or_default();
        self.do_not_disturb.retain(|_, end| !end.is_over(now));
        match order {
            DoNotDisturbOrder::Until(end) => {
                let local = end.time().map(|at| at.to_zoned(self.rules.zone.clone()));
                let until = local.map(|local| local.strftime("%H:%M").to_string());
                let account = account.map(|id| self.shown_account(self.account(id)));
                let text = do_not_disturb::switched(until.as_deref(), account.as_deref());
                self.notices.show(text, now);
                self.do_not_disturb.insert(name, end);
            }
            // "Off" for all is off for each.
            DoNotDisturbOrder::Off if name.is_empty() => self.do_not_disturb.clear(),
            DoNotDisturbOrder::Off => {
                // What is on for all stays on for the others.
                if let Some(end) = self.do_not_disturb.remove("") {
                    let others = self.present().map(|(_, other)| other.name.clone());
                    let others: Vec<_> = others.collect();
                    for other in others {
                        self.do_not_disturb.entry(other).or_insert(end);
                    }
                }
                self.do_not_disturb.remove(&name);
            }
        }
        if order == DoNotDisturbOrder::Off {
            let rest = account.filter(|_| !self.do_not_disturb.is_empty());
            let rest = rest.map(|id| self.shown_account(self.account(id)));
            self.notices.show(do_not_disturb::switched_off(rest.as_deref()), now);
        }
        vec![self.save_do_not_disturb()]
    }

    fn save_do_not_disturb(&self) -> Effect {
        let times = self.do_not_disturb.iter().map(|(name, end)| (name.clone(), end.time()));
        Effect::Ledger(LedgerEffect::SaveDoNotDisturb(times.collect()))
    }

    /// An account has another name, or is signed out: what is kept by its name follows.
    pub(super) fn rename_do_not_disturb(&mut self, old: &str, new: Option<&str>) -> Option<Effect> {
        let end = self.do_not_disturb.remove(old)?;
        if let Some(new) = new {
            self.do_not_disturb.insert(new.to_owned(), end);
        }
        Some(self.save_do_not_disturb())
    }
}

impl From<Option<Timestamp>> for DoNotDisturbEnd {
    fn from(until: Option<Timestamp>) -> Self {
        until.map_or(Self::Never, Self::At)
    }
}

impl DoNotDisturbEnd {
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
fn order(
    text: &str,
    is_on: bool,
    zone: &jiff::tz::TimeZone,
    now: Timestamp,
) -> Option<DoNotDisturbOrder> {
    let text = text.trim().to_lowercase();
    let after = |duration| {
        Some(DoNotDisturbOrder::Until(DoNotDisturbEnd::At(now.saturating_add(duration).ok()?)))
    };
    match text.as_str() {
        "" if is_on => return Some(DoNotDisturbOrder::Off),
        "" => return after(SignedDuration::from_hours(1)),
        "on" => return Some(DoNotDisturbOrder::Until(DoNotDisturbEnd::Never)),
        "off" => return Some(DoNotDisturbOrder::Off),
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
    Some(DoNotDisturbOrder::Until(DoNotDisturbEnd::At(end.timestamp())))
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
            Some(DoNotDisturbOrder::Until(DoNotDisturbEnd::At(at)))
        };
        for (text, wanted) in [
            ("", at("2026-11-27T12:00:00Z")),
            ("45m", at("2026-11-27T11:45:00Z")),
            (" 2H ", at("2026-11-27T13:00:00Z")),
            ("22:30", at("2026-11-27T21:30:00Z")),
            ("12:00", at("2026-11-28T11:00:00Z")),
            ("7:00", at("2026-11-28T06:00:00Z")),
            ("on", Some(DoNotDisturbOrder::Until(DoNotDisturbEnd::Never))),
            ("off", Some(DoNotDisturbOrder::Off)),
            ("0m", None),
            ("10001h", None),
            ("25:00", None),
            ("tomorrow", None),
        ] {
            assert_eq!(order(text, false, &zone, now), wanted, "{text}");
        }
        assert_eq!(order(" ", true, &zone, now), Some(DoNotDisturbOrder::Off), "it is on");
    }
}

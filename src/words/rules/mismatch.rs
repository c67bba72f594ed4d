//! Why a rule does not match a call: the fact that its condition does not allow.

use jiff::tz::TimeZone;

use super::{count_range, kind, weekday};
use crate::rules::{Condition, Mismatch, RuleCall};
use crate::text;

/// What is not known, if it is not known whether a condition holds.
pub fn not_known(mismatch: Mismatch) -> &'static str {
    match mismatch {
        Mismatch::Contact => "not known whether the caller is a contact",
        Mismatch::Repeated => "not known when the caller called before",
        Mismatch::Calls => "not known how often the caller called before",
        Mismatch::Idle => "not known whether somebody is at the desktop",
        Mismatch::Locked => "not known whether the desktop is locked",
        Mismatch::Account
        | Mismatch::Person
        | Mismatch::List
        | Mismatch::Hours
        | Mismatch::Weekday
        | Mismatch::Kind
        | Mismatch::DoNotDisturb
        | Mismatch::InCall => "not known",
    }
}

/// Why a condition does not hold for a call. `zone` is that of hours without their own.
pub fn mismatch(
    mismatch: Mismatch,
    when: &Condition,
    call: &RuleCall<'_>,
    zone: &TimeZone,
) -> String {
    let unknown = format!("it is {}", not_known(mismatch));
    // What is the case, or that it is not known.
    let state = |is: Option<bool>, yes: &str, no: &str| {
        is.map_or(unknown.clone(), |is| if is { yes } else { no }.to_owned())
    };
    let local = call.at.to_zoned(when.zone.as_ref().unwrap_or(zone).clone());
    let zone = local.time_zone().iana_name().map(|zone| format!(" in {zone}")).unwrap_or_default();
    match mismatch {
        Mismatch::Account => {
            let wanted = text::clean(&when.accounts.join(" or "));
            match call.account {
                "" => format!("the account is not known, and must be {wanted}"),
                account => format!("the account is {}, not {wanted}", text::clean(account)),
            }
        }
        Mismatch::Person => {
            let people: Vec<_> = when.people.iter().map(ToString::to_string).collect();
            format!("the caller is not {}", people.join(" or "))
        }
        Mismatch::List => "the caller is not in the list".to_owned(),
        Mismatch::Contact => {
            state(call.peer.contact, "the caller is a contact", "the caller is not a contact")
        }
        Mismatch::Hours => {
            let hours = when.hours.map(|hours| hours.to_string()).unwrap_or_default();
            format!("{}{zone} is not in {hours}", local.strftime("%H:%M"))
        }
        Mismatch::Weekday => {
            let days: Vec<_> = when.weekdays.iter().map(|day| weekday(*day)).collect();
            let of_hours = when.hours.map_or("", |_| ", the day on which the hours begin");
            let now = local.strftime("%a %H:%M");
            format!("{now}{zone} is not on {}{of_hours}", days.join(" or "))
        }
        Mismatch::Kind => {
            let kinds: Vec<_> = when.kinds.iter().map(|it| kind(*it)).collect();
            format!("the kind is {}, not {}", kind(call.kind), kinds.join(" or "))
        }
        Mismatch::Repeated => match (call.earlier, when.repeated) {
            (Some(_), Some(within)) => {
                format!("the caller has not called in the {} min before", within.as_secs() / 60)
            }
            _ => unknown,
        },
        Mismatch::Calls => match when.calls.and_then(|calls| Some((calls, calls.count(call)?))) {
            Some((calls, count)) => {
                format!("{count}, not {} earlier calls in {} days", count_range(calls), calls.days)
            }
            None => unknown,
        },
        Mismatch::DoNotDisturb => {
            state(Some(call.do_not_disturb), "do not disturb is on", "do not disturb is off")
        }
        Mismatch::InCall => {
            state(Some(call.in_call), "another call is active", "no other call is active")
        }
        Mismatch::Idle => {
            state(call.presence.idle, "nobody is at the desktop", "somebody is at the desktop")
        }
        Mismatch::Locked => {
            state(call.presence.locked, "the desktop is locked", "the desktop is not locked")
        }
    }
}

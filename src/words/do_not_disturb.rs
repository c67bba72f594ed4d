//! Sentences about do not disturb.

use crate::rules::Breakthrough;

/// Its name, also in place of the name of a rule where it has silenced a call.
pub const NAME: &str = "do not disturb";
/// What was typed in the dialog is nothing that can be.
pub const WRONG: &str = "✗ not a time: type 45m, 2h, 07:30, on or off";

/// Who rings while do not disturb is on.
pub fn through(breakthrough: &Breakthrough) -> String {
    let mut who: Vec<_> = breakthrough.people.iter().map(ToString::to_string).collect();
    if breakthrough.contacts {
        who.push("contacts".to_owned());
    }
    let minutes = breakthrough.repeated.map(|within| within.as_secs() / 60);
    who.extend(minutes.map(|minutes| format!("who calls again within {minutes} min")));
    if who.is_empty() { "nobody rings".to_owned() } else { format!("{} ring", who.join(", ")) }
}

/// What can be typed in the dialog, while it is on or off.
pub fn hint(is_on: bool) -> &'static str {
    if is_on {
        "Enter switches it off. Or type 45m, 2h, 07:30 (until then) or on."
    } else {
        "Enter for an hour, or type 45m, 2h, 07:30 (until then) or on."
    }
}

/// What it does, and who rings.
pub fn about(through: &str) -> String {
    format!("With it on, calls ring on other devices only; here {through}. Rules decide as before.")
}

/// The state in the dialog.
pub fn state(is_on: bool, until: Option<&str>) -> String {
    match (is_on, until) {
        (true, Some(until)) => format!("on until {until}"),
        (true, None) => "on".to_owned(),
        (false, _) => "off".to_owned(),
    }
}

/// Do not disturb was switched off, for one account or for all.
pub fn switched_off(account: Option<&str>) -> String {
    let account = account.map(|account| format!(" for {account}")).unwrap_or_default();
    format!("do not disturb is off{account}")
}

/// Do not disturb was switched on.
pub fn switched(until: Option<&str>, account: Option<&str>) -> String {
    let account = account.map(|account| format!(" for {account}")).unwrap_or_default();
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    format!("do not disturb is on{account}{until}")
}

/// The title of the dialog.
pub fn title(account: Option<&str>) -> String {
    match account {
        Some(account) => format!("Do not disturb · {account}"),
        None => "Do not disturb".to_owned(),
    }
}

/// Who rings while do not disturb is on, which it is not.
pub fn with_it_on(through: &str) -> String {
    format!("with {NAME} on: {through} (rules decide first)")
}

/// The same while it is; `on` is [`header`].
pub fn while_on(on: &str, through: &str) -> String {
    format!("{on}: {through}")
}

/// In the header: until when, and for how many accounts if not for all.
pub fn header(until: Option<&str>, accounts: Option<usize>) -> String {
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    match accounts {
        Some(1) => format!("{NAME}{until} (1 account)"),
        Some(accounts) => format!("{NAME}{until} ({accounts} accounts)"),
        None => format!("{NAME}{until}"),
    }
}

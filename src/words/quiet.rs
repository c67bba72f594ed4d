//! Sentences about do not disturb.

use crate::rules::Breakthrough;

/// What can be typed in the dialog.
pub const HINT: &str = "Enter for an hour, or type 45m, 2h, 07:30 (until then), on, or off. Calls ring on \
    other devices; rules decide as before.";

/// Who rings all the same; `None` if nobody does.
pub fn breakthrough(breakthrough: &Breakthrough) -> Option<String> {
    let mut who: Vec<_> = breakthrough.people.iter().map(ToString::to_string).collect();
    if breakthrough.contacts {
        who.push("contacts".to_owned());
    }
    let minutes = breakthrough.repeated.map(|within| within.as_secs() / 60);
    who.extend(minutes.map(|minutes| format!("who calls again within {minutes} min")));
    (!who.is_empty()).then(|| format!("These ring all the same: {}.", who.join(", ")))
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

/// In the header: until when, and for how many accounts if not for all.
pub fn header(until: Option<&str>, accounts: Option<usize>) -> String {
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    match accounts {
        Some(1) => format!("quiet{until} (1 account)"),
        Some(accounts) => format!("quiet{until} ({accounts} accounts)"),
        None => format!("quiet{until}"),
    }
}

//! Sentences about do not disturb.

/// What can be typed in the dialog.
pub const HINT: &str = "Enter for an hour, or type 45m, 2h, 07:30 (until then), on, or off. Calls ring on \
    other devices; rules decide as before.";

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

//! Texts of the screen of the accounts.

/// Calls of the account are shown.
pub const RECEIVES: &str = "receives calls";

/// The session of the account is not valid any more.
pub const SIGNED_OUT: &str = "✗ signed out";

/// There is no account; with the key that adds one.
pub fn none(sign_in: Option<&str>) -> String {
    match sign_in {
        Some(key) => format!("no account: {key} signs in"),
        None => "no account".to_owned(),
    }
}

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

/// The account is being signed out.
pub const SIGNING_OUT: &str = "signing out…";
/// The account is being renamed.
pub const RENAMING: &str = "renaming…";

/// The keys of the input line for a name.
pub const NAME_KEYS: &str = "Enter rename · Esc cancel";
/// What stands in front of the new name of an account.
pub fn new_name_of(name: &str) -> String {
    format!(" new name of {name}: ")
}

/// The name cannot be one; with what names consist of.
pub fn bad_name(rule: &str) -> String {
    format!("✗ use {rule}")
}
/// Another account has the name.
pub const TAKEN: &str = "✗ another account has this name";

/// The account was renamed.
pub fn renamed(old: &str, new: &str) -> String {
    format!("{old} is called {new} now")
}

/// The account keeps its name.
pub fn not_renamed(name: &str, cause: &str) -> String {
    format!("{name} was not renamed: {cause}")
}

/// The account was signed out at Telegram, and its files were removed.
pub fn signed_out_here(name: &str) -> String {
    format!("{name} is signed out; removed its files")
}

/// The account was not signed out, or its files were not removed.
pub fn not_signed_out(name: &str, cause: &str) -> String {
    format!("{name} may still be signed in ({cause}): try again, or end it in another app")
}

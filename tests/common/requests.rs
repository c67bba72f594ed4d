//! The requests that have reached an embedded server, as its log has them.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The methods that change nothing at Telegram and are sent without a key press. The README lists
/// the same, and the one that only the doctor sends.
pub const HARMLESS: [&str; 7] = [
    "help.getConfig",
    "updates.getState",
    "updates.getDifference",
    "users.getUsers",
    "messages.search",
    "messages.getMessages",
    "account.getAuthorizations",
];

/// What the doctor asks in addition.
pub const HARMLESS_OF_DOCTOR: [&str; 1] = ["account.getPrivacy"];

pub fn is_harmless(request: &Value) -> bool {
    HARMLESS.iter().any(|method| request["method"] == *method)
}

/// The requests in a log; none if it is not there yet.
pub fn read(log: &Path) -> Vec<Value> {
    let text = fs::read_to_string(log).unwrap_or_default();
    // The last line may be half-written.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

//! Countdowns in whole seconds.

use std::time::Duration;

use jiff::Timestamp;

/// Whole seconds until `wait` has passed since `at`; `None` once it has.
///
/// Counted between full seconds, where the ticks are: a tick that is a little late leaves out no
/// number.
pub fn remaining(at: Timestamp, wait: Duration, now: Timestamp) -> Option<i64> {
    let end = at.saturating_add(wait).unwrap_or(Timestamp::MAX).as_millisecond();
    let now = now.as_millisecond();
    let left = (end + 999).div_euclid(1000) - now.div_euclid(1000);
    (end > now).then(|| left.min(wait.as_secs_f64().ceil() as i64))
}

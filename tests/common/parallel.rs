//! Many cases of one test at the same time.

use std::sync::Mutex;
use std::thread;

/// How many cases run at the same time. Nearly all of them wait for a program most of the time.
const AT_ONCE: usize = 16;

/// Runs `test` once for each case.
///
/// # Panics
/// When the test of a case panics; the other cases are run all the same.
pub fn for_each<T: Send>(cases: impl IntoIterator<Item = T>, test: impl Fn(T) + Sync) {
    let cases = Mutex::new(cases.into_iter().collect::<Vec<_>>());
    let next = || cases.lock().expect("no test runs while it is locked").pop();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = next() {
                    test(case);
                }
            });
        }
    });
}

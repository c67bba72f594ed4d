//! Whole sessions with random calls, faults and keys. After every step no request was sent that no
//! key and no control command asked for; once the faults are over, server, board and ledger agree.
//!
//! The real accounts, reducer and ledger talk to the embedded server by real MTProto; only the
//! clock is moved by the test, so that minutes pass in milliseconds. A seed makes the plan: the
//! calls, the faults of the server, and the keys.
//!
//! - `ONHOOK_CHAOS_SEEDS=N` runs N seeds instead of the default.
//! - `ONHOOK_CHAOS_FIRST=F` starts with seed F instead of 0.
//! - `ONHOOK_CHAOS_SEED=S` replays one seed, and prints every message and request. The plan is the
//!   same; tasks and threads may take turns differently.

#![allow(clippy::print_stdout)]

#[path = "chaos/checks.rs"]
mod checks;
mod common;
#[path = "chaos/control.rs"]
mod control;
#[path = "chaos/media.rs"]
mod media;
#[path = "chaos/own_calls.rs"]
mod own_calls;
#[path = "chaos/plan.rs"]
mod plan;
#[path = "chaos/rule_checks.rs"]
mod rule_checks;
#[path = "chaos/rule_plan.rs"]
mod rule_plan;
#[path = "chaos/session.rs"]
mod session;

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use checks::Tally;
use plan::Plan;

/// How many seeds are run by default. `.ci/run` runs more.
const SEEDS: u64 = 200;
/// How many failures end a run.
const FAILURES: usize = 5;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not '{text}'")))
}

/// Plays a plan; what went wrong, with all that happened before.
fn play(seed: u64, plan: &Plan) -> Result<Tally, String> {
    let history = session::History::default();
    let recorded = history.clone();
    let played = panic::catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build();
        runtime.expect("a runtime").block_on(session::play(plan, recorded))
    }));
    let wrong = match played {
        Ok(Ok(tally)) => return Ok(tally),
        Ok(Err(wrong)) => wrong,
        Err(panic) => panic.downcast_ref::<String>().cloned().unwrap_or("a panic".to_owned()),
    };
    Err(format!("{}\nseed {seed}: {wrong}", history.text()))
}

/// The command that replays a seed.
fn replay(seed: u64) -> String {
    format!(
        "ONHOOK_CHAOS_SEED={seed} cargo test --test chaos the_checks_hold_for_every_seed -- --nocapture"
    )
}

#[test]
fn the_checks_hold_for_every_seed() {
    session::silence_library_panics();
    if let Some(seed) = number("ONHOOK_CHAOS_SEED") {
        let plan = Plan::new(seed);
        println!("{plan}");
        match play(seed, &plan) {
            Ok(tally) => println!("seed {seed} holds: {tally}"),
            Err(wrong) => panic!("{wrong}"),
        }
        return;
    }
    let seeds = number("ONHOOK_CHAOS_SEEDS").unwrap_or(SEEDS);
    let first = number("ONHOOK_CHAOS_FIRST").unwrap_or(0);
    let (next, all) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    let failed = Mutex::new(Vec::new());
    let began = Instant::now();
    let worker = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= seeds || failed.lock().expect("no worker panics").len() >= FAILURES {
                return;
            }
            let seed = first.wrapping_add(at);
            match play(seed, &Plan::new(seed)) {
                Ok(tally) => all.lock().expect("no worker panics").add(tally),
                Err(wrong) => failed.lock().expect("no worker panics").push((seed, wrong)),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(worker);
        }
    });
    let failed = failed.into_inner().expect("no worker panics");
    let (played, all) = (next.into_inner().min(seeds), all.into_inner().expect("no worker panics"));
    println!("{played} seeds from {first}: {all}; {:.0} s", began.elapsed().as_secs_f64());
    // Checks of what never happens would hold as well.
    let happened = [all.sent, all.answered, all.placed, all.media, all.by_rules];
    let is_complete = played < SEEDS || happened.iter().all(|count| *count > 0);
    assert!(is_complete || !failed.is_empty(), "not all that is checked has happened: {all}");
    if let Some((_, wrong)) = failed.first() {
        let said =
            |wrong: &str| wrong.rsplit_once("\nseed ").map_or("", |(_, said)| said).to_owned();
        let replays: Vec<_> = failed
            .iter()
            .map(|(seed, wrong)| format!("{}\n  # seed {}", replay(*seed), said(wrong)))
            .collect();
        panic!("{wrong}\n{} seeds failed; replay with:\n{}", failed.len(), replays.join("\n"));
    }
}

#[test]
fn the_checks_hold_for_a_whole_day() {
    play_day(&Plan::of_a_day(0));
}

/// No call is lost, and `updates.getChannelDifference`, which is not in the list of harmless
/// requests, is never sent.
#[test]
fn the_checks_hold_for_a_day_of_an_account_with_many_channels() {
    play_day(&Plan::of_a_noisy_day(1));
}

fn play_day(plan: &Plan) {
    session::silence_library_panics();
    if number("ONHOOK_CHAOS_SEED").is_some() {
        return;
    }
    let began = Instant::now();
    match play(0, plan) {
        Ok(tally) => println!("a day: {tally}; {:.0} s", began.elapsed().as_secs_f64()),
        Err(wrong) => panic!("{wrong}"),
    }
}

//! All tests that need no pseudo-terminal, in one binary so that the program is linked once.

mod common;

#[path = "fast/accounts.rs"]
mod accounts;
#[path = "fast/architecture.rs"]
mod architecture;
#[cfg(feature = "voice")]
#[path = "fast/call.rs"]
mod call;
#[path = "fast/cli.rs"]
mod cli;
#[path = "fast/control.rs"]
mod control;
#[path = "fast/corrupted_input.rs"]
mod corrupted_input;
#[path = "fast/endings.rs"]
mod endings;
#[path = "fast/examples.rs"]
mod examples;
#[path = "fast/ledger.rs"]
mod ledger;
mod loopback;
#[path = "fast/lost_state.rs"]
mod lost_state;
#[path = "fast/renewal.rs"]
mod renewal;
#[path = "fast/rules.rs"]
mod rules;
#[path = "fast/time.rs"]
mod time;
#[cfg(feature = "voice")]
#[path = "fast/two_phones.rs"]
mod two_phones;
#[cfg(not(feature = "voice"))]
#[path = "fast/without_voice.rs"]
mod without_voice;

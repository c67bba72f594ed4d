//! What several tests and benchmarks use. Each binary compiles this module and uses a part of it.

#![allow(dead_code, reason = "each binary uses a part of this module")]

#[path = "common/arrivals.rs"]
pub mod arrivals;
#[path = "common/calls.rs"]
pub mod calls;
#[path = "common/client.rs"]
pub mod client;
#[path = "common/display.rs"]
pub mod display;
#[path = "common/import.rs"]
pub mod import;
#[path = "common/parallel.rs"]
pub mod parallel;
#[path = "common/paused.rs"]
pub mod paused;
#[path = "common/program.rs"]
pub mod program;
#[path = "common/proxy.rs"]
pub mod proxy;
#[path = "common/requests.rs"]
pub mod requests;
#[path = "common/rules.rs"]
pub mod rules;
#[path = "common/scenario.rs"]
pub mod scenario;
#[path = "common/server_process.rs"]
pub mod server_process;
#[path = "common/session.rs"]
pub mod session;
#[path = "common/wait.rs"]
pub mod wait;

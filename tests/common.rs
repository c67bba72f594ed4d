//! What several tests and benchmarks use. Each binary compiles this module and uses a part of it.

#![allow(dead_code, reason = "each binary uses a part of this module")]

#[path = "common/client.rs"]
pub mod client;
#[path = "common/import.rs"]
pub mod import;
#[path = "common/proxy.rs"]
pub mod proxy;
#[path = "common/server_process.rs"]
pub mod server_process;

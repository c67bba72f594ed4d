//! The control socket: commands from outside for a running board or `watch`.
//!
//! One instance of the program serves a Unix socket in the runtime folder. Clients send one JSON
//! object a line and receive one a line; [`protocol`] has their form.

pub mod client;
pub mod event;
pub mod protocol;
pub mod server;

use std::path::{Path, PathBuf};

/// The socket of the accounts of this machine, in the runtime folder.
pub fn socket(runtime: &Path) -> PathBuf {
    runtime.join("control.sock")
}

/// The socket of the demo.
pub fn demo_socket(runtime: &Path) -> PathBuf {
    runtime.join("demo.sock")
}

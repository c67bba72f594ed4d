//! Every sentence that a person reads on the board, from codes and values.
//!
//! Records, the ledger and settings hold codes; only this module turns them into English, so that
//! rewording breaks no script and no database.

pub mod accounts;
pub mod call;
pub mod caller;
pub mod control;
pub mod devices;
pub mod do_not_disturb;
pub mod failure;
pub mod history;
pub mod notice;
pub mod phone;
pub mod plain;
pub mod reason;
pub mod reply;
pub mod rules;
pub mod screen;
pub mod sign_in;

use crate::calls::account::ConnectionState;

/// The state of a connection, with its symbol. A wait is given in seconds.
pub fn connection(state: &ConnectionState, wait: i64) -> String {
    match state {
        ConnectionState::Connecting => "◌ connecting".to_owned(),
        ConnectionState::Online => "● online".to_owned(),
        ConnectionState::Retrying { .. } => format!("○ retrying in {wait} s"),
        ConnectionState::SignedOut { code } => format!("✗ signed out · {code}"),
        ConnectionState::Unusable { .. } => "✗ see onhook doctor".to_owned(),
    }
}

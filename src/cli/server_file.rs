//! The file of `--server FILE`, which names data centres other than Telegram's.
//!
//! `onhook serve` prints its contents under `unbound_keys`: the addresses of data centres, and for each
//! an authorization key that is bound to no user.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, anyhow};
use serde::Deserialize;

use crate::telegram::sign_in::Start;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerFile {
    centres: Vec<DataCentreEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DataCentreEntry {
    dc: i32,
    address: SocketAddr,
    auth_key: String,
}

/// Reads the data centres from the file.
pub(super) fn read(path: &Path) -> anyhow::Result<Start> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| name.clone())?;
    let file: ServerFile = serde_json::from_str(&text).map_err(|error| {
        anyhow!(
            "{name}: must be one entry of `unbound_keys`, as `onhook serve` prints it ({error})"
        )
    })?;
    let centres = file.centres.into_iter().map(|centre| {
        let key = auth_key(&centre.auth_key).ok_or_else(|| {
            anyhow!("{name}: auth_key of data centre {}: must be 512 hex digits", centre.dc)
        })?;
        Ok((centre.dc, centre.address, key))
    });
    let centres = centres.collect::<anyhow::Result<Vec<_>>>()?;
    if centres.is_empty() {
        return Err(anyhow!("{name}: centres: must name at least one data centre"));
    }
    Ok(Start::DataCentres(centres))
}

/// An authorization key of 512 hex digits.
fn auth_key(hex: &str) -> Option<[u8; 256]> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    bytes?.try_into().ok().filter(|_| rest.is_empty())
}

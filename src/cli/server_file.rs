//! The file of `--server FILE`: data centres other than Telegram's own.
//!
//! The file contains one entry of `unbound_keys`, as `onhook serve` prints it: the addresses of the
//! data centres, and an authorization key for each that is bound to no user.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, anyhow};
use onhook_loopback::UnboundKeys;
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

/// Writes unbound keys to a new file that only its owner can read, and replaces an older file.
///
/// # Errors
/// `keys` is `None`, because the scenario has no unbound keys, or the file cannot be written.
pub(super) fn write(path: &Path, keys: Option<&UnboundKeys>) -> anyhow::Result<()> {
    let keys = keys.ok_or_else(|| {
        anyhow!(
            "--server-file: the scenario has no unbound keys; set `[server] unbound_keys` to 1 or \
             more, or use the built-in scenario 'sign-in'"
        )
    })?;
    // An existing file may be readable by others, and a mode applies only to a new file. The new
    // file is complete before it replaces the existing one.
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}", std::process::id()));
    let create = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new);
    let written = create.and_then(|mut file| {
        let written = writeln!(file, "{}", serde_json::to_string(keys)?);
        let replaced = written.and_then(|()| fs::rename(&new, path));
        if replaced.is_err() {
            // The error of the write is the one to report.
            let _ = fs::remove_file(&new);
        }
        replaced
    });
    written.with_context(|| path.display().to_string())
}

/// Reads where signing in begins.
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

//! The embedded server in a process of its own, and sessions made for it.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;
use tempfile::TempDir;

use super::program::{Running, onhook};
use super::requests;
use super::wait::{DEADLINE, Deadline, wait_until};

/// People that every scenario may use; all have phones.
const PEOPLE: &str = "title = 't'\n\
    [[person]]\nkey = 'grace'\nname = 'Grace Hopper'\nusername = 'grace'\n\
    [[person]]\nkey = 'linus'\nname = 'Linus'\nusername = 'linus'\nphone = '15550200'\n";

/// A running server. It ends when this is dropped.
pub struct ServerProcess {
    _running: Running,
    /// What the server has printed: its addresses, sessions and keys.
    pub line: Value,
    folder: TempDir,
}

impl ServerProcess {
    pub fn start(scenario: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let text = format!("{PEOPLE}{scenario}");
        fs::write(folder.path().join("s.toml"), text).expect("a file in it");
        let serve = onhook(folder.path(), &["serve", "s.toml", "--log", "requests.ndjson"]);
        let (running, mut lines) = Running::start(serve);
        let line = lines.next().expect("a line");
        let line = serde_json::from_str(&line).expect("a line of JSON");
        Self { _running: running.without_deadline(), line, folder }
    }

    /// The description of where to sign in: the keys that are signed in to nobody.
    pub fn unbound_keys(&self, at: usize) -> String {
        self.line["unbound_keys"][at].to_string()
    }

    /// The file with that description.
    pub fn server_file(&self, at: usize) -> String {
        let path = self.folder.path().join(format!("blank{at}.json"));
        fs::write(&path, self.unbound_keys(at)).expect("a file");
        path.display().to_string()
    }

    /// The data centre, address and key of a session.
    pub fn session(&self, at: usize) -> (u8, std::net::SocketAddrV4, Vec<u8>) {
        let session = &self.line["sessions"][at];
        let dc = session["dc"].as_u64().expect("a number") as u8;
        let address = session["address"].as_str().expect("a text").parse().expect("an address");
        let hex = session["auth_key"].as_str().expect("a text");
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits");
        (dc, address, (0..hex.len()).step_by(2).map(byte).collect())
    }

    /// A session as Telethon exports it.
    pub fn telethon(&self, at: usize) -> String {
        let (dc, address, key) = self.session(at);
        let bytes = [&[dc][..], &address.ip().octets(), &address.port().to_be_bytes(), &key];
        format!("1{}", URL_SAFE.encode(bytes.concat()))
    }

    /// A session as Pyrogram exports it: without an address.
    pub fn pyrogram(&self, at: usize, bot: bool) -> String {
        let (dc, _, key) = self.session(at);
        let user_id = self.line["sessions"][at]["user_id"].as_u64().expect("a number");
        let (api_id, test, bot) = (7u32.to_be_bytes(), [0], [u8::from(bot)]);
        let bytes = [&[dc][..], &api_id, &test, &key, &user_id.to_be_bytes(), &bot];
        URL_SAFE_NO_PAD.encode(bytes.concat())
    }

    /// The requests that have reached the server so far.
    pub fn requests(&self) -> Vec<Value> {
        requests::read(&self.folder.path().join("requests.ndjson"))
    }

    /// How often a method has been called.
    pub fn count(&self, method: &str) -> usize {
        self.requests().iter().filter(|it| it["method"] == method).count()
    }

    /// Waits until a method has been called.
    pub fn until_requested(&self, method: &str) {
        let deadline = Deadline::after(DEADLINE, &format!("{method} reaches the server"));
        wait_until(&deadline, || self.count(method) > 0);
    }
}

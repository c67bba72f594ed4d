//! The embedded server in a process of its own, and sessions made for it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;
use tempfile::TempDir;

/// People that every scenario may use; all have phones.
const PEOPLE: &str = "title = 't'\n\
    [[person]]\nkey = 'grace'\nname = 'Grace Hopper'\nusername = 'grace'\n\
    [[person]]\nkey = 'linus'\nname = 'Linus'\nusername = 'linus'\nphone = '15550200'\n";

/// A running server. It ends when this is dropped.
pub struct ServerProcess {
    child: Child,
    /// What the server has said of itself.
    pub line: Value,
    folder: TempDir,
}

impl ServerProcess {
    pub fn start(scenario: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let text = format!("{PEOPLE}{scenario}");
        fs::write(folder.path().join("s.toml"), text).expect("a file in it");
        let mut child = Command::new(env!("CARGO_BIN_EXE_onhook"))
            .args(["serve", "s.toml", "--log", "requests.ndjson"])
            .env_clear()
            .env("ONHOOK_STATE_DIR", folder.path())
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let out = child.stdout.take().expect("a pipe");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("a line");
        let line = serde_json::from_str(&line).expect("a line of JSON");
        Self { child, line, folder }
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
        let text = fs::read_to_string(self.folder.path().join("requests.ndjson"));
        let text = text.unwrap_or_default();
        // The last line may be half-written.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// How often a method has been called.
    pub fn count(&self, method: &str) -> usize {
        self.requests().iter().filter(|it| it["method"] == method).count()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

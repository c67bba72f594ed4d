//! Where in a TOML text something is wrong: the file, the line, the key.

/// A TOML text and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The path or name, for the message.
    pub file: &'a str,
    /// The text.
    pub text: &'a str,
}

/// Keys whose values no message may repeat.
const SECRET: [&str; 2] = ["api_hash", "proxy"];

/// A text that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {key}: {message}")]
pub struct Wrong {
    /// The path or name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The key at fault.
    pub key: String,
    /// What is wrong with it, and what would do.
    pub message: String,
}

impl Source<'_> {
    /// Reads the text as `T`.
    ///
    /// # Errors
    /// The first thing that is wrong, and where.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, Wrong> {
        toml::from_str(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let missing = error.message().strip_prefix("missing field `");
            match missing.and_then(|name| name.strip_suffix('`')) {
                Some(name) => self.wrong(at, name, "is missing"),
                None => match self.key_at(at) {
                    key if SECRET.contains(&key.as_str()) => {
                        self.wrong(at, &key, "must be a text in quotes")
                    }
                    key => self.wrong(at, &key, error.message()),
                },
            }
        })
    }

    /// A fault at byte `at` of the text.
    pub fn wrong(&self, at: usize, key: &str, message: &str) -> Wrong {
        Wrong {
            file: self.file.to_owned(),
            line: self.before(at).iter().filter(|byte| **byte == b'\n').count() + 1,
            key: key.to_owned(),
            message: message.lines().next().unwrap_or("is wrong").to_owned(),
        }
    }

    /// The key of the line that holds byte `at`. Where it has none, not a word of it: it may hold
    /// a secret.
    fn key_at(&self, at: usize) -> String {
        let start = self.before(at).iter().rposition(|byte| *byte == b'\n');
        let rest = &self.text.as_bytes()[start.map_or(0, |newline| newline + 1)..];
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let key = match line.split_once('=') {
            Some((key, _)) => key.trim(),
            None => line.trim(),
        };
        let is_key = |char: char| char.is_ascii_alphanumeric() || "-_.[]".contains(char);
        if key.chars().all(is_key) { key.to_owned() } else { "this line".to_owned() }
    }

    fn before(&self, at: usize) -> &[u8] {
        &self.text.as_bytes()[..at.min(self.text.len())]
    }
}

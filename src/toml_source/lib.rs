//! Deserialization of TOML with errors that contain the file, the line and the key.
//!
//! The client uses it for settings and keymaps, and the embedded server for scenarios.

/// A TOML text with its origin.
#[derive(Debug, Clone, Copy)]
pub struct TomlSource<'a> {
    /// The path or name, for error messages.
    pub file: &'a str,
    pub text: &'a str,
    /// Keys whose values no error message may repeat, such as passwords.
    pub secret: &'a [&'a str],
}

/// The first error of a TOML text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {key}: {message}")]
pub struct TomlError {
    /// [`TomlSource::file`].
    pub file: String,
    /// The line number, counted from 1.
    pub line: usize,
    /// The key whose value is wrong, or `this line` if the line has no readable key.
    pub key: String,
    /// The error, with the accepted values where they are known.
    pub message: String,
}

impl<'a> TomlSource<'a> {
    /// A text without secret keys.
    pub fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, secret: &[] }
    }

    /// Deserializes the text.
    ///
    /// # Errors
    /// The first error of the parser or of the type.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, TomlError> {
        toml::from_str(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            // `toml::de::Error` names a missing key only in its message.
            let missing = error.message().strip_prefix("missing field `");
            match missing.and_then(|name| name.strip_suffix('`')) {
                Some(name) => self.error(at, name, "is missing"),
                None => match self.key_at(at) {
                    // `[rule]` in place of `[[rule]]`.
                    key if key.starts_with('[')
                        && error.message().contains("expected a sequence") =>
                    {
                        self.error(at, &key, &format!("must be written as [{key}]"))
                    }
                    key if self.secret.contains(&key.as_str()) => {
                        self.error(at, &key, "must be a text in quotes")
                    }
                    key => self.error(at, &key, &in_plain_words(error.message())),
                },
            }
        })
    }

    /// An error about `key` at byte `at` of the text.
    pub fn error(&self, at: usize, key: &str, message: &str) -> TomlError {
        TomlError {
            file: self.file.to_owned(),
            line: self.before(at).iter().filter(|byte| **byte == b'\n').count() + 1,
            key: key.to_owned(),
            message: message.lines().next().unwrap_or("is wrong").to_owned(),
        }
    }

    /// The key whose value begins at byte `at`, or else the first one on its line.
    ///
    /// A line without a readable key is never quoted, because it may contain a secret.
    fn key_at(&self, at: usize) -> String {
        let start = self.before(at).iter().rposition(|byte| *byte == b'\n');
        if let Some(key) = key_before(self.text.get(start.map_or(0, |newline| newline + 1)..at)) {
            return key.to_owned();
        }
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

/// The key at the end of a text that ends with `key = `.
fn key_before(text: Option<&str>) -> Option<&str> {
    let before = text?.trim_end().strip_suffix('=')?.trim_end();
    let is_key = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    let key = before.rsplit(|char| !is_key(char)).next()?;
    Some(key).filter(|key| !key.is_empty())
}

/// The message about a key that does not exist, with the known one that is most like it.
fn with_similar(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (unknown, known) = rest.split_once('`')?;
    let known = known.split('`').skip(1).step_by(2);
    let distance = |known: &str| strsim::damerau_levenshtein(unknown, known);
    let most = if unknown.len() < 5 { 1 } else { 2 };
    let like = known.min_by_key(|known| distance(known)).filter(|known| distance(known) <= most)?;
    Some(format!("unknown field `{unknown}`; did you mean `{like}`?"))
}

/// The message of serde about a value of the wrong type, without the names of Rust's types.
fn in_plain_words(message: &str) -> String {
    let Some((found, expected)) = message
        .strip_prefix("invalid type: ")
        .and_then(|message| message.split_once(", expected "))
    else {
        return with_similar(message).unwrap_or_else(|| message.to_owned());
    };
    let expected = expected.lines().next().unwrap_or_default();
    let wanted = match expected {
        "a string" => "a text in quotes",
        "a boolean" => "true or false",
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list in brackets",
        // A list of the values.
        values if values.starts_with('"') => values,
        _ => return message.to_owned(),
    };
    // The kind of the value is named, and the value is not: the person sees it in the line.
    let kind = match found.split(' ').next().unwrap_or_default() {
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "floating" => "a number",
        "sequence" => "a list",
        "map" => "a table",
        _ => return format!("must be {wanted}"),
    };
    format!("must be {wanted}, and is {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only deserialized")]
        struct Example {
            size: u8,
            password: String,
        }
        let source = TomlSource { file: "f.toml", text, secret: &["password"] };
        source.read::<Example>().expect_err("a wrong text").to_string()
    }

    #[test]
    fn an_error_contains_file_line_and_key() {
        assert_eq!(refusal("size = 1"), "f.toml:1: password: is missing");
        assert_eq!(
            refusal("\nsize = 'x'"),
            "f.toml:2: size: must be a whole number, and is a text"
        );
        let unknown = refusal("size = 1\ncolour = 2");
        let wanted = "f.toml:2: colour: unknown field `colour`, expected";
        assert!(unknown.starts_with(wanted), "{unknown}");
    }

    #[test]
    fn an_error_names_what_was_probably_meant() {
        let cases = [
            ("sizes = 1", "f.toml:1: sizes: unknown field `sizes`; did you mean `size`?"),
            (
                "pasword = 'x'",
                "f.toml:1: pasword: unknown field `pasword`; did you mean `password`?",
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(refusal(text), wanted);
        }
        let inline = "table = { number = 1, flag = 'x' }";
        let at = inline.find("'x'").expect("a value");
        let source = TomlSource::new("f.toml", inline);
        assert_eq!(source.key_at(at), "flag");
        assert_eq!(source.key_at(0), "table");
    }

    #[test]
    fn an_error_does_not_contain_a_secret_value() {
        assert_eq!(
            refusal("size = 1\npassword = 24601"),
            "f.toml:2: password: must be a text in quotes"
        );
        assert!(!refusal("size = 1\nhunter2 is my password").contains("hunter2"));
    }
}

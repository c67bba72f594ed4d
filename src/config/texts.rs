//! The setting `texts`: what can be sent to a caller after a decline.

use onhook_toml_source::{TomlError, TomlSource};
use toml::Spanned;

use crate::app::reply::checked_text;

/// The texts, without white space around them.
pub(super) fn check(
    texts: &[Spanned<String>],
    source: TomlSource,
) -> Result<Vec<String>, TomlError> {
    let checked = texts.iter().map(|text| {
        let wrong = |message: &str| source.error(text.span().start, "texts", message);
        checked_text(text.get_ref()).map_err(wrong)
    });
    checked.collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct File {
        texts: Vec<Spanned<String>>,
    }

    fn read(text: &str) -> Result<Vec<String>, String> {
        let source = TomlSource::new("config.toml", text);
        let file: File = source.read().expect("TOML");
        check(&file.texts, source).map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_that_cannot_be_sent_is_refused_with_its_line() {
        let good = read("texts = [\n'Later.',\n' In a meeting ',\n]");
        assert_eq!(good, Ok(vec!["Later.".to_owned(), "In a meeting".to_owned()]));
        assert_eq!(
            read("texts = [\n'Later.',\n' ',\n]"),
            Err("config.toml:3: texts: must not be empty".to_owned())
        );
        let long = format!("texts = ['{}']", "x".repeat(4097));
        assert_eq!(
            read(&long),
            Err("config.toml:1: texts: must have at most 4096 characters".to_owned())
        );
    }
}

//! The lines of plain mode on standard output.

use std::io::{self, IsTerminal, Write};

/// Writes sentences, each on a line of its own, and what is being typed.
pub(super) struct PlainOutput {
    newline: &'static str,
    /// Ring the terminal's bell when a call rings.
    bell: bool,
    /// Show what is being typed: raw mode has no echo.
    echo: bool,
    /// The line that has no end yet: what is being typed.
    open: Option<String>,
}

impl PlainOutput {
    /// `keys` is whether a terminal in raw mode has the keys.
    pub(super) fn new(bell: bool, keys: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        // Raw mode turns off that a line feed also returns to the first column.
        let newline = if keys && terminal { "\r\n" } else { "\n" };
        Self { newline, bell: bell && terminal, echo: keys && terminal, open: None }
    }

    /// Writes sentences, and then what is being typed, if something is.
    pub(super) fn write(
        &mut self,
        sentences: &[String],
        typed: Option<String>,
        ring: bool,
    ) -> io::Result<()> {
        let text = self.text(sentences, typed, ring);
        if text.is_empty() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    fn text(&mut self, sentences: &[String], typed: Option<String>, ring: bool) -> String {
        let mut text = String::new();
        if ring && self.bell {
            text.push('\u{7}');
        }
        let typed = typed.filter(|_| self.echo);
        let open = self.open.take();
        let added = match (&open, &typed) {
            // What is added to the line is all that is written.
            (Some(open), Some(typed)) if sentences.is_empty() => typed.strip_prefix(&**open),
            _ => None,
        };
        if let Some(added) = added {
            text += added;
        } else {
            let before = if open.is_some() { self.newline } else { "" };
            text += before;
            for sentence in sentences {
                text += sentence;
                text += self.newline;
            }
            text += typed.as_deref().unwrap_or_default();
        }
        self.open = typed;
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_added_to_its_line_and_never_written_over() {
        let mut output = PlainOutput { newline: "\n", bell: true, echo: true, open: None };
        let steps: [(&[&str], Option<&str>, bool, &str); 7] = [
            (&["One."], None, false, "One.\n"),
            (&["Grace is calling."], None, true, "\u{7}Grace is calling.\n"),
            (&[], Some("Filter: "), false, "Filter: "),
            (&[], Some("Filter: g"), false, "g"),
            (&["Two."], Some("Filter: g"), false, "\nTwo.\nFilter: g"),
            (&[], Some("Filter: "), false, "\nFilter: "),
            (&["Done."], None, false, "\nDone.\n"),
        ];
        for (sentences, typed, ring, wanted) in steps {
            let sentences: Vec<_> = sentences.iter().map(|&it| it.to_owned()).collect();
            assert_eq!(output.text(&sentences, typed.map(str::to_owned), ring), wanted);
        }
    }
}

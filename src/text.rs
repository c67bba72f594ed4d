//! Cleans text from outside, and cuts and wraps text by its width in terminal cells.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The most characters of a text that are kept.
const LONGEST_TEXT: usize = 256;
/// The most zero-width characters in a row that are kept. Accents and joined emoji need a few.
const LONGEST_JOIN: usize = 4;

/// Removes characters that could change how a terminal shows other text: control characters, bidi
/// overrides, and long runs of zero-width marks. White space, line breaks included, becomes single
/// spaces. At most 256 characters are kept.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::new();
    let mut joins = 0;
    for char in text.chars().take(LONGEST_TEXT) {
        if char.is_whitespace() {
            if !cleaned.ends_with(' ') {
                cleaned.push(' ');
            }
            continue;
        }
        if is_steering(char) {
            continue;
        }
        joins = if char.width() == Some(0) { joins + 1 } else { 0 };
        if joins <= LONGEST_JOIN {
            cleaned.push(char);
        }
    }
    cleaned.trim().to_owned()
}

fn is_steering(char: char) -> bool {
    char.is_control()
        || matches!(char,
            // Format characters, except the joiners, which emoji need; blanks with a width; tags.
            '\u{ad}' | '\u{61c}' | '\u{70f}' | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}'
            | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}'
            | '\u{ffa0}')
}

/// Whether a name can be recognised without its letters outside of ASCII.
pub fn is_readable_in_ascii(name: &str) -> bool {
    let (ascii, others): (Vec<_>, Vec<_>) =
        name.chars().filter(|char| char.is_alphanumeric()).partition(char::is_ascii);
    others.is_empty() || ascii.len() > others.len()
}

/// The width of a text in cells.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Cuts a text to `cells`, with an ellipsis at the end if it was longer.
pub fn cut(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += width(grapheme);
        if used + 1 > cells {
            break;
        }
        kept.push_str(grapheme);
    }
    if cells > 0 {
        kept.push('…');
    }
    kept
}

/// The initials of the first two words, as the privacy mask shows a name.
pub fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter_map(|word| word.graphemes(true).next())
        .take(2)
        .flat_map(|grapheme| [grapheme, "."])
        .collect()
}

/// The text with its first letter as a capital.
pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Seconds as `m:ss`, with two digits each, or `h:mm:ss`.
pub fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// Breaks a text into lines of at most `cells`, at spaces where there are any.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && width(&line) + 1 + width(word) <= cells {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        // A word longer than a line is broken between graphemes.
        let mut rest = word;
        while width(rest) > cells {
            let (head, tail) = rest.split_at(fitting(rest, cells));
            lines.push(head.to_owned());
            rest = tail;
        }
        rest.clone_into(&mut line);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// How many bytes of a word fit into `cells`, at least those of one grapheme.
fn fitting(word: &str, cells: usize) -> usize {
    let mut used = 0;
    for (at, grapheme) in word.grapheme_indices(true) {
        used += width(grapheme);
        if used > cells && at > 0 {
            return at;
        }
    }
    word.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_cleaned() {
        let cases = [
            ("Grace\u{1b}[31m Hopper", "Grace[31m Hopper"),
            ("a\u{202e}b\u{200b}c\u{7f}", "abc"),
            ("two\n lines\t here", "two lines here"),
            ("Zoë 🧑‍🚀 李", "Zoë 🧑‍🚀 李"),
            ("\u{1b}]52;c;aGk=\u{7}", "]52;c;aGk="),
        ];
        for (name, wanted) in cases {
            assert_eq!(clean(name), wanted);
        }
        assert!(clean(&"\u{301}".repeat(10_000)).len() < 20);
    }

    /// Characters that change how a terminal shows other text, or that show nothing themselves,
    /// with their Unicode names. The list is independent of `is_steering`.
    #[rustfmt::skip]
    const DANGEROUS: [(char, &str); 53] = [
        ('\u{0}', "NULL"),
        ('\u{7}', "ALERT"),
        ('\u{8}', "BACKSPACE"),
        ('\u{e}', "SHIFT OUT"),
        ('\u{f}', "SHIFT IN"),
        ('\u{1b}', "ESCAPE"),
        ('\u{7f}', "DELETE"),
        ('\u{84}', "INDEX"),
        ('\u{8d}', "REVERSE LINE FEED"),
        ('\u{90}', "DEVICE CONTROL STRING"),
        ('\u{98}', "START OF STRING"),
        ('\u{9b}', "CONTROL SEQUENCE INTRODUCER"),
        ('\u{9c}', "STRING TERMINATOR"),
        ('\u{9d}', "OPERATING SYSTEM COMMAND"),
        ('\u{9e}', "PRIVACY MESSAGE"),
        ('\u{9f}', "APPLICATION PROGRAM COMMAND"),
        ('\u{ad}', "SOFT HYPHEN"),
        ('\u{61c}', "ARABIC LETTER MARK"),
        ('\u{70f}', "SYRIAC ABBREVIATION MARK"),
        ('\u{115f}', "HANGUL CHOSEONG FILLER"),
        ('\u{1160}', "HANGUL JUNGSEONG FILLER"),
        ('\u{180b}', "MONGOLIAN FREE VARIATION SELECTOR ONE"),
        ('\u{180e}', "MONGOLIAN VOWEL SEPARATOR"),
        ('\u{200b}', "ZERO WIDTH SPACE"),
        ('\u{200e}', "LEFT-TO-RIGHT MARK"),
        ('\u{200f}', "RIGHT-TO-LEFT MARK"),
        ('\u{202a}', "LEFT-TO-RIGHT EMBEDDING"),
        ('\u{202b}', "RIGHT-TO-LEFT EMBEDDING"),
        ('\u{202c}', "POP DIRECTIONAL FORMATTING"),
        ('\u{202d}', "LEFT-TO-RIGHT OVERRIDE"),
        ('\u{202e}', "RIGHT-TO-LEFT OVERRIDE"),
        ('\u{2060}', "WORD JOINER"),
        ('\u{2061}', "FUNCTION APPLICATION"),
        ('\u{2066}', "LEFT-TO-RIGHT ISOLATE"),
        ('\u{2067}', "RIGHT-TO-LEFT ISOLATE"),
        ('\u{2068}', "FIRST STRONG ISOLATE"),
        ('\u{2069}', "POP DIRECTIONAL ISOLATE"),
        ('\u{206a}', "INHIBIT SYMMETRIC SWAPPING"),
        ('\u{206f}', "NOMINAL DIGIT SHAPES"),
        ('\u{2800}', "BRAILLE PATTERN BLANK"),
        ('\u{3164}', "HANGUL FILLER"),
        ('\u{feff}', "ZERO WIDTH NO-BREAK SPACE"),
        ('\u{ffa0}', "HALFWIDTH HANGUL FILLER"),
        ('\u{fff9}', "INTERLINEAR ANNOTATION ANCHOR"),
        ('\u{fffa}', "INTERLINEAR ANNOTATION SEPARATOR"),
        ('\u{fffb}', "INTERLINEAR ANNOTATION TERMINATOR"),
        ('\u{1bca0}', "SHORTHAND FORMAT LETTER OVERLAP"),
        ('\u{1d173}', "MUSICAL SYMBOL BEGIN BEAM"),
        ('\u{1d17a}', "MUSICAL SYMBOL END PHRASE"),
        ('\u{e0001}', "LANGUAGE TAG"),
        ('\u{e0020}', "TAG SPACE"),
        ('\u{e007f}', "CANCEL TAG"),
        ('\u{e0100}', "VARIATION SELECTOR-17"),
    ];

    /// Line breaks and tabs, with their Unicode names.
    #[rustfmt::skip]
    const BREAKS: [(char, &str); 8] = [
        ('\u{9}', "CHARACTER TABULATION"),
        ('\u{a}', "LINE FEED"),
        ('\u{b}', "LINE TABULATION"),
        ('\u{c}', "FORM FEED"),
        ('\u{d}', "CARRIAGE RETURN"),
        ('\u{85}', "NEXT LINE"),
        ('\u{2028}', "LINE SEPARATOR"),
        ('\u{2029}', "PARAGRAPH SEPARATOR"),
    ];

    #[test]
    fn dangerous_characters_are_removed_and_breaks_become_spaces() {
        for (char, name) in DANGEROUS {
            assert_eq!(clean(&format!("Ann{char}Zoe")), "AnnZoe", "{name}");
        }
        for (char, name) in BREAKS {
            assert_eq!(clean(&format!("Ann{char}Zoe")), "Ann Zoe", "{name}");
        }
    }

    #[test]
    fn whole_sequences_lose_their_effect() {
        let cases = [
            ("\u{1b}]52;c;aGFja2Vk\u{7}Ann", "]52;c;aGFja2VkAnn"),
            ("\u{1b}]8;;http://evil.example\u{1b}\\Ann", "]8;;http://evil.example\\Ann"),
            ("\u{9d}0;title\u{9c}Ann", "0;titleAnn"),
            ("\u{9b}2J\u{9b}1;1HAnn", "2J1;1HAnn"),
            ("\u{1b}P+q544e\u{1b}\\Ann", "P+q544e\\Ann"),
            ("Ann\u{202e}gnp.exe", "Anngnp.exe"),
            ("\u{2066}Ann\u{2069}\u{200f}", "Ann"),
            ("A\u{200b}n\u{2060}n\u{feff}", "Ann"),
            ("Ann\r\n\u{8}\u{8}\u{8}Zoe", "Ann Zoe"),
            ("\u{e0041}\u{e006e}\u{e006e}\u{e007f}", ""),
            ("\u{3164}\u{2800}", ""),
        ];
        for (text, wanted) in cases {
            assert_eq!(clean(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn cutting_counts_cells() {
        assert_eq!(cut("李明李明", 5), "李明…");
        assert_eq!(cut("李明李明", 4), "李…");
        assert_eq!(cut("Grace", 5), "Grace");
        assert_eq!(cut("Grace", 0), "");
    }

    #[test]
    fn a_letter_wider_than_the_line_is_not_broken() {
        assert_eq!(wrap("a 𛅕𑶓 b", 2), ["a", "𛅕𑶓", "b"]);
    }

    #[test]
    fn durations_and_initials() {
        assert_eq!([duration(-3), duration(221), duration(3723)], ["00:00", "03:41", "1:02:03"]);
        assert_eq!(initials("Grace Brewster Hopper"), "G.B.");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_dangerous_character_is_left_and_cut_text_fits(
            text in any::<String>(),
            dangerous in proptest::collection::vec(proptest::sample::select(&DANGEROUS[..]), 0..20),
            cells in 0usize..60,
        ) {
            let hostile: String =
                text.chars().take(20).chain(dangerous.iter().map(|it| it.0)).chain(text.chars()).collect();
            let cleaned = clean(&hostile);
            for (char, name) in DANGEROUS.iter().chain(&BREAKS) {
                prop_assert!(!cleaned.contains(*char), "{name} in {cleaned:?}");
            }
            prop_assert!(width(&cut(&cleaned, cells)) <= cells);
        }

        #[test]
        fn wrapped_lines_fit(text in any::<String>(), cells in 2usize..60) {
            for line in wrap(&clean(&text), cells) {
                // One grapheme may be wider than the line; it is cut when it is drawn.
                let unbreakable = line.graphemes(true).count() == 1;
                prop_assert!(width(&line) <= cells || unbreakable, "{line:?}");
            }
        }
    }
}

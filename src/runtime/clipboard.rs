//! The terminal's clipboard, by the escape sequence OSC 52.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The sequence that puts a text on the clipboard. Inside tmux it is wrapped, so that tmux passes it on
/// to the terminal around it; tmux does so if its option `allow-passthrough` is on.
pub(super) fn sequence(text: &str, in_tmux: bool) -> String {
    let set = format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(text));
    if in_tmux { format!("\u{1b}Ptmux;\u{1b}{set}\u{1b}\\") } else { set }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_encoded_and_wrapped_for_tmux() {
        assert_eq!(sequence("Grace", false), "\u{1b}]52;c;R3JhY2U=\u{7}");
        assert_eq!(sequence("Grace", true), "\u{1b}Ptmux;\u{1b}\u{1b}]52;c;R3JhY2U=\u{7}\u{1b}\\");
    }
}

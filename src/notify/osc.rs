//! Escape sequences for notifications and the window title.

use std::ffi::OsString;

use crate::config::notify_method::NotifyMethod;

/// XTWINOPS 22: saves the titles of the window and its icon on the terminal's stack.
pub const SAVE_TITLE: &str = "\u{1b}[22;0t";
/// XTWINOPS 23: restores them.
pub const RESTORE_TITLE: &str = "\u{1b}[23;0t";

/// The sequence that sets the window title. `text` has been cleaned.
pub fn title(text: &str) -> String {
    format!("\u{1b}]2;{text}\u{1b}\\")
}

/// Whether the terminal has a window with a title. The console of Linux has none.
pub fn has_titles(var: &impl Fn(&str) -> Option<OsString>) -> bool {
    text(var, "TERM") != "linux"
}

/// A sequence for desktop notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Osc {
    /// `9;TEXT`. Source: <https://iterm2.com/documentation-escape-codes.html>.
    Osc9,
    /// `777;notify;TITLE;TEXT`, of rxvt-unicode.
    Osc777,
    /// `99;;TEXT`. Source: <https://sw.kovidgoyal.net/kitty/desktop-notifications/>.
    Osc99,
}

/// How a terminal is asked for a desktop notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TerminalNotification {
    osc: Osc,
    /// Whether tmux is between this program and the terminal.
    tmux: bool,
}

impl TerminalNotification {
    /// The way that the setting names, or the one that the terminal understands. `None` if it is
    /// asked for nothing.
    pub(super) fn of_terminal(
        method: NotifyMethod,
        var: &impl Fn(&str) -> Option<OsString>,
    ) -> Option<Self> {
        let osc = match method {
            NotifyMethod::Auto => understood(var)?,
            NotifyMethod::Osc9 => Osc::Osc9,
            NotifyMethod::Osc777 => Osc::Osc777,
            NotifyMethod::Osc99 => Osc::Osc99,
            NotifyMethod::Desktop | NotifyMethod::Off => return None,
        };
        Some(Self { osc, tmux: !text(var, "TMUX").is_empty() })
    }

    /// The sequence for a text that has been cleaned.
    pub(super) fn sequence(self, text: &str) -> String {
        // A semicolon separates the parts of 9 and 777: 9;4;… is a progress bar on some terminals.
        let whole = text.replace(';', ",");
        let sequence = match self.osc {
            Osc::Osc9 => format!("\u{1b}]9;{whole}\u{1b}\\"),
            Osc::Osc777 => format!("\u{1b}]777;notify;onhook;{whole}\u{1b}\\"),
            Osc::Osc99 => format!("\u{1b}]99;;{text}\u{1b}\\"),
        };
        if self.tmux { through_tmux(&sequence) } else { sequence }
    }
}

/// A sequence that tmux passes on to its terminal, if its option `allow-passthrough` is on.
fn through_tmux(sequence: &str) -> String {
    format!("\u{1b}Ptmux;{}\u{1b}\\", sequence.replace('\u{1b}', "\u{1b}\u{1b}"))
}

/// The sequence that the terminal understands. Terminals ignore those that they do not know.
///
/// Inside tmux, TERM is tmux's own; the other variables are those of the terminal in which tmux was
/// started.
fn understood(var: &impl Fn(&str) -> Option<OsString>) -> Option<Osc> {
    let term = text(var, "TERM");
    let is_set = |name| !text(var, name).is_empty();
    if term == "linux" {
        return None;
    }
    if is_set("KITTY_WINDOW_ID") || term == "xterm-kitty" {
        return Some(Osc::Osc99);
    }
    let is_777 = match text(var, "TERM_PROGRAM").as_str() {
        "ghostty" | "WezTerm" => true,
        "iTerm.app" => false,
        _ => {
            let names = ["foot", "rxvt-unicode", "xterm-ghostty", "contour"];
            names.iter().any(|name| term.starts_with(name)) || is_set("VTE_VERSION")
        }
    };
    Some(if is_777 { Osc::Osc777 } else { Osc::Osc9 })
}

fn text(var: &impl Fn(&str) -> Option<OsString>, name: &str) -> String {
    var(name).map(|value| value.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(method: NotifyMethod, variables: &[(&str, &str)]) -> String {
        let var = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let notification = TerminalNotification::of_terminal(method, &var);
        notification.map(|it| it.sequence("Ann; is calling")).unwrap_or_default()
    }

    #[test]
    fn the_terminal_gets_the_sequence_that_it_understands() {
        let nine = "\u{1b}]9;Ann, is calling\u{1b}\\";
        let urxvt = "\u{1b}]777;notify;onhook;Ann, is calling\u{1b}\\";
        let kitty = "\u{1b}]99;;Ann; is calling\u{1b}\\";
        let cases: [(&[(&str, &str)], &str); 14] = [
            (&[], nine),
            (&[("TERM", "xterm-256color")], nine),
            (&[("TERM", "linux")], ""),
            (&[("TERM", "xterm-kitty")], kitty),
            (&[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")], kitty),
            (&[("TERM_PROGRAM", "iTerm.app")], nine),
            (&[("TERM_PROGRAM", "WezTerm")], urxvt),
            (&[("TERM_PROGRAM", "ghostty")], urxvt),
            (&[("TERM", "foot")], urxvt),
            (&[("TERM", "foot-direct")], urxvt),
            (&[("TERM", "rxvt-unicode-256color")], urxvt),
            (&[("TERM", "xterm-256color"), ("VTE_VERSION", "7600")], urxvt),
            (&[("TERM", "xterm-256color"), ("VTE_VERSION", "")], nine),
            (&[("TERM", "tmux-256color"), ("TERM_PROGRAM", "tmux")], nine),
        ];
        for (variables, wanted) in cases {
            assert_eq!(sequence(NotifyMethod::Auto, variables), wanted, "{variables:?}");
        }
        let kitty_window = [("KITTY_WINDOW_ID", "1")];
        for (method, wanted) in [
            (NotifyMethod::Osc9, nine),
            (NotifyMethod::Osc777, urxvt),
            (NotifyMethod::Osc99, kitty),
            (NotifyMethod::Desktop, ""),
            (NotifyMethod::Off, ""),
        ] {
            assert_eq!(sequence(method, &kitty_window), wanted, "{method:?}");
        }
    }

    #[test]
    fn tmux_passes_the_sequence_on() {
        let inside = [("TMUX", "/tmp/tmux-1000/default,1,0"), ("TERM", "tmux-256color")];
        assert_eq!(
            sequence(NotifyMethod::Auto, &inside),
            "\u{1b}Ptmux;\u{1b}\u{1b}]9;Ann, is calling\u{1b}\u{1b}\\\u{1b}\\"
        );
    }
}

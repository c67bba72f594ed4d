//! The letter that stands for an account in the rows of a narrow screen. The header has the legend: the
//! same letter, in the same style, inside the name. The help page has it as well, because the narrowest
//! headers have no room for the names.

use ratatui::style::{Modifier, Style};

use super::View;

/// The letter of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccountLetter {
    pub(super) letter: String,
    pub(super) style: Style,
}

/// The letters of all accounts by [`AccountId`](crate::calls::AccountId): of each the first letter of its name that no earlier one has, or else
/// its number.
pub(super) fn letters(view: View) -> Vec<AccountLetter> {
    let theme = view.theme();
    let styles = [theme.account_1, theme.account_2, theme.account_3, theme.account_4];
    let mut taken: Vec<AccountLetter> = Vec::new();
    for (at, account) in view.state.accounts.iter().enumerate() {
        let name = view.state.shown_account(account);
        let mut candidates = name.chars().filter(char::is_ascii_alphanumeric);
        let free = candidates
            .find(|char| !taken.iter().any(|it| it.letter.eq_ignore_ascii_case(&char.to_string())));
        let letter = free.map_or_else(|| (at + 1).to_string(), |char| char.to_string());
        let style = styles[at % styles.len()].add_modifier(Modifier::UNDERLINED);
        taken.push(AccountLetter { letter, style });
    }
    taken
}

impl AccountLetter {
    /// A name with this letter in its style; in front of the name if it is not part of it.
    pub(super) fn within(&self, name: &str, style: Style) -> Vec<(String, Style)> {
        let letter = (self.letter.clone(), self.style);
        match name.split_once(&self.letter) {
            Some((before, after)) => {
                vec![(before.to_owned(), style), letter, (after.to_owned(), style)]
            }
            None => vec![letter, (format!(" {name}"), style)],
        }
    }
}

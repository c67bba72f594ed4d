//! Which columns of the call table fit, and how wide they are.

use crate::app::State;
use crate::calls::column::Column;
use crate::text;

/// The cells of the cursor and the mark, in front of the columns.
pub(super) const MARKS: u16 = 3;
/// The narrowest table with the names of the accounts, in cells. On a narrower one each is a letter.
pub(super) const ACCOUNT_FROM: u16 = 61;
/// The width of the account column with letters.
pub(super) const LETTER: u16 = 2;
/// The least and the largest width of the account column with names.
const ACCOUNT_LEAST: u16 = 8;
const ACCOUNT_MOST: u16 = 14;
/// The narrowest table with the words of the states, in cells.
const WORDS_FROM: u16 = 56;
/// The width of the state column without words.
pub(super) const SYMBOL: u16 = 2;
/// The largest number of spare cells that the peer column gets.
const PEER_SPARE: u16 = 30;

/// The columns that fit, each with its width in cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnLayout(pub(super) Vec<(Column, u16)>);

impl ColumnLayout {
    /// The layout for a table of this width. Columns are dropped by their priority; of the direction,
    /// the arrow stays as long as there is room for it.
    pub(super) fn new(width: u16, state: &State) -> Self {
        let several = state.has_several_accounts();
        let mut columns: Vec<_> =
            Column::all().filter(|column| several || *column != Column::Account).collect();
        let room = width.saturating_sub(MARKS);
        let names = state.present().map(|(_, account)| text::width(&account.name) as u16);
        let account = match names.max() {
            _ if width < ACCOUNT_FROM => LETTER,
            longest => (longest.unwrap_or(0) + 1).clamp(ACCOUNT_LEAST, ACCOUNT_MOST),
        };
        let least = |column: Column, arrow: bool| match column {
            Column::State if width < WORDS_FROM => SYMBOL,
            Column::Account => account,
            Column::Direction if arrow => Column::ARROW,
            column => column.width(),
        };
        let used = |columns: &[Column], arrow: bool| {
            columns.iter().map(|column| least(*column, arrow)).sum::<u16>()
        };
        let mut arrow = false;
        while used(&columns, arrow) > room {
            let droppable = columns.iter().filter_map(|it| it.priority().map(|order| (order, *it)));
            let droppable = droppable.filter(|(_, column)| !arrow || *column != Column::Direction);
            match droppable.min_by_key(|(order, _)| *order) {
                Some((_, Column::Direction)) => arrow = true,
                Some((_, first)) => columns.retain(|column| *column != first),
                None if columns.contains(&Column::Direction) => {
                    columns.retain(|column| *column != Column::Direction);
                }
                None => break,
            }
        }
        let least = |column| least(column, arrow);
        let used = |columns: &[Column]| used(columns, arrow);
        let spare = room.saturating_sub(used(&columns));
        let noted = columns.contains(&Column::Note);
        let missing = used(&columns).saturating_sub(room);
        let wide = |column: Column| match column {
            // The peer and the note share the spare cells.
            Column::Peer if noted => column.width() + (spare / 3).min(PEER_SPARE),
            Column::Peer => (column.width() + spare).saturating_sub(missing),
            Column::Note => column.width() + spare - (spare / 3).min(PEER_SPARE),
            column => least(column),
        };
        Self(columns.into_iter().map(|column| (column, wide(column))).collect())
    }

    /// Whether the states are words as well as symbols.
    pub(super) fn has_words(&self) -> bool {
        self.width(Column::State) > SYMBOL
    }

    /// The width of a column; 0 where it was dropped.
    pub(super) fn width(&self, column: Column) -> u16 {
        self.0.iter().find(|(known, _)| *known == column).map_or(0, |(_, width)| *width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::account::AccountState;
    use crate::calls::Party;

    #[test]
    fn columns_are_dropped_by_priority_and_always_fit() {
        let account = |name: &str| AccountState::new(name.to_owned(), Party::default());
        let alone = State::new(vec![account("ada")]);
        let both = State::new(vec![account("ada"), account("a-long-name-of-an-account")]);
        for width in 0..250 {
            let several = ColumnLayout::new(width, &both);
            assert_eq!(several.width(Column::Account) > LETTER, width >= ACCOUNT_FROM);
            for layout in [ColumnLayout::new(width, &alone), several] {
                let used = MARKS + layout.0.iter().map(|(_, width)| width).sum::<u16>();
                assert!(used <= width.max(28), "{width}: {layout:?}");
            }
            let layout = ColumnLayout::new(width, &alone);
            let word = layout.width(Column::Direction) > Column::ARROW;
            assert!(layout.width(Column::Kind) == 0 || word, "{width}: the kind goes first");
            assert!(
                !word || layout.width(Column::Note) > 0,
                "{width}: then the word of the direction"
            );
            assert_eq!(
                layout.width(Column::Direction) > 0,
                width >= 34,
                "{width}: last, its arrow"
            );
        }
        let at_80 = ColumnLayout::new(78, &alone);
        assert!(at_80.width(Column::Note) >= 20, "{at_80:?}");
        assert!(ColumnLayout::new(98, &alone).width(Column::Kind) > 0);
    }
}

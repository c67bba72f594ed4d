//! The history: a window on the calls of the ledger, read by pages as the cursor moves.
//!
//! At most a thousand calls are in memory, whatever the size of the ledger.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::account::AccountState;
use super::action::Action;
use super::effect::{Effect, LedgerEffect};
use super::terminal_size::LEAST_FOR_FRAMES;
use super::{Screen, State};
use crate::calls::AccountId;
use crate::calls::history::{
    Cursor, HistoryCall, HistoryFilter, HistoryStatistics, Page, PageStart, STRANGERS,
};
use crate::calls::reason::Outcome;
use crate::words;

/// The calls of one page.
pub const PAGE: usize = 200;
/// The calls that are kept in memory at most.
const KEPT: usize = 5 * PAGE;
/// The next page is read when the cursor is this near to the end of what is in memory.
const NEAR: usize = 50;
/// The other calls with a person that the details show.
pub const OTHERS: usize = 5;

/// What the history shows, and what it is reading.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct History {
    /// The filter as it was typed.
    line: String,
    filter: HistoryFilter,
    /// The calls in memory, newest first.
    rows: VecDeque<HistoryCall>,
    /// Whether no newer call fits the filter than the first row.
    has_newest: bool,
    /// Whether no older call fits the filter than the last row.
    has_oldest: bool,
    selected: Option<Cursor>,
    /// What is being read. The number distinguishes it from what was asked for before.
    reading: Option<(u64, PageStart)>,
    asked: u64,
    /// The ledger has changed since the first page was read.
    stale: bool,
    /// Why the last page could not be read; cleaned.
    pub failure: Option<String>,
    pub details: bool,
    /// The calls with the person of the selected call, once they were read.
    others: Option<(Cursor, Vec<HistoryCall>)>,
    pub statistics: StatisticsPanel,
    /// Whether calls are being counted, for whichever filter: never twice at the same time.
    is_counting: bool,
}

/// The statistics panel.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum StatisticsPanel {
    #[default]
    Hidden,
    /// The numbers are being counted.
    Counting,
    Shown(Box<HistoryStatistics>),
}

impl History {
    /// The filter as it was typed.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The calls in memory, newest first.
    pub fn rows(&self) -> &VecDeque<HistoryCall> {
        &self.rows
    }

    /// Whether a page is being read.
    pub fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// Whether calls were left out above the first row, and below the last one.
    pub fn continues(&self) -> (bool, bool) {
        (!self.has_newest, !self.has_oldest)
    }

    /// The row of the cursor.
    pub fn position(&self) -> Option<usize> {
        let selected = self.selected?;
        // The rows are sorted, newest first.
        let at = self.rows.partition_point(|call| call.cursor() > selected);
        (at < self.rows.len()).then_some(at)
    }

    /// The call under the cursor.
    pub fn selected_call(&self) -> Option<&HistoryCall> {
        self.rows.get(self.position()?)
    }

    /// The other calls with the person of the selected call, newest first, once they were read.
    pub fn others(&self) -> Option<&[HistoryCall]> {
        let (of, calls) = self.others.as_ref()?;
        (Some(*of) == self.selected).then_some(calls)
    }

    fn read(&mut self, start: PageStart) -> Effect {
        self.asked += 1;
        self.reading = Some((self.asked, start));
        if start == PageStart::Newest {
            self.stale = false;
        }
        let (filter, number) = (self.filter.clone(), self.asked);
        Effect::Ledger(LedgerEffect::ReadPage { number, filter, start, limit: PAGE })
    }

    /// Reads the first page if it was not read, or has changed since.
    fn refresh(&mut self) -> Option<Effect> {
        let never = self.asked == 0;
        let at_top = self.position().is_none_or(|at| at < NEAR);
        let wanted = never || (self.stale && self.has_newest && at_top);
        (wanted && self.reading.is_none()).then(|| self.read(PageStart::Newest))
    }

    /// Reads the next page if the cursor is near the end of what is in memory.
    fn read_ahead(&mut self) -> Option<Effect> {
        if self.reading.is_some() {
            return None;
        }
        let at = self.position()?;
        if !self.has_oldest && at + NEAR >= self.rows.len() {
            let last = self.rows.back()?.cursor();
            return Some(self.read(PageStart::OlderThan(last)));
        }
        if !self.has_newest && at < NEAR {
            let first = self.rows.front()?.cursor();
            return Some(self.read(PageStart::NewerThan(first)));
        }
        None
    }

    fn move_by(&mut self, steps: isize) {
        let Some(last) = self.rows.len().checked_sub(1) else { return };
        let to = match self.position() {
            Some(at) => at.saturating_add_signed(steps).min(last),
            None => 0,
        };
        self.selected = Some(self.rows[to].cursor());
    }

    /// Applies a page that was read.
    fn page_read(&mut self, number: u64, page: Result<Page, String>) {
        let Some((asked, start)) = self.reading else { return };
        if asked != number {
            return;
        }
        self.reading = None;
        let page = match page {
            Ok(page) => page,
            Err(cause) => {
                self.failure = Some(cause);
                return;
            }
        };
        self.failure = None;
        match start {
            PageStart::Newest => {
                (self.has_newest, self.has_oldest) = (true, !page.more);
                self.rows = page.calls.into();
                if self.position().is_none() {
                    self.selected = self.rows.front().map(HistoryCall::cursor);
                }
            }
            PageStart::Oldest => {
                (self.has_newest, self.has_oldest) = (!page.more, true);
                self.rows = page.calls.into();
                self.selected = self.rows.back().map(HistoryCall::cursor);
            }
            PageStart::OlderThan(_) => {
                self.has_oldest = !page.more;
                self.rows.extend(page.calls);
                let over = self.rows.len().saturating_sub(KEPT);
                self.rows.drain(..over);
                self.has_newest &= over == 0;
            }
            PageStart::NewerThan(_) => {
                self.has_newest = !page.more;
                for call in page.calls.into_iter().rev() {
                    self.rows.push_front(call);
                }
                let over = self.rows.len() > KEPT;
                self.rows.truncate(KEPT);
                self.has_oldest &= !over;
            }
        }
    }
}

impl State {
    /// Shows a screen for a key, unless there is only one.
    pub(super) fn change_screen(&mut self, screen: Screen, now: Timestamp) -> Vec<Effect> {
        if !self.has_screens {
            self.notices.show(words::notice::NO_SCREENS, now);
            return Vec::new();
        }
        self.show_screen(screen)
    }

    /// Shows a screen.
    pub(super) fn show_screen(&mut self, screen: Screen) -> Vec<Effect> {
        self.screen = screen;
        match screen {
            Screen::History => self.history.refresh().into_iter().collect(),
            Screen::Rules => self.refresh_rules(),
            Screen::Calls | Screen::Accounts => Vec::new(),
        }
    }

    pub(super) fn act_on_history(&mut self, action: Action, now: Timestamp) -> Vec<Effect> {
        let page = self.page();
        let is_panel = matches!(action, Action::Details | Action::Statistics);
        if is_panel && self.is_too_small(LEAST_FOR_FRAMES, now) {
            return Vec::new();
        }
        match action {
            Action::Up => self.history.move_by(-1),
            Action::Down => self.history.move_by(1),
            Action::PageUp => self.history.move_by(-page),
            Action::PageDown => self.history.move_by(page),
            Action::Top if self.history.has_newest => self.history.move_by(isize::MIN),
            Action::Top => return vec![self.history.read(PageStart::Newest)],
            Action::Bottom if self.history.has_oldest => self.history.move_by(isize::MAX),
            Action::Bottom => return vec![self.history.read(PageStart::Oldest)],
            Action::Details if self.history.statistics != StatisticsPanel::Hidden => {
                self.history.statistics = StatisticsPanel::Hidden;
                self.history.details = true;
            }
            Action::Details => self.history.details = !self.history.details,
            Action::Filter => self.open_filter(self.history.line.clone()),
            Action::MissedOnly => return self.toggle_word(Outcome::Missed.code()),
            Action::StrangersOnly => return self.toggle_word(STRANGERS),
            Action::Statistics => return self.toggle_statistics(),
            Action::OlderCalls => return self.fetch_older(now),
            Action::Privacy => return self.toggle_privacy(),
            Action::Copy => return self.copy(now),
            Action::CommandLine => self.open_command_line(),
            Action::Back if self.older.is_some() => return self.stop_older(),
            Action::Back if self.history.statistics != StatisticsPanel::Hidden => {
                self.history.statistics = StatisticsPanel::Hidden;
            }
            Action::Back if self.history.details => self.history.details = false,
            Action::Back if !self.history.line.is_empty() => return self.filter_history(""),
            Action::Back => return self.show_screen(Screen::Calls),
            // Of other screens and of dialogs.
            _ => {}
        }
        let mut effects = Vec::from_iter(self.history.read_ahead());
        effects.extend(self.read_others());
        effects
    }

    /// Applies a filter line.
    pub(super) fn filter_history(&mut self, line: &str) -> Vec<Effect> {
        if self.history.line == line {
            return Vec::new();
        }
        let named = |account: &AccountState| (account.name.clone(), account.own.user_id);
        let accounts: Vec<_> = self.present().map(|(_, account)| named(account)).collect();
        let history = &mut self.history;
        line.clone_into(&mut history.line);
        history.filter = HistoryFilter::parse(line, &accounts);
        let mut effects = vec![history.read(PageStart::Newest)];
        if history.statistics != StatisticsPanel::Hidden {
            effects.extend(self.count_statistics());
        }
        effects
    }

    /// Adds a word to the filter line, or removes it.
    fn toggle_word(&mut self, word: &str) -> Vec<Effect> {
        let mut words: Vec<&str> = self.history.line.split_whitespace().collect();
        let before = words.len();
        words.retain(|known| *known != word);
        if words.len() == before {
            words.push(word);
        }
        let line = words.join(" ");
        self.filter_history(&line)
    }

    fn toggle_statistics(&mut self) -> Vec<Effect> {
        if self.history.statistics == StatisticsPanel::Hidden {
            return Vec::from_iter(self.count_statistics());
        }
        self.history.statistics = StatisticsPanel::Hidden;
        Vec::new()
    }

    /// Counts for the panel. While a count is under way, the next one begins when that has ended.
    fn count_statistics(&mut self) -> Option<Effect> {
        self.history.statistics = StatisticsPanel::Counting;
        let begins = !std::mem::replace(&mut self.history.is_counting, true);
        begins.then(|| Effect::Ledger(LedgerEffect::Count(self.history.filter.clone())))
    }

    /// Applies statistics that were counted.
    pub(super) fn counted(
        &mut self,
        filter: &HistoryFilter,
        counted: Result<Box<HistoryStatistics>, String>,
    ) -> Option<Effect> {
        self.history.is_counting = false;
        if self.history.statistics != StatisticsPanel::Counting {
            // The panel was closed.
            return None;
        }
        if *filter != self.history.filter {
            return self.count_statistics();
        }
        match counted {
            Ok(statistics) => self.history.statistics = StatisticsPanel::Shown(statistics),
            Err(cause) => {
                self.history.statistics = StatisticsPanel::Hidden;
                self.history.failure = Some(cause);
            }
        }
        None
    }

    /// Applies a page that was read.
    pub(super) fn page_read(&mut self, number: u64, page: Result<Page, String>) -> Vec<Effect> {
        self.history.page_read(number, page);
        let mut effects = Vec::from_iter(self.history.refresh());
        effects.extend(self.history.read_ahead());
        effects.extend(self.read_others());
        effects
    }

    /// Reads the other calls with the person of the selected call, for the details.
    fn read_others(&self) -> Option<Effect> {
        let history = &self.history;
        let call = history.selected_call().filter(|_| history.details)?;
        let known = history.others.as_ref().is_some_and(|(of, _)| *of == call.cursor());
        let filter = HistoryFilter { person: Some(call.peer.user_id), ..HistoryFilter::default() };
        let of = call.cursor();
        (!known).then_some(Effect::Ledger(LedgerEffect::ReadOthers {
            of,
            filter,
            limit: OTHERS + 1,
        }))
    }

    /// Applies the calls with the person of a call.
    pub(super) fn others_read(&mut self, of: Cursor, calls: Vec<HistoryCall>) {
        let others = calls.into_iter().filter(|call| call.cursor() != of).take(OTHERS).collect();
        self.history.others = Some((of, others));
    }

    /// Applies that calls of the ledger have changed.
    pub(super) fn history_changed(&mut self) -> Option<Effect> {
        self.history.stale = true;
        if self.screen == Screen::History { self.history.refresh() } else { None }
    }

    /// The account on the board with this user id.
    pub fn account_of_user(&self, user_id: i64) -> Option<AccountId> {
        self.present().find(|(_, account)| account.own.user_id == user_id).map(|(id, _)| id)
    }

    /// The name of the account of a call of the history; its user id if it is not on the board.
    pub fn history_account(&self, call: &HistoryCall) -> String {
        match self.account_of_user(call.account) {
            Some(id) => self.shown_account(self.account(id)),
            None => words::history::other_account(call.account),
        }
    }
}

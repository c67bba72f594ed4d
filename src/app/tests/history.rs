//! The window on the history.

use super::*;
use crate::app::history::{PAGE, StatisticsPanel};
use crate::calls::CallKind;
use crate::calls::account::OlderPage;
use crate::calls::history::{
    Cursor, HistoryCall, HistoryFilter, HistoryStatistics, Page, PageStart,
};
use crate::calls::reason::Outcome;

/// The call that was placed in this minute.
fn call(minute: i64) -> HistoryCall {
    HistoryCall {
        account: ME,
        id: minute,
        kind: CallKind::Private,
        peer: Party { name: Some(format!("Peer {minute}")), ..Party::unknown(100 + minute) },
        direction: Direction::Incoming,
        video: false,
        placed: at(minute as f64 * 60.0),
        rang: None,
        accepted: None,
        established: None,
        ended: at(minute as f64 * 60.0 + 9.0),
        outcome: Outcome::Missed,
        ended_by: None,
        reason_recorded: None,
        reason_sent: None,
        origin: None,
        ring_seconds: Some(9),
        talk_seconds: None,
        rule: None,
        route: None,
    }
}

/// A ledger with a call in each minute from 0 on.
struct Minutes(i64);

impl Minutes {
    fn page(&self, start: PageStart, limit: usize) -> Page {
        let minute = |cursor: Cursor| cursor.id;
        let limit = limit as i64;
        let (from, to, more) = match start {
            PageStart::Newest => ((self.0 - limit).max(0), self.0, self.0 > limit),
            PageStart::Oldest => (0, limit.min(self.0), self.0 > limit),
            PageStart::OlderThan(cursor) => {
                let to = minute(cursor);
                ((to - limit).max(0), to, to > limit)
            }
            PageStart::NewerThan(cursor) => {
                let from = minute(cursor) + 1;
                (from, (from + limit).min(self.0), from + limit < self.0)
            }
        };
        Page { calls: (from..to).rev().map(call).collect(), more }
    }

    /// Answers what effects ask for, and what follows, until nothing is asked for.
    fn answer(&self, state: &mut State, effects: Vec<Effect>) -> usize {
        let (mut asked, mut effects) = (0, effects);
        while let Some((number, start, limit)) = effects.iter().find_map(|effect| match effect {
            Effect::Ledger(LedgerEffect::ReadPage { number, start, limit, .. }) => {
                Some((*number, *start, *limit))
            }
            _ => None,
        }) {
            asked += 1;
            let page = Ok(self.page(start, limit));
            let event = LedgerEvent::PageRead { number, page };
            effects = update(state, Msg::Ledger(event), at(0.0));
        }
        asked
    }
}

fn opened(minutes: i64) -> (State, Minutes) {
    let (mut state, ledger) = (board(), Minutes(minutes));
    let effects = press(&mut state, Action::ShowHistory, 1.0);
    assert_eq!(ledger.answer(&mut state, effects), 1, "one page");
    (state, ledger)
}

fn selected(state: &State) -> i64 {
    state.history.selected_call().expect("a call is selected").id
}

#[test]
fn moving_through_many_calls_reads_pages_and_keeps_few_in_memory() {
    let (mut state, ledger) = opened(5_000);
    assert_eq!(selected(&state), 4_999);
    for minute in (0..4_999).rev() {
        let effects = press(&mut state, Action::Down, 1.0);
        ledger.answer(&mut state, effects);
        assert_eq!(selected(&state), minute);
        assert!(state.history.rows().len() <= 5 * PAGE);
    }
    assert_eq!(state.history.continues(), (true, false));
    for minute in 1..5_000 {
        let effects = press(&mut state, Action::Up, 1.0);
        ledger.answer(&mut state, effects);
        assert_eq!(selected(&state), minute);
        assert!(state.history.rows().len() <= 5 * PAGE);
    }
    assert_eq!(state.history.continues(), (false, true));
}

#[test]
fn the_first_and_the_last_call_are_one_page_away() {
    let (mut state, ledger) = opened(5_000);
    let effects = press(&mut state, Action::Bottom, 1.0);
    assert_eq!(ledger.answer(&mut state, effects), 1);
    assert_eq!(selected(&state), 0);
    let effects = press(&mut state, Action::Up, 1.0);
    ledger.answer(&mut state, effects);
    assert_eq!(selected(&state), 1);
    let effects = press(&mut state, Action::Top, 1.0);
    assert!(ledger.answer(&mut state, effects) >= 1);
    assert_eq!(state.history.rows()[0].id, 4_999);
}

#[test]
fn the_answer_to_an_earlier_filter_changes_nothing() {
    let (mut state, ledger) = opened(10);
    let first = press(&mut state, Action::MissedOnly, 1.0);
    assert_eq!(state.history.line(), "missed");
    let second = press(&mut state, Action::StrangersOnly, 1.1);
    let number = |effects: &[Effect]| match &effects[0] {
        Effect::Ledger(LedgerEffect::ReadPage { number, filter, .. }) => (*number, filter.clone()),
        other => panic!("no page: {other:?}"),
    };
    let (late, _) = number(&first);
    let page = Ok(Page { calls: vec![call(77)], more: false });
    update(&mut state, Msg::Ledger(LedgerEvent::PageRead { number: late, page }), at(1.2));
    assert!(state.history.rows().iter().all(|call| call.id < 10));
    assert!(state.history.is_reading());
    let (_, filter) = number(&second);
    assert_eq!(filter, HistoryFilter::parse("missed unknown", &[]));
    ledger.answer(&mut state, second);
    assert!(!state.history.is_reading());
    let again = press(&mut state, Action::MissedOnly, 2.0);
    assert_eq!(state.history.line(), "unknown", "the word is taken out again");
    ledger.answer(&mut state, again);
}

#[test]
fn a_call_that_ends_is_read_while_the_history_is_shown() {
    let (mut state, mut ledger) = opened(10);
    rings(&mut state, 10, 5.0);
    ledger.0 = 11;
    let effects = tell(&mut state, discarded(10, Some(EndReason::Missed)), 9.0);
    let save = |effect: &Effect| matches!(effect, Effect::Ledger(LedgerEffect::Save { .. }));
    let read = |effect: &Effect| matches!(effect, Effect::Ledger(LedgerEffect::ReadPage { .. }));
    assert!(effects.iter().position(save) < effects.iter().position(read), "it is saved first");
    ledger.answer(&mut state, effects);
    assert_eq!(state.history.rows()[0].id, 10);
    assert_eq!(selected(&state), 9, "the cursor stays where it was");
    press(&mut state, Action::ShowCalls, 10.0);
    rings(&mut state, 11, 11.0);
    let effects = tell(&mut state, discarded(11, Some(EndReason::Missed)), 15.0);
    assert!(!effects.iter().any(read), "nobody looks");
    ledger.0 = 12;
    let effects = press(&mut state, Action::ShowHistory, 16.0);
    assert_eq!(ledger.answer(&mut state, effects), 1);
    assert_eq!(state.history.rows()[0].id, 11);
}

#[test]
fn a_ledger_that_cannot_be_read_is_told() {
    let mut state = board();
    press(&mut state, Action::ShowHistory, 1.0);
    let page = Err("ledger.db is damaged".to_owned());
    update(&mut state, Msg::Ledger(LedgerEvent::PageRead { number: 1, page }), at(1.1));
    assert_eq!(state.history.failure.as_deref(), Some("ledger.db is damaged"));
    assert!(!state.history.is_reading());
}

#[test]
fn back_closes_one_thing_after_the_other() {
    let (mut state, ledger) = opened(10);
    let effects = press(&mut state, Action::MissedOnly, 1.0);
    ledger.answer(&mut state, effects);
    press(&mut state, Action::Details, 1.0);
    press(&mut state, Action::Statistics, 1.0);
    assert_eq!(state.history.statistics, StatisticsPanel::Counting);
    press(&mut state, Action::Back, 2.0);
    assert_eq!(state.history.statistics, StatisticsPanel::Hidden);
    press(&mut state, Action::Back, 2.1);
    assert!(!state.history.details);
    press(&mut state, Action::Back, 2.2);
    assert_eq!((state.history.line(), state.screen), ("", Screen::History));
    press(&mut state, Action::Back, 2.3);
    assert_eq!(state.screen, Screen::Calls);
}

/// The filter text of what is to be counted.
fn counts(effects: &[Effect]) -> Option<String> {
    effects.iter().find_map(|effect| match effect {
        Effect::Ledger(LedgerEffect::Count(filter)) => Some(filter.text.clone()),
        _ => None,
    })
}

#[test]
fn calls_are_counted_once_at_a_time_and_for_the_last_filter() {
    let (mut state, _ledger) = opened(10);
    let text = |text: &str| HistoryFilter { text: text.to_owned(), ..HistoryFilter::default() };
    let counted = |state: &mut State, filter: &str| {
        let counted = Ok(Box::new(HistoryStatistics::default()));
        let event = LedgerEvent::Counted { filter: text(filter), counted };
        update(state, Msg::Ledger(event), at(2.0))
    };
    assert_eq!(counts(&press(&mut state, Action::Statistics, 1.0)).as_deref(), Some(""));
    // Three keys of a filter while it is counted, and the panel closed and opened.
    for filter in ["g", "gr", "gra"] {
        assert_eq!(counts(&state.filter_history(filter)), None, "{filter}");
    }
    press(&mut state, Action::Statistics, 1.1);
    assert_eq!(counts(&press(&mut state, Action::Statistics, 1.2)), None);
    assert_eq!(counts(&counted(&mut state, "")).as_deref(), Some("gra"));
    assert_eq!(state.history.statistics, StatisticsPanel::Counting);
    assert_eq!(counts(&counted(&mut state, "gra")), None);
    assert!(matches!(state.history.statistics, StatisticsPanel::Shown(_)));
    // Closed while it is counted: the result is not shown, and the next count begins at once.
    press(&mut state, Action::Statistics, 3.0);
    press(&mut state, Action::Statistics, 3.1);
    press(&mut state, Action::Statistics, 3.2);
    assert_eq!(counts(&counted(&mut state, "gra")), None);
    assert_eq!(state.history.statistics, StatisticsPanel::Hidden);
    assert_eq!(counts(&press(&mut state, Action::Statistics, 4.0)).as_deref(), Some("gra"));
}

#[test]
fn a_panel_replaces_the_other_one() {
    let (mut state, _ledger) = opened(10);
    press(&mut state, Action::Statistics, 1.0);
    press(&mut state, Action::Details, 1.1);
    assert_eq!(
        (&state.history.statistics, state.history.details),
        (&StatisticsPanel::Hidden, true)
    );
    press(&mut state, Action::Details, 1.2);
    assert!(!state.history.details);
}

#[test]
fn a_panel_that_has_no_room_is_refused() {
    let (mut state, _ledger) = opened(10);
    state.size = (40, 11);
    for action in [Action::Details, Action::Statistics] {
        press(&mut state, action, 1.0);
        assert_eq!(state.notices.newest(), Some("too small: needs 40x12"), "{action:?}");
        state.notices.clear();
    }
    assert_eq!(
        (&state.history.statistics, state.history.details),
        (&StatisticsPanel::Hidden, false)
    );
}

#[test]
fn no_hang_up_key_acts_on_the_history() {
    let (mut state, _ledger) = opened(10);
    rings(&mut state, 20, 1.0);
    for action in [Action::HangUp, Action::HangUpNow, Action::ReasonBusy, Action::Accept] {
        assert_eq!(ordered(&press(&mut state, action, 5.0)), []);
        assert!(state.dialog.is_none(), "{action:?}");
    }
}

/// The message before which the next page of older calls is asked for.
fn asks_older(effects: &[Effect]) -> Option<i32> {
    effects.iter().find_map(|effect| match effect {
        Effect::Account(_, AccountCommand::ReadOlderCalls { before }) => Some(*before),
        _ => None,
    })
}

fn older(id: i64, next: Option<i32>) -> AccountEvent {
    let CallEvent::Logged(chat) = logged(id, Some(EndReason::Missed)) else { unreachable!() };
    AccountEvent::OlderCalls(Ok(OlderPage { calls: vec![*chat], next }))
}

#[test]
fn older_calls_are_read_page_by_page_until_they_end_or_are_stopped() {
    let (mut state, _ledger) = opened(10);
    assert_eq!(asks_older(&press(&mut state, Action::OlderCalls, 1.0)), Some(0));
    assert_eq!(asks_older(&press(&mut state, Action::OlderCalls, 1.1)), None, "once");
    let effects = tell(&mut state, older(70, Some(40)), 2.0);
    assert_eq!(asks_older(&effects), Some(40));
    let saved = effects.iter().any(|it| matches!(it, Effect::Ledger(LedgerEffect::SaveOlder(..))));
    assert!(saved);
    assert_eq!(state.older.as_ref().map(|older| older.calls), Some(1));
    // Stopped: the page that is on its way is saved, and no other one is read.
    press(&mut state, Action::Back, 2.5);
    let effects = tell(&mut state, older(60, Some(20)), 3.0);
    assert_eq!(asks_older(&effects), None);
    assert!(effects.iter().any(|it| matches!(it, Effect::Ledger(LedgerEffect::SaveOlder(..)))));
    assert_eq!(state.screen, Screen::History);
    // It goes on where it stopped, to the end.
    assert_eq!(asks_older(&press(&mut state, Action::OlderCalls, 4.0)), Some(20));
    tell(&mut state, older(50, None), 5.0);
    assert!(state.older.is_none());
}

#[test]
fn a_refusal_of_older_calls_is_shown_and_ends_the_reading() {
    let (mut state, _ledger) = opened(10);
    press(&mut state, Action::OlderCalls, 1.0);
    let wait = Failure::Refused { code: 420, name: "FLOOD_WAIT".to_owned(), value: Some(30) };
    let effects = tell(&mut state, AccountEvent::OlderCalls(Err(wait)), 2.0);
    assert_eq!(asks_older(&effects), None);
    assert!(state.older.is_none());
    let notice = state.notices.newest().expect("a notice");
    assert!(notice.contains("FLOOD_WAIT_30"), "{notice}");
}

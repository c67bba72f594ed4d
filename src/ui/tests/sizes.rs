//! The board from the smallest terminal to a large one.

use std::fmt::Write;

use super::*;
use crate::calls::reason::EndReason;

/// Terminals from a strip of three lines to a large screen.
const SIZES: [(u16, u16); 8] =
    [(30, 3), (40, 6), (40, 10), (60, 20), (80, 8), (80, 24), (100, 30), (200, 50)];

/// One snapshot of a board at each size.
fn shows_at_each_size(name: &str, board: impl Fn() -> State) {
    let mut all = String::new();
    for (width, height) in SIZES {
        let text = text_of(&drawn(&mut board(), &look(), (width, height), 60));
        writeln!(all, "{width} x {height}\n{}\n{text}\n", "=".repeat(width.into()))
            .expect("a String takes everything");
    }
    snapshot(name, &all);
}

/// A board with more calls than most terminals have lines, and as many that have ended.
fn crowded_board() -> State {
    let mut state = empty_board();
    for id in 1..=19 {
        let name = format!("Caller {id} with quite a long name");
        call(&mut state, id, peer(id, &name, None), true, Stage::Requested);
        let past = 100 + id;
        call(&mut state, past, peer(past, &format!("Earlier {id}"), None), true, Stage::Requested);
        ended(&mut state, past, Some(EndReason::Missed), None);
    }
    state
}

/// A board on which the hang-up of the selected call was refused.
fn failed_board() -> State {
    let mut state = full_board();
    press(&mut state, &[Action::Top, Action::HangUpNow], 45);
    let refusal =
        Failure::Refused { code: 400, name: "CALL_ALREADY_ACCEPTED".to_owned(), value: None };
    failed(&mut state, 3, refusal);
    state
}

/// The board of three accounts, one of which is signed out.
pub(super) fn board_of_three() -> State {
    let mut state = full_board();
    state.sign_in_mode = crate::app::sign_in_dialog::SignInMode::Open;
    let user = |id| Party { name: Some("Grace Hopper".to_owned()), ..Party::unknown(id) };
    for (name, connection) in [
        ("work", ConnectionState::SignedOut { code: "SESSION_REVOKED".to_owned() }),
        ("home", ConnectionState::Online),
    ] {
        let mut account = AccountState::new(name.to_owned(), user(2));
        account.connection = connection;
        state.accounts.push(account);
    }
    let live = LiveCall {
        handle: Handle { id: 1, access_hash: 9 },
        caller: 99,
        callee: 2,
        peer: Party { name: Some("Rosalind".to_owned()), ..Party::unknown(99) },
        date: at(50),
        video: false,
        stage: Stage::Requested,
        protocol: Protocol::default(),
        exchange: None,
    };
    let event = AccountEvent::Call(CallEvent::Live(Box::new(live)));
    update(&mut state, Msg::Account(AccountId(2), event), at(50));
    state
}

/// The screen at each size that has room for the board.
fn at_each_size(board: impl Fn() -> State, check: impl Fn(&str, (u16, u16))) {
    for width in [30, 31, 39, 40, 41, 55, 56, 57, 60, 61, 62, 63, 80, 99, 100, 120, 200] {
        for height in (3..=14).chain([24, 60]) {
            check(&text_of(&drawn(&mut board(), &look(), (width, height), 60)), (width, height));
        }
    }
}

#[test]
fn the_selected_call_with_its_verb_is_visible_at_every_size() {
    for board in [full_board, crowded_board, failed_board, board_of_three] {
        at_each_size(board, |text, size| {
            let row = text.lines().find(|line| line.contains('▶')).unwrap_or_default();
            let named = ["Grace", "Caller 1 ", "Unknown"].iter().any(|name| row.contains(name));
            assert!(named, "{size:?}\n{text}");
            let keys = text.lines().last().unwrap_or_default();
            let verb = keys.contains("x decline…") || keys.contains("e dismiss error");
            assert!(verb, "{size:?}\n{text}");
        });
    }
}

#[test]
fn without_a_frame_the_filter_is_in_the_footer() {
    let mut state = full_board();
    state.calls.set_filter("grace");
    for (size, wanted) in [((40, 6), true), ((60, 10), true), ((80, 24), true), ((30, 3), false)] {
        let text = text_of(&drawn(&mut state, &look(), size, 60));
        assert_eq!(text.contains("1 of 7 by filter “grace”"), wanted, "{size:?}\n{text}");
        assert!(text.contains("☎ 3") || text.contains("3 ringing"), "{size:?}\n{text}");
    }
}

#[test]
fn the_picker_with_its_call_is_visible_at_every_size() {
    let picking = || {
        let mut state = full_board();
        press(&mut state, &[Action::HangUp], 55);
        state
    };
    at_each_size(picking, |text, size| {
        assert!(text.contains("Grace"), "{size:?}\n{text}");
        let text = text.to_lowercase();
        for reason in ["busy", "miss", "hang", "disc"] {
            assert!(text.contains(reason), "{reason} {size:?}\n{text}");
        }
    });
    let quitting = || {
        let mut state = full_board();
        press(&mut state, &[Action::HangUpNow, Action::Quit], 55);
        state
    };
    at_each_size(quitting, |text, size| {
        assert!(text.contains("Quit now?") && text.contains("y quit"), "{size:?}\n{text}");
    });
}

#[test]
fn accounts_with_the_same_initial_have_different_letters() {
    let names = ["ada", "alan", "a", "AL"];
    let accounts = names.map(|name| AccountState::new(name.to_owned(), Party::default()));
    let state = State::new(accounts.to_vec());
    let look = look();
    let letters = account_letter::letters(View { state: &state, options: &look, now: at(0) });
    let letters: Vec<_> = letters.iter().map(|it| it.letter.as_str()).collect();
    assert_eq!(letters, ["a", "l", "3", "4"]);
    assert_eq!(
        text_of(&drawn(&mut board_of_three(), &look, (60, 20), 60)).matches(" h ← ").count(),
        1
    );
}

#[test]
fn the_filter_restricts_to_an_account() {
    let mut state = board_of_three();
    state.calls.name_accounts(["ada", "work", "home"].into_iter());
    for (filter, shown) in
        [("@home", 1), ("@HO", 1), ("home", 1), ("!@home", 7), ("@ada ringing", 4), ("@grace", 1)]
    {
        state.calls.set_filter(filter);
        assert_eq!(state.calls.rows().len(), shown, "{filter}");
    }
}

#[test]
fn the_board_from_three_lines_to_a_large_screen() {
    shows_at_each_size("sizes_full", full_board);
    shows_at_each_size("sizes_crowded", crowded_board);
    shows_at_each_size("sizes_failed", failed_board);
    shows_at_each_size("sizes_three_accounts", board_of_three);
}

#[test]
fn the_picker_from_three_lines_to_a_large_screen() {
    shows_at_each_size("sizes_picker", || {
        let mut state = full_board();
        press(&mut state, &[Action::HangUp], 55);
        state
    });
    shows_at_each_size("sizes_picker_marked", || {
        let mut state = full_board();
        press(&mut state, &[Action::Top, Action::Mark, Action::Mark, Action::HangUp], 55);
        state
    });
    shows_at_each_size("sizes_notice", || {
        let mut state = full_board();
        state.notices.show("Grace Hopper: a hang-up is already on its way", at(58));
        state
    });
}

//! The cursor, the marks, and which calls a key acts on.

use super::*;

/// As after a frame that shows all rows.
fn draw(state: &mut State) {
    let rows = state.calls.rows().to_vec();
    update(state, Msg::RowsShown(rows), at(0.0));
}

#[test]
fn nothing_is_selected_right_after_the_selected_call_has_ended() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.1);
    assert_eq!(state.selection(), Some(key(7)));
    tell(&mut state, discarded(7, None), 1.0);
    assert!(press(&mut state, Action::HangUpNow, 1.1).is_empty());
    assert!(press(&mut state, Action::HangUp, 1.2).is_empty());
    assert_eq!(state.notices.newest(), Some("Peer 7's call is over · ↓ selects the next"));
    assert!(state.dialog.is_none());
    update(&mut state, Msg::Tick, at(3.2));
    assert_eq!(state.selection(), Some(key(8)), "once it has settled");
}

#[test]
fn after_an_end_the_arrows_go_to_the_neighbours() {
    for (action, wanted) in [(Action::Down, 7), (Action::Up, 5)] {
        let mut state = board();
        for id in 5..=7 {
            // All placed in the same second: the rows are in the order of the ids.
            rings(&mut state, id, 0.0);
        }
        press(&mut state, Action::Top, 0.5);
        press(&mut state, Action::Down, 0.5);
        assert_eq!(state.selection(), Some(key(6)));
        tell(&mut state, discarded(6, None), 1.0);
        press(&mut state, action, 1.1);
        assert_eq!(state.selection(), Some(key(wanted)), "{action:?}");
    }
}

#[test]
fn marks_that_the_filter_hides_are_not_acted_on() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.0);
    press(&mut state, Action::Top, 0.1);
    press(&mut state, Action::Mark, 0.1);
    press(&mut state, Action::Mark, 0.1);
    assert_eq!(state.calls.marked().len(), 2);
    draw(&mut state);
    state.calls.set_filter("peer 8");
    draw(&mut state);
    assert_eq!(press(&mut state, Action::HangUpNow, 1.0), [], "it asks");
    let effects = press(&mut state, Action::Accept, 1.1);
    assert_eq!(ordered(&effects), [(8, EndReason::Busy)]);
}

#[test]
fn marks_off_the_screen_are_named_before_they_are_acted_on() {
    let mut state = board();
    for id in 1..=3 {
        rings(&mut state, id, 0.0);
    }
    press(&mut state, Action::MarkAll, 0.1);
    assert_eq!(state.calls.marked().len(), 3);
    let rows = state.calls.rows().to_vec();
    update(&mut state, Msg::RowsShown(rows[1..].to_vec()), at(0.2));
    for key in [Action::HangUpNow, Action::HangUp] {
        assert_eq!(press(&mut state, key, 1.0), [], "{key:?}");
        let Some(Dialog::Picker(picker)) = &state.dialog else { panic!("no picker") };
        assert_eq!(picker.calls, rows);
        press(&mut state, Action::Back, 1.1);
    }
    update(&mut state, Msg::RowsShown(rows.clone()), at(0.2));
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 2.0)).len(), 3, "all are seen");
}

#[test]
fn a_key_meant_for_marked_calls_never_falls_through_to_the_cursor() {
    for ends in ["by itself", "by the key"] {
        let mut state = board();
        rings(&mut state, 7, 0.0);
        rings(&mut state, 8, 0.0);
        press(&mut state, Action::Top, 0.1);
        press(&mut state, Action::Mark, 0.1);
        assert_eq!(state.selection(), Some(key(8)), "marking moves on");
        draw(&mut state);
        if ends == "by itself" {
            tell(&mut state, discarded(7, None), 1.0);
        } else {
            assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 1.0)), [(7, EndReason::Busy)]);
        }
        assert_eq!(press(&mut state, Action::HangUpNow, 1.1), [], "ended {ends}");
        assert_eq!(press(&mut state, Action::HangUpNow, 2.9), []);
        assert_eq!(state.selection(), None);
        update(&mut state, Msg::Tick, at(3.1));
        assert!(state.selection().is_some(), "a key on nothing does not make it wait again");
    }
}

#[test]
fn a_key_that_comes_as_the_next_call_is_selected_does_not_hit_it() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.1);
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 0.9)), [(7, EndReason::Busy)]);
    tell(&mut state, discarded(7, Some(EndReason::Busy)), 1.0);
    update(&mut state, Msg::Tick, at(3.0));
    assert_eq!(state.selection(), Some(key(8)));
    // As fast as a key that is held down.
    for step in 1..40 {
        let second = 3.0 + 0.1 * f64::from(step);
        assert_eq!(press(&mut state, Action::HangUpNow, second), []);
        assert_eq!(press(&mut state, Action::HangUp, second), []);
        assert!(state.dialog.is_none());
    }
    let notice = "Peer 8 is selected now · press the key again";
    assert_eq!(state.notices.newest(), Some(notice));
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 7.5)), [(8, EndReason::Busy)]);
}

#[test]
fn a_call_that_was_chosen_by_an_arrow_is_hung_up_at_once() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.1);
    tell(&mut state, discarded(7, None), 1.0);
    update(&mut state, Msg::Tick, at(3.0));
    press(&mut state, Action::Down, 3.1);
    assert_eq!(ordered(&press(&mut state, Action::HangUpNow, 3.2)), [(8, EndReason::Busy)]);
}

#[test]
fn a_call_that_a_new_name_or_state_hides_takes_no_neighbour_with_it() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.0);
    state.calls.set_filter("peer");
    press(&mut state, Action::Top, 0.1);
    let named = Party { name: Some("Zoe".to_owned()), ..Party::unknown(107) };
    tell(&mut state, AccountEvent::PeerResolved(named), 1.0);
    assert_eq!(state.selection(), None);
    assert_eq!(press(&mut state, Action::HangUpNow, 1.1), []);
}

#[test]
fn what_ended_behind_a_dialog_or_a_frozen_display_leaves_time_to_look() {
    for (open, close) in [(Action::Help, Action::Back), (Action::Freeze, Action::Freeze)] {
        let mut state = board();
        rings(&mut state, 7, 0.0);
        rings(&mut state, 8, 0.0);
        press(&mut state, Action::Top, 0.1);
        press(&mut state, open, 0.2);
        tell(&mut state, discarded(7, None), 1.0);
        press(&mut state, close, 20.0);
        assert_eq!(press(&mut state, Action::HangUpNow, 20.1), [], "{open:?}");
    }
}

#[test]
fn digits_select_the_rows_that_the_last_frame_showed() {
    let mut state = board();
    for id in 1..=4 {
        rings(&mut state, id, 0.0);
    }
    let rows = state.calls.rows().to_vec();
    update(&mut state, Msg::RowsShown(rows[1..].to_vec()), at(0.1));
    press(&mut state, Action::Row2, 0.2);
    assert_eq!(state.selection(), Some(rows[2]));
    tell(&mut state, discarded(rows[1].id, None), 0.3);
    press(&mut state, Action::Row1, 0.4);
    assert_eq!(state.selection(), Some(rows[2]), "that call has ended since");
    assert_eq!(state.notices.newest(), Some("there is no such row"));
    press(&mut state, Action::Row9, 0.5);
    assert_eq!(state.selection(), Some(rows[2]));
}

#[test]
fn a_hang_up_key_on_a_frozen_row_that_has_ended_names_the_call() {
    let mut state = board();
    rings(&mut state, 7, 0.0);
    rings(&mut state, 8, 0.1);
    press(&mut state, Action::Freeze, 0.2);
    tell(&mut state, discarded(8, None), 1.0);
    press(&mut state, Action::Bottom, 1.1);
    press(&mut state, Action::HangUpNow, 1.2);
    assert_eq!(state.notices.newest(), Some("Peer 8's call is over · ↓ selects the next"));
}

//! Hanging up: the right call, the right reason, and nothing without a key.

use serde_json::json;

use crate::common::parallel::for_each;
use crate::common::requests::is_harmless;
use crate::pty::{Board, Start, hang_ups};

fn ringing(extra: &str) -> Board {
    let board =
        Start::scenario(&format!("[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n{extra}")).run();
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board
}

#[test]
fn a_ringing_call_is_declined_with_the_chosen_reason() {
    let mut board = ringing("video = true");
    board.press("x");
    board.see("Decline the call from Grace Hopper");
    board.press("b");
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    let sent = board.hang_ups();
    let [sent] = sent.as_slice() else { panic!("one hang-up, not {sent:?}") };
    let args = &sent["args"];
    let wanted = json!({
        "id": args["id"], "access_hash": args["access_hash"],
        "reason": "busy", "duration": 0, "video": true, "connection_id": 0,
    });
    assert_eq!((args, &sent["answer"]), (&wanted, &json!("ok")));
    board.quit();
}

#[test]
fn each_key_of_the_picker_sends_its_reason() {
    for (key, reason) in [("b", "busy"), ("m", "missed"), ("h", "hangup"), ("d", "disconnect")] {
        let mut board = ringing("");
        board.press("x");
        board.see("Decline the call from");
        board.press(key);
        board.see_wrapped(&format!("declined by you ({reason})"));
        assert_eq!(board.hang_ups()[0]["args"]["reason"], reason);
    }
}

#[test]
fn enter_sends_the_reason_under_the_cursor_and_escape_sends_nothing() {
    let mut board = ringing("");
    board.press("x");
    board.see("Decline the call from");
    board.press("<esc>");
    board.see_no("Decline the call from");
    board.press("<delete>");
    board.see("Decline the call from");
    board.press("<down>");
    board.see_line(&["▶ m", "Missed"]);
    board.press("<enter>");
    board.see("declined by you (missed)");
    assert_eq!(board.hang_ups().len(), 1);
}

#[test]
fn an_active_call_is_hung_up_with_its_true_duration() {
    let call = "rings = 0.1\nthen = 'answered'\ndevice = 'here'";
    let mut board =
        Start::scenario(&format!("[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n{call}")).run();
    board.see_line(&["▶", "active", "Grace Hopper", "00:03"]);
    board.press("X");
    board.see_wrapped("hung up by you after");
    let args = board.hang_ups()[0]["args"].clone();
    assert_eq!(args["reason"], "hangup");
    let duration = args["duration"].as_i64().expect("a number");
    assert!((3..=4).contains(&duration), "{duration}");
    board.see_line(&["Grace Hopper", &format!("hung up by you after 00:0{duration}")]);
}

#[test]
fn an_outgoing_call_is_cancelled_as_missed() {
    let mut board =
        Start::scenario("[[call]]\nfrom = 'me'\ndevice = 'here'\nto = 'grace'\nat = 0.1").run();
    board.see_line(&["▶", "dialing", "Grace Hopper"]);
    board.press("x");
    board.see("Cancel the call to Grace Hopper");
    board.press("<enter>");
    board.see_line(&["Grace Hopper", "cancelled by you (missed)"]);
    assert_eq!(board.hang_ups()[0]["args"]["reason"], "missed");
}

#[test]
fn the_sent_and_the_recorded_reason_are_shown_when_they_differ() {
    let scenario = "[server]\nreasons = 'overruled'\n[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1";
    let mut board = Start::scenario(scenario).run();
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.press("xh");
    board.see("declined by you (sent hangup, recorded busy)");
}

#[test]
fn marked_calls_are_hung_up_together_each_with_its_default_reason() {
    let mut board = Start::scenario(
        "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n[[call]]\nfrom = 'me'\ndevice = 'here'\nto = 'alan'\nat = 0.2",
    )
    .run();
    board.see("Grace Hopper");
    board.see("Alan Turing");
    board.press("g<space><space>");
    board.see("2 marked");
    board.press("x");
    board.see("End 2 marked calls");
    board.press("<enter>");
    board.see("declined by you (busy)");
    board.see("cancelled by you (missed)");
    assert_eq!(board.hang_ups().len(), 2);
}

#[test]
fn a_marked_call_that_is_off_the_screen_is_named_before_it_is_hung_up() {
    let call = |person: &str| format!("[[call]]\nfrom = '{person}'\nto = 'me'\nat = 0.1\n");
    let scenario = format!("{}{}", call("grace"), call("alan"));
    let mut board = Start::scenario(&scenario).size(30, 3).run();
    board.see("2 ringing");
    board.press("g<space>");
    board.see("end 1 marked…");
    board.press("X");
    board.see("b busy m miss h hang d disc");
    assert!(board.hang_ups().is_empty());
    board.press("<esc>");
    board.see("end 1 marked…");
    board.press("<up>");
    board.see("✓");
    board.press("X");
    board.until("no mark", |text| !text.contains('✓'));
    board.quit();
}

/// The rule that comes first: the wrong call is never ended.
#[test]
fn enter_does_not_hang_up_the_call_that_replaces_the_picked_one() {
    let mut board = Start::scenario(
        "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\nrings = 2\n\
         [[call]]\nfrom = 'alan'\nto = 'me'\nat = 2.1\n",
    )
    .run();
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.press("x");
    board.see("Decline the call from Grace Hopper");
    board.see_no("Decline the call from");
    board.see("Grace Hopper: missed");
    board.see_line(&["ringing", "Alan Turing"]);
    board.press("<enter>");
    board.press("X");
    board.press("x<enter>");
    board.see("'s call is over · ↓ selects the next");
    // Only now is Alan meant: what reaches the server first is for him, and alone.
    board.see_line(&["▶", "Alan Turing"]);
    // The arrow confirms the choice: a hang-up key that comes at once might be meant for Grace.
    board.press("<down>");
    board.press("X");
    board.see_line(&["Alan Turing", "declined by you"]);
    let ended = board.quit();
    let sent = hang_ups(&ended.requests);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["answer"], "ok");
}

#[test]
fn a_call_that_the_filter_hides_is_not_hung_up() {
    let mut board = Start::scenario(
        "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n[[call]]\nfrom = 'alan'\nto = 'me'\nat = 0.3",
    )
    .run();
    board.see_line(&["▶", "Grace Hopper"]);
    board.see("Alan Turing");
    board.press("/nobody<enter>");
    board.see("no matches");
    board.press("X");
    board.see("no call is selected");
    board.press("<esc>");
    board.see_line(&["▶", "ringing"]);
    assert!(board.quit().requests.iter().all(is_harmless));
}

#[test]
fn a_second_key_sends_no_second_hang_up() {
    let scenario = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n\
        [[answer]]\nmethod = 'phone.discardCall'\ndelay = 1";
    let mut board = Start::scenario(scenario).run();
    board.see_line(&["▶", "Grace Hopper"]);
    board.press("XXxX");
    board.see("declining…");
    board.see("already on its way");
    board.see("declined by you");
    assert_eq!(board.hang_ups().len(), 1);
}

/// Do no harm: without a key, nothing that changes anything is sent from the start until a call
/// rings. `tests/fast/time.rs` goes on until the end of each scenario, and has the one whose random
/// faults let nothing ring for 30 seconds.
#[test]
fn without_a_key_nothing_is_changed_in_any_scenario() {
    for_each(onhook_loopback::builtin_scenarios().filter(|name| *name != "chaos"), |name| {
        let board = Start::shipped(name).run();
        board.see("ringing");
        let ended = board.quit();
        assert!(!ended.requests.is_empty(), "{name}: the log is there");
        let harm: Vec<_> = ended.requests.iter().filter(|it| !is_harmless(it)).collect();
        assert!(harm.is_empty(), "{name}: {harm:?}");
    });
}

//! Each way in which Telegram and the devices of an account report the end of a call, on the real
//! board. `tests/fast/endings.rs` has more of them, on a paused clock.

use crate::common::parallel::for_each;
use crate::pty::Start;

const GRACE: &str = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n";
const DECLINED: &str = "rings = 3\nthen = 'declined'\n";

#[test]
fn each_report_of_an_end_has_its_words_on_the_board() {
    let here = "device = 'here'\nrings = 0.5\nthen = 'answered'\ntalks = 2\n";
    let cases: Vec<(String, &[&str])> = vec![
        // iOS, and the full screen of Android.
        (
            format!("{GRACE}{DECLINED}reason = 'hangup'\nduration = 0\n"),
            &["Grace Hopper", "declined or cancelled"],
        ),
        (format!("{GRACE}{DECLINED}reason = 'missed'\n"), &["Grace Hopper", "missed"]),
        (format!("{GRACE}{DECLINED}"), &["Grace Hopper", "declined elsewhere"]),
        // Telegram Desktop after the ring timeout, and while it is in a call.
        (
            format!("[server]\nring_timeout = 6\n{GRACE}rings = 6\nthen = 'declined'\n"),
            &["Grace Hopper", "missed"],
        ),
        (
            format!("{GRACE}rings = 0.02\nthen = 'declined'\n"),
            &["Grace Hopper", "missed, busy elsewhere"],
        ),
        // The server refuses a second caller while a device rings, and a caller gives up without one.
        (
            format!(
                "[me]\ndevices = 'acks'\n{GRACE}[[call]]\nfrom = 'alan'\nto = 'me'\nat = 1.5\n"
            ),
            &["Alan Turing", "busy or declined"],
        ),
        (format!("[me]\ndevices = 'absent'\n{GRACE}"), &["Grace Hopper", "missed"]),
        // The call goes on as a group call, and one whose video was switched on later.
        (format!("{GRACE}{here}ends = 'migrated'\n"), &["Grace Hopper", "moved to a group call"]),
        (format!("{GRACE}{here}video_later = true\n"), &["Grace Hopper", "ended after 00:02"]),
        // A message without a reason, one that is deleted, and one from the start of the call.
        (
            format!("{GRACE}{DECLINED}reason = 'hangup'\nmessage = 'no-reason'\n"),
            &["Grace Hopper", "stopped ringing"],
        ),
        (
            format!("{GRACE}{DECLINED}reason = 'hangup'\nmessage = 'deleted'\n"),
            &["Grace Hopper", "declined or cancelled"],
        ),
        (format!("{GRACE}rings = 3\nmessage = 'early'\n"), &["Grace Hopper", "missed"]),
    ];
    for_each(cases, |(scenario, words)| {
        let board = Start::scenario(&scenario).run();
        board.see_line(words);
        let ended = board.quit();
        let sent = ended.requests.iter().filter(|it| it["method"] == "phone.discardCall").count();
        assert_eq!(sent, 0, "{scenario}");
    });
}

#[test]
fn a_hang_up_that_came_after_the_end_is_not_shown_as_yours() {
    // The caller has given up, but the update has not come.
    let late = "rings = 2\nlate = 5\nmessage_late = 5\n";
    let cases = [
        ("ok", "missed (sent busy too late, recorded missed)"),
        ("already-declined", "missed (sent busy too late, recorded missed)"),
        ("peer-invalid", "missed (sent busy but refused, recorded missed)"),
    ];
    for_each(cases, |(repeat, words)| {
        let server = format!("[server]\nrepeats_calls = 'none'\nrepeat = '{repeat}'\n");
        let mut board = Start::scenario(&format!("{server}{GRACE}{late}")).size(120, 24).run();
        board.see_line(&["▶", "ringing", "Grace Hopper"]);
        board.press("X");
        board.see_line(&["Grace Hopper", words]);
        board.quit();
    });
}

//! The board itself: what is seen, and what the keys do.

use crate::pty::{Board, Start};

fn two_calls() -> Board {
    let board = Start::scenario(
        "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n\
         [[call]]\nfrom = 'alan'\nto = 'me'\nat = 0.2\nvideo = true",
    )
    .run();
    board.see_line(&["ringing", "Grace Hopper"]);
    board.see_line(&["ringing", "Alan Turing"]);
    board
}

#[test]
fn the_busy_switchboard_shows_every_state() {
    let board = Start::shipped("busy").size(140, 40).run();
    board.see("6 ringing · 1 active · 3 connecting");
    for parts in [
        ["☎ ringing", "Grace Hopper @grace", "audio ← incoming"],
        ["☎ ringing", "Margaret Hamilton", "video ← incoming"],
        ["☎ ringing", "Unknown ", "audio ← incoming"],
        ["☎ ringing", "Dennis Ritchie", "group ← group"],
        ["☎ ringing", "Edsger Dijkstra", "group ← group"],
        ["● active", "Linus Torvalds", "video ← incoming"],
        ["◌ remote ringing", "Barbara Liskov", "→ outgoing"],
        ["◌ dialing", "Dennis Ritchie", "→ outgoing"],
        ["◐ connecting", "Radia Perlman", "→ outgoing"],
    ] {
        board.see_line(&parts);
    }
    for parts in [
        ["Alan Turing", "missed"],
        ["Niklaus Wirth", "missed, busy elsewhere"],
        ["Leslie Lamport", "declined elsewhere"],
        ["Tony Hoare", "declined or cancelled"],
        ["Sophie Wilson", "answered elsewhere"],
    ] {
        board.see_line(&parts);
    }
    board.quit();
}

#[test]
fn the_filter_narrows_inverts_and_goes_back() {
    let mut board = two_calls();
    board.press("/alan");
    board.see("1 of 2 by filter “alan”");
    board.see_no("Grace Hopper");
    board.press("<enter>");
    board.see("filter “alan”");
    board.press("/");
    board.see("Esc cancel");
    board.press("<esc>");
    board.see_no("Esc cancel");
    board.see("1 of 2 by filter “alan”");
    board.press("<esc>");
    board.see_line(&["ringing", "Grace Hopper"]);
    board.press("/!alan<enter>");
    board.see("filter “!alan”");
    board.see_no("Alan Turing");
    board.see_line(&["▶", "Grace Hopper"]);
    board.quit();
}

#[test]
fn calls_are_sorted_by_peer_in_both_orders() {
    let mut board = two_calls();
    let order = |text: &str| text.find("Alan Turing") < text.find("Grace Hopper");
    board.press(">");
    board.until("Alan first", |text| text.contains("by peer ↓") && order(text));
    board.press("r");
    board.until("Grace first", |text| text.contains("by peer ↑") && !order(text));
    board.press("r<");
    board.see_no("by peer");
    board.quit();
}

#[test]
fn the_privacy_mask_hides_names_and_numbers_everywhere() {
    let mut board = two_calls();
    board.press("P");
    board.see("names hidden");
    board.press("x");
    board.see("Decline the call from");
    let text = board.text();
    for secret in ["Grace", "Hopper", "Alan", "Turing", "Ada", "Lovelace"] {
        assert!(!text.contains(secret), "{secret}:\n{text}");
    }
    board.press("<esc>");
    board.see_no("Decline the call from");
    board.press("P");
    board.see("Grace Hopper");
    board.quit();
}

#[test]
fn a_frozen_display_does_not_change_while_calls_do() {
    let scenario = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\nrings = 2";
    let mut board = Start::scenario(scenario).run();
    board.see_line(&["▶", "Grace Hopper"]);
    board.press("p");
    board.see("frozen since");
    // The header goes on: when it says that the call is over, the row must still be there.
    board.press("X");
    board.see_line(&["ringing", "Grace Hopper"]);
    board.press("p");
    board.see_no("frozen since");
    board.see_line(&["Grace Hopper", "by you"]);
    board.quit();
}

#[test]
fn details_open_and_close_by_key() {
    let mut board = two_calls();
    board.press("<enter>");
    board.see("libraries");
    board.see("13.0.0, 12.0.0, 11.0.0");
    board.press("<enter>");
    board.see_no("libraries");
    board.resize(120, 30);
    board.see("KIND");
    board.press("<enter>");
    board.see("libraries");
    board.quit();
}

#[test]
fn help_shows_the_keys_as_they_are_bound() {
    let keymap = "[board]\nhang-up = 'h'\nreverse = []\n";
    let mut board = Start::shipped("busy").file("keymap.toml", keymap).size(100, 80).run();
    board.see_line(&["h hang up…"].map(|_| "h decline…"));
    board.press("?");
    board.see_line(&["h ", "hang up, decline or cancel"]);
    board.see_line(&["(no key)", "reverse the order"]);
    board.press("G");
    board.see_wrapped("A call that you answer on another device is not visible to this session");
    board.press("<esc>");
    board.see_no("What the board shows and does");
    board.press("h");
    board.see("Decline the call from");
    board.press("<esc>");
    board.see_no("Decline the call from");
    board.quit();
}

#[test]
fn every_terminal_size_is_drawn_without_a_panic() {
    let sizes = [(200, 60), (100, 24), (99, 24), (80, 24), (60, 10), (40, 10), (39, 10), (40, 9)];
    let sizes = sizes.into_iter().chain([(20, 3), (10, 2), (2, 2), (1, 1), (3, 40), (200, 1)]);
    for (keys, seen) in [("x", "Enter send"), ("?", "On the board"), ("/a", "Esc cancel")] {
        let mut board = Start::shipped("busy").run();
        board.see("ringing");
        board.press(keys);
        board.see(seen);
        for (width, height) in sizes.clone() {
            board.resize(width, height);
        }
        board.resize(80, 24);
        board.until("a whole screen", |text| text.lines().count() == 24);
        board.press("<esc>");
        board.see_no(seen);
        board.see("● online");
        board.signal("TERM");
        assert_eq!(board.ended().code, 0);
    }
}

#[test]
fn no_color_sets_no_colour() {
    let mut board = Start::shipped("busy").env("NO_COLOR", "1").run();
    board.see(" ringing");
    board.press("x");
    board.see("Enter send");
    board.press("<esc>");
    board.see_no("Enter send");
    let raw = String::from_utf8_lossy(&board.quit().raw).into_owned();
    for sequence in raw.split("\u{1b}[").skip(1) {
        let Some((codes, _)) = sequence.split_once('m') else { continue };
        if !codes.chars().all(|char| char.is_ascii_digit() || char == ';') {
            continue;
        }
        for code in codes.split(';').filter_map(|code| code.parse::<u32>().ok()) {
            let colour = matches!(code, 30..=38 | 40..=48 | 90..=97 | 100..=107);
            assert!(!colour, "a colour: ESC[{codes}m");
        }
    }
    assert!(raw.contains("\u{1b}[7m"), "the selection is still seen");
}

#[test]
fn the_ascii_option_draws_ascii_only() {
    let mut board = Start::shipped("busy").arg("--ascii").run();
    board.see(" ringing");
    board.press("x");
    board.see("Enter send");
    board.press("<esc>");
    board.see_no("Enter send");
    board.press("<enter>");
    board.see("libraries");
    let text = board.text();
    assert!(text.is_ascii(), "{text}");
    board.see_line(&[">", "! ringing", "Grace Hopper"]);
    board.quit();
}

#[test]
fn without_unicode_the_board_is_ascii_unless_the_setting_forbids_it() {
    for (variable, value) in [("LANG", "C"), ("TERM", "linux")] {
        let start = || Start::shipped("busy").env(variable, value);
        let board = start().run();
        board.see("! ringing");
        assert!(board.text().is_ascii(), "{variable}");
        board.quit();
        let board = start().env("ONHOOK_ASCII", "false").run();
        board.see("☎ ringing");
        board.quit();
    }
}

#[test]
fn the_theme_follows_the_background_that_the_terminal_reports() {
    // A ringing call is light yellow on dark ground, and red on light ground.
    let ringing = |start: Start| {
        let board = start.run();
        board.see("☎ ringing");
        let ended = board.quit();
        let raw = String::from_utf8_lossy(&ended.raw).into_owned();
        let asked = raw.matches("\u{1b}]11;?").count();
        let color = raw.split("☎ ringing").next().unwrap_or_default().to_owned();
        (
            asked,
            color
                .rsplit("38;5;")
                .next()
                .and_then(|code| code.split(['m', ';']).next())
                .map(str::to_owned),
        )
    };
    let start = || Start::shipped("busy");
    let (light, dark) = (Some("1".to_owned()), Some("11".to_owned()));
    assert_eq!(ringing(start().background(Some("rgb:ffff/ffff/f0f0"))), (1, light.clone()));
    assert_eq!(ringing(start().background(Some("rgb:1e1e/1e1e/2e2e"))), (1, dark.clone()));
    assert_eq!(
        ringing(start().background(None)),
        (1, dark.clone()),
        "a terminal that does not know it"
    );
    assert_eq!(ringing(start().background(None).env("COLORFGBG", "0;15")), (1, light.clone()));
    assert_eq!(
        ringing(start().background(None).env("ONHOOK_THEME", "light")),
        (0, light),
        "not asked"
    );
    let old = start().background(None).env("TERM", "vt220").env("ONHOOK_ASCII", "false");
    assert_eq!(ringing(old).0, 0);
}

#[test]
fn a_new_call_rings_the_bell_and_asks_for_a_notification() {
    let scenario = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1";
    let board = Start::scenario(scenario).run();
    board.see_line(&["▶", "Grace Hopper"]);
    let raw = String::from_utf8_lossy(&board.quit().raw).into_owned();
    assert!(raw.contains('\u{7}') && raw.contains("\u{1b}]9;Grace Hopper is calling\u{1b}\\"));

    let quiet = Start::scenario(scenario).arg("--no-bell").arg("--no-notify").run();
    quiet.see_line(&["▶", "Grace Hopper"]);
    let raw = String::from_utf8_lossy(&quiet.quit().raw).into_owned();
    assert!(!raw.contains('\u{7}') && !raw.contains("]9;"));
}

#[test]
fn calls_that_ring_at_once_come_as_one_more_notification() {
    let scenario = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n\
        [[call]]\nfrom = 'alan'\nto = 'me'\nat = 0.1";
    let board = Start::scenario(scenario).run();
    board.see_raw("\u{1b}]9;Grace Hopper is calling\u{1b}\\");
    board.see_raw("\u{1b}]9;Grace Hopper and 1 more are calling\u{1b}\\");
    board.quit();
}

#[test]
fn the_notification_goes_through_tmux_in_the_form_of_its_terminal() {
    let scenario = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1";
    let board = Start::scenario(scenario).env("TMUX", "x,1,0").env("KITTY_WINDOW_ID", "1").run();
    board.see_raw("\u{1b}Ptmux;\u{1b}\u{1b}]99;;Grace Hopper is calling\u{1b}\u{1b}\\\u{1b}\\");
    board.quit();
}

#[test]
fn the_window_title_counts_the_ringing_calls_and_is_given_back() {
    let scenario = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n\
        [[call]]\nfrom = 'alan'\nto = 'me'\nat = 0.1";
    let mut board = Start::scenario(scenario).run();
    board.see_raw("\u{1b}[22;0t");
    board.see_raw("\u{1b}]2;☎ 2 · onhook\u{1b}\\");
    board.press("<ctrl-z>");
    board.until_stopped();
    board.see_raw("\u{1b}[23;0t");
    board.signal("CONT");
    board.see_raw("\u{1b}]2;☎ 2 · onhook\u{1b}\\");
    let ended = board.quit();
    let raw = String::from_utf8_lossy(&ended.raw);
    assert_eq!((raw.matches("\u{1b}[22;0t").count(), raw.matches("\u{1b}[23;0t").count()), (2, 2));
    assert!(raw.rfind("\u{1b}[23;0t") > raw.rfind("\u{1b}]2;"), "no title after the restored one");

    let ascii = Start::scenario(scenario).arg("--ascii").run();
    ascii.see_raw("\u{1b}]2;! 2 - onhook\u{1b}\\");
    ascii.signal("TERM");
    let raw = ascii.ended().raw;
    assert!(String::from_utf8_lossy(&raw).contains("\u{1b}[23;0t"));

    for quiet in [("ONHOOK_TITLE", "false"), ("TERM", "linux")] {
        let board = Start::scenario(scenario).env(quiet.0, quiet.1).run();
        board.see("2 ringing");
        let raw = board.quit().raw;
        let raw = String::from_utf8_lossy(&raw);
        assert!(!raw.contains("\u{1b}]2;") && !raw.contains(";0t"), "{quiet:?}");
    }
}

#[test]
fn wide_names_keep_the_columns_straight() {
    let scenario = "[[person]]\nkey = 'li'\nname = '李明 🧑‍🚀'\n[[person]]\nkey = 'arab'\nname = 'مريم'\n\
        [[call]]\nfrom = 'li'\nto = 'me'\nat = 0.1\n[[call]]\nfrom = 'arab'\nto = 'me'\nat = 0.1\n\
        [[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.2";
    let board = Start::scenario(scenario).run();
    board.see("3 ringing");
    board.see("Grace Hopper");
    let locked = board.text();
    let column = |name: &str| {
        let line = locked.lines().find(|line| line.contains(name)).expect(name);
        let head = &line[..line.find('←').expect("an arrow")];
        onhook::text::width(head)
    };
    assert_eq!(column("李明"), column("Grace Hopper"));
    assert_eq!(column("مريم"), column("Grace Hopper"));
    board.quit();
}

#[test]
fn a_command_is_completed_and_does_what_its_key_does() {
    let mut board = two_calls();
    board.press(":");
    board.see("Commands");
    board.press("revers");
    board.see_line(&["reverse", "reverse the order"]);
    board.press("<enter>");
    board.see("unknown command");
    board.press("<tab><enter>");
    board.see("by state ↑");
    board.see_no("Commands");
    board.press(":hang-up<enter>");
    board.see("Decline the call from");
    board.press("<esc>");
    board.see_no("Decline the call from");
    let ended = board.quit();
    assert!(crate::pty::hang_ups(&ended.requests).is_empty());
}

#[test]
fn the_selected_caller_is_copied_by_the_terminal() {
    let mut board = Start::scenario("[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1").run();
    board.see_line(&["ringing", "Grace Hopper"]);
    board.press("y");
    board.see("copied: Grace Hopper @grace");
    board.press("P");
    board.see_line(&["ringing", "G.H."]);
    board.press("y");
    board.see("names are hidden; nothing was copied");
    let raw = String::from_utf8_lossy(&board.quit().raw).into_owned();
    let copies: Vec<_> = raw.split("\u{1b}]52;c;").skip(1).collect();
    assert_eq!(copies.len(), 1, "nothing behind the mask");
    // "Grace Hopper @grace " in base64, before the id.
    assert!(copies[0].starts_with("R3JhY2UgSG9wcGVyIEBncmFjZS"), "{}", copies[0]);
}

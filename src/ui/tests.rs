//! Every screen and dialog as text, at the sizes that matter, and its styles as runs.

mod call_panel;
mod devices;
mod pictures;
mod questions;
mod reply;
mod rules;
mod screens;
mod sizes;

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pictures::svg;
use questions::newcomer;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::app::account::AccountState;
use crate::app::action::Action;
use crate::app::msg::Msg;
use crate::app::sign_in_dialog::SignInMode;
use crate::app::update;
use crate::calls::account::{AccountEvent, ConnectionState};
use crate::calls::event::{CallEvent, LiveCall, Protocol, Relays, Stage};
use crate::calls::failure::Failure;
use crate::calls::reason::{EndReason, Recorded};
use crate::calls::{AccountId, CallKey, Handle, Party};
use crate::config::theme::Depth;
use crate::sign_in;

const ME: i64 = 1;
const ACCOUNT: AccountId = AccountId(0);

fn at(second: i64) -> Timestamp {
    // 2027-01-15 08:00:00 UTC.
    Timestamp::from_second(1_800_000_000 + second).expect("in range")
}

fn look() -> DisplayOptions {
    let theme = Theme::load("dark", std::path::Path::new("."), Depth::Sixteen);
    DisplayOptions {
        theme: theme.expect("the shipped theme"),
        keymap: Keymap::default(),
        ascii: false,
        zone: TimeZone::UTC,
        background: Background::Dark,
    }
}

fn tell(state: &mut State, event: AccountEvent, second: i64) {
    update(state, Msg::Account(ACCOUNT, event), at(second));
}

fn press(state: &mut State, actions: &[Action], second: i64) {
    for action in actions {
        update(state, Msg::Action(*action), at(second));
    }
}

fn empty_board() -> State {
    let own = Party { name: Some("Ada Lovelace".to_owned()), ..Party::unknown(ME) };
    let mut state = State::new(vec![AccountState::new("ada".to_owned(), own)]);
    tell(&mut state, AccountEvent::ConnectionState(ConnectionState::Online), 0);
    state
}

fn peer(id: i64, name: &str, username: Option<&str>) -> Party {
    Party {
        user_id: 7_000_000_000 + id,
        name: Some(name.to_owned()).filter(|name| !name.is_empty()),
        username: username.map(str::to_owned),
        phone: None,
        contact: None,
    }
}

fn call(state: &mut State, id: i64, peer: Party, incoming: bool, stage: Stage) {
    let (caller, callee) = if incoming { (peer.user_id, ME) } else { (ME, peer.user_id) };
    let live = LiveCall {
        handle: Handle { id, access_hash: 9 },
        caller,
        callee,
        peer,
        date: at(id * 3),
        video: id % 2 == 0,
        stage,
        protocol: Protocol { layers: (65, 92), libraries: vec!["13.0.0".to_owned()] },
        exchange: None,
    };
    tell(state, AccountEvent::Call(CallEvent::Live(Box::new(live))), id * 3);
}

fn ended(state: &mut State, id: i64, reason: Option<EndReason>, duration: Option<u32>) {
    let reason = reason.map(Recorded::Reason);
    let event = CallEvent::Discarded { id, reason, duration, video: false };
    tell(state, AccountEvent::Call(event), 40);
}

fn failed(state: &mut State, id: i64, failure: Failure) {
    let key = CallKey::private(ACCOUNT, id);
    tell(state, AccountEvent::RequestDone { key, attempt: 1, outcome: Err(failure) }, 50);
}

/// A board with a call in every state, and three that are over.
fn full_board() -> State {
    let mut state = empty_board();
    let active = |second| Stage::Established {
        since: at(second),
        relays: Relays { peer_to_peer: true, reflectors: 2, webrtc: 1 },
    };
    call(&mut state, 1, peer(1, "Grace Hopper", Some("grace")), true, Stage::Requested);
    call(&mut state, 2, peer(2, "李明 🧑‍🚀 from far away", None), true, Stage::Requested);
    call(&mut state, 3, peer(3, "", None), true, Stage::Requested);
    call(&mut state, 4, peer(4, "Linus Torvalds", Some("linus")), true, active(14));
    call(&mut state, 5, peer(5, "مريم", None), false, Stage::Waiting { received: None });
    call(&mut state, 6, peer(6, "Barbara", None), false, Stage::Waiting { received: Some(at(20)) });
    call(&mut state, 7, peer(7, "Edsger", None), false, Stage::Accepted);
    call(&mut state, 8, peer(8, "Alan Turing", None), true, Stage::Requested);
    ended(&mut state, 8, Some(EndReason::Missed), None);
    call(&mut state, 9, peer(9, "Sophie Wilson", None), true, Stage::Requested);
    ended(&mut state, 9, None, None);
    call(&mut state, 10, peer(10, "Ken Thompson", None), false, active(30));
    ended(&mut state, 10, Some(EndReason::HangUp), Some(10));
    state
}

fn drawn(
    state: &mut State,
    look: &DisplayOptions,
    (width, height): (u16, u16),
    second: i64,
) -> Buffer {
    update(state, Msg::Resized { width, height }, at(second));
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("in memory");
    let mut scratch = Scratch::default();
    for _ in 0..2 {
        let frame = |frame: &mut Frame| view(state, look, at(second), &mut scratch, frame);
        terminal.draw(frame).expect("in memory");
        if let Some(last) = scratch.take_changed_help() {
            update(state, Msg::HelpShown { last }, at(second));
        }
        if let Some(rows) = scratch.take_changed_rows() {
            update(state, Msg::RowsShown(rows), at(second));
        }
    }
    terminal.backend().buffer().clone()
}

fn text_of(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let lines = buffer.content.chunks(width).map(|cells| {
        let mut line = String::new();
        let mut skip = 0;
        for cell in cells {
            if skip == 0 {
                line.push_str(cell.symbol());
                skip = crate::text::width(cell.symbol());
            }
            skip = skip.saturating_sub(1);
        }
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs of cells that look the same, line by line: only those that are not plain.
fn styles_of(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let mut runs = Vec::new();
    for (y, cells) in buffer.content.chunks(width).enumerate() {
        let mut start = 0;
        while start < width {
            let style = cells[start].style();
            let len = cells[start..].iter().take_while(|cell| cell.style() == style).count();
            let plain = Style::reset();
            let look = (style.fg, style.bg, style.add_modifier);
            if look != (plain.fg, plain.bg, plain.add_modifier) {
                let fg = style.fg.unwrap_or_default();
                runs.push(format!("{y:2} {start:3}+{len:<3} {fg} {:?}", style.add_modifier));
            }
            start += len;
        }
    }
    runs.join("\n")
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../tests/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn shows(name: &str, state: &mut State, size: (u16, u16)) {
    snapshot(name, &text_of(&drawn(state, &look(), size, 60)));
}

#[test]
fn the_board_at_every_size_that_changes_it() {
    for size in [(120, 40), (100, 24), (99, 24), (80, 24), (64, 20), (40, 12), (40, 10)] {
        shows(&format!("board_{}x{}", size.0, size.1), &mut full_board(), size);
    }
    shows("board_29x9", &mut full_board(), (29, 9));
    shows("board_30x2", &mut full_board(), (30, 2));
    shows("board_29x1", &mut full_board(), (29, 1));
}

#[test]
fn the_empty_board() {
    shows("empty_80x24", &mut empty_board(), (80, 24));
}

#[test]
fn the_styles_of_the_board() {
    let mut state = full_board();
    press(&mut state, &[Action::Mark], 55);
    snapshot("board_styles", &styles_of(&drawn(&mut state, &look(), (80, 24), 60)));
}

#[test]
fn the_picker_in_every_state_of_a_call() {
    for (name, steps) in [("ringing", 0), ("active", 3), ("dialing", 4), ("connecting", 6)] {
        let mut state = full_board();
        press(&mut state, &[Action::Top], 55);
        press(&mut state, &vec![Action::Down; steps], 55);
        press(&mut state, &[Action::HangUp], 55);
        shows(&format!("picker_{name}"), &mut state, (80, 24));
    }
    let mut state = full_board();
    press(&mut state, &[Action::Top, Action::Mark, Action::Mark, Action::Mark, Action::Mark], 55);
    press(&mut state, &[Action::HangUp], 55);
    shows("picker_marked", &mut state, (80, 24));
    shows("picker_40x12", &mut state, (40, 12));
}

#[test]
fn errors_stand_on_their_rows() {
    let mut state = full_board();
    press(&mut state, &[Action::Top, Action::HangUpNow], 45);
    press(&mut state, &[Action::Down, Action::HangUpNow], 45);
    press(&mut state, &[Action::Down, Action::HangUpNow], 45);
    let refused = |code, name: &str, value| Failure::Refused { code, name: name.to_owned(), value };
    failed(&mut state, 3, refused(400, "CALL_ALREADY_ACCEPTED", None));
    failed(&mut state, 2, refused(420, "FLOOD_WAIT", Some(31)));
    let size = (80, 24);
    shows("errors_80x24", &mut state, size);
    shows("errors_120x24", &mut state, (120, 24));
    shows("errors_40x12", &mut state, (40, 12));
    failed(&mut state, 1, Failure::NoAnswer { after: Duration::from_secs(15) });
    shows("errors_unknown", &mut state, size);
}

#[test]
fn dialogs_and_modes() {
    let dialogs = [
        ("help", vec![Action::Help]),
        ("help_end", vec![Action::Help, Action::Bottom]),
        ("help_of_picker", vec![Action::HangUp, Action::Help]),
        ("help_of_filter", vec![Action::Filter, Action::Help]),
        ("details", vec![Action::Details]),
        ("privacy", vec![Action::Privacy]),
        ("frozen", vec![Action::Freeze]),
        ("sorted", vec![Action::SortRight, Action::Reverse]),
        ("filter", vec![Action::Filter]),
        ("quit", vec![Action::HangUpNow, Action::Quit]),
    ];
    for (name, actions) in dialogs {
        let mut state = full_board();
        state.size = (80, 24);
        press(&mut state, &actions, 55);
        shows(&format!("mode_{name}"), &mut state, (80, 24));
    }
}

#[test]
fn the_command_line_lists_what_fits() {
    let typed = |text: &str, then: &[Action]| {
        let mut state = full_board();
        press(&mut state, &[Action::CommandLine], 55);
        update(&mut state, Msg::Paste(text.to_owned()), at(55));
        press(&mut state, then, 55);
        state
    };
    shows("command_line", &mut typed("", &[]), (80, 24));
    shows("command_line_40x12", &mut typed("", &[Action::CompleteBack]), (40, 12));
    shows("command_line_chosen", &mut typed("re", &[Action::Complete; 3]), (80, 24));
    shows("command_line_unknown", &mut typed("rev", &[Action::Accept]), (80, 24));
}

/// The whole help page is read at each width: every line is wrapped, and none is cut.
#[test]
fn the_help_page_is_wrapped_and_not_cut() {
    for (width, height) in [(40, 110), (60, 80)] {
        let mut state = empty_board();
        press(&mut state, &[Action::Help], 55);
        let text = text_of(&drawn(&mut state, &look(), (width, height), 60));
        assert!(!text.contains('…'), "{text}");
        snapshot(&format!("help_{width}"), &text);
    }
}

#[test]
fn two_accounts_are_told_apart() {
    let mut state = full_board();
    let grace = Party { name: Some("Grace Hopper".to_owned()), ..Party::unknown(2) };
    let mut second = AccountState::new("work".to_owned(), grace);
    second.connection = ConnectionState::SignedOut { code: "SESSION_REVOKED".to_owned() };
    state.accounts.push(second);
    shows("two_accounts_80x24", &mut state, (80, 24));
    shows("two_accounts_120x30", &mut state, (120, 30));
}

#[test]
fn every_state_of_the_connection() {
    let states = [
        ("connecting", ConnectionState::Connecting),
        ("retrying", ConnectionState::Retrying { at: at(64), cause: "refused".to_owned() }),
        ("signed_out", ConnectionState::SignedOut { code: "SESSION_REVOKED".to_owned() }),
        ("unusable", ConnectionState::Unusable { cause: "session.db is no session".to_owned() }),
    ];
    for (name, connection) in states {
        let mut state = empty_board();
        state.sign_in_mode = SignInMode::Open;
        tell(&mut state, AccountEvent::ConnectionState(connection), 60);
        let text = text_of(&drawn(&mut state, &look(), (80, 12), 60));
        snapshot(&format!("header_{name}"), text.lines().next().unwrap_or_default());
    }
}

#[test]
fn without_room_for_what_is_wrong_the_header_names_the_key_that_shows_it() {
    let mut state = empty_board();
    state.accounts.truncate(1);
    for name in ["home", "work"] {
        state.accounts.push(AccountState::new(name.to_owned(), Party::unknown(5)));
    }
    for account in &mut state.accounts {
        account.connection = ConnectionState::Unusable { cause: "in use".to_owned() };
    }
    let text = text_of(&drawn(&mut state, &look(), (80, 12), 60));
    let header = text.lines().next().unwrap_or_default();
    assert!(header.contains("✗ ada F5 ✗ home F5 ✗ work F5"), "{header}");
}

#[test]
fn ascii_has_nothing_else() {
    let mut state = full_board();
    press(&mut state, &[Action::HangUp], 55);
    let look = DisplayOptions { ascii: true, ..look() };
    let text = text_of(&drawn(&mut state, &look, (80, 24), 60));
    assert!(text.is_ascii());
    snapshot("ascii_80x24", &text);
}

#[test]
fn without_colour_every_state_is_still_told_apart() {
    let theme = Theme::load("dark", std::path::Path::new("."), Depth::None);
    let look = DisplayOptions { theme: theme.expect("the shipped theme"), ..look() };
    let buffer = drawn(&mut full_board(), &look, (80, 24), 60);
    let coloured = |style: Style| {
        style.fg != Some(ratatui::style::Color::Reset)
            || style.bg != Some(ratatui::style::Color::Reset)
    };
    assert!(buffer.content.iter().all(|cell| !coloured(cell.style())));
    let text = text_of(&buffer);
    for word in ["ringing", "active", "dialing", "remote ringing", "connecting", "▶"] {
        assert!(text.contains(word), "{word}");
    }
}

#[test]
fn no_size_panics_in_any_dialog() {
    let dialogs = [
        vec![],
        vec![Action::HangUp],
        vec![Action::HangUp, Action::DeclineWithText],
        vec![Action::Help],
        vec![Action::Filter],
        vec![Action::CommandLine, Action::Complete],
        vec![Action::Details],
        vec![Action::HangUpNow, Action::Quit],
    ];
    for actions in dialogs {
        let mut state = full_board();
        press(&mut state, &actions, 55);
        for width in (1..=60).chain([79, 80, 99, 100, 101, 200]) {
            for height in (1..=24).chain([60]) {
                drawn(&mut state, &look(), (width, height), 60);
            }
        }
    }
}

/// The pictures in the README are what this draws. `ONHOOK_UPDATE=1 cargo test` draws them anew.
#[test]
fn the_pictures_in_the_readme_are_the_screens() {
    let mut state = full_board();
    press(&mut state, &[Action::Top, Action::Down, Action::HangUpNow, Action::Down], 45);
    failed(
        &mut state,
        2,
        Failure::Refused { code: 500, name: "CALL_OCCUPY_FAILED".to_owned(), value: None },
    );
    press(&mut state, &[Action::HangUp], 50);
    check_picture("screenshot.svg", &svg(&drawn(&mut state, &look(), (120, 27), 60)));

    let url = format!("tg://login?token={}", "onhook_".repeat(6));
    let qr = sign_in::SignInEvent::Qr { url, until: at(88) };
    let mut state = newcomer(&[Action::Down, Action::Accept], "", Some(qr));
    state.size = (80, 24);
    check_picture("sign-in.svg", &svg(&drawn(&mut state, &look(), (80, 24), 60)));
}

fn check_picture(name: &str, picture: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(name);
    if std::env::var_os("ONHOOK_UPDATE").is_some() {
        std::fs::write(&file, picture).expect("the picture is written");
    }
    let shown = std::fs::read_to_string(&file).expect("the picture is there");
    assert!(
        shown == picture,
        "the picture is out of date: ONHOOK_UPDATE=1 cargo test draws it anew"
    );
}

#[test]
fn a_call_that_rings_behind_a_frozen_display_is_shown() {
    let mut state = full_board();
    press(&mut state, &[Action::Freeze], 55);
    call(&mut state, 20, peer(20, "Zoe", None), true, Stage::Requested);
    let text = text_of(&drawn(&mut state, &look(), (80, 24), 60));
    assert!(text.contains("4 ringing") && !text.contains("Zoe"), "{text}");
    assert!(text.contains("a new call rings behind the frozen display"), "{text}");
    assert!(text.contains("p thaw"), "{text}");
}

#[test]
fn at_the_end_of_the_help_page_each_key_moves_it() {
    let mut state = full_board();
    press(&mut state, &[Action::Help], 55);
    let shown = |state: &mut State, action| {
        press(state, &[action], 55);
        text_of(&drawn(state, &look(), (80, 24), 60))
    };
    let end = shown(&mut state, Action::Bottom);
    for past_the_end in [Action::Down, Action::PageDown, Action::Bottom] {
        assert_eq!(shown(&mut state, past_the_end), end, "{past_the_end:?}");
    }
    let above = shown(&mut state, Action::Up);
    assert_ne!(above, end, "the first key upwards moves it");
    assert_eq!(shown(&mut state, Action::Down), end);
}

#[test]
fn the_help_page_explains_the_letters_of_accounts_where_rows_have_them() {
    let help = |size| {
        let mut state = sizes::board_of_three();
        press(&mut state, &[Action::Help, Action::Bottom], 55);
        let mut all = String::new();
        for _ in 0..60 {
            all += &text_of(&drawn(&mut state, &look(), size, 60));
            press(&mut state, &[Action::PageUp], 55);
        }
        all
    };
    let narrow = help((30, 10));
    for entry in ["a          ada", "w          work", "h          home"] {
        assert!(narrow.contains(entry), "{entry}");
    }
    assert!(!help((80, 24)).contains("Letters of the accounts"), "the rows have the names");
}

#[test]
fn in_ascii_a_name_that_cannot_be_read_is_the_username_or_the_id() {
    let mut state = empty_board();
    call(&mut state, 1, peer(1, "张伟", Some("wei")), true, Stage::Requested);
    call(&mut state, 2, peer(2, "مريم", None), true, Stage::Requested);
    call(&mut state, 3, peer(3, "Zoë", None), true, Stage::Requested);
    let look = DisplayOptions { ascii: true, ..look() };
    let text = text_of(&drawn(&mut state, &look, (80, 24), 60));
    for name in ["@wei", "Unknown 7000000002", "Zo?", "x decline..."] {
        assert!(text.contains(name), "{name}:\n{text}");
    }
    assert!(!text.contains("@wei @wei"), "{text}");
}

#[test]
fn in_ascii_a_notice_names_people_as_the_rows_do() {
    let mut state = empty_board();
    state.is_ascii = true;
    call(&mut state, 1, peer(1, "张伟", Some("wei")), true, Stage::Requested);
    press(&mut state, &[Action::HangUpNow, Action::HangUpNow], 55);
    let look = DisplayOptions { ascii: true, ..look() };
    let text = text_of(&drawn(&mut state, &look, (80, 24), 56));
    assert!(text.contains("@wei: a hang-up is already on its way"), "{text}");
}

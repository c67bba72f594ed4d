//! The last line: the keys that apply, the newest notice, or the filter being typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{View, put, put_all, with_cursor};
use crate::app::Screen;
use crate::app::action::{Action, Layer};
use crate::app::dialog::Dialog;
use crate::app::request::obstacle;
use crate::calls::account::ConnectionState;
use crate::calls::{CallKind, RequestState};
use crate::text;
use crate::words;
use crate::words::screen::{FILTER_KEYS, MORE_IN_DOCTOR, UNCONFIRMED, calls_off};

pub(super) fn draw(view: View, area: Rect, buffer: &mut Buffer) {
    if let Some(Dialog::Filter { input, .. }) = &view.state.dialog {
        return draw_filter(view, input, area, buffer);
    }
    let standing = || standing(view, area.width).filter(|_| view.state.screen == Screen::Calls);
    let notice = view.state.notices.newest().map(str::to_owned).or_else(standing);
    let notice = notice.map(|text| format!("  {text} ")).unwrap_or_default();
    let notice_width = (text::width(&notice) as u16).min(area.width);
    let room = area.width.saturating_sub(notice_width);
    let mut used = 0;
    for (key, text) in hints(view) {
        let hint =
            [(format!(" {key}"), view.theme().key), (format!(" {text} "), view.theme().muted)];
        let width = hint.iter().map(|(text, _)| text::width(text) as u16).sum::<u16>();
        if used + width > room {
            break;
        }
        used += put_all(buffer, (area.x + used, area.y), room - used, &hint);
    }
    let x = area.right() - notice_width;
    put(buffer, (x, area.y), notice_width, &notice, view.theme().warning);
}

/// A condition of an account that needs the user.
fn standing(view: View, width: u16) -> Option<String> {
    let accounts = || view.state.accounts.iter().filter(|account| !account.is_out());
    let unusable = view.state.accounts.iter().find_map(|account| match &account.connection {
        ConnectionState::Unusable { cause } => {
            let text = format!("{}: {cause}", view.state.shown_account(account));
            let room = usize::from(width).saturating_sub(4);
            if text::width(&text) <= room {
                return Some(text);
            }
            Some(text::cut(&text, room.saturating_sub(MORE_IN_DOCTOR.len())) + MORE_IN_DOCTOR)
        }
        _ => None,
    });
    if unusable.is_some() {
        return unusable;
    }
    let key = view.options.keymap.hint(Layer::Board, Action::EnableCalls);
    if accounts().any(|account| account.authorization.calls_off) {
        return Some(calls_off(key.as_deref()));
    }
    let unconfirmed = accounts().any(|account| account.authorization.unconfirmed);
    unconfirmed.then(|| UNCONFIRMED.to_owned())
}

fn draw_filter(view: View, input: &tui_input::Input, area: Rect, buffer: &mut Buffer) {
    let label = " filter: ";
    let room = usize::from(area.width).saturating_sub(text::width(label) + 2);
    let parts = [
        (label.to_owned(), view.theme().key),
        (with_cursor(input.value(), input.cursor(), room), view.theme().text),
        (format!("   {FILTER_KEYS}"), view.theme().muted),
    ];
    put_all(buffer, (area.x, area.y), area.width, &parts);
}

/// The keys that apply now, with their texts.
fn hints(view: View) -> Vec<(String, String)> {
    let state = view.state;
    if let Some(Dialog::SignIn(_)) = &state.dialog {
        // Its keys are in the frame of the dialog.
        return Vec::new();
    }
    let mut actions: Vec<(Action, String)> = Vec::new();
    let mut add = |action, text: &str| actions.push((action, text.to_owned()));
    if state.screen == Screen::History {
        add(Action::Details, "details");
        add(Action::Filter, "filter");
        add(Action::MissedOnly, "missed");
        add(Action::StrangersOnly, "unknown");
        add(Action::Statistics, "statistics");
        add(Action::OlderCalls, "older");
        add(Action::NextScreen, "accounts");
        add(Action::Help, "help");
        add(Action::Quit, "quit");
        return keyed(view, Layer::History, actions);
    }
    if state.screen == Screen::Accounts {
        add(Action::Details, "its calls");
        add(Action::SignIn, "sign in");
        add(Action::Reconnect, "reconnect");
        add(Action::EnableCalls, "receive calls");
        add(Action::NextScreen, "calls");
        add(Action::Help, "help");
        add(Action::Quit, "quit");
        return keyed(view, Layer::Accounts, actions);
    }
    if !state.calls.marked().is_empty() {
        let shown = state.targets().len();
        if shown > 0 {
            add(Action::HangUp, &format!("hang up {shown} marked…"));
        }
        add(Action::Back, "unmark");
    } else if let Some(call) = state.selected_call() {
        let signed_out = state.account(call.key.account).is_out();
        if !signed_out && obstacle(call, view.now).is_none() {
            let verb = words::call::imperative(call.verb());
            match call.key.kind {
                CallKind::Private => {
                    add(Action::HangUp, &format!("{verb}…"));
                    let reason = call.default_reason();
                    add(Action::HangUpNow, &format!("{verb} ({})", reason.code()));
                }
                // It is declined without a reason.
                CallKind::Group => add(Action::HangUpNow, verb),
            }
        }
        if matches!(call.request, RequestState::Failed { .. }) {
            add(Action::Dismiss, "dismiss error");
        }
        add(Action::Details, "details");
    }
    if state.frozen.is_some() {
        add(Action::Freeze, "thaw");
    }
    add(Action::Filter, "filter");
    add(Action::NextScreen, "history");
    add(Action::Help, "help");
    add(Action::Quit, "quit");
    keyed(view, Layer::Board, actions)
}

/// The keys of actions, of those that have one.
fn keyed(view: View, layer: Layer, actions: Vec<(Action, String)>) -> Vec<(String, String)> {
    let keyed = actions.into_iter().filter_map(|(action, text)| {
        view.options.keymap.hint(layer, action).map(|key| (key, text))
    });
    keyed.collect()
}

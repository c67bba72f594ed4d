//! The last line: the keys that apply, and a message or the filter being typed.
//!
//! A message that has no room beside the keys is shown at another place, so that it never hides them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use ratatui::style::Style;

use super::call_note::Note;
use super::panels::{MESSAGE_FROM, NotePlace, Panels};
use super::prompt::FooterPrompt;
use super::{View, call_table, command_line, put, put_all, reply, with_cursor};
use crate::app::account::AccountState;
use crate::app::action::{Action, Layer};
use crate::app::dialog::{Dialog, RenameLine};
use crate::app::phone::OwnCall;
use crate::app::recording::RecordingStage;
use crate::app::request::obstacle;
use crate::app::sign_in_dialog::SignInMode;
use crate::app::{DetailPane, Screen, has_frames};
use crate::calls::account::ConnectionState;
use crate::calls::{Call, CallKind, Phase, RequestState};
use crate::text;
use crate::words;
use crate::words::notice::ring_behind_frozen;
use crate::words::screen::{FILTER_KEYS, MORE_IN_DOCTOR, UNCONFIRMED, calls_off, of_account};

/// The keys that a message beside them does not push aside.
const KEPT_HINTS: usize = 2;
/// The width below which the texts of keys are short.
const SHORT_BELOW: u16 = 40;

/// The keys of the history, the most important ones first.
const HISTORY_HINTS: [(Action, &str); 9] = [
    (Action::Details, "details"),
    (Action::Filter, "filter"),
    (Action::MissedOnly, "missed"),
    (Action::StrangersOnly, "unknown"),
    (Action::Statistics, "statistics"),
    (Action::OlderCalls, "older"),
    (Action::NextScreen, "accounts"),
    (Action::Help, "help"),
    (Action::Quit, "quit"),
];
/// A key with what it does.
struct Hint {
    key: String,
    text: String,
}

impl Hint {
    fn parts(&self, view: View) -> [(String, Style); 2] {
        let (key, text) = (format!(" {}", self.key), format!(" {} ", self.text));
        [(key, view.theme().key), (text, view.theme().muted)]
    }

    fn width(&self) -> u16 {
        (text::width(&self.key) + text::width(&self.text) + 3) as u16
    }
}

/// What the footer has to say besides the keys.
struct FooterMessage {
    text: String,
    style: Style,
    /// Whether it fits beside the keys.
    beside: bool,
}

pub(super) fn draw(view: View, panels: &Panels, buffer: &mut Buffer) {
    let area = panels.footer;
    if let Some(Dialog::Filter { input, .. }) = &view.state.dialog {
        return draw_filter(view, input, area, buffer);
    }
    if let Some(Dialog::Rename(line)) = &view.state.dialog {
        return draw_name(view, line, area, buffer);
    }
    if let Some(Dialog::CommandLine(line)) = &view.state.dialog {
        return command_line::draw(view, line, area, buffer);
    }
    if let Some(Dialog::Reply(dialog)) = &view.state.dialog
        && !panels.framed
    {
        return reply::draw_prompt(view, dialog, panels, buffer);
    }
    if let Some(prompt) = FooterPrompt::new(view, panels.framed, area.width) {
        return prompt.draw(view, panels, buffer);
    }
    let hints = hints(view, area.width);
    let message = message(view, &hints, panels.framed, area.width, panels.notes);
    let beside = message.as_ref().filter(|message| message.beside);
    let beside = beside.map(|message| (format!("  {} ", message.text), message.style));
    let beside_width = beside.as_ref().map_or(0, |(text, _)| text::width(text) as u16);
    let room = area.width.saturating_sub(beside_width);
    let mut used = 0;
    for hint in hints {
        if used + hint.width() > room {
            break;
        }
        used += put_all(buffer, (area.x + used, area.y), room - used, &hint.parts(view));
    }
    if let Some((text, style)) = beside {
        put(buffer, (area.right() - beside_width, area.y), beside_width, &text, style);
    }
    if let Some(message) = message.filter(|message| !message.beside) {
        let Rect { x, y, width, .. } = panels.message;
        if panels.message == panels.header {
            // The clock and the state of the connection stay.
            let width = width.saturating_sub(10);
            let text = format!("{:<1$}", text::cut(&message.text, width.into()), width.into());
            put(buffer, (x + 3, y), width, &text, message.style);
        } else {
            let mut text = format!(" {} ", message.text);
            if !panels.framed {
                // The line has text of the panel below it.
                let rest = usize::from(width).saturating_sub(text::width(&text));
                text.push_str(&" ".repeat(rest));
            }
            put(buffer, (x, y), width, &text, message.style);
        }
    }
}

/// Whether a message or a prompt needs more than the footer.
pub(super) fn overflows(view: View, width: u16, notes: NotePlace) -> bool {
    if let Some(prompt) = FooterPrompt::new(view, false, width) {
        return prompt.overflows(width);
    }
    if matches!(view.state.dialog, Some(Dialog::Reply(_))) {
        return true;
    }
    message(view, &hints(view, width), false, width, notes).is_some_and(|message| !message.beside)
}

/// The newest notice, else the error on the selected call, else a standing condition, else the note
/// of the selected call. The notes only where their rows do not have them.
fn message(
    view: View,
    hints: &[Hint],
    framed: bool,
    width: u16,
    notes: NotePlace,
) -> Option<FooterMessage> {
    let width_of = |hints: &[Hint]| hints.iter().map(Hint::width).sum::<u16>();
    let room = |hints: &[Hint]| usize::from(width.saturating_sub(width_of(hints) + 3));
    let warning = |text: String| {
        let beside = text::width(&text) <= room(hints);
        FooterMessage { text, style: view.theme().warning, beside }
    };
    if let Some(notice) = view.state.notices.newest() {
        return Some(warning(notice.to_owned()));
    }
    if view.state.screen != Screen::Calls {
        return None;
    }
    let note = match notes {
        NotePlace::Rows => None,
        NotePlace::Footer => call_table::selected_note(view, width),
    };
    let beside = |note: &Note| {
        let text = note.fitting(room(&hints[..hints.len().min(KEPT_HINTS)]))?.to_owned();
        Some(FooterMessage { text, style: note.style, beside: true })
    };
    // A frame has it in its title. On the lowest screens it would hide the counts of the header.
    let filtered = || call_table::filtered(view).filter(|_| !framed).map(warning);
    let filtered = || filtered().filter(|it| it.beside || view.state.size.1 >= MESSAGE_FROM);
    let sound = || sound_trouble(view, framed).map(warning);
    let standing = || sound().or_else(|| standing(view, width).map(warning)).or_else(filtered);
    let Some(note) = note else { return standing() };
    if note.failed {
        let beside = text::width(&note.text) <= room(hints);
        return Some(FooterMessage { text: note.text, style: note.style, beside });
    }
    standing().or_else(|| beside(&note))
}

/// What is wrong with the sound of the call that this session has, where no panel shows it.
fn sound_trouble(view: View, framed: bool) -> Option<String> {
    let has_panel = framed && view.state.detail_pane() == DetailPane::Shown;
    view.state.phone.as_ref().filter(|_| !has_panel)?.trouble.clone()
}

/// Calls that ring behind a frozen display, or a condition of an account that needs the user.
fn standing(view: View, width: u16) -> Option<String> {
    if let Some(frozen) = &view.state.frozen {
        let rings = |call: &&Call| call.phase == Phase::Ringing;
        let unseen = |call: &&Call| frozen.calls.get(call.key).is_none();
        let calls = view.state.calls.live().filter(rings).filter(unseen).count();
        if calls > 0 {
            return Some(ring_behind_frozen(calls));
        }
    }
    let present = || view.state.present().map(|(_, account)| account);
    let accounts = || present().filter(|account| !account.is_out());
    let unusable = present().find_map(|account| match &account.connection {
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
    let named = |account: &AccountState, text: &str| {
        if view.state.has_several_accounts() {
            of_account(&view.state.shown_account(account), text)
        } else {
            text.to_owned()
        }
    };
    if let Some(account) = accounts().find(|account| account.authorization.calls_off) {
        return Some(named(account, &calls_off(key.as_deref())));
    }
    let unconfirmed = accounts().find(|account| account.authorization.unconfirmed);
    unconfirmed.map(|account| named(account, UNCONFIRMED))
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

/// Draws the input line for the new name of an account.
fn draw_name(view: View, line: &RenameLine, area: Rect, buffer: &mut Buffer) {
    let theme = view.theme();
    let name = view.state.shown_account(view.state.account(line.account));
    let label = words::accounts::new_name_of(&name);
    let (after, style) = match &line.wrong {
        Some(wrong) => (wrong.as_str(), theme.error),
        None => (words::accounts::NAME_KEYS, theme.muted),
    };
    let room = usize::from(area.width).saturating_sub(text::width(&label) + 2);
    let parts = [
        (label, theme.key),
        (with_cursor(line.input.value(), line.input.cursor(), room), theme.text),
        (format!("   {after}"), style),
    ];
    put_all(buffer, (area.x, area.y), area.width, &parts);
}

/// The keys that apply now, the most important ones first.
fn hints(view: View, width: u16) -> Vec<Hint> {
    let state = view.state;
    if let Some(Dialog::SignIn(_)) = &state.dialog {
        // Its keys are in the frame of the dialog.
        return Vec::new();
    }
    let fixed = |actions: &[(Action, &str)]| {
        actions.iter().map(|(action, text)| (*action, (*text).to_owned())).collect()
    };
    match state.screen {
        Screen::Calls => {}
        Screen::History => return keyed(view, Layer::History, fixed(&HISTORY_HINTS)),
        // Without a file there is nothing to edit.
        Screen::Rules if state.rule_list.is_without_file => {
            return keyed(view, Layer::Rules, fixed(&RULES_HINTS[2..]));
        }
        Screen::Rules => return keyed(view, Layer::Rules, fixed(&RULES_HINTS)),
        Screen::Accounts => return keyed(view, Layer::Accounts, account_hints(view)),
    }
    let mut actions: Vec<(Action, String)> = Vec::new();
    let mut add = |action, text: &str| actions.push((action, text.to_owned()));
    if !state.calls.marked().is_empty() {
        let shown = state.targets().len();
        if shown > 0 {
            let text = words::call::end_marked(shown);
            add(Action::HangUp, &format!("{text}…"));
            let asks = if state.has_unseen_marks() { "…" } else { "" };
            add(Action::HangUpNow, &format!("{text}{asks}"));
        }
        add(Action::Back, "unmark");
    } else if let Some(call) = state.selected_call() {
        let signed_out = state.account(call.key.account).is_out();
        let own = state.own_call(call.key);
        let rings = call.phase == Phase::Ringing && call.key.kind == CallKind::Private;
        if rings && own.is_none() && state.phone_off.is_none() {
            add(Action::Answer, "answer");
        }
        if let Some(own) = own {
            add(Action::Mute, mute_text(own));
            if own.recording == RecordingStage::On {
                add(Action::Record, "stop recording");
            }
            add(Action::Devices, "devices");
        }
        if !signed_out && obstacle(call, view.now).is_none() {
            let verb = words::call::imperative(call.verb());
            match call.key.kind {
                CallKind::Private => {
                    add(Action::HangUp, &format!("{verb}…"));
                    let reason = call.default_reason();
                    if width < SHORT_BELOW {
                        add(Action::HangUpNow, reason.code());
                    } else {
                        add(Action::HangUpNow, &format!("{verb} ({})", reason.code()));
                    }
                }
                // It is declined without a reason.
                CallKind::Group => add(Action::HangUpNow, verb),
            }
        }
        if matches!(call.request, RequestState::Failed { .. }) {
            add(Action::Dismiss, "dismiss error");
        }
        if let Some(other) = state.phone.as_ref().filter(|_| own.is_none()) {
            add(Action::Mute, mute_text(other));
        }
        if has_frames(state.size) {
            add(Action::Details, "details");
        }
    }
    if state.frozen.is_some() {
        add(Action::Freeze, "thaw");
    }
    if state.selected_call().is_none() && state.phone_off.is_none() && state.phone.is_none() {
        add(Action::Call, "call");
    }
    add(Action::Help, "help");
    add(Action::Filter, "filter");
    add(Action::NextScreen, "history");
    add(Action::Quit, "quit");
    keyed(view, Layer::Board, actions)
}

fn mute_text(own: &OwnCall) -> &'static str {
    if own.muted { "unmute" } else { "mute" }
}

/// The keys of the rules.
const RULES_HINTS: [(Action, &str); 6] = [
    (Action::EditRules, "edit"),
    (Action::Reconnect, "read again"),
    (Action::DoNotDisturb, "do not disturb"),
    (Action::Help, "help"),
    (Action::NextScreen, "accounts"),
    (Action::Quit, "quit"),
];

/// The keys of the accounts that do something for the one under the cursor.
fn account_hints(view: View) -> Vec<(Action, String)> {
    let account = view.state.listed_account().map(|id| view.state.account(id));
    let is_out = account.is_some_and(AccountState::is_out);
    let mut actions = Vec::new();
    let mut add = |action, text: &str| actions.push((action, text.to_owned()));
    if account.is_some() && !is_out {
        add(Action::Details, "its calls");
    }
    if view.state.sign_in_mode != SignInMode::Closed {
        add(Action::SignIn, if is_out { "sign in again" } else { "sign in" });
        if account.is_some_and(|account| account.change.is_none()) {
            add(Action::Rename, "rename");
            add(Action::SignOut, "sign out");
        }
    }
    if let Some(account) = account {
        if account.connection != ConnectionState::Online {
            add(Action::Reconnect, "reconnect");
        } else if account.authorization.calls_off {
            add(Action::EnableCalls, "receive calls");
        } else {
            add(Action::EnableCalls, "stop calls");
        }
    }
    add(Action::Help, "help");
    add(Action::NextScreen, "calls");
    add(Action::Quit, "quit");
    actions
}

/// The keys of actions, of those that have one.
fn keyed(view: View, layer: Layer, actions: Vec<(Action, String)>) -> Vec<Hint> {
    let keyed = actions.into_iter().filter_map(|(action, text)| {
        let key = view.options.keymap.hint(layer, action)?;
        Some(Hint { key, text: view.dotted(text) })
    });
    keyed.collect()
}

//! The first line: connections, accounts, counts, clock. On a tiny screen, the only line.

use std::cmp::Reverse;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::account_letter::{self, AccountLetter};
use super::{View, put, put_all};
use crate::app::account::AccountState;
use crate::app::action::{Action, Layer};
use crate::app::dialog::Dialog;
use crate::app::sign_in_dialog::SignInMode;
use crate::calls::account::ConnectionState;
use crate::calls::{Call, Phase};
use crate::text;
use crate::words;

type Parts = Vec<(String, Style)>;

/// `letters` is whether the rows have letters for the accounts, so that this line needs the legend.
pub(super) fn draw(view: View, area: Rect, letters: bool, buffer: &mut Buffer) {
    let clock = view.clock(view.now);
    let at_the_right = text::width(&clock) as u16 + 1;
    put(
        buffer,
        (area.right().saturating_sub(at_the_right), area.y),
        at_the_right,
        &clock,
        view.theme().text,
    );

    let room = area.width.saturating_sub(at_the_right + 1);
    let (left, counts) = fitting(view, room, letters);
    let used = put_all(buffer, (area.x, area.y), room, &left);
    // Where even that is too much, the last counts are cut off.
    let spare = room.saturating_sub(used);
    let x = area.x + used + spare.saturating_sub(width(&counts) + 1);
    put_all(buffer, (x, area.y), spare, &counts);
}

/// The accounts and the counts as they fit.
fn fitting(view: View, room: u16, letters: bool) -> (Parts, Parts) {
    use Extent as E;
    let several = view.state.has_several_accounts();
    let fits = |(left, counts): &(Parts, Parts)| width(left) + width(counts) < room;
    if !several {
        // Where there is little room, the cause goes first, then the title, then the name; then the
        // counts are symbols.
        let lefts = || (0..4).map(|left_out| left(view, left_out));
        let full = lefts().map(|left| (left, counts(view))).find(fits);
        let short = || lefts().map(|left| (left, short_counts(view))).find(fits);
        return full.or_else(short).unwrap_or_else(|| (left(view, 3), short_counts(view)));
    }
    let letters = if letters { account_letter::letters(view) } else { Vec::new() };
    let of = |extent, titled| accounts(view, extent, titled, &letters);
    let full = [(E::Causes, true), (E::Causes, false), (E::Steps, true), (E::Steps, false)];
    let full = full.into_iter().map(|(extent, titled)| (of(extent, titled), counts(view)));
    let urgent = || short_counts(view).into_iter().take(1).collect();
    let short = [
        (E::Steps, short_counts(view)),
        (E::Keys, short_counts(view)),
        (E::Keys, urgent()),
        (E::Troubled, short_counts(view)),
        (E::TroubledKeys, short_counts(view)),
        (E::TroubledKeys, urgent()),
        (E::Numbers, short_counts(view)),
    ];
    let short = short.into_iter().map(|(extent, counts)| (of(extent, false), counts));
    full.chain(short).find(fits).unwrap_or_else(|| (of(E::TroubledKeys, false), short_counts(view)))
}

fn width(parts: &[(String, Style)]) -> u16 {
    parts.iter().map(|(text, _)| text::width(text) as u16).sum()
}

/// The program, the connection of the only account, and its name.
fn left(view: View, left_out: usize) -> Parts {
    let theme = view.theme();
    let title = if left_out < 2 { " onhook  " } else { " " };
    let mut parts = vec![(title.to_owned(), theme.title)];
    parts.extend(signs(view, left_out > 2));
    for (_, account) in view.state.present() {
        parts.push(connection(view, account));
        let (next, style) = match &account.connection {
            ConnectionState::Retrying { cause, .. } => (cause.clone(), theme.warning),
            ConnectionState::SignedOut { code } => (next_step(view, code), theme.error),
            _ if account.frozen_by_telegram => (words::failure::FROZEN.to_owned(), theme.error),
            // The footer shows the cause.
            ConnectionState::Unusable { .. }
            | ConnectionState::Connecting
            | ConnectionState::Online => (String::new(), theme.text),
        };
        let urgent = account.is_out() || account.frozen_by_telegram;
        let least = if urgent { 3 } else { 1 };
        if !next.is_empty() && left_out < least {
            parts.push((format!(" · {next}"), style));
        }
        if left_out < if urgent { 1 } else { 3 } {
            parts.push((format!(" · {}", view.state.shown_account(account)), theme.text));
        }
        parts.push(("  ".to_owned(), theme.text));
    }
    parts
}

/// The signs of a recording, of a muted microphone and of do not disturb, which are never left out.
fn signs(view: View, short: bool) -> Parts {
    let mut signs = Vec::new();
    if view.state.is_recording() {
        signs.push((format!("{}  ", words::phone::RECORDING), view.theme().error));
    }
    if view.state.phone.as_ref().is_some_and(|own| own.muted) {
        signs.push((format!("{}  ", words::phone::MUTED), view.theme().warning));
    }
    let until = do_not_disturb(view, short);
    signs.extend(until.map(|text| (format!("{text}  "), view.theme().warning)));
    signs
}

/// That do not disturb is on, and unless it is to be `short`, until when and for how many accounts.
pub(super) fn do_not_disturb(view: View, short: bool) -> Option<String> {
    let present: Vec<_> = view.state.present().map(|(id, _)| id).collect();
    let ends: Vec<_> =
        present.iter().filter_map(|id| view.state.do_not_disturb_until(*id, view.now)).collect();
    let first = ends.first()?;
    if short {
        return Some(words::do_not_disturb::NAME.to_owned());
    }
    // The time is shown where it is the same for all of them.
    let same = first.time().filter(|_| ends.iter().all(|end| end == first));
    let until = same.map(|at| view.clock_or_date(at));
    let some = (ends.len() < present.len()).then_some(ends.len());
    Some(words::do_not_disturb::header(until.as_deref(), some))
}

/// How much of several accounts is shown, from the most to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    /// All names, and of those in trouble the cause and what helps.
    Causes,
    /// All names, and what helps.
    Steps,
    /// All names, and the key that helps.
    Keys,
    /// The names of those in trouble with what helps, and how many are online.
    Troubled,
    /// The names of those in trouble with the key that helps.
    TroubledKeys,
    /// Numbers only.
    Numbers,
}

/// Several accounts by their names on this machine.
fn accounts(view: View, extent: Extent, titled: bool, letters: &[AccountLetter]) -> Parts {
    let theme = view.theme();
    let mut parts = vec![(if titled { " onhook  " } else { " " }.to_owned(), theme.title)];
    parts.extend(signs(view, extent >= Extent::Troubled));
    let (troubled, well): (Vec<_>, Vec<_>) =
        view.state.present().partition(|(_, account)| is_troubled(account));
    let gap = if extent <= Extent::Steps { "  " } else { " " };
    if extent >= Extent::Troubled {
        let is_online = |account: &AccountState| account.connection == ConnectionState::Online;
        let online = well.iter().filter(|(_, account)| is_online(account)).count();
        let word = if extent == Extent::Troubled { words::screen::ONLINE } else { "" };
        for (symbol, number, word, style) in [
            ("●", online, word, theme.good),
            ("◌", well.len() - online, "", theme.warning),
            ("✗", if extent == Extent::Numbers { troubled.len() } else { 0 }, "", theme.error),
        ] {
            if number > 0 {
                parts.push((format!("{symbol} {number}{word}{gap}"), style));
            }
        }
    }
    let shown = |account: &AccountState| match extent {
        Extent::Causes | Extent::Steps | Extent::Keys => true,
        Extent::Troubled | Extent::TroubledKeys => is_troubled(account),
        Extent::Numbers => false,
    };
    for (id, account) in view.state.present().filter(|(_, account)| shown(account)) {
        let (symbol, style) = symbol(view, account);
        parts.push((format!("{symbol} "), style));
        let name = view.state.shown_account(account);
        let style = if is_troubled(account) { style } else { theme.text };
        match letters.get(usize::from(id.0)) {
            Some(letter) => parts.extend(letter.within(&name, style)),
            None => parts.push((name, style)),
        }
        let help = match extent {
            Extent::Causes => trouble(view, account),
            Extent::Steps | Extent::Troubled => step(view, account),
            _ => key(view, account),
        };
        let colon = if extent == Extent::Keys || extent == Extent::TroubledKeys { "" } else { ":" };
        parts.extend(help.map(|help| (format!("{colon} {help}"), style)));
        parts.push((gap.to_owned(), theme.text));
    }
    parts
}

/// Whether an account needs help or waits for the next attempt to connect.
fn is_troubled(account: &AccountState) -> bool {
    let retrying = matches!(account.connection, ConnectionState::Retrying { .. });
    account.is_out() || account.frozen_by_telegram || retrying
}

/// The symbol of the state of an account.
fn symbol(view: View, account: &AccountState) -> (String, Style) {
    if account.frozen_by_telegram {
        return ("✗".to_owned(), view.theme().error);
    }
    let (text, style) = connection(view, account);
    (text.chars().take(1).collect(), style)
}

/// What is wrong with an account, and what helps.
fn trouble(view: View, account: &AccountState) -> Option<String> {
    if account.frozen_by_telegram {
        return Some(words::failure::FROZEN.to_owned());
    }
    let (text, _) = connection(view, account);
    let state = text.split_once(' ').map(|(_, text)| text.to_owned());
    match &account.connection {
        ConnectionState::Online | ConnectionState::Connecting => None,
        ConnectionState::Unusable { .. } => state,
        ConnectionState::Retrying { cause, .. } => Some(
            [state?, cause.clone()].into_iter().chain(now(view)).collect::<Vec<_>>().join(" · "),
        ),
        ConnectionState::SignedOut { code } => {
            Some(format!("{} · {}", state?, next_step(view, code)))
        }
    }
}

/// What helps an account in trouble.
fn step(view: View, account: &AccountState) -> Option<String> {
    match &account.connection {
        _ if account.frozen_by_telegram => Some(words::failure::FROZEN_SHORT.to_owned()),
        ConnectionState::SignedOut { code } => Some(next_step(view, code)),
        ConnectionState::Retrying { at, .. } => {
            let wait = [words::screen::in_seconds(wait(view, *at))];
            Some(wait.into_iter().chain(now(view)).collect::<Vec<_>>().join(" · "))
        }
        _ => trouble(view, account),
    }
}

/// The key that helps an account in trouble, if there is one.
fn key(view: View, account: &AccountState) -> Option<String> {
    let key = |action| view.options.keymap.hint(Layer::Board, action);
    match &account.connection {
        _ if account.frozen_by_telegram => None,
        ConnectionState::SignedOut { .. } if view.state.sign_in_mode != SignInMode::Closed => {
            key(Action::SignIn)
        }
        ConnectionState::Retrying { .. } => key(Action::Reconnect),
        // There the cause is shown.
        ConnectionState::Unusable { .. } if view.state.has_screens => key(Action::ShowAccounts),
        ConnectionState::SignedOut { .. }
        | ConnectionState::Unusable { .. }
        | ConnectionState::Connecting
        | ConnectionState::Online => None,
    }
}

/// The key that ends the wait for the next attempt to connect.
fn now(view: View) -> Option<String> {
    let key = view.options.keymap.hint(Layer::Board, Action::Reconnect)?;
    Some(words::screen::reconnect_now(&key))
}

/// Seconds until the next attempt to connect.
fn wait(view: View, at: Timestamp) -> i64 {
    at.duration_since(view.now).as_secs_f64().ceil().max(0.0) as i64
}

/// The state of a connection.
pub(super) fn connection(view: View, account: &AccountState) -> (String, Style) {
    let theme = view.theme();
    let (style, wait) = match &account.connection {
        ConnectionState::Online => (theme.good, 0),
        ConnectionState::Connecting => (theme.warning, 0),
        ConnectionState::Retrying { at, .. } => (theme.warning, wait(view, *at)),
        ConnectionState::SignedOut { .. } | ConnectionState::Unusable { .. } => (theme.error, 0),
    };
    (words::connection(&account.connection, wait), style)
}

/// What can be done about a session that Telegram no longer accepts.
fn next_step(view: View, code: &str) -> String {
    let key = |action| view.options.keymap.hint(Layer::Board, action);
    let sign_in = match view.state.sign_in_mode {
        SignInMode::Closed => return words::screen::DEMO_IS_OUT.to_owned(),
        SignInMode::CommandLine => None,
        SignInMode::NeedsApiCredentials | SignInMode::Open => key(Action::SignIn),
    };
    let reconnect = key(Action::Reconnect);
    words::screen::after_sign_out(code, reconnect.as_deref(), sign_in.as_deref())
}

/// How many calls ring, are active and are anything else, each with its style.
fn tallies(view: View) -> [(usize, Style); 3] {
    // Also of a frozen display: these are the calls as they are.
    let calls = &view.state.calls;
    let count = |fits: fn(&Call) -> bool| calls.live().filter(|call| fits(call)).count();
    let ringing = count(|call| call.phase == Phase::Ringing);
    let active = count(|call| matches!(call.phase, Phase::Active { .. }));
    let others = calls.len() - ringing - active;
    let theme = view.theme();
    [(ringing, theme.ringing), (active, theme.active), (others, theme.dialing)]
}

fn counts(view: View) -> Parts {
    joined(view, words::screen::COUNTS.map(|word| move |count| format!("{count} {word}")), " · ")
}

/// The counts with the symbols of the states.
fn short_counts(view: View) -> Parts {
    let symbols = [Phase::Ringing, Phase::Active { since: view.now }, Phase::Connecting];
    let symbols = symbols.map(words::call::phase_symbol);
    joined(view, symbols.map(|symbol| move |count| format!("{symbol} {count}")), " ")
}

/// The counts that are not zero.
fn joined(view: View, texts: [impl Fn(usize) -> String; 3], gap: &str) -> Parts {
    let mut parts = Vec::new();
    let tallies = tallies(view).into_iter().zip(texts);
    for ((count, style), text) in tallies.filter(|((count, _), _)| *count > 0) {
        if !parts.is_empty() {
            parts.push((gap.to_owned(), view.theme().muted));
        }
        parts.push((text(count), style));
    }
    if parts.is_empty() {
        parts.push((words::screen::NO_CALLS.to_owned(), view.theme().muted));
    }
    parts
}

/// The only line of a tiny screen: the most urgent call, and that it cannot be hung up here.
pub(super) fn draw_line(view: View, area: Rect, buffer: &mut Buffer) {
    let first = |call: &&Call| (Reverse(call.phase.rank()), call.placed, call.key);
    let call = view.state.calls.live().max_by_key(first);
    let signing_in = matches!(view.state.dialog, Some(Dialog::SignIn(_)));
    let (text, style, warning) = match call {
        _ if signing_in => {
            (words::screen::TOO_SMALL_TO_SIGN_IN.to_owned(), view.theme().warning, "")
        }
        Some(call) => {
            let name = view.shown_name(&call.peer);
            let text = format!("{} {name}", words::call::phase(call.phase));
            let warning = if area.height > 1 {
                words::screen::TOO_SMALL_TO_ACT
            } else {
                words::screen::TOO_SMALL
            };
            (text, view.phase_style(call.phase), warning)
        }
        None => (words::screen::NO_CALLS.to_owned(), view.theme().muted, ""),
    };
    // A notice takes the second line, so that the call stays visible.
    let below = view.state.notices.newest().unwrap_or(warning);
    let beside = if area.height > 1 { "" } else { warning };
    let beside = if beside.is_empty() { String::new() } else { format!(" · {beside}") };
    let beside_width = text::width(&beside) as u16;
    let text = text::cut(&text, area.width.saturating_sub(beside_width).max(area.width / 2).into());
    let parts = [(text, style), (beside, view.theme().warning)];
    put_all(buffer, (area.x, area.y), area.width, &parts);
    if area.height > 1 {
        put(buffer, (area.x, area.y + 1), area.width, below, view.theme().warning);
    }
}

//! The details of the selected call; without one, of the call that ended last.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::{View, call_note, call_table, popup, put};
use crate::app::Privacy;
use crate::calls::failure::Failure;
use crate::calls::{Call, EndedCall, Party, Phase, Provenance, Reference, RequestState};
use crate::text;
use crate::words;

/// The width of the labels, with the gap behind them.
const LABEL: u16 = 12;

pub(super) fn draw(view: View, area: Rect, buffer: &mut Buffer) {
    Clear.render(area, buffer);
    let (calls, _) = view.state.display(view.now);
    let call = view.state.cursor().and_then(|key| calls.get(key));
    let (title, lines) = match (call, calls.recent().next()) {
        (Some(call), _) => ("Details", of_call(view, call)),
        (None, Some(ended)) => ("Last call", of_ended(view, ended)),
        (None, None) => ("Details", vec![(String::new(), words::screen::NO_DETAILS.to_owned())]),
    };
    draw_lines(view, title, lines, area, buffer);
}

/// Draws a panel of labels and values.
pub(super) fn draw_lines(view: View, title: &str, lines: Lines, area: Rect, buffer: &mut Buffer) {
    let below = area.x == 0;
    let frame = if below { popup::lower_panel } else { popup::panel };
    let area = frame(view, title, area, buffer);
    let mut y = area.y;
    let width = area.width.saturating_sub(LABEL + 2);
    for (label, value) in lines {
        for (at, line) in text::wrap(&value, usize::from(width)).into_iter().enumerate() {
            if y >= area.bottom() {
                return;
            }
            if at == 0 {
                put(buffer, (area.x + 1, y), LABEL, &label, view.theme().muted);
            }
            put(buffer, (area.x + 1 + LABEL, y), width, &line, view.theme().text);
            y += 1;
        }
    }
}

pub(super) type Lines = Vec<(String, String)>;

pub(super) fn line(label: &str, value: impl Into<String>) -> (String, String) {
    (label.to_owned(), value.into())
}

fn of_call(view: View, call: &Call) -> Lines {
    let mut lines = of_party(view, &call.peer);
    if let RequestState::Failed { failure, attempt, .. } = &call.request {
        let text = of_failure(failure, call.explanation.as_deref());
        lines.insert(0, line("error", text));
        lines.insert(1, line("tries", attempt.to_string()));
    }
    lines.extend(call.reply.as_ref().map(|reply| line("reply", words::reply::state(reply))));
    // Before the times and numbers, for which a low panel may have no room.
    lines.extend(call_note::rule_texts(view, call).into_iter().map(|text| line("rule", text)));
    if let Some(contact) = call.peer.contact {
        use words::caller::{CONTACT, NOT_A_CONTACT};
        lines.push(line("known", if contact { CONTACT } else { NOT_A_CONTACT }));
    }
    if let Some(facts) = view.state.caller_facts(call.key) {
        lines.push(line("calls", words::caller::in_week(facts.calls_in_week)));
        if let Some((placed, outcome)) = facts.last {
            let word = words::history::outcome_word(outcome, call.direction);
            lines.push(line("last call", format!("{word}, {}", view.date(placed))));
        }
    }
    if view.state.has_several_accounts() {
        lines.push(line("account", call_table::account(view, call)));
    }
    lines.push(line("state", words::call::phase(call.phase)));
    if call.phase != Phase::Ringing {
        lines.push(line("device", words::call::ON_THIS_SESSION));
    }
    lines.push(line("call", words::call::kind(call.key.kind, call.video, call.direction)));
    lines.push(line("id", call.key.id.to_string()));
    lines.push(line("placed", exact(view, call.placed)));
    let milestones = [
        ("remote ring", call.milestones.rang),
        ("accepted", call.milestones.accepted),
        ("active", call.milestones.established),
    ];
    for (label, at) in milestones {
        lines.extend(at.map(|at| line(label, exact(view, at))));
    }
    if let Some(relays) = &call.relays {
        let direct = if relays.peer_to_peer { "allowed" } else { "not allowed" };
        lines.push(line("direct", direct));
        let text = format!("{} reflector, {} WebRTC", relays.reflectors, relays.webrtc);
        lines.push(line("relays", text));
    }
    match &call.reference {
        Reference::Call(_) => {
            let (low, high) = call.protocol.layers;
            lines.push(line("layers", format!("{low} to {high}")));
            lines.push(line("libraries", call.protocol.libraries.join(", ")));
        }
        Reference::Invitations(messages) => {
            lines.push(line("invited by", view.shown_name(&call.peer)));
            if messages.len() > 1 {
                lines.push(line("invited", format!("{} times", messages.len())));
            }
            let others: Vec<_> = call.others.iter().map(|other| view.shown_name(other)).collect();
            if !others.is_empty() {
                lines.push(line("with", others.join(", ")));
            }
        }
    }
    if call.phase == Phase::Connecting {
        lines.push(line("", "the two devices are exchanging keys"));
    }
    lines
}

fn of_ended(view: View, ended: &EndedCall) -> Lines {
    let mut lines = of_party(view, &ended.peer);
    lines.push(line("ended", words::call::ending_with_reasons(ended)));
    lines.push(line("call", words::call::kind(ended.key.kind, ended.video, ended.direction)));
    lines.push(line("id", ended.key.id.to_string()));
    if ended.provenance == Provenance::Live {
        lines.push(line("placed", exact(view, ended.placed)));
    }
    lines.push(line("over", exact(view, ended.at)));
    let causes = words::call::telephony_causes(ended);
    if !causes.is_empty() {
        lines.push(line("causes", causes));
    }
    if let Some(failure) = &ended.failure {
        lines.push(line("error", of_failure(failure, None)));
    }
    lines
}

/// An error in full: text, code, and the cause where there is one.
fn of_failure(failure: &Failure, explanation: Option<&str>) -> String {
    let cause = match failure {
        Failure::ConnectionLost { cause } | Failure::Internal { cause } => format!(" ({cause})"),
        _ => String::new(),
    };
    format!("{} · {}{cause}", words::failure::explained(failure, explanation), failure.code())
}

pub(super) fn of_party(view: View, party: &Party) -> Lines {
    let mut lines = vec![line("name", view.shown_name(party))];
    if view.state.privacy == Privacy::Open {
        lines.extend(party.username.iter().map(|name| line("username", format!("@{name}"))));
        lines.extend(party.phone.iter().map(|phone| line("phone", format!("+{phone}"))));
        lines.push(line("user", party.user_id.to_string()));
    }
    lines
}

/// Hours, minutes and seconds in the zone of the user.
fn exact(view: View, at: Timestamp) -> String {
    let local = at.to_zoned(view.options.zone.clone());
    format!("{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second())
}

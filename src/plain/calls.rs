//! The sentences about one call.

use jiff::Timestamp;

use crate::app::action::{Action, Layer};
use crate::app::countdown::remaining;
use crate::app::{Privacy, State};
use crate::calls::failure::{Failure, Remedy};
use crate::calls::reason::EndReason;
use crate::calls::{Call, CallKey, EndedCall, OutcomeCheck, Phase, RequestState};
use crate::config::keymap::Keymap;
use crate::words;
use crate::words::plain::{self, Appeared};

/// What was last announced of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AnnouncedCall {
    name: String,
    phase: &'static str,
    request: AnnouncedRequest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum AnnouncedRequest {
    Idle,
    Sending { attempt: u32 },
    Failed { attempt: u32, check: OutcomeCheck, explanation: Option<String> },
}

impl AnnouncedCall {
    pub(super) fn of(call: &Call) -> Self {
        Self {
            // Behind the privacy mask as well, or the mask would look like another name.
            name: words::call::party(&call.peer),
            phase: words::call::phase(call.phase),
            request: match &call.request {
                RequestState::Idle => AnnouncedRequest::Idle,
                RequestState::Sending { attempt, .. } => {
                    AnnouncedRequest::Sending { attempt: *attempt }
                }
                RequestState::Failed { attempt, check, .. } => AnnouncedRequest::Failed {
                    attempt: *attempt,
                    check: *check,
                    explanation: call.explanation.clone(),
                },
            },
        }
    }
}

/// A call that has appeared. If it has become the selected one at once, the sentence contains that, and
/// `selection` holds that it was announced.
pub(super) fn appeared(state: &State, call: &Call, selection: &mut Option<CallKey>) -> String {
    let selected = state.selection() == Some(call.key) && *selection != Some(call.key);
    if selected {
        *selection = Some(call.key);
    }
    let account = account(state, call);
    let what = Appeared {
        phase: words::call::phase(call.phase),
        kind: call.key.kind,
        video: call.video,
        direction: call.direction,
        account: account.as_deref(),
        earlier: call.doubtful,
        selected,
    };
    plain::appeared(&state.shown_name(&call.peer), &what)
}

/// What has changed of a call, between what was announced and what is to be announced.
pub(super) fn changed(
    keymap: &Keymap,
    state: &State,
    call: &Call,
    (before, after): (&AnnouncedCall, &AnnouncedCall),
    now: Timestamp,
) -> Vec<String> {
    let mut sentences = Vec::new();
    let name = state.shown_name(&call.peer);
    if before.name != after.name && state.privacy == Privacy::Open {
        sentences.push(plain::renamed(&before.name, &after.name));
    }
    if before.phase != after.phase {
        sentences.push(plain::phase_changed(&name, after.phase));
    }
    if before.request != after.request {
        sentences.push(request(keymap, state, call, now));
    }
    sentences
}

fn request(keymap: &Keymap, state: &State, call: &Call, now: Timestamp) -> String {
    let reply = call.reply.as_ref().map(words::reply::state);
    plain::with_text(outcome(keymap, state, call, now), reply.as_deref())
}

/// A request on a call, or its failure, without the text for the caller.
fn outcome(keymap: &Keymap, state: &State, call: &Call, now: Timestamp) -> String {
    let name = state.shown_name(&call.peer);
    match &call.request {
        RequestState::Idle => plain::ended(&name, plain::NO_ERROR),
        RequestState::Sending { kind, .. } => {
            let reason = kind.reason();
            let reason = reason.as_ref().map(EndReason::code);
            plain::sending(call.verb(), &name, reason)
        }
        RequestState::Failed { failure, at, check, .. } => {
            let text = failure_text(failure, *at, *check, call.explanation.as_deref(), now);
            let hint = |action, what: &str| {
                let key = keymap.hint(Layer::Board, action);
                key.map(|key| plain::key(&key, what))
            };
            let retries =
                matches!(failure.remedy(), Remedy::Retry | Remedy::Unknown | Remedy::RetryAfter(_));
            let retry = hint(Action::HangUp, "retry").filter(|_| retries);
            let keys: Vec<_> =
                [retry, hint(Action::Dismiss, "dismiss")].into_iter().flatten().collect();
            plain::failed(&name, &text, &failure.code(), &keys)
        }
    }
}

fn failure_text(
    failure: &Failure,
    at: Timestamp,
    check: OutcomeCheck,
    explanation: Option<&str>,
    now: Timestamp,
) -> String {
    if failure.is_explained_apart() {
        return words::failure::explained(failure, explanation);
    }
    let wait = match failure.remedy() {
        Remedy::RetryAfter(wait) => Some(remaining(at, wait, now)),
        _ => None,
    };
    words::failure::on_row(failure, wait, check)
}

pub(super) fn ended(state: &State, ended: &EndedCall) -> String {
    let ending = words::call::ending_with_reasons(ended);
    plain::ended(&state.shown_name(&ended.peer), &ending)
}

/// The selected call with its place in the list.
pub(super) fn selection(state: &State, now: Timestamp) -> Option<String> {
    row(state, state.selection()?, now)
}

/// A call with its place in the list.
pub(super) fn row(state: &State, key: CallKey, now: Timestamp) -> Option<String> {
    let (calls, now) = state.display(now);
    let (call, at) = (calls.get(key)?, calls.position(key)?);
    let mut more = Vec::new();
    if call.phase != Phase::Ringing {
        more.push(call.direction.code().to_owned());
    }
    more.extend(account(state, call).map(|name| plain::of_account(&name)));
    if state.calls.marked().contains(&key) {
        more.push(plain::MARKED.to_owned());
    }
    match &call.request {
        RequestState::Idle => {}
        RequestState::Sending { .. } => {
            more.push(words::call::progressive(call.verb()).to_owned());
        }
        RequestState::Failed { .. } => more.push(plain::HAS_ERROR.to_owned()),
    }
    let text = plain::call_in_list(
        &state.shown_name(&call.peer),
        words::call::phase(call.phase),
        seconds(state, call, now),
        &more,
    );
    Some(plain::row(at, calls.rows().len(), &text))
}

fn seconds(state: &State, call: &Call, now: Timestamp) -> i64 {
    state.server_now(call.key.account, now).duration_since(call.counts_from()).as_secs()
}

/// The details of the selected call.
pub(super) fn details(state: &State, now: Timestamp) -> Option<String> {
    let call = state.selected_call()?;
    let name = state.shown_name(&call.peer);
    let phase = words::call::phase(call.phase);
    let direction = call.direction.code().to_owned();
    let mut parts = vec![plain::call_in_list(&name, phase, seconds(state, call, now), &[])];
    parts.extend([call.kind().to_owned(), direction]);
    if state.privacy == Privacy::Open {
        parts.extend(call.peer.username.as_ref().map(|name| format!("@{name}")));
        parts.extend(call.peer.phone.as_ref().map(|phone| format!("+{phone}")));
        parts.push(plain::ids(call.peer.user_id, call.key.id));
    }
    parts.extend(account(state, call).map(|name| plain::of_account(&name)));
    if let RequestState::Failed { failure, at, check, .. } = &call.request {
        parts.push(failure_text(failure, *at, *check, call.explanation.as_deref(), now));
        parts.push(failure.code());
    }
    Some(plain::details(&parts))
}

/// The account of a call, where there are several.
fn account(state: &State, call: &Call) -> Option<String> {
    let several = state.has_several_accounts();
    several.then(|| state.shown_account(state.account(call.key.account)))
}

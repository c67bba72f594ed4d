//! Rows of the ledger as calls.

use std::time::Duration;

use jiff::Timestamp;
use libsql::{Row, Value};

use super::GROUP;
use crate::calls::event::{
    CallEvent, Invitation, InvitationState, LiveCall, Protocol, RecalledCall, Relays, Stage,
};
use crate::calls::reason::{EndedBy, Ending, InvitationEnd, Outcome, Recorded};
use crate::calls::rule_mark::RuleMark;
use crate::calls::{
    AccountId, CallKey, CallKind, Direction, EndedCall, Handle, Origin, Party, PossibleDiscard,
    Provenance, Sent, SentAnswer, Verb,
};

/// A row whose columns are read by their names.
pub(super) struct RowReader(pub Row);

impl RowReader {
    fn value(&self, name: &str) -> libsql::Result<Value> {
        let at = (0..self.0.column_count()).find(|at| self.0.column_name(*at) == Some(name));
        self.0.get_value(at.ok_or(libsql::Error::ColumnNotFound(0))?)
    }

    pub fn number(&self, name: &str) -> libsql::Result<Option<i64>> {
        Ok(match self.value(name)? {
            Value::Integer(number) => Some(number),
            _ => None,
        })
    }

    pub fn text(&self, name: &str) -> libsql::Result<Option<String>> {
        Ok(match self.value(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        })
    }

    pub fn time(&self, name: &str) -> libsql::Result<Option<Timestamp>> {
        let at = self.number(name)?;
        Ok(at.map(|at| Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)))
    }

    /// A code that strum can read; an unknown one reads as none.
    pub fn code<T: std::str::FromStr>(&self, name: &str) -> libsql::Result<Option<T>> {
        Ok(self.text(name)?.and_then(|code| code.parse().ok()))
    }

    /// The request that was sent, if one was; that of a group call has no reason.
    pub fn sent(&self) -> libsql::Result<Option<PossibleDiscard>> {
        let origin = self.origin()?;
        Ok(self.text("sent")?.map(|code| PossibleDiscard { reason: code.parse().ok(), origin }))
    }

    /// The origin of the request that was sent. Rows of version 1 have none; all of their discards
    /// were keys.
    pub fn origin(&self) -> libsql::Result<Origin> {
        Ok(self.code("origin")?.unwrap_or(Origin::Key))
    }

    /// The rule that has matched the call.
    pub fn rule(&self) -> libsql::Result<Option<RuleMark>> {
        let (Some(rule), Some(action)) = (self.text("rule")?, self.code("rule_action")?) else {
            return Ok(None);
        };
        let dry = self.number("rule_dry")? == Some(1);
        Ok(Some(RuleMark { rule: rule.into(), action, dry }))
    }

    pub fn party(&self) -> libsql::Result<Party> {
        Ok(Party {
            user_id: self.number("peer")?.unwrap_or_default(),
            name: self.text("name")?,
            username: self.text("username")?,
            phone: None,
            contact: self.number("contact")?.map(|contact| contact == 1),
        })
    }
}

/// A row as the updates that would describe the call.
pub(super) fn recalled(account: i64, row: &RowReader) -> libsql::Result<RecalledCall> {
    let events = match row.text("messages")? {
        Some(messages) => invitations(&messages, row)?,
        None => vec![CallEvent::Live(Box::new(live_call(account, row)?))],
    };
    Ok(RecalledCall { events, maybe_sent: row.sent()? })
}

fn invitations(messages: &str, row: &RowReader) -> libsql::Result<Vec<CallEvent>> {
    let first = Invitation {
        conference: row.number("id")?.unwrap_or_default(),
        message: 0,
        peer: row.party()?,
        direction: Direction::Incoming,
        video: row.number("video")? == Some(1),
        date: row.time("placed")?.unwrap_or(Timestamp::UNIX_EPOCH),
        state: InvitationState::Open,
        others: Vec::new(),
    };
    let ids = messages.split(',').filter_map(|id| id.parse().ok());
    let invitations = ids.map(|message| Invitation { message, ..first.clone() });
    Ok(invitations.map(|it| CallEvent::Invited(Box::new(it))).collect())
}

fn live_call(account: i64, row: &RowReader) -> libsql::Result<LiveCall> {
    let peer = row.party()?;
    let outgoing = row.number("outgoing")? == Some(1);
    let stage = match (row.time("established")?, row.number("accepted")?, outgoing) {
        (Some(since), ..) => {
            let relays = Relays { peer_to_peer: false, reflectors: 0, webrtc: 0 };
            Stage::Established { since, relays }
        }
        (None, Some(_), _) => Stage::Accepted,
        (None, None, true) => Stage::Waiting { received: row.time("rang")? },
        (None, None, false) => Stage::Requested,
    };
    Ok(LiveCall {
        handle: Handle {
            id: row.number("id")?.unwrap_or_default(),
            access_hash: row.number("access_hash")?.unwrap_or_default(),
        },
        caller: if outgoing { account } else { peer.user_id },
        callee: if outgoing { peer.user_id } else { account },
        peer,
        date: row.time("placed")?.unwrap_or(Timestamp::UNIX_EPOCH),
        video: row.number("video")? == Some(1),
        stage,
        protocol: Protocol::default(),
        exchange: None,
    })
}

/// A row as the ended call that was written; `None` if its codes are unknown.
pub(super) fn ended_call(
    account: AccountId,
    ring_timeout: Duration,
    row: &RowReader,
) -> libsql::Result<Option<EndedCall>> {
    let (Some(outcome), Some(at)) = (row.code::<Outcome>("outcome")?, row.time("ended")?) else {
        return Ok(None);
    };
    let recorded = row.text("recorded")?.and_then(|code| Recorded::from_code(&code));
    let talked = row.number("talk_seconds")?.and_then(|seconds| u32::try_from(seconds).ok());
    let group = row.text("kind")?.as_deref() == Some(GROUP);
    let by_you = row.code::<EndedBy>("ended_by")? == Some(EndedBy::You);
    let ending = match (outcome, recorded) {
        (Outcome::AnsweredElsewhere, _) if group => {
            Ending::Invitation(InvitationEnd::Joined { talked })
        }
        (Outcome::Unanswered, _) if group => Ending::Invitation(InvitationEnd::Answered),
        (Outcome::Declined, _) if group && by_you => Ending::Invitation(InvitationEnd::Answered),
        (Outcome::Missed, _) if group => Ending::Invitation(InvitationEnd::Missed),
        (Outcome::AnsweredElsewhere, reason) => Ending::Elsewhere { talked, reason },
        (Outcome::RangOut, _) => Ending::RangOut,
        (Outcome::Unknown, Some(reason)) => Ending::Stopped { reason: Some(reason) },
        (_, Some(reason)) => Ending::Recorded { reason, duration: talked },
        (_, None) => Ending::Over { talked },
    };
    let answered = row.time("accepted")?.or(row.time("established")?);
    let seen = row.number("ring_seconds")?.is_some();
    let was_answered = answered.is_some() || (!seen && talked.is_some());
    let outgoing = row.number("outgoing")? == Some(1);
    let verb = match (was_answered, outgoing) {
        (true, _) => Verb::HangUp,
        (false, true) => Verb::Cancel,
        (false, false) => Verb::Decline,
    };
    let sent = row.sent()?.map(|PossibleDiscard { reason, origin }| Sent {
        verb,
        reason,
        origin,
        answer: if by_you { SentAnswer::Done } else { SentAnswer::None },
    });
    let kind = if group { CallKind::Group } else { CallKind::Private };
    let mut call = EndedCall {
        key: CallKey { account, kind, id: row.number("id")?.unwrap_or_default() },
        peer: row.party()?,
        direction: if outgoing { Direction::Outgoing } else { Direction::Incoming },
        video: row.number("video")? == Some(1),
        placed: row.time("placed")?.unwrap_or(at),
        ring_timeout,
        answered,
        at,
        was_answered,
        sent,
        maybe_sent: None,
        ending,
        rule: row.rule()?,
        route: row.code("route")?,
        failure: None,
        reply: None,
        provenance: if seen { Provenance::Live } else { Provenance::ChatOnly },
    };
    if !by_you
        && call.ended_here().is_some()
        && let Some(sent) = &mut call.sent
    {
        // The reason fits, and yet the discard was too late or was refused.
        sent.answer = SentAnswer::TooLate;
    }
    Ok(Some(call))
}

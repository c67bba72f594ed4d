//! What updates travel in: containers, numbers, users.

use grammers_tl_types::{enums, types};

use super::faults::UpdateForm;
use super::{Outgoing, World};
use crate::call::{SessionIx, UserIx, seconds};
use crate::scenario::Container;

impl World {
    /// Sends updates about a call the way the scenario wants them sent.
    pub(super) fn send(
        &mut self,
        ix: usize,
        session: SessionIx,
        updates: Vec<enums::Update>,
        now: i64,
    ) {
        if updates.is_empty() {
            return;
        }
        let manner = self.script.manner(ix);
        if manner.late > 0 {
            self.script.delay(now + manner.late, ix, session, updates);
        } else {
            self.deliver(ix, session, &updates, now);
        }
    }

    /// Wraps updates about a call and puts them into the outbox.
    pub(super) fn deliver(
        &mut self,
        ix: usize,
        session: SessionIx,
        updates: &[enums::Update],
        now: i64,
    ) {
        let manner = self.script.manner(ix);
        for _ in 0..=manner.repeat {
            let fault = self.faults.fault();
            let kind = match fault.form {
                UpdateForm::In(kind) => kind,
                _ => manner.container,
            };
            if fault.form == UpdateForm::Gap {
                self.sessions[session].seq += 1;
            }
            let containers: Vec<enums::Updates> = match kind {
                _ if fault.form == UpdateForm::TooLong => vec![enums::Updates::TooLong],
                Container::Short => updates
                    .iter()
                    .map(|update| {
                        types::UpdateShort { update: update.clone(), date: seconds(now) }.into()
                    })
                    .collect(),
                kind => vec![self.numbered(kind, ix, session, updates.to_vec(), now)],
            };
            if fault.dropped {
                continue;
            }
            for _ in 0..fault.copies {
                if fault.late > 0 {
                    self.script.hold(now + fault.late, session, containers.clone());
                } else {
                    self.push(session, containers.clone());
                }
            }
        }
    }

    /// Puts containers into the outbox.
    pub(crate) fn push(&mut self, session: SessionIx, containers: Vec<enums::Updates>) {
        let boxed = containers.into_iter().map(Box::new);
        self.outbox.extend(boxed.map(|updates| Outgoing::Push { session, updates }));
    }

    /// A container that carries the session's next sequence number.
    pub(super) fn numbered(
        &mut self,
        kind: Container,
        ix: usize,
        session: SessionIx,
        updates: Vec<enums::Update>,
        now: i64,
    ) -> enums::Updates {
        self.sessions[session].seq += 1;
        let seq = self.sessions[session].seq;
        let handshake = self.container(ix, session, updates, now);
        if kind == Container::Combined {
            return types::UpdatesCombined {
                updates: handshake.updates,
                users: handshake.users,
                chats: handshake.chats,
                date: handshake.date,
                seq_start: seq,
                seq,
            }
            .into();
        }
        types::Updates { seq, ..handshake }.into()
    }

    /// A container without a number, as it is returned by methods.
    pub(super) fn container(
        &self,
        ix: usize,
        session: SessionIx,
        updates: Vec<enums::Update>,
        now: i64,
    ) -> types::Updates {
        let call = &self.calls[ix];
        let users = self.named(session, [call.caller, call.callee]);
        types::Updates { updates, users, chats: Vec::new(), date: seconds(now), seq: 0 }
    }

    /// The users of this list that updates for a session may carry.
    pub(super) fn named(
        &self,
        session: SessionIx,
        users: impl IntoIterator<Item = UserIx>,
    ) -> Vec<enums::User> {
        let own = self.sessions[session].user;
        users
            .into_iter()
            .filter(|ix| !self.users[*ix].unnamed)
            .map(|ix| self.users[ix].to_tl(own == Some(ix)))
            .collect()
    }
}

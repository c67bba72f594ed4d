//! Delivery of updates: containers, sequence numbers, users, delays and faults.

use grammers_tl_types::{enums, types};

use super::faults::UpdateForm;
use super::{Outgoing, World};
use crate::call::{SessionIx, UserIx, seconds};
use crate::scenario::Container;

impl World {
    /// Sends updates about a call with the delivery options of the scenario.
    pub(crate) fn send(
        &mut self,
        ix: usize,
        session: SessionIx,
        updates: Vec<enums::Update>,
        now: i64,
    ) {
        if updates.is_empty() {
            return;
        }
        let options = self.script.delivery_options(ix);
        if options.delay > 0 {
            self.script.schedule_delivery(now + options.delay, ix, session, updates);
        } else {
            self.deliver(ix, session, &updates, now);
        }
    }

    /// Puts updates about a call into containers and pushes them, with the faults of chaos.
    pub(crate) fn deliver(
        &mut self,
        ix: usize,
        session: SessionIx,
        updates: &[enums::Update],
        now: i64,
    ) {
        let options = self.script.delivery_options(ix);
        for _ in 0..=options.repeat {
            let fault = self.faults.delivery_fault();
            let kind = match fault.form {
                UpdateForm::In(kind) => kind,
                _ => options.container,
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
                kind => vec![self.numbered_container(kind, ix, session, updates.to_vec(), now)],
            };
            if fault.dropped {
                continue;
            }
            for _ in 0..fault.copies {
                if fault.delay > 0 {
                    self.script.schedule_push(now + fault.delay, session, containers.clone());
                } else {
                    self.push(session, containers.clone());
                }
            }
        }
    }

    /// Pushes updates that belong to no call, with the faults of chaos.
    pub(crate) fn push_updates(
        &mut self,
        session: SessionIx,
        updates: Vec<enums::Update>,
        now: i64,
    ) {
        let fault = self.faults.delivery_fault();
        self.sessions[session].seq += 1 + i32::from(fault.form == UpdateForm::Gap);
        let seq = self.sessions[session].seq;
        let users = self.visible_users(session, 0..self.users.len());
        let container =
            types::Updates { updates, users, chats: Vec::new(), date: seconds(now), seq };
        if fault.dropped {
            return;
        }
        for _ in 0..fault.copies {
            let containers = vec![container.clone().into()];
            if fault.delay > 0 {
                self.script.schedule_push(now + fault.delay, session, containers);
            } else {
                self.push(session, containers);
            }
        }
    }

    /// Adds containers to the outbox.
    pub(crate) fn push(&mut self, session: SessionIx, containers: Vec<enums::Updates>) {
        let boxed = containers.into_iter().map(Box::new);
        self.outbox.extend(boxed.map(|updates| Outgoing::Push { session, updates }));
    }

    /// A container with the session's next `seq`.
    pub(crate) fn numbered_container(
        &mut self,
        kind: Container,
        ix: usize,
        session: SessionIx,
        updates: Vec<enums::Update>,
        now: i64,
    ) -> enums::Updates {
        self.sessions[session].seq += 1;
        let seq = self.sessions[session].seq;
        let container = self.container(ix, session, updates, now);
        if kind == Container::Combined {
            return types::UpdatesCombined {
                updates: container.updates,
                users: container.users,
                chats: container.chats,
                date: container.date,
                seq_start: seq,
                seq,
            }
            .into();
        }
        types::Updates { seq, ..container }.into()
    }

    /// A container without `seq`, as methods return it.
    pub(crate) fn container(
        &self,
        ix: usize,
        session: SessionIx,
        updates: Vec<enums::Update>,
        now: i64,
    ) -> types::Updates {
        let call = &self.calls[ix];
        let users = self.visible_users(session, [call.caller, call.callee]);
        types::Updates { updates, users, chats: Vec::new(), date: seconds(now), seq: 0 }
    }

    /// The TL users of `users`, except those that the scenario marks as `unnamed`.
    pub(crate) fn visible_users(
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

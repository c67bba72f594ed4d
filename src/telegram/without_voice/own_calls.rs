//! In place of `own_calls` in a build without the feature `voice`: what is ordered all the same fails.
#![expect(clippy::unused_async, reason = "the interface is that of `own_calls`")]

use super::call_requests::CallRequests;
use super::disconnect::Disconnect;
use super::key_exchange::OwnCallStep;
use crate::calls::Handle;
use crate::calls::account::AccountEvent;
use crate::calls::failure::Failure;
use crate::calls::own_call::OwnCallEvent;
use crate::words::notice::PHONE_NOT_BUILT;

impl CallRequests {
    pub(super) async fn answer(self, handle: Handle, _g_a_hash: Vec<u8>) -> Option<Disconnect> {
        self.refuse(OwnCallEvent::Answered { id: handle.id, outcome: Err(not_built()) }).await
    }

    pub(super) async fn place(self, _user_id: i64) -> Option<Disconnect> {
        self.refuse(OwnCallEvent::Placed(Err(not_built()))).await
    }

    pub(super) async fn carry_out(self, step: OwnCallStep) -> Option<Disconnect> {
        match step {}
    }

    async fn refuse(&self, event: OwnCallEvent) -> Option<Disconnect> {
        self.context.send(AccountEvent::OwnCall(event)).await;
        None
    }
}

fn not_built() -> Failure {
    Failure::Internal { cause: PHONE_NOT_BUILT.to_owned() }
}

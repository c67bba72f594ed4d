//! Everything that goes out of the program. An effect is a wish; the runtime carries it out.

use crate::call::event::HangUpOrder;
use crate::call::{AccountId, CallKey};

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send one hang-up. The only effect that changes anything at Telegram.
    HangUp(HangUpOrder),
    /// Find out which of these calls have ended.
    Reconcile {
        /// The account to ask.
        account: AccountId,
        /// Telegram's ids.
        calls: Vec<i64>,
    },
    /// Connect anew.
    Reconnect(AccountId),
    /// Call for attention: somebody rings.
    Ring {
        /// The call.
        key: CallKey,
        /// What to say, already cleaned and masked.
        text: String,
    },
    /// Suspend the program.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// End the program.
    Quit,
}

//! Everything that goes out of the program. An effect is a wish; the runtime carries it out.

use std::time::Duration;

use jiff::Timestamp;

use crate::calls::event::HangUpOrder;
use crate::calls::{AccountId, CallKey};
use crate::sign_in::{ApiCredentials, SignInRequest};

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send one hang-up.
    HangUp(HangUpOrder),
    /// Find out which of these calls have ended.
    Reconcile {
        /// The account to ask.
        account: AccountId,
        /// Telegram's ids.
        calls: Vec<i64>,
        /// When the first of them was placed, on the server's clock.
        since: Timestamp,
    },
    /// Find out which calls lived when this program ended the last time.
    Recall {
        /// The account.
        account: AccountId,
        /// Its user id.
        user_id: i64,
        /// How long a call that nobody has answered may have rung on unseen.
        ring: Duration,
    },
    /// Have this session told of calls. It changes a setting at Telegram, after a key press.
    ReceiveCalls(AccountId),
    /// Connect anew.
    Reconnect(AccountId),
    /// Call for attention: somebody rings.
    Ring {
        /// The call.
        key: CallKey,
        /// What to say, already cleaned and masked.
        text: String,
    },
    /// Give Telegram what somebody who signs in has given.
    SignIn(SignInRequest),
    /// Sign in as this application from now on.
    UseApplication(ApiCredentials),
    /// Give up signing in, or be done with it.
    LeaveSignIn,
    /// Start the account of this name, which has been added to the list.
    StartAccount(String),
    /// Leave this board for the demo.
    Demo,
    /// Suspend the program.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// End the program.
    Quit,
}

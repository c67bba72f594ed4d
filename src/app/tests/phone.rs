//! Calls in which this session takes part.

use super::*;

#[test]
fn with_calls_in_this_terminal_off_their_keys_send_nothing() {
    let mut state = board();
    state.has_phone = false;
    rings(&mut state, 7, 1.0);
    for action in [Action::Answer, Action::Call, Action::Mute] {
        state.notices.clear();
        assert_eq!(press(&mut state, action, 2.0), []);
        assert_eq!(state.notices.newest(), Some(words::notice::PHONE_OFF), "{action:?}");
        assert!(state.dialog.is_none() && state.phone.is_none(), "{action:?}");
    }
}

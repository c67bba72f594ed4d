//! Terminal events as messages: the keymap first, then the text field that has the keyboard.

use crossterm::event::{Event, KeyEventKind};
use tui_input::backend::crossterm::to_input_request;

use crate::app::State;
use crate::app::action::Layer;
use crate::app::msg::Msg;
use crate::config::key_press::KeyPress;
use crate::config::keymap::Keymap;

/// What an event of the terminal means now.
pub(super) fn message(event: &Event, state: &State, keymap: &Keymap) -> Option<Msg> {
    match event {
        Event::Resize(width, height) => Some(Msg::Resized { width: *width, height: *height }),
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            let layer = state.layer();
            let action = keymap.action(layer, (*key).into()).map(Msg::Action);
            let other = || match layer {
                Layer::Filter | Layer::SignInField => to_input_request(event).map(Msg::Edit),
                _ => Some(Msg::UnboundKey(KeyPress::from(*key).to_string())),
            };
            action.or_else(other)
        }
        Event::Paste(text) => match state.layer() {
            // Anywhere else a stray paste must do nothing.
            Layer::Filter | Layer::SignInField => Some(Msg::Paste(text.clone())),
            _ => None,
        },
        _ => None,
    }
}

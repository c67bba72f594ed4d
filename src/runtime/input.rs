//! Terminal events as messages: the keymap first, then the text field that has the keyboard.

use crossterm::event::{Event, KeyEventKind};
use tui_input::backend::crossterm::to_input_request;

use crate::app::State;
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
                layer if layer.is_text() => to_input_request(event).map(Msg::Edit),
                _ => Some(Msg::UnboundKey(KeyPress::from(*key).to_string())),
            };
            action.or_else(other)
        }
        // Anywhere else a stray paste must do nothing.
        Event::Paste(text) if state.layer().is_text() => Some(Msg::Paste(text.clone())),
        _ => None,
    }
}

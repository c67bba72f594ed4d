//! The call in which this session takes part, with its panel and without.

use super::*;
use crate::app::phone::OwnCall;
use crate::calls::own_call::{NamedEmoji, PhoneStage, SoundRoute};

/// A call with sound, in which the microphone is muted and the sound server is gone.
fn talking() -> State {
    let mut state = empty_board();
    let since = Stage::Established {
        since: at(10),
        relays: Relays { peer_to_peer: true, reflectors: 1, webrtc: 0 },
    };
    let grace = peer(1, "Grace Hopper", Some("grace"));
    call(&mut state, 1, grace.clone(), true, since);
    let emoji = [("🐟", "fish"), ("🇰🇷", "Korea"), ("🍒", "cherries"), ("💚", "green heart")];
    let mut own = OwnCall::new(ACCOUNT, Some(1), grace, PhoneStage::Talking);
    own.emoji = Some(emoji.map(|(picture, name)| NamedEmoji { picture, name }));
    own.muted = true;
    own.path = Some(SoundRoute::Direct);
    own.figures.peer = 0.5;
    own.figures.loss = 0.02;
    own.figures.round_trip = Some(Duration::from_millis(19));
    own.trouble = Some(crate::words::phone::sound_lost("the sound server is gone"));
    own.connected = Some(at(10));
    state.phone = Some(own);
    state
}

#[test]
fn a_call_with_sound_at_each_size() {
    for (width, height) in [(40, 8), (80, 24), (120, 30)] {
        shows(&format!("own_call_{width}x{height}"), &mut talking(), (width, height));
    }
}

#[test]
fn a_muted_microphone_and_missing_sound_are_shown_without_the_panel_too() {
    for size in [(30, 6), (40, 8), (80, 24)] {
        let mut state = talking();
        press(&mut state, &[Action::Details], 58);
        state.notices.clear();
        let text = text_of(&drawn(&mut state, &look(), size, 60));
        assert!(!text.contains("you  "), "{text}");
        assert!(text.contains("muted"), "{text}");
        assert!(text.contains("no sound"), "{text}");
        press(&mut state, &[Action::ShowHistory], 60);
        let text = text_of(&drawn(&mut state, &look(), size, 61));
        assert!(text.contains("muted"), "{text}");
    }
}

#[test]
fn the_footer_names_mute_while_another_call_is_selected() {
    let mut state = talking();
    call(&mut state, 2, peer(2, "Linus Torvalds", None), true, Stage::Requested);
    press(&mut state, &[Action::Up], 59);
    let selected = state.selected_call().map(|call| call.key.id);
    assert_eq!(selected, Some(2));
    let text = text_of(&drawn(&mut state, &look(), (120, 30), 60));
    let footer = text.lines().last().expect("a line");
    assert!(footer.contains("a answer") && footer.contains("M unmute"), "{footer}");
}

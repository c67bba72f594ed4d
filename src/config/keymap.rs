//! The keymap: the actions of keys, by layer.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use serde::Deserialize;
use strum::IntoEnumIterator;
use toml::Spanned;

use super::key_press::KeyPress;
use crate::app::action::{Action, Layer};
use onhook_toml_source::{TomlError, TomlSource};

/// The default keymap with comments, as `onhook config keymap` prints it.
pub const DEFAULTS: &str = include_str!("../../assets/keymap.toml");

/// The bindings of every layer.
#[derive(Debug, Clone)]
pub struct Keymap {
    layers: HashMap<Layer, Bindings>,
}

/// The keys of each action of one layer, in the order of the file.
#[derive(Debug, Clone, Default)]
struct Bindings {
    keys: Vec<(Action, Vec<KeyPress>)>,
}

/// A keymap file: layer, then action, then key or keys.
type KeymapFile = BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<OneOrMore>>>;

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a key or a list of keys")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// Names of layers and actions in keymaps of version 0.1, and what they are called now.
const RENAMED: [(&str, &str); 8] = [
    ("entrance", "sign-in-menu"),
    ("form", "sign-in-field"),
    ("fix", "enable-calls"),
    ("fitting", "default-reason"),
    ("busy", "reason-busy"),
    ("missed", "reason-missed"),
    ("hangup", "reason-hangup"),
    ("disconnect", "reason-disconnect"),
];

/// The message for a name that does not exist: its new name, or the names that exist.
fn unknown(what: &str, name: &str, names: impl Iterator<Item = String>) -> String {
    match RENAMED.iter().find(|(old, _)| *old == name) {
        Some((_, new)) => format!("is called '{new}' now"),
        None => {
            format!("there is no such {what}; there are {}", names.collect::<Vec<_>>().join(", "))
        }
    }
}

impl Default for Keymap {
    fn default() -> Self {
        let source = TomlSource::new("the default keymap", DEFAULTS);
        let mut keymap = Self { layers: HashMap::new() };
        keymap.merge(source).expect("the default keymap is tested");
        keymap
    }
}

impl Keymap {
    /// The defaults, with the bindings of a user's file in place of those of the same actions.
    ///
    /// # Errors
    /// Unknown layers, actions and keys, actions in the wrong layer, keys of two actions, characters in
    /// a layer where text is typed, and layers without a key to leave them.
    pub fn merged(source: TomlSource) -> Result<Self, TomlError> {
        let mut keymap = Self::default();
        keymap.merge(source)?;
        Ok(keymap)
    }

    fn merge(&mut self, source: TomlSource) -> Result<(), TomlError> {
        let file: KeymapFile = source.read()?;
        let mut bound = Vec::new();
        for (layer_name, actions) in &file {
            let at = layer_name.span().start;
            let layer = Layer::from_str(layer_name.get_ref()).map_err(|_| {
                let layers = Layer::iter().map(|layer| layer.as_ref().to_owned());
                let message = unknown("layer", layer_name.get_ref(), layers);
                source.error(at, layer_name.get_ref(), &message)
            })?;
            let mut actions: Vec<_> = actions.iter().collect();
            actions.sort_by_key(|(name, _)| name.span().start);
            for (name, keys) in actions {
                let (action, keys) = read_binding(source, layer, name, keys)?;
                self.layers.entry(layer).or_default().set(action, keys);
                bound.push((layer, action, name.span().start));
            }
        }
        for (layer, action, at) in &bound {
            let way_out = if *layer == Layer::Board { Action::Quit } else { Action::Back };
            if *action == way_out && self.keys(*layer, way_out).is_empty() {
                let message = format!("leaves no key to get out of the layer '{}'", layer.as_ref());
                return Err(source.error(*at, action.as_ref(), &message));
            }
            let typed = self.keys(*layer, *action).iter().find(|key| key.is_character());
            if let Some(key) = typed.filter(|_| layer.is_text()) {
                let message = format!(
                    "'{key}' could not be typed in the layer '{}'; take one with ctrl or alt",
                    layer.as_ref()
                );
                return Err(source.error(*at, action.as_ref(), &message));
            }
        }
        // Checked last, so that two actions can swap their keys.
        for (layer, action, at) in bound {
            if let Some((key, other)) = self.conflict(layer, action) {
                let (other, name) = (other.as_ref(), action.as_ref());
                let message =
                    format!("'{key}' is also the key of {other}; give {other} another, or []");
                return Err(source.error(at, name, &message));
            }
        }
        Ok(())
    }

    fn conflict(&self, layer: Layer, action: Action) -> Option<(KeyPress, Action)> {
        let bindings = self.layers.get(&layer)?;
        let others = bindings.keys.iter().filter(|(other, _)| *other != action);
        let taken = others.flat_map(|(other, keys)| keys.iter().map(move |key| (*key, *other)));
        let own = bindings.of(action);
        taken.into_iter().find(|(key, _)| own.contains(key))
    }

    /// The action of a key in a layer.
    pub fn action(&self, layer: Layer, key: KeyPress) -> Option<Action> {
        let bindings = self.layers.get(&layer)?;
        bindings.keys.iter().find(|(_, keys)| keys.contains(&key)).map(|(action, _)| *action)
    }

    /// The keys of an action in a layer; none if it is unbound.
    pub fn keys(&self, layer: Layer, action: Action) -> &[KeyPress] {
        self.layers.get(&layer).map_or(&[], |bindings| bindings.of(action))
    }

    /// The first key of an action, for hints.
    pub fn hint(&self, layer: Layer, action: Action) -> Option<String> {
        self.keys(layer, action).first().map(ToString::to_string)
    }

    /// The actions of a layer, in the order of the file.
    pub fn actions(&self, layer: Layer) -> impl Iterator<Item = (Action, &[KeyPress])> {
        let bindings = self.layers.get(&layer).into_iter();
        bindings
            .flat_map(|bindings| bindings.keys.iter().map(|(action, keys)| (*action, &keys[..])))
    }
}

impl Bindings {
    fn of(&self, action: Action) -> &[KeyPress] {
        self.keys.iter().find(|(known, _)| *known == action).map_or(&[], |(_, keys)| keys)
    }

    fn set(&mut self, action: Action, keys: Vec<KeyPress>) {
        match self.keys.iter_mut().find(|(known, _)| *known == action) {
            Some((_, known)) => *known = keys,
            None => self.keys.push((action, keys)),
        }
    }
}

fn read_binding(
    source: TomlSource,
    layer: Layer,
    name: &Spanned<String>,
    keys: &Spanned<OneOrMore>,
) -> Result<(Action, Vec<KeyPress>), TomlError> {
    let at = name.span().start;
    let action = Action::from_str(name.get_ref()).map_err(|_| {
        let actions = Action::iter().filter(|action| action.belongs_to(layer));
        let actions = actions.map(|action| action.as_ref().to_owned());
        let message = unknown("action", name.get_ref(), actions);
        source.error(at, name.get_ref(), &message)
    })?;
    if !action.belongs_to(layer) {
        let message = format!("does nothing in the layer '{}'", layer.as_ref());
        return Err(source.error(at, name.get_ref(), &message));
    }
    let at = keys.span().start;
    let keys = match keys.get_ref() {
        OneOrMore::One(key) => std::slice::from_ref(key),
        OneOrMore::More(keys) => keys,
    };
    let keys = keys.iter().map(|key| {
        KeyPress::parse(key).map_err(|error| source.error(at, name.get_ref(), &error.to_string()))
    });
    Ok((action, keys.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(text: &str) -> Result<Keymap, String> {
        Keymap::merged(TomlSource::new("keymap.toml", text)).map_err(|wrong| wrong.to_string())
    }

    fn key(name: &str) -> KeyPress {
        KeyPress::parse(name).expect(name)
    }

    #[test]
    fn every_action_is_bound_in_each_layer_where_it_makes_sense() {
        let keymap = Keymap::default();
        // Moving is by arrows in the picker, where there are never pages.
        for layer in Layer::iter() {
            for action in Action::iter().filter(|action| action.belongs_to(layer)) {
                assert!(
                    !keymap.keys(layer, action).is_empty(),
                    "{} in {}",
                    action.as_ref(),
                    layer.as_ref()
                );
            }
        }
    }

    #[test]
    fn the_users_keys_replace_those_of_the_same_action() {
        let keymap = merged("[board]\nhang-up = 'h'\n").expect("a good keymap");
        assert_eq!(keymap.action(Layer::Board, key("h")), Some(Action::HangUp));
        assert_eq!(keymap.action(Layer::Board, key("x")), None);
        assert_eq!(keymap.action(Layer::Board, key("X")), Some(Action::HangUpNow));
        assert_eq!(keymap.hint(Layer::Board, Action::HangUp).as_deref(), Some("h"));
    }

    #[test]
    fn two_actions_can_swap_their_keys() {
        let keymap = merged("[board]\nhang-up = 'X'\nhang-up-now = 'x'\n").expect("no conflict");
        assert_eq!(keymap.action(Layer::Board, key("x")), Some(Action::HangUpNow));
    }

    #[test]
    fn a_wrong_keymap_is_refused_with_line_and_key() {
        let cases = [
            ("[bord]\n", "keymap.toml:1: bord: there is no such layer"),
            ("[board]\nhangup-now = 'x'", "keymap.toml:2: hangup-now: there is no such action"),
            ("[entrance]\n", "keymap.toml:1: entrance: is called 'sign-in-menu' now"),
            ("[picker]\nhangup = 'h'", "keymap.toml:2: hangup: is called 'reason-hangup' now"),
            (
                "[board]\nreason-busy = 'b'",
                "keymap.toml:2: reason-busy: does nothing in the layer 'board'",
            ),
            ("[board]\n\nhang-up = 'hyper-x'", "keymap.toml:3: hang-up: 'hyper-x' is not a key"),
            ("[board]\nhang-up = 'j'", "keymap.toml:2: hang-up: 'j' is also the key of down"),
            ("[board]\nquit = []", "keymap.toml:2: quit: leaves no key to get out of"),
            (
                "[picker]\nup = 'u'\nback = []",
                "keymap.toml:3: back: leaves no key to get out of the layer 'picker'",
            ),
            (
                "[sign-in-field]\naccept = 'a'",
                "keymap.toml:2: accept: 'a' could not be typed in the layer 'sign-in-field'",
            ),
            (
                "[filter]\naccept = ['enter', 'space']",
                "keymap.toml:2: accept: 'Space' could not be typed in the layer 'filter'",
            ),
            (
                "[board]\nup = 'ctrl-shift-x'",
                "keymap.toml:2: up: 'ctrl-shift-x' is what terminals send for ctrl-x; write ctrl-x",
            ),
            ("[board]\nup = 'f13'", "keymap.toml:2: up: 'f13' is not a key"),
            (
                "[board]\nup = 'ctrl-i'",
                "keymap.toml:2: up: 'ctrl-i' is what terminals send for tab",
            ),
            ("[board]\nhang-up = 3", "keymap.toml:2: hang-up: a key or a list of keys"),
            ("[board]\nhang-up = ", "keymap.toml:2: hang-up: "),
        ];
        for (text, wanted) in cases {
            let refusal = merged(text).expect_err("a wrong keymap");
            assert!(refusal.starts_with(wanted), "{refusal}\nwanted: {wanted}");
        }
    }
}

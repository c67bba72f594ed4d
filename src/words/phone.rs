//! Sentences about the sound of a call.

use crate::calls::own_call::{CallQuality, PhoneStage, SoundRoute};

/// This side or the other one is muted.
pub const MUTED: &str = "muted";
/// The microphone has recorded nothing for some time.
pub const NO_SIGNAL: &str = "no signal from the microphone";
/// Progress of a call without a screen.
pub const RINGING: &str = "ringing";
pub const CONNECTED: &str = "connected";

/// A call is being placed.
pub fn calling(name: &str) -> String {
    format!("calling {name}")
}

/// A call is being answered.
pub fn answering(name: &str) -> String {
    format!("answering {name}")
}

/// The emoji of the key, which the other side sees as well if nobody listens in.
pub fn key(emoji: &str) -> String {
    format!("key: {emoji}; the other side must have the same")
}

/// The end of a call in which both sides talked.
pub fn ended(how: &str, talked: &str) -> String {
    format!("{how} · talked {talked}")
}

/// Asks before a call is placed or answered.
pub fn question(places: bool, name: &str) -> String {
    let verb = if places { "Call" } else { "Answer" };
    format!("{verb} {name}? [y/N] ")
}

/// The call is recorded.
pub const RECORDING: &str = "● REC";
/// How the sound of a call travels.
pub fn route(route: SoundRoute) -> &'static str {
    match route {
        SoundRoute::Direct => "direct",
        SoundRoute::Relayed { .. } => "relayed",
    }
}

/// Notes of the dialog in which a person is chosen to call.
pub const READING_CONTACTS: &str = "reading your contacts…";
pub const LOOKING_UP: &str = "looking up…";
pub const ENTER_LOOKS_UP: &str = "Enter looks this up at Telegram";
pub const TYPE_A_PERSON: &str = "a name, @username or +number; Enter rings";
pub const NOBODY_FOUND: &str = "Telegram knows nobody by that";

/// The title of that dialog. `account` is the account that calls, if there are several.
pub fn dial_title(account: Option<&str>) -> String {
    account.map_or("Call".to_owned(), |account| format!("Call with {account}"))
}

/// The title of the panel of a call.
pub fn panel_title(name: &str) -> String {
    format!("Call with {name}")
}

fn port(is_microphone: bool) -> &'static str {
    if is_microphone { "microphone" } else { "loudspeaker" }
}

/// The sound server is gone. It is looked for.
pub fn sound_lost(reason: &str) -> String {
    format!("no sound, retrying: {reason}")
}

/// No microphone or no loudspeaker is in use.
pub fn missing_port(is_microphone: bool) -> String {
    format!("no {} found", port(is_microphone))
}

/// There is no microphone or no loudspeaker.
pub fn port_unavailable(is_microphone: bool, reason: &str) -> String {
    format!("no {}: {reason}", port(is_microphone))
}

/// The sound server has muted a port.
pub fn muted_at_server(is_microphone: bool) -> String {
    format!("the {} is muted in the sound settings", port(is_microphone))
}

/// The sound server has stopped a port.
pub fn suspended(is_microphone: bool) -> String {
    format!("the {} is suspended", port(is_microphone))
}

/// The quality of a call in a word.
pub fn quality(quality: CallQuality) -> &'static str {
    match quality {
        CallQuality::Good => "good",
        CallQuality::Poor => "poor",
        CallQuality::BreakingUp => "breaking up",
    }
}

/// How far the call has come.
pub fn stage(stage: PhoneStage) -> &'static str {
    match stage {
        PhoneStage::Answering => "answering",
        PhoneStage::Placing => "calling",
        PhoneStage::Cancelling => "cancelling",
        PhoneStage::Waiting => "waiting for an answer",
        PhoneStage::ExchangingKeys => "exchanging keys",
        PhoneStage::Connecting => "connecting",
        PhoneStage::Talking => "talking",
        PhoneStage::Reconnecting => "reconnecting",
    }
}

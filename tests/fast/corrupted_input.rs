//! Damaged input of every kind is read or refused: nothing panics, and nothing is lost.

use std::fs;
use std::path::{Path, PathBuf};

use grammers_client::tl::{Serializable, enums, types};
use onhook::accounts::AccountStore;
use onhook::config::paths::Paths;
use onhook::config::{Config, Overrides};
use onhook::ledger::Ledger;
use onhook::telegram::{Imported, read_updates};
use onhook_loopback::Scenario;
use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;

/// What is done to a text or file.
#[derive(Debug, Clone)]
enum Damage {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Cut(Index),
    Repeat(Index, usize),
}

fn any_damage() -> impl Strategy<Value = Vec<Damage>> {
    let at = any::<Index>;
    // What means something in TOML and in TL, beside bytes that mean nothing.
    let pieces = ["\"", "'''", "[[", "=", "\n", "-9223372036854775808", "1e309", "\u{202e}", "\0"];
    let piece = proptest::sample::select(pieces.map(|it| it.as_bytes().to_vec()).to_vec());
    let bytes = proptest::collection::vec(any::<u8>(), 1..12);
    let damage = prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        2 => (at(), prop_oneof![piece, bytes]).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        2 => (at(), 1usize..40).prop_map(|(at, count)| Damage::Remove(at, count)),
        1 => at().prop_map(Damage::Cut),
        1 => (at(), 1usize..200).prop_map(|(at, count)| Damage::Repeat(at, count)),
    ];
    proptest::collection::vec(damage, 1..6)
}

fn damaged(whole: &[u8], damage: &[Damage]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for damage in damage {
        if bytes.is_empty() {
            return bytes;
        }
        match damage {
            Damage::Set(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Damage::Insert(at, new) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Damage::Remove(at, count) => {
                let at = at.index(bytes.len());
                bytes.drain(at..bytes.len().min(at + count));
            }
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Damage::Repeat(at, count) => {
                let at = at.index(bytes.len());
                let again = bytes[at..bytes.len().min(at + count)].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    bytes
}

/// The files of a folder of the assets, as `(name, text)`.
fn assets(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(folder);
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("it").path());
    let texts = entries.filter(|path| path.extension().is_some_and(|it| it == "toml"));
    texts.map(|path| (path.clone(), fs::read_to_string(path).expect("a text"))).collect()
}

/// An incoming and an outgoing call in each state.
fn phone_calls() -> [enums::PhoneCall; 6] {
    let protocol: enums::PhoneCallProtocol = types::PhoneCallProtocol {
        udp_p2p: true,
        udp_reflector: true,
        min_layer: 65,
        max_layer: 92,
        library_versions: vec!["13.0.0".to_owned()],
    }
    .into();
    let (video, id, access_hash, date) = (true, 7, 9, 100);
    let requested = types::PhoneCallRequested {
        video,
        id,
        access_hash,
        date,
        admin_id: 2,
        participant_id: 1,
        g_a_hash: vec![1; 32],
        protocol: protocol.clone(),
    };
    let waiting = types::PhoneCallWaiting {
        video,
        id,
        access_hash,
        date,
        admin_id: 1,
        participant_id: 2,
        protocol: protocol.clone(),
        receive_date: Some(101),
    };
    let accepted = types::PhoneCallAccepted {
        video,
        id,
        access_hash,
        date,
        admin_id: 1,
        participant_id: 2,
        g_b: vec![1; 256],
        protocol: protocol.clone(),
    };
    let connection = types::PhoneConnection {
        tcp: false,
        id: 1,
        ip: "127.0.0.1".to_owned(),
        ipv6: String::new(),
        port: 1,
        peer_tag: vec![1; 16],
    };
    let established = types::PhoneCall {
        p2p_allowed: true,
        video,
        conference_supported: false,
        id,
        access_hash,
        date,
        admin_id: 1,
        participant_id: 2,
        g_a_or_b: vec![1; 256],
        key_fingerprint: 1,
        protocol,
        connections: vec![connection.into()],
        start_date: 102,
        custom_parameters: None,
    };
    let discarded = types::PhoneCallDiscarded {
        need_rating: false,
        need_debug: false,
        video,
        id,
        reason: Some(enums::PhoneCallDiscardReason::Busy),
        duration: Some(3),
    };
    [
        requested.into(),
        waiting.into(),
        accepted.into(),
        established.into(),
        discarded.into(),
        types::PhoneCallEmpty { id }.into(),
    ]
}

/// Updates as Telegram sends them: a call in each state, and the chat's message of its end.
fn updates() -> Vec<u8> {
    let action = types::MessageActionPhoneCall {
        video: true,
        call_id: 7,
        reason: Some(enums::PhoneCallDiscardReason::Hangup),
        duration: Some(3),
    };
    let message = types::MessageService {
        out: false,
        mentioned: false,
        media_unread: false,
        reactions_are_possible: false,
        silent: false,
        post: false,
        legacy: false,
        id: 1,
        from_id: None,
        peer_id: types::PeerUser { user_id: 2 }.into(),
        saved_peer_id: None,
        reply_to: None,
        date: 103,
        action: action.into(),
        reactions: None,
        ttl_period: None,
    };
    let calls = phone_calls().map(|phone_call| types::UpdatePhoneCall { phone_call }.into());
    let message = types::UpdateNewMessage { message: message.into(), pts: 2, pts_count: 1 }.into();
    let updates = types::Updates {
        updates: calls.into_iter().chain([message]).collect(),
        users: vec![types::UserEmpty { id: 2 }.into()],
        chats: Vec::new(),
        date: 103,
        seq: 1,
    };
    enums::Updates::from(updates).to_bytes()
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn undamaged_updates_are_read() {
    assert_eq!(read_updates(&updates(), 1).len(), 7);
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn damaged_updates_never_panic(damage in any_damage(), id in any::<i64>()) {
        read_updates(&damaged(&updates(), &damage), id);
    }

    #[test]
    fn damaged_session_strings_never_panic(damage in any_damage()) {
        let whole = format!("1{}", "AQ".repeat(190));
        if let Ok(text) = String::from_utf8(damaged(whole.as_bytes(), &damage)) {
            let _ = Imported::parse(&text);
        }
    }
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn damaged_scenarios_are_read_or_refused_with_file_and_line(damage in any_damage(), which in any::<Index>()) {
        let texts = assets("scenarios");
        let (_, whole) = which.get(&texts);
        let text = String::from_utf8_lossy(&damaged(whole.as_bytes(), &damage)).into_owned();
        if let Err(error) = Scenario::parse("s.toml", &text) {
            let text = error.to_string();
            prop_assert!(text.starts_with("s.toml:"), "{text}");
            prop_assert!(!text.contains('\n'), "{text:?}");
        }
    }

    #[test]
    fn damaged_settings_keymaps_and_themes_are_read_or_refused_and_kept(
        damage in any_damage(),
        bytes in proptest::collection::vec(any::<u8>(), 0..100),
        which in 0usize..3,
        random in proptest::bool::weighted(0.2),
    ) {
        let folder = TempDir::new().expect("a folder");
        let files = ["config.toml", "keymap.toml", "themes/own.toml"];
        let sources = ["config.toml", "keymap.toml", "themes/dark.toml"];
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        // The settings are comments until somebody takes them in.
        let whole = fs::read_to_string(assets.join(sources[which])).expect("a text");
        let whole = if which == 0 { whole.replace("\n# ", "\n") } else { whole };
        let bytes = if random { bytes } else { damaged(whole.as_bytes(), &damage) };
        let path = folder.path().join(files[which]);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, &bytes).expect("a file");
        let paths = Paths::find(|name| {
            name.ends_with("_DIR").then(|| folder.path().as_os_str().to_owned())
        });
        let flags = Overrides { theme: (which == 2).then(|| "own".to_owned()), ..Overrides::default() };
        if let Err(error) = Config::load(&paths, flags, |_| None) {
            let text = error.to_string();
            prop_assert!(text.contains(files[which].rsplit('/').next().expect("a name")), "{text}");
        }
        prop_assert_eq!(fs::read(&path).expect("the file"), bytes, "it stays as it was");
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn damaged_account_settings_are_read_or_refused(damage in any_damage()) {
        let folder = TempDir::new().expect("a folder");
        let accounts = AccountStore::at(folder.path().join("accounts"));
        let draft = accounts.draft().expect("a new account");
        drop(draft);
        let own = accounts.root().join("ada");
        private(&own, 0o700, None);
        let text = "api_id = 7\napi_hash = \"0123\"\nuser_id = 99\nipv6 = true\n";
        private(&own.join("session.db"), 0o600, Some(b""));
        private(&own.join("account.toml"), 0o600, Some(&damaged(text.as_bytes(), &damage)));
        if let Err(error) = accounts.lease("ada") {
            prop_assert!(error.to_string().contains("account.toml"), "{error}");
        }
    }

    #[test]
    fn damaged_ledgers_are_read_or_refused_and_kept(damage in any_damage()) {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("ledger.db");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            drop(Ledger::open(&path).await.expect("a new ledger"));
            let bytes = damaged(&fs::read(&path).expect("a file"), &damage);
            fs::write(&path, &bytes).expect("a file");
            let opened = Ledger::open(&path).await;
            if opened.is_err() {
                assert_eq!(fs::read(&path).expect("the file"), bytes, "it stays as it was");
            }
            if let Ok(ledger) = opened {
                // What is damaged inside is told when it is read.
                let _ = ledger.recall(1, jiff::Timestamp::UNIX_EPOCH, 0).await;
                let _ = ledger.write(&[]).await;
            }
        });
    }
}

fn private(path: &Path, mode: u32, bytes: Option<&[u8]>) {
    use std::os::unix::fs::PermissionsExt;
    match bytes {
        Some(bytes) => fs::write(path, bytes).expect("a file"),
        None => fs::create_dir_all(path).expect("a folder"),
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("they can be set");
}

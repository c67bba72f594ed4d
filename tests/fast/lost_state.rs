//! A session whose update state Telegram refuses, as a real process.

use onhook::records::{Record, RecordEvent};
use onhook_loopback::{Options, Scenario, Server};
use tempfile::TempDir;

use crate::common::program::{Running, onhook};
use crate::common::session::stored_account;

#[test]
fn watch_goes_on_whatever_telegram_answers_to_an_old_update_state() {
    for state in ["known", "refused", "too-long"] {
        let text = format!(
            "title = 't'\n[server]\nold_state = '{state}'\nrepeats_calls = 'none'\n\
             [[person]]\nkey = 'grace'\nname = 'Grace Hopper'\n\
             [[call]]\nfrom = 'grace'\nto = 'me'\nat = 2\nrings = 3\n"
        );
        let scenario = Scenario::parse("s.toml", &text).expect("a good scenario");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let folder = TempDir::new().expect("a folder");
        let _server = runtime.block_on(async {
            let server = Server::start(scenario, Options::default()).await.expect("a port");
            stored_account(folder.path(), &server, 0).await;
            server
        });
        let mut watch = onhook(folder.path(), &["watch"]);
        watch.env("ONHOOK_API_ID", "7").env("ONHOOK_API_HASH", "0123456789abcdef0123456789abcdef");
        let (_running, lines) = Running::start(watch);
        let mut records = lines.map(|it| serde_json::from_str::<Record>(&it).expect("a record"));
        let rings = |record: &Record| match &record.event {
            RecordEvent::CallAdded(call) => call.name.as_deref() == Some("Grace Hopper"),
            _ => false,
        };
        assert!(records.any(|record| rings(&record)), "{state}: it rings");
        let missed = |record: &Record| match &record.event {
            RecordEvent::CallEnded(call) => call.outcome.as_deref() == Some("missed"),
            _ => false,
        };
        assert!(records.any(|record| missed(&record)), "{state}: it ends");
    }
}

//! Rules on whether somebody is at the desktop, on a real session bus with services of the test.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;
use zbus::{connection, interface};

use crate::common::program::{Running, onhook};
use crate::desktop::Bus;

/// What a service answers; `None` is never.
type Answered<T> = Option<T>;

/// The service of the freedesktop specification.
struct ScreenSaver {
    locked: Answered<bool>,
    idle: Answered<u32>,
}

#[interface(name = "org.freedesktop.ScreenSaver")]
impl ScreenSaver {
    async fn get_active(&self) -> bool {
        answer(self.locked).await
    }

    async fn get_session_idle_time(&self) -> u32 {
        answer(self.idle).await
    }
}

/// The same name at GNOME, which has other methods.
struct Inhibitor {
    cookie: u32,
}

#[interface(name = "org.freedesktop.ScreenSaver")]
impl Inhibitor {
    fn inhibit(&self) -> u32 {
        self.cookie
    }
}

struct GnomeScreenSaver(Answered<bool>);

#[interface(name = "org.gnome.ScreenSaver")]
impl GnomeScreenSaver {
    async fn get_active(&self) -> bool {
        answer(self.0).await
    }
}

struct IdleMonitor(Answered<u64>);

#[interface(name = "org.gnome.Mutter.IdleMonitor")]
impl IdleMonitor {
    async fn get_idletime(&self) -> u64 {
        answer(self.0).await
    }
}

async fn answer<T>(answered: Answered<T>) -> T {
    match answered {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

/// A desktop.
#[derive(Clone, Copy)]
enum Services {
    None,
    Freedesktop(Answered<bool>, Answered<u32>),
    Gnome(Answered<bool>, Answered<u64>),
}

const FREEDESKTOP: (&str, &str) = ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver");

impl Services {
    async fn serve(self, address: &str) -> zbus::Result<zbus::Connection> {
        let address: zbus::Address = address.parse()?;
        let builder = connection::Builder::address(address);
        let builder = match self {
            Self::None => builder,
            Self::Freedesktop(locked, idle) => {
                builder.name(FREEDESKTOP.0).serve_at(FREEDESKTOP.1, ScreenSaver { locked, idle })
            }
            Self::Gnome(locked, idle) => builder
                .name(FREEDESKTOP.0)
                .serve_at(FREEDESKTOP.1, Inhibitor { cookie: 1 })
                .name("org.gnome.ScreenSaver")
                .serve_at("/org/gnome/ScreenSaver", GnomeScreenSaver(locked))
                .name("org.gnome.Mutter.IdleMonitor")
                .serve_at("/org/gnome/Mutter/IdleMonitor/Core", IdleMonitor(idle)),
        };
        builder.build().await
    }
}

/// `locked` declines as busy, `idle` as missed, both known and false as a hang-up, everything else as a
/// lost connection.
const RULES: &str = "\
    [[rule]]\nname = 'locked'\nwhen = { locked = true }\ndry = false\n\
    then = { decline = 'busy', grace = 0 }\n\
    [[rule]]\nname = 'idle'\nwhen = { idle = true }\ndry = false\n\
    then = { decline = 'missed', grace = 0 }\n\
    [[rule]]\nname = 'there'\nwhen = { idle = false, locked = false }\ndry = false\n\
    then = { decline = 'hangup', grace = 0 }\n\
    [[rule]]\nname = 'unknown'\ndry = false\nthen = { decline = 'disconnect', grace = 0 }\n";

/// Whether the calls of a burst are all declined with this reason.
#[track_caller]
fn declines(bus: &str, wanted: &str) {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("rules.toml"), RULES).expect("the rules");
    let call = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n";
    let scenario = "title = 't'\n[[person]]\nkey = 'grace'\nname = 'Grace'\n".to_owned();
    fs::write(folder.path().join("s.toml"), scenario + &call.repeat(3)).expect("the scenario");
    let mut watch = onhook(folder.path(), &["watch", "--demo", "s.toml", "--rules"]);
    watch.env("DBUS_SESSION_BUS_ADDRESS", bus);
    let (_running, records) = Running::start(watch);
    let records = records.map(|line| serde_json::from_str::<Value>(&line).expect("a record"));
    let ended: Vec<_> = records.filter(|it| it["event"] == "call-ended").take(3).collect();
    for call in ended {
        assert_eq!((&call["origin"], &call["reason_sent"]), (&"rule".into(), &wanted.into()));
    }
}

#[test]
fn rules_know_whether_somebody_is_at_the_desktop() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let cases = [
        (Services::Freedesktop(Some(true), Some(0)), "busy"),
        (Services::Freedesktop(Some(false), Some(300_000)), "missed"),
        (Services::Freedesktop(Some(false), Some(299_999)), "hangup"),
        (Services::Freedesktop(None, Some(300_000)), "missed"),
        (Services::Freedesktop(None, None), "disconnect"),
        (Services::Gnome(Some(true), None), "busy"),
        (Services::Gnome(Some(false), Some(300_000)), "missed"),
        (Services::Gnome(Some(false), Some(0)), "hangup"),
        (Services::None, "disconnect"),
    ];
    for (services, wanted) in cases {
        // A bus for each: it frees the names of a closed connection some time later.
        let Some(bus) = Bus::start() else { return };
        let _serving = runtime.block_on(services.serve(&bus.address)).expect("the services");
        declines(&bus.address, wanted);
    }
}

#[test]
fn without_a_bus_nothing_is_known_of_the_desktop() {
    for address in ["unix:path=/nonexistent/bus", "nonsense"] {
        declines(address, "disconnect");
    }
}

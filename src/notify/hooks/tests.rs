//! Hooks as real processes. Each script ends with an exit code that is reported.

use std::fs;
use std::future::Future;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::records::{RecordEvent, VERSION};

/// A runner with these scripts for `connection-lost`, and the events that it sends.
fn start(scripts: &[&str]) -> (HookRunner, mpsc::UnboundedReceiver<NotifyEvent>) {
    let hook = |script: &&str| Hook {
        events: vec![HookEvent::ConnectionLost],
        program: "/bin/sh".to_owned(),
        arguments: vec!["-c".to_owned(), (*script).to_owned()],
    };
    start_hooks(scripts.iter().map(hook).collect())
}

fn start_hooks(hooks: Vec<Hook>) -> (HookRunner, mpsc::UnboundedReceiver<NotifyEvent>) {
    let (sender, events) = mpsc::unbounded_channel();
    let names = ["PATH", "HOME", "LC_TIME", "ONHOOK_PROXY", "SECRET"];
    let environment = names.map(|name| {
        let value = if name == "PATH" { "/usr/bin:/bin" } else { "/of/the/test" };
        (OsString::from(name), OsString::from(value))
    });
    (HookRunner::start(hooks, environment.into_iter(), sender), events)
}

fn connection_lost() -> Record {
    Record {
        v: VERSION,
        time: Timestamp::UNIX_EPOCH,
        account: "ada".to_owned(),
        event: RecordEvent::Connection { state: "retrying".to_owned(), cause: None },
    }
}

fn run(runner: &mut HookRunner) {
    runner.run(&[HookEvent::ConnectionLost], &connection_lost());
}

fn block_on(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        tokio::time::timeout(Duration::from_mins(1), test).await.expect("the test ends");
    });
}

async fn failure(events: &mut mpsc::UnboundedReceiver<NotifyEvent>) -> String {
    match events.recv().await.expect("the runner lives") {
        NotifyEvent::HookFailed { program, cause } => format!("{program}: {cause}"),
        other => panic!("no failure: {other:?}"),
    }
}

#[test]
fn a_hook_gets_the_record_and_a_clean_environment() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().display();
    block_on(async {
        let script = format!("cat > {path}/input; /usr/bin/env > {path}/environment; exit 7");
        let (mut runner, mut events) = start(&[&script]);
        run(&mut runner);
        assert_eq!(failure(&mut events).await, "sh: exit code 7");
    });
    let read = |name| fs::read_to_string(folder.path().join(name)).expect("written by the hook");
    let wanted = serde_json::to_string(&connection_lost()).expect("JSON") + "\n";
    assert_eq!(read("input"), wanted);
    let environment = read("environment");
    // The shell sets more variables.
    let of_shell =
        |line: &&str| ["PWD=", "SHLVL=", "_=", "OLDPWD="].iter().any(|it| line.starts_with(it));
    let mut variables: Vec<_> = environment.lines().filter(|line| !of_shell(line)).collect();
    variables.sort_unstable();
    let wanted = [
        "HOME=/of/the/test",
        "LC_TIME=/of/the/test",
        "ONHOOK_ACCOUNT=ada",
        "ONHOOK_EVENT=connection-lost",
        "PATH=/usr/bin:/bin",
    ];
    assert_eq!(variables, wanted);
}

#[test]
fn failures_are_reported_with_the_first_line_of_standard_error() {
    let cases = [
        ("echo 'No players found' >&2; echo more >&2; exit 3", "sh: exit code 3: No players found"),
        ("kill -9 $$", "sh: ended by signal 9"),
        ("printf 'a\\033]52;c;eA==\\007b\\n' >&2; exit 1", "sh: exit code 1: a]52;c;eA==b"),
        ("exec <&-; exit 4", "sh: exit code 4"),
        ("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 5", ""),
        ("sleep 3 & exit 6", "sh: exit code 6"),
        ("head -c 3000000 /dev/zero; exit 8", "sh: exit code 8"),
    ];
    for (script, wanted) in cases {
        block_on(async {
            let (mut runner, mut events) = start(&[script]);
            run(&mut runner);
            let reported = failure(&mut events).await;
            if wanted.is_empty() {
                assert!(reported.starts_with("sh: exit code 5: xxx"), "{reported}");
                assert!(reported.len() < 300, "{}", reported.len());
            } else {
                assert_eq!(reported, wanted);
            }
        });
    }
    block_on(async {
        let absent = Hook {
            events: vec![HookEvent::ConnectionLost],
            program: "~/no such program".to_owned(),
            arguments: Vec::new(),
        };
        let (mut runner, mut events) = start_hooks(vec![absent]);
        run(&mut runner);
        let wanted = "no such program: cannot be started: No such file or directory (os error 2)";
        assert_eq!(failure(&mut events).await, wanted);
    });
}

#[test]
fn a_hook_that_hangs_is_ended() {
    block_on(async {
        // The paused clock goes on at once to the time limit.
        tokio::time::pause();
        let (mut runner, mut events) = start(&["trap '' TERM; sleep 1000"]);
        run(&mut runner);
        assert_eq!(failure(&mut events).await, "sh: ended after 10 s");
    });
}

#[test]
fn at_most_four_hooks_run_at_once() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().display();
    // The exit code is how many others run, plus 10.
    let script = format!(
        "others=$(ls {path} | wc -l); touch {path}/$$; sleep 0.05; rm {path}/$$; exit $((others + 10))"
    );
    block_on(async {
        let (mut runner, mut events) = start(&[&script]);
        for _ in 0..20 {
            run(&mut runner);
        }
        for _ in 0..20 {
            let reported = failure(&mut events).await;
            let code: usize =
                reported.rsplit(' ').next().and_then(|it| it.parse().ok()).expect("a code");
            assert!((10..10 + AT_ONCE).contains(&code), "{reported}");
        }
    });
}

#[test]
fn hooks_beyond_the_queue_are_dropped_and_reported_once() {
    block_on(async {
        let (mut runner, mut events) = start(&["exit 1"]);
        for _ in 0..QUEUE_SLOTS + 20 {
            run(&mut runner);
        }
        assert_eq!(events.try_recv(), Ok(NotifyEvent::HooksDropped));
        for _ in 0..QUEUE_SLOTS {
            assert_eq!(failure(&mut events).await, "sh: exit code 1");
        }
        runner.close().await;
        assert_eq!(events.recv().await, None, "nothing more comes");
    });
}

#[test]
fn a_hook_runs_once_for_the_most_specific_event_that_it_waits_for() {
    let hook = |events: &[HookEvent]| Hook {
        events: events.to_vec(),
        program: String::new(),
        arguments: Vec::new(),
    };
    let missed = [HookEvent::Missed, HookEvent::Ended];
    let cases: [(&[HookEvent], Option<HookEvent>); 4] = [
        (&[HookEvent::Ended, HookEvent::Missed], Some(HookEvent::Missed)),
        (&[HookEvent::Ended], Some(HookEvent::Ended)),
        (&[HookEvent::Missed], Some(HookEvent::Missed)),
        (&[HookEvent::Ringing, HookEvent::Declined], None),
    ];
    for (waits_for, wanted) in cases {
        assert_eq!(chosen_event(&hook(waits_for), &missed), wanted, "{waits_for:?}");
    }
}

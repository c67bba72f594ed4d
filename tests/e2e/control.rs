//! The control socket: the program's own commands, and a program that others might write.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::accounts::board_of;
use crate::common::program::{PROGRAM, Watchdog, onhook};
use crate::common::server_process::ServerProcess;
use crate::pty::{Board, Start};

const TWO: &str = "[[call]]\nfrom = 'linus'\nto = 'me'\nat = 0.1\n\
                   [[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.2\n";

/// Runs a command of the program beside a board; its exit code, standard output and error.
fn beside(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = onhook(folder, args).output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
}

fn ringing() -> (ServerProcess, Board) {
    let served = ServerProcess::start(TWO);
    let board = board_of(&served).run();
    board.see_line(&["ringing", "Grace Hopper"]);
    board.see_line(&["ringing", "Linus"]);
    (served, board)
}

#[test]
fn a_script_drives_the_socket_from_its_schema_alone() {
    let (_served, board) = ringing();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/control.py");
    let mut python = Command::new("python3")
        .arg(script)
        .arg(PROGRAM)
        .arg(board.folder().join("run/control.sock"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let _watchdog = Watchdog::over(python.id());
    let mut lines = BufReader::new(python.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.next().expect("a line").expect("UTF-8"), "restart");
    let board = Start::own().at(board.quit().folder).run();
    board.see_line(&["ringing", "Grace Hopper"]);
    writeln!(python.stdin.take().expect("a pipe"), "go on").expect("it reads");
    let last = lines.next().expect("a line").expect("UTF-8");
    assert!(python.wait().expect("it ends").success(), "{last}");
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    board.quit();
}

#[test]
fn a_call_is_declined_from_another_terminal() {
    let (_served, board) = ringing();
    let folder = board.folder().to_owned();
    let (code, status, _) = beside(&folder, &["status", "--json"]);
    let status: Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!((code, status["ringing"].as_u64()), (0, Some(2)));
    let (code, _, error) = beside(&folder, &["hangup", "--ringing"]);
    assert_eq!(code, 2);
    assert!(error.contains("that means 2 calls"), "{error}");
    let calls = status["calls"].as_array().expect("calls");
    let linus = calls.iter().find(|call| call["name"] == "Linus").expect("he rings");
    let key = linus["call"].as_str().expect("a key");
    let (code, told, _) = beside(&folder, &["hangup", key, "--reason", "missed"]);
    assert_eq!((code, told.as_str()), (0, "Linus: declined by you (missed)\n"));
    board.see_line(&["Linus", "declined by you (missed)"]);
    let (code, _, error) = beside(&folder, &["hangup", key]);
    assert_eq!(code, 1, "{error}");
    let (_, short, _) = beside(&folder, &["status", "--short"]);
    assert!(short.starts_with("☎ 1 Grace Hopper 00:"), "{short}");
    for action in ["top", "hang-up"] {
        let (code, ..) = beside(&folder, &["do", action]);
        assert_eq!(code, 0);
    }
    board.see("Decline the call from Grace Hopper");
    let (code, ..) = beside(&folder, &["do", "reason-busy"]);
    assert_eq!(code, 0);
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    let discards = board.quit().requests;
    let discards = discards.iter().filter(|it| it["method"] == "phone.discardCall").count();
    assert_eq!(discards, 0, "the requests of this board are in the log of the other process");
}

#[test]
fn watch_prints_the_records_of_a_running_board() {
    let (_served, board) = ringing();
    let (_running, mut lines) =
        crate::common::program::Running::start(onhook(board.folder(), &["watch"]));
    let there: Vec<String> = lines.by_ref().take(3).collect();
    assert!(there[0].contains("\"event\":\"connection\",\"state\":\"online\""), "{there:?}");
    assert!(there[1..].iter().all(|line| line.contains("\"event\":\"call-updated\"")), "{there:?}");
    let (code, _, error) = beside(board.folder(), &["watch", "--notify"]);
    assert_eq!(code, 2);
    assert!(error.contains("leave out --notify"), "{error}");
    let (code, ..) = beside(board.folder(), &["hangup", "--latest"]);
    assert_eq!(code, 0);
    let ended = lines.find(|line| line.contains("\"event\":\"call-ended\"")).expect("a record");
    let record: Value = serde_json::from_str(&ended).expect("JSON");
    assert_eq!((&record["outcome"], &record["origin"]), (&"declined".into(), &"control".into()));
    board.quit();
    assert!(lines.all(|line| line.contains("call-refined")), "it ends with the board");
}

#[test]
fn without_a_running_instance_the_commands_say_how_to_start_one() {
    let folder = tempfile::TempDir::new().expect("a folder");
    for args in [&["status"][..], &["hangup"], &["do", "help"]] {
        let (code, out, error) = beside(folder.path(), args);
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(error.contains("no onhook is running; start `onhook`"), "{error}");
    }
}

/// The board makes the calls, so that they are on its screen.
#[test]
fn calls_are_placed_and_answered_from_another_terminal() {
    let people = "[[person]]\nkey = 'echo'\nname = 'Echo'\nusername = 'echo'\nknown = 'contact'\n\
                  answers = 'echo'\nanswers_after = 0.2\n";
    let linus = "[[call]]\nfrom = 'linus'\nto = 'me'\nat = 3.0\n";
    let served = ServerProcess::start(&(people.to_owned() + linus));
    let settings = "[voice]\nsound = 'silent'\n";
    let board = board_of(&served).size(120, 30).file("config.toml", settings).run();
    board.see("no calls");
    let folder = board.folder().to_owned();
    let refused: [(&[&str], i32, &str); 4] = [
        (&["call", "echo"], 2, "add --yes"),
        (&["call", "nobody", "--yes"], 2, "knows nobody"),
        (&["call", "echo", "--yes", "--for", "3"], 2, "--for need it to be closed"),
        (&["answer", "--yes", "--record", "call.opus"], 2, "--record and --for need"),
    ];
    for (args, wanted, text) in refused {
        let (code, _, error) = beside(&folder, args);
        assert!(code == wanted && error.contains(text), "{args:?}: {code} {error}");
    }
    // This one waits for the call, or finds it.
    let mut answer = onhook(&folder, &["answer", "@linus", "--yes"]);
    let answer = answer.stdout(Stdio::piped()).spawn().expect("it starts");
    let _watchdog = Watchdog::over(answer.id());
    let answered = answer.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&answered.stdout), "answering Linus · on the board\n");
    board.see("Call with Linus");
    board.see_wrapped("state talking");
    let (code, _, error) = beside(&folder, &["call", "@echo", "--yes"]);
    assert!(code == 1 && error.contains("Linus"), "{code} {error}");
    assert_eq!(beside(&folder, &["hangup", "--latest"]).0, 0);
    board.see_line(&["Linus", "hung up by you"]);
    let (code, reply, error) = beside(&folder, &["call", "@echo", "--yes", "--json"]);
    assert_eq!(code, 0, "{error}");
    let reply: Value = serde_json::from_str(&reply).expect("JSON");
    assert_eq!((&reply["reply"], &reply["name"]), (&"own".into(), &"Echo".into()));
    board.see("Call with Echo");
    board.see_wrapped("state talking");
    assert_eq!(beside(&folder, &["hangup", "--latest"]).0, 0);
    board.see_line(&["Echo", "hung up by you"]);
    board.quit();
}

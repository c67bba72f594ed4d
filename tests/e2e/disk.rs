//! Disks that take nothing: it is said, nothing is damaged, and calls are hung up all the same.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::accounts::board_of;
use crate::common::program::{PROGRAM, folder_variables};
use crate::common::scenario::RING;
use crate::common::server_process::ServerProcess;
use crate::pty::{Board, Start};

/// Runs a program whose writes to files all fail, as on a disk that is full.
const FULL: [&str; 3] = ["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""];
/// Somebody who is not the superuser, to whom every folder can be written.
const NOBODY: u32 = 65_534;

fn ring() -> ServerProcess {
    ServerProcess::start(RING)
}

/// The files of an account that has been used before, with what is in them.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let names = ["accounts/ada/session.db", "accounts/ada/account.toml", "ledger.db"];
    let paths = names.map(|name| folder.join(name));
    paths.map(|path| (path.clone(), fs::read(path).expect("a file"))).to_vec()
}

/// A folder with an account that has been used before.
fn used(served: &ServerProcess) -> TempDir {
    let board = board_of(served).run();
    board.see_line(&["ringing", "Grace Hopper"]);
    board.quit().folder
}

fn declines(mut board: Board, served: &ServerProcess) -> TempDir {
    board.see_line(&["▶", "ringing", "Grace Hopper"]);
    board.press("X");
    board.see_line(&["Grace Hopper", "declined by you (busy)"]);
    let folder = board.quit().folder;
    assert_eq!(served.count("phone.discardCall"), 1);
    folder
}

#[test]
fn a_full_disk_is_shown_and_calls_can_be_hung_up() {
    let served = ring();
    let folder = used(&served);
    let before = files(folder.path());
    let board = Start::own().at(folder).through(&FULL).size(120, 24).run();
    board.see("history is");
    let folder = declines(board, &served);
    assert_eq!(files(folder.path()), before, "every file is as it was");
}

#[test]
fn the_doctor_warns_of_a_full_disk_and_a_broken_ledger() {
    let served = ring();
    let folder = used(&served);
    let doctor = |through: &[&str]| {
        let mut words = through.iter().copied().chain([PROGRAM, "doctor"]);
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).env_clear().envs(folder_variables(folder.path()));
        String::from_utf8(command.output().expect("it runs").stdout).expect("a text")
    };
    let fine = doctor(&[]);
    assert!(fine.contains("fine     disk"), "{fine}");
    let full = doctor(&FULL);
    assert!(full.contains("warning  disk"), "{full}");
    fs::write(folder.path().join("ledger.db"), "no ledger ".repeat(500)).expect("a file");
    let broken = doctor(&[]);
    assert!(broken.contains("warning  ledger"), "{broken}");
    assert_eq!(fs::read_dir(folder.path()).expect("it").filter(is_left_over).count(), 0);
}

fn is_left_over(entry: &std::io::Result<fs::DirEntry>) -> bool {
    entry.as_ref().is_ok_and(|it| it.file_name().to_string_lossy().starts_with(".doctor"))
}

#[test]
fn unwritable_folders_are_shown_and_calls_can_be_hung_up() {
    let served = ring();
    let folder = used(&served);
    let before = files(folder.path());
    let superuser = fs::metadata(folder.path()).expect("a folder").uid() == 0;
    let folders = ["accounts/ada", "accounts", ""].map(|name| folder.path().join(name));
    let modes = |mode| {
        for folder in &folders {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).expect("it can be set");
        }
    };
    let program = folder.path().join("program");
    let mut through = Vec::new();
    if superuser {
        // The program itself may lie where only the superuser gets.
        fs::copy(PROGRAM, &program).expect("a copy");
        let id = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
        through = vec!["/usr/bin/setpriv".to_owned()];
        through.extend(id);
        through.extend(["--clear-groups", "/bin/sh", "-c"].map(str::to_owned));
        through.extend([format!("exec '{}'", program.display())]);
        let paths = before.iter().map(|(path, _)| path).chain(&folders);
        for path in paths.chain([&folder.path().join("accounts/ada/lock")]) {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("it can be given away");
        }
    }
    modes(0o500);
    let through: Vec<_> = through.iter().map(String::as_str).collect();
    let board = Start::own().at(folder).through(&through).size(120, 24).run();
    board.see("history is");
    let folder = declines(board, &served);
    modes(0o700);
    assert_eq!(files(folder.path()), before, "every file is as it was");
}

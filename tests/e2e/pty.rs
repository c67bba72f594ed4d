//! The real program in a pseudo-terminal: keys in, screen out.
//!
//! Nothing here sleeps: a wait ends when the screen shows what is waited for, or fails.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::display::unwrapped;
use crate::common::program::{self, PROGRAM};
use crate::common::requests;
use crate::common::wait::{DEADLINE, Deadline, wait_until};

/// What the reader thread shares with the test.
struct Shown {
    parser: vt100::Parser,
    /// Everything that was ever written to the terminal.
    raw: Vec<u8>,
    ended: bool,
}

/// A running board.
pub struct Board {
    shown: Arc<(Mutex<Shown>, Condvar)>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    pty: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    folder: TempDir,
}

/// How a board is started.
pub struct Start {
    /// What runs the program, if it is not run by itself.
    through: Vec<String>,
    command: Vec<String>,
    size: (u16, u16),
    args: Vec<String>,
    env: Vec<(String, String)>,
    files: Vec<(String, String)>,
    folder: Option<TempDir>,
    theme: ThemeSetting,
}

/// The theme of a board that is started.
#[derive(Clone, Copy)]
enum ThemeSetting {
    /// `dark`, so that the terminal is asked nothing.
    Dark,
    /// `auto`, in a terminal that reports this background, or none.
    Auto { background: Option<&'static str> },
}

impl Start {
    /// A shipped scenario by its name.
    pub fn shipped(name: &str) -> Self {
        let command = ["demo", name, "--log", "requests.ndjson"];
        Self { command: command.map(str::to_owned).to_vec(), ..Self::own() }
    }

    /// The board of the accounts in the folder.
    pub fn own() -> Self {
        Self {
            through: Vec::new(),
            command: Vec::new(),
            size: (80, 24),
            args: Vec::new(),
            env: Vec::new(),
            files: Vec::new(),
            folder: None,
            theme: ThemeSetting::Dark,
        }
    }

    /// By another program, which gets this one's path and arguments after its own.
    pub fn through(mut self, through: &[&str]) -> Self {
        self.through = through.iter().map(|&part| part.to_owned()).collect();
        self
    }

    /// In this folder.
    pub fn at(mut self, folder: TempDir) -> Self {
        self.folder = Some(folder);
        self
    }

    /// A scenario by its text. `grace` and `alan` are there already.
    pub fn scenario(text: &str) -> Self {
        let people = "title = 't'\n\
            [[person]]\nkey = 'grace'\nname = 'Grace Hopper'\nusername = 'grace'\n\
            [[person]]\nkey = 'alan'\nname = 'Alan Turing'\n";
        Self::shipped("scenario.toml").file("scenario.toml", &format!("{people}{text}"))
    }

    pub fn size(mut self, width: u16, height: u16) -> Self {
        self.size = (width, height);
        self
    }

    /// With the theme `auto`, in a terminal that answers OSC 11 with this colour, or not at all.
    pub fn background(mut self, color: Option<&'static str>) -> Self {
        self.theme = ThemeSetting::Auto { background: color };
        self
    }

    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A file in the program's working and configuration folder.
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    pub fn run(self) -> Board {
        let folder = self.folder.unwrap_or_else(|| TempDir::new().expect("a temporary folder"));
        for (name, text) in &self.files {
            std::fs::write(folder.path().join(name), text).expect("a file in it");
        }
        let size = PtySize { cols: self.size.0, rows: self.size.1, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut words = self.through.into_iter().chain([PROGRAM.to_owned()]);
        let mut command = CommandBuilder::new(words.next().expect("a program"));
        command.args(words);
        command.args(&self.command);
        command.args(&self.args);
        command.cwd(folder.path());
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        let background = match self.theme {
            ThemeSetting::Dark => {
                command.env("ONHOOK_THEME", "dark");
                None
            }
            ThemeSetting::Auto { background } => background,
        };
        for (name, folder) in program::folder_variables(folder.path()) {
            command.env(name, folder);
        }
        for (name, value) in &self.env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let reader = pair.master.try_clone_reader().expect("a reader");
        let keys = pair.master.take_writer().expect("a writer");
        let keys = Arc::new(Mutex::new(keys));
        let parser = vt100::Parser::new(cells(self.size.1), cells(self.size.0), 0);
        let shown = Shown { parser, raw: Vec::new(), ended: false };
        let shown = Arc::new((Mutex::new(shown), Condvar::new()));
        let read = Arc::clone(&shown);
        let answers = Answers { keys: Arc::clone(&keys), background };
        thread::spawn(move || follow(reader, &read, &answers));
        Board { shown, keys, pty: pair.master, child, folder }
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has at least one cell")
}

/// What the terminal answers when it is asked what it is.
struct Answers {
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    /// The colour of its background; without one it does not know the question.
    background: Option<&'static str>,
}

impl Answers {
    /// Answers OSC 11 and DA1 once both are in what was written; returns whether they are.
    fn give(&self, written: &[u8]) -> bool {
        let text = String::from_utf8_lossy(written);
        let asked = text.contains("\u{1b}]11;?") && text.contains("\u{1b}[c");
        if asked {
            let color = |color| format!("\u{1b}]11;{color}\u{1b}\\");
            let color = self.background.map(color).unwrap_or_default();
            let answer = format!("{color}\u{1b}[?62;22c");
            let mut keys = self.keys.lock().expect("no test panics while it writes");
            // The program may have ended.
            let _ = keys.write_all(answer.as_bytes());
        }
        asked
    }
}

/// Feeds the screen until the program ends.
fn follow(mut reader: Box<dyn Read + Send>, shown: &(Mutex<Shown>, Condvar), answers: &Answers) {
    let mut answered = false;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = reader.read(&mut buffer).unwrap_or(0);
        let mut screen = shown.0.lock().expect("no test panics while it holds this");
        screen.raw.extend_from_slice(&buffer[..read]);
        screen.parser.process(&buffer[..read]);
        if !answered {
            answered = answers.give(&screen.raw);
        }
        screen.ended = read == 0;
        shown.1.notify_all();
        if read == 0 {
            return;
        }
    }
}

impl Board {
    /// Types keys: characters as they are, and names such as `<enter>`, `<esc>`, `<ctrl-c>`.
    pub fn press(&mut self, keys: &str) {
        let names = [
            ("<enter>", "\r"),
            ("<tab>", "\t"),
            ("<esc>", "\u{1b}"),
            ("<up>", "\u{1b}[A"),
            ("<down>", "\u{1b}[B"),
            ("<delete>", "\u{1b}[3~"),
            ("<space>", " "),
            ("<f2>", "\u{1b}OQ"),
            ("<f3>", "\u{1b}OR"),
            ("<f4>", "\u{1b}OS"),
            ("<f5>", "\u{1b}[15~"),
            ("<ctrl-u>", "\u{15}"),
            ("<ctrl-c>", "\u{3}"),
            ("<ctrl-z>", "\u{1a}"),
        ];
        let bytes =
            names.iter().fold(keys.to_owned(), |keys, (name, byte)| keys.replace(name, byte));
        self.write(&bytes);
    }

    fn write(&self, text: &str) {
        let mut keys = self.keys.lock().expect("no test panics while it writes");
        keys.write_all(text.as_bytes()).expect("the program reads keys");
    }

    /// The screen as text.
    pub fn text(&self) -> String {
        self.locked().parser.screen().contents()
    }

    fn locked(&self) -> MutexGuard<'_, Shown> {
        self.shown.0.lock().expect("the reader does not panic")
    }

    /// Waits until a condition holds for what the program has written, or the program has ended.
    /// Returns whether the condition holds.
    fn wait(&self, condition: impl Fn(&Shown) -> bool) -> (MutexGuard<'_, Shown>, bool) {
        let waits = |shown: &mut Shown| !shown.ended && !condition(shown);
        let waited = self.shown.1.wait_timeout_while(self.locked(), DEADLINE, waits);
        let shown = waited.expect("the reader does not panic").0;
        let holds = condition(&shown);
        (shown, holds)
    }

    /// Waits until the screen fits.
    pub fn until(&self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let (shown, holds) = self.wait(|shown| fits(&shown.parser.screen().contents()));
        let text = shown.parser.screen().contents();
        assert!(holds, "never seen: {what}\n{text}");
        text
    }

    /// Waits until a text is on the screen.
    pub fn see(&self, wanted: &str) -> String {
        self.until(wanted, |text| text.contains(wanted))
    }

    /// Waits until a text that may be wrapped over several lines of a row is on the screen.
    pub fn see_wrapped(&self, wanted: &str) -> String {
        self.until(wanted, |text| unwrapped(text).contains(wanted))
    }

    /// Waits until a text is no longer on the screen.
    pub fn see_no(&self, unwanted: &str) -> String {
        self.until(&format!("no {unwanted}"), |text| !text.contains(unwanted))
    }

    /// Waits for a line of the screen that holds all of these.
    pub fn see_line(&self, parts: &[&str]) -> String {
        let fits = |line: &&str| parts.iter().all(|part| line.contains(part));
        let text = self.until(&parts.join(" … "), |text| text.lines().any(|line| fits(&line)));
        text.lines().find(fits).unwrap_or_default().to_owned()
    }

    /// Waits until the program has written this to the terminal.
    pub fn see_raw(&self, wanted: &str) {
        let wrote =
            |shown: &Shown| shown.raw.windows(wanted.len()).any(|part| part == wanted.as_bytes());
        assert!(self.wait(wrote).1, "never written: {wanted:?}");
    }

    pub fn resize(&mut self, width: u16, height: u16) {
        self.locked().parser.screen_mut().set_size(cells(height), cells(width));
        let size = PtySize { cols: width, rows: height, ..PtySize::default() };
        self.pty.resize(size).expect("the terminal can be resized");
    }

    fn id(&self) -> u32 {
        self.child.process_id().expect("the program runs")
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        program::signal(self.id(), name);
    }

    /// Waits until the system has stopped the process, and checks that the terminal was given
    /// back before.
    pub fn until_stopped(&self) {
        let process = self.id().to_string();
        wait_until(&Deadline::after(DEADLINE, "the program is stopped"), || {
            let state = Command::new("ps").args(["-o", "state=", "-p", &process]).output();
            state.expect("ps runs").stdout.starts_with(b"T")
        });
        let given_back = self.wait(|shown| !shown.parser.screen().alternate_screen()).1;
        assert!(given_back, "the terminal is not given back");
    }

    /// Waits for the end, and checks that the terminal is as it was before.
    pub fn ended(mut self) -> Ended {
        let (shown, ended) = self.wait(|shown| shown.ended);
        assert!(ended, "the program does not end");
        assert!(!shown.parser.screen().alternate_screen(), "the normal screen is back");
        assert!(!shown.parser.screen().hide_cursor(), "the cursor is back");
        let raw = shown.raw.clone();
        drop(shown);
        let code = self.child.wait().expect("the program has ended").exit_code();
        let requests = self.requests();
        Ended { code, raw, requests, folder: self.folder }
    }

    /// Waits for the end of a program that was killed. Returns its folder.
    pub fn killed(mut self) -> TempDir {
        self.child.wait().expect("it has ended");
        self.folder
    }

    /// Quits by key, and checks that this is a clean end.
    pub fn quit(mut self) -> Ended {
        self.press("q");
        let ended = self.ended();
        assert_eq!(ended.code, 0);
        ended
    }

    /// Pastes a text, as terminals do it.
    pub fn paste(&mut self, text: &str) {
        let pasted = format!("\u{1b}[200~{text}\u{1b}[201~");
        self.write(&pasted);
    }

    /// The folder of the program's files.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The requests that have reached the server so far.
    pub fn requests(&self) -> Vec<Value> {
        requests::read(&self.folder.path().join("requests.ndjson"))
    }

    /// The hang-ups that have reached the server so far.
    pub fn hang_ups(&self) -> Vec<Value> {
        hang_ups(&self.requests())
    }
}

/// What is left of a board that has ended.
pub struct Ended {
    pub code: u32,
    pub raw: Vec<u8>,
    pub requests: Vec<Value>,
    pub folder: TempDir,
}

/// The `phone.discardCall`s among some requests.
pub fn hang_ups(requests: &[Value]) -> Vec<Value> {
    requests.iter().filter(|it| it["method"] == "phone.discardCall").cloned().collect()
}

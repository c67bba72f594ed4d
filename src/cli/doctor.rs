//! `onhook doctor`: checks the installation, and prints how to repair what is wrong.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;

use serde::Serialize;

use super::exit::{CommandResult, failed, failed_as_printed};
use super::print;
use super::setup::{self, in_runtime};
use crate::accounts::{AccountStore, AccountsError};
use crate::config::hooks::{Hook, ProgramError};
use crate::config::paths::Paths;
use crate::config::{self, Config, Overrides};
use crate::ledger::Ledger;
use crate::phone::PhoneSettings;
use crate::rules::Rules;
use crate::telegram::{Diagnosis, Network, diagnose};
use crate::words::failure::FROZEN;
use crate::words::screen::{SIGN_IN_AGAIN, command_after_sign_out};
use crate::{runtime, text, words};

/// The difference of the clocks from which it is reported, in milliseconds. Telegram refuses messages
/// of a clock that is 300 s behind or 30 s ahead.
/// Source: <https://core.telegram.org/mtproto/description#message-identifier-msg-id>.
const CLOCK_TOLERANCE: i64 = 20_000;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Fine,
    Warning,
    Failure,
}

/// The result of a check, with its text and remedy.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    status: Status,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// Whether no call can reach the account because of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stops_calls: bool,
}

impl Finding {
    fn fine(check: &'static str, text: impl Into<String>) -> Self {
        let (account, remedy) = (None, None);
        Self { check, account, status: Status::Fine, text: text.into(), remedy, stops_calls: false }
    }

    fn warning(check: &'static str, text: impl Into<String>, remedy: &str) -> Self {
        let status = Status::Warning;
        Self { status, remedy: Some(remedy.to_owned()), ..Self::fine(check, text) }
    }

    fn failure(check: &'static str, text: impl Into<String>, remedy: &str) -> Self {
        Self { status: Status::Failure, ..Self::warning(check, text, remedy) }
    }

    fn stopping_calls(self) -> Self {
        Self { stops_calls: true, ..self }
    }

    fn of(self, account: &str) -> Self {
        Self { account: Some(account.to_owned()), ..self }
    }

    fn line(&self) -> String {
        let mark = match self.status {
            Status::Fine => "fine   ",
            Status::Warning => "warning",
            Status::Failure => "failure",
        };
        let whose = self.account.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let remedy = self.remedy.as_ref().map(|it| format!("; {it}")).unwrap_or_default();
        format!("{mark}  {:<11} {whose}{}{remedy}", self.check, self.text)
    }
}

/// Checks everything; fails if any check does, or if no call can reach an account.
pub(super) fn doctor(json: bool, flags: Overrides) -> CommandResult {
    let paths = setup::paths();
    let mut has_failure = false;
    let mut printed = Ok(());
    // Printed one by one, because some checks take seconds.
    let mut report = |finding: Finding| {
        has_failure |= finding.status == Status::Failure || finding.stops_calls;
        let line = match serde_json::to_string(&finding) {
            Ok(line) if json => line,
            _ => finding.line(),
        };
        if printed.is_ok() {
            printed = print::text(&format!("{line}\n"));
        }
    };
    let config = Config::load(&paths, flags, |name| std::env::var_os(name));
    report(match &config {
        Ok(_) if !paths.config_file().exists() => Finding::fine("settings", "the defaults"),
        Ok(_) => Finding::fine("settings", format!("{}", paths.config_file().display())),
        Err(error) => Finding::failure("settings", error.to_string(), "mend that"),
    });
    hooks(config.as_ref().map_or(&[], |config| &config.hooks)).into_iter().for_each(&mut report);
    match config::rules::load(&paths.rules_file()) {
        Ok(read) => rules(&read, &paths).into_iter().for_each(&mut report),
        Err(error) => report(Finding::failure("rules", error.to_string(), "mend rules.toml")),
    }
    report(terminal());
    if let Ok(config) = &config {
        sound(&config.phone).into_iter().for_each(&mut report);
    }
    // Wrong settings leave it unknown through which proxy Telegram may be reached.
    let network = config.as_ref().ok().map(setup::network);
    if let Some(proxy) = network.as_ref().and_then(|network| network.proxy.as_ref()) {
        report(Finding::fine("proxy", format!("Telegram is reached through {proxy}")));
    }
    disk(&paths).into_iter().for_each(&mut report);
    accounts(&AccountStore::at(paths.accounts()), network.as_ref(), &mut report);
    printed.map_err(failed)?;
    if has_failure { Err(failed_as_printed()) } else { Ok(()) }
}

/// Reports that there are no calls in this terminal.
#[cfg(not(feature = "voice"))]
fn sound(_phone: &PhoneSettings) -> Vec<Finding> {
    vec![Finding::fine("sound", crate::words::notice::PHONE_NOT_BUILT)]
}

/// Checks the sound system for calls in this terminal.
#[cfg(feature = "voice")]
fn sound(phone: &PhoneSettings) -> Vec<Finding> {
    use std::time::Duration;

    use onhook_voice::device::PortDirection;

    use crate::phone::ports::{self as phone_ports, SoundPorts};

    const CHECK: &str = "sound";
    /// How long the sound server may take.
    const SOUND_DEADLINE: Duration = Duration::from_secs(3);

    if !phone.enabled {
        return vec![Finding::fine(CHECK, "calls in this terminal are off: [voice] enabled")];
    }
    let choice = phone.choice();
    match phone_ports::list(phone.sound, SOUND_DEADLINE) {
        SoundPorts::Silent => vec![Finding::fine(CHECK, "silence, by the settings")],
        SoundPorts::Late(deadline) => {
            let seconds = deadline.as_secs();
            let text = format!("the sound server did not answer within {seconds} s");
            vec![Finding::warning(CHECK, text, "start it again, or set [voice] sound = \"silent\"")]
        }
        SoundPorts::Failed(cause) => {
            let remedy = "start PipeWire or PulseAudio, or set [voice] sound = \"silent\"";
            vec![Finding::warning(CHECK, text::clean(&cause.to_string()), remedy)]
        }
        SoundPorts::Found(ports) => [
            (PortDirection::Microphone, "microphone", &choice.microphone),
            (PortDirection::Loudspeaker, "loudspeaker", &choice.loudspeaker),
        ]
        .map(|(direction, word, wanted)| {
            let mut ports = ports.iter().filter(|port| port.direction == direction);
            let port = match wanted {
                Some(name) => ports.find(|port| port.name == *name),
                None => ports.find(|port| port.is_default),
            };
            match (port, wanted) {
                (Some(port), _) if port.is_silenced() => {
                    let text = format!("the {word} is muted: {}", text::clean(&port.description));
                    Finding::warning(CHECK, text, "unmute it in the sound settings")
                }
                (Some(port), _) => {
                    Finding::fine(CHECK, format!("{word}: {}", text::clean(&port.description)))
                }
                (None, Some(name)) => {
                    let text = format!("there is no {word} '{}'", text::clean(name));
                    Finding::warning(
                        CHECK,
                        text,
                        "connect it, choose another with d, or mend [voice]",
                    )
                }
                (None, None) => {
                    Finding::warning(CHECK, format!("there is no {word}"), "plug one in")
                }
            }
        })
        .into(),
    }
}

/// Checks that the programs of the hooks can be run.
fn hooks(hooks: &[Hook]) -> Vec<Finding> {
    let (home, search_path) = (std::env::var_os("HOME"), std::env::var_os("PATH"));
    let check = |hook: &Hook| hook.check_program(home.as_deref(), search_path.as_deref());
    let mut findings: Vec<Finding> = Vec::new();
    for hook in hooks {
        if let Err(error) = check(hook) {
            let text = format!("{}: {error}", text::clean(&hook.program));
            let remedy = match error {
                ProgramError::NoFile | ProgramError::NotInPath => "mend `run` in config.toml",
                ProgramError::NotExecutable => "make it executable with: chmod +x",
            };
            if findings.iter().all(|known| known.text != text) {
                findings.push(Finding::warning("hooks", text, remedy));
            }
        }
    }
    if findings.is_empty() && !hooks.is_empty() {
        findings.push(Finding::fine("hooks", "their programs can be run"));
    }
    findings
}

/// Checks the rules, as `onhook rules check` does.
fn rules(rules: &Rules, paths: &Paths) -> Vec<Finding> {
    const CHECK: &str = "rules";
    // An unreadable folder of accounts is reported by another check.
    let accounts = AccountStore::at(paths.accounts()).names().unwrap_or_default();
    let warnings = config::rule_warnings::warnings(rules, &accounts).into_iter();
    let mut findings: Vec<_> =
        warnings.map(|text| Finding::warning(CHECK, text, "mend rules.toml")).collect();
    if findings.is_empty() && !rules.rules.is_empty() {
        findings.push(Finding::fine(CHECK, words::rules::command::rules(rules)));
    }
    findings
}

fn terminal() -> Finding {
    if !std::io::stdout().is_terminal() {
        return Finding::fine("terminal", "none now; `onhook watch` needs none");
    }
    if let Some(problem) = runtime::check_terminal() {
        return Finding::warning("terminal", problem, "use another one for the board");
    }
    let language = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let language = language.unwrap_or_default().to_lowercase();
    if !language.contains("utf-8") && !language.contains("utf8") {
        let text = "the locale does not say UTF-8";
        return Finding::warning("terminal", text, "set LANG, or start with --ascii");
    }
    Finding::fine("terminal", std::env::var("TERM").unwrap_or_default())
}

/// Checks that the folders can be written, and that the ledger can be read.
fn disk(paths: &Paths) -> Vec<Finding> {
    let (ledger, accounts) = (paths.ledger(), paths.accounts());
    let Some(folder) = ledger.parent().filter(|folder| folder.exists()) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for folder in [folder, &accounts].into_iter().filter(|folder| folder.exists()) {
        // The test file is as large as one page of a session's database.
        let written = try_writing(folder);
        findings.extend(written.err().map(|error| {
            let text = format!("{}: {error}", folder.display());
            Finding::warning("disk", text, "make room, or the folder writable")
        }));
    }
    if ledger.exists() {
        let opened = in_runtime(async { Ok(Ledger::open(&ledger).await.map(drop)) });
        findings.extend(opened.ok().and_then(Result::err).map(|error| {
            let text = format!("{}: {error}", ledger.display());
            Finding::warning("ledger", text, "until then no call is saved")
        }));
    }
    if findings.is_empty() {
        findings.push(Finding::fine("disk", format!("{}", folder.display())));
    }
    findings
}

/// Writes a file of 4096 bytes into a folder, and removes it.
fn try_writing(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".doctor-{}", std::process::id()));
    let written = fs::write(&path, [0; 4096]);
    let removed = fs::remove_file(&path);
    written.and(removed)
}

fn accounts(accounts: &AccountStore, network: Option<&Network>, report: &mut impl FnMut(Finding)) {
    match accounts.names() {
        Err(error) => report(Finding::failure("accounts", error.to_string(), "mend that")),
        Ok(names) if names.is_empty() => {
            report(Finding::warning("accounts", "there are none yet", "run `onhook login`"));
        }
        Ok(names) => {
            names.iter().flat_map(|name| account(accounts, name, network)).for_each(report);
        }
    }
}

fn account(accounts: &AccountStore, name: &str, network: Option<&Network>) -> Vec<Finding> {
    let lease = match accounts.lease(name) {
        Ok(lease) => lease,
        Err(error @ AccountsError::Locked { .. }) => {
            let remedy = "the rest is not checked meanwhile";
            return vec![Finding::warning("lock", error.to_string(), remedy).of(name)];
        }
        Err(error) => {
            let found =
                Finding { remedy: None, ..Finding::failure("files", error.to_string(), "") };
            return vec![found.of(name)];
        }
    };
    let files = match accounts.first_of_same_user(name) {
        Some(first) => {
            let error = AccountsError::SamePerson { name: name.to_owned(), first };
            Finding { remedy: None, ..Finding::failure("files", error.to_string(), "") }
        }
        None => Finding::fine("files", "readable by you alone, and free"),
    };
    let Some(network) = network else {
        let text = "not asked, while the settings are wrong";
        return vec![files.of(name), Finding::warning("network", text, "mend them").of(name)];
    };
    let user_is_known = lease.settings().user_id.is_some();
    let found = in_runtime(async { Ok(diagnose(&lease, network).await) });
    let found = found.unwrap_or_else(|_| Diagnosis::Unreachable("no network".to_owned()));
    let findings = std::iter::once(files).chain(telegram(found, name, user_is_known));
    findings.map(|finding| finding.of(name)).collect()
}

fn telegram(found: Diagnosis, name: &str, user_is_known: bool) -> Vec<Finding> {
    let report = match found {
        Diagnosis::Unusable(cause) => {
            // A sign-in finds the account by the user id in its settings.
            let remove = format!("run `onhook accounts remove {name} --yes`, then `onhook login`");
            let remedy = if user_is_known { SIGN_IN_AGAIN } else { &remove };
            return vec![Finding::failure("session", cause, remedy)];
        }
        Diagnosis::NoApiId(cause) => {
            return vec![Finding { remedy: None, ..Finding::failure("settings", cause, "") }];
        }
        Diagnosis::Unreachable(cause) => {
            let text = format!("Telegram cannot be reached ({cause})");
            return vec![Finding::failure("network", text, "check the line or the proxy")];
        }
        Diagnosis::SignedOut(code) => {
            let text = format!("Telegram does not accept it any more · {code}");
            return vec![Finding::failure("session", text, command_after_sign_out(&code))];
        }
        Diagnosis::Frozen(code) => {
            let text = format!("{FROZEN} · {code}");
            return vec![Finding::failure("session", text, "appeal in an official Telegram app")];
        }
        Diagnosis::SignedIn(report) => report,
    };
    let took = format!("answered after {} ms", report.latency.as_millis());
    let mut findings = vec![Finding::fine("network", took), Finding::fine("session", "signed in")];
    findings.push(if report.ahead.abs() > CLOCK_TOLERANCE {
        let seconds = report.ahead.abs() / 1000;
        let way = if report.ahead > 0 { "behind" } else { "ahead of" };
        let text = format!("this machine's clock is {seconds} s {way} Telegram's");
        Finding::warning("clock", text, "set this machine's clock")
    } else {
        Finding::fine("clock", "agrees with Telegram's")
    });
    if let Some(flags) = report.flags {
        findings.push(if flags.calls_off {
            let text = "this session does not receive calls";
            Finding::failure(
                "calls",
                text,
                "press F on the board (or what you have bound to enable-calls)",
            )
        } else if flags.unconfirmed {
            let text = "this session has not been confirmed";
            let remedy = "confirm it in another Telegram app";
            Finding::warning("calls", text, remedy).stopping_calls()
        } else {
            Finding::fine("calls", "this session receives calls")
        });
    }
    findings.extend(report.callers.map(|callers| {
        let text = format!("{callers} may call");
        if callers == "nobody" {
            let remedy = "change it in a Telegram app: Settings → Privacy → Calls";
            Finding::warning("callers", text, remedy).stopping_calls()
        } else {
            Finding::fine("callers", text)
        }
    }));
    findings
}

//! `onhook login`: signs in on a plain terminal, with prompts on standard error and answers on standard
//! input.

use std::io::{self, IsTerminal, Read, Write};
use std::time::Duration;

use anyhow::anyhow;
use crossterm::terminal::disable_raw_mode;
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::exit::{CommandResult, Stop, failed, usage};
use super::setup::{in_runtime, network};
use super::{LoginArgs, StartArgs, print, server_file};
use crate::accounts::AccountStore;
use crate::config::Config;
use crate::config::paths::Paths;
use crate::qr::{self, Background};
use crate::sign_in::{ApiCredentials, Refusal, SentCode, SignInEvent, SignInRequest, Step};
use crate::telegram::sign_in::{Setup, SignInHandle, Start, import};
use crate::telegram::{Imported, lease_signed_in};
use crate::words::sign_in::{self as words, API_CREDENTIALS_HELP, IMPORT_WARNING};

/// After how long a wait for Telegram is reported.
const SILENT_WAIT: Duration = Duration::from_secs(1);
/// The most bytes that are read of a session string.
const LONGEST_STRING: u64 = 4096;

pub(super) fn login(args: &LoginArgs, config: &Config, paths: &Paths) -> CommandResult {
    let accounts = AccountStore::at(paths.accounts());
    if let Some(name) = &args.name {
        accounts.check_free(name).map_err(usage)?;
    }
    let start = start(&args.start)?;
    in_runtime(async {
        // Registered before the first prompt: until then an interrupt ends the process without a message.
        let mut interrupts = signal(SignalKind::interrupt())?;
        Ok(tokio::select! {
            biased;
            done = sign_in(args, config, accounts, start) => done,
            _ = interrupts.recv() => {
                // A prompt without an echo may have the terminal.
                let _ = disable_raw_mode();
                // The line of the prompt has no end.
                print::note("");
                Err(given_up())
            }
        })
    })?
}

async fn sign_in(
    args: &LoginArgs,
    config: &Config,
    accounts: AccountStore,
    start: Start,
) -> CommandResult {
    let network = network(config);
    let imported = if args.import { Some(blocking(read_session).await?) } else { None };
    let known = config.application.clone().or_else(|| accounts.application());
    let of_flag = args.api_id.map(|id| ApiCredentials { id, hash: String::new() });
    let application = match (&imported, of_flag.or(known)) {
        (_, Some(application)) => Some(application),
        (Some(imported), None) if imported.api_id().is_some() => None,
        (Some(_), None) if !io::stdin().is_terminal() => {
            return Err(usage(anyhow!(words::IMPORT_NEEDS_API_ID)));
        }
        (_, None) => Some(ask_application().await?),
    };
    let (store, connection) = (accounts.clone(), network.clone());
    let setup = Setup { accounts, name: args.name.clone(), application, network, start };
    let done = match imported {
        Some(imported) => {
            print::note("Asking Telegram whose it is…");
            import(setup, imported).await
        }
        None => run_prompts(setup, args.qr, config.background).await?,
    };
    match done {
        SignInEvent::Done { name, own, renewed } => {
            if renewed {
                lease_signed_in(&store, &name, &connection).await.map_err(failed)?;
            }
            print::note(&words::signed_in(&crate::words::call::party(&own), &name, renewed));
            Ok(())
        }
        SignInEvent::Refused(refusal) => Err(failed(anyhow!("{refusal}"))),
        _ => Err(failed(anyhow!("the conversation ended too early"))),
    }
}

/// The data centres that the arguments choose.
pub(super) fn start(args: &StartArgs) -> Result<Start, Stop> {
    match &args.server {
        Some(file) => server_file::read(file).map_err(usage),
        None if args.test_dc => Ok(Start::TestServers),
        None => Ok(Start::Telegram),
    }
}

fn read_session() -> Result<Imported, Stop> {
    print::note(IMPORT_WARNING);
    if io::stdin().is_terminal() {
        print::note("Paste the session string, then press Enter and Ctrl-D.");
    }
    let mut text = String::new();
    io::stdin().take(LONGEST_STRING).read_to_string(&mut text).map_err(usage)?;
    Imported::parse(&text).map_err(usage)
}

async fn ask_application() -> Result<ApiCredentials, Stop> {
    print::note(API_CREDENTIALS_HELP);
    let id = loop {
        let id = ask_blocking("api id: ".to_owned()).await?;
        match ApiCredentials::parse_id(&id) {
            Ok(_) => break id,
            Err(wrong) => print::note(wrong),
        }
    };
    loop {
        let hash = blocking(|| ask_hidden("api hash: ")).await?;
        match ApiCredentials::parse(&id, &hash) {
            Ok(application) => return Ok(application),
            Err(wrong) => print::note(wrong),
        }
    }
}

/// The next prompt.
enum Prompt {
    Phone,
    Code(SentCode),
    /// The e-mail address to set up.
    Email,
    EmailCode,
    Password(Option<String>),
    RecoveryCode {
        /// The hint of the password.
        hint: Option<String>,
    },
    /// No prompt, while a QR code is shown.
    Wait,
}

/// Shows prompts and sends the answers until the sign-in is done.
async fn run_prompts(
    setup: Setup,
    by_qr: bool,
    background: Background,
) -> Result<SignInEvent, Stop> {
    let (sender, mut events) = mpsc::channel(16);
    let sign_in = SignInHandle::start(setup, sender);
    let mut prompt = Prompt::Phone;
    let mut phone = String::new();
    if by_qr {
        prompt = Prompt::Wait;
        sign_in.send(SignInRequest::Qr);
    }
    loop {
        match &prompt {
            Prompt::Phone => {
                let hint = if phone.is_empty() { String::new() } else { format!(" [{phone}]") };
                let typed =
                    ask_blocking(format!("Phone number, with country code{hint}: ")).await?;
                if !typed.trim().is_empty() {
                    typed.trim().clone_into(&mut phone);
                }
                if phone.is_empty() {
                    continue;
                }
                sign_in.send(SignInRequest::SendCode { phone: phone.clone() });
            }
            Prompt::Code(sent) => match ask_code(sent).await? {
                Some(request) => sign_in.send(request),
                None => continue,
            },
            Prompt::Email => match ask_blocking("E-mail address: ".to_owned()).await? {
                typed if typed.trim().is_empty() => continue,
                typed => sign_in.send(SignInRequest::Email(typed)),
            },
            Prompt::EmailCode => match ask_blocking("Code of the e-mail: ".to_owned()).await? {
                typed if typed.trim().is_empty() => continue,
                typed => sign_in.send(SignInRequest::EmailCode(typed)),
            },
            Prompt::Password(hint) => sign_in.send(ask_password(hint.as_deref()).await?),
            Prompt::RecoveryCode { hint } => {
                let text = "Recovery code (Enter returns to the password): ".to_owned();
                match ask_blocking(text).await? {
                    typed if typed.trim().is_empty() => {
                        prompt = Prompt::Password(hint.clone());
                        continue;
                    }
                    typed => sign_in.send(SignInRequest::RecoveryCode(typed)),
                }
            }
            Prompt::Wait => {}
        }
        let event = match timeout(SILENT_WAIT, events.recv()).await {
            Err(_) if !matches!(prompt, Prompt::Wait) => {
                print::note("Waiting for Telegram…");
                events.recv().await
            }
            Err(_) => events.recv().await,
            Ok(event) => event,
        };
        let event = event
            .ok_or_else(|| failed(anyhow!("the sign-in has failed inside; the log may say why")))?;
        prompt = match event {
            done @ SignInEvent::Done { .. } => return Ok(done),
            SignInEvent::CodeSent(sent) => {
                print::note(&sent.text());
                Prompt::Code(sent)
            }
            SignInEvent::EmailNeeded => {
                print::note(words::EMAIL);
                Prompt::Email
            }
            SignInEvent::EmailCodeSent(sent) => {
                print::note(&words::email_code(&sent.pattern, sent.length));
                Prompt::EmailCode
            }
            SignInEvent::RecoveryCodeSent(sent) => {
                print::note(&words::recovery_code(&sent.pattern));
                let hint = match prompt {
                    Prompt::Password(hint) => hint,
                    _ => None,
                };
                Prompt::RecoveryCode { hint }
            }
            SignInEvent::PasswordNeeded { hint } => Prompt::Password(hint),
            SignInEvent::Qr { url, until } => {
                show_qr(&url, until, background);
                Prompt::Wait
            }
            SignInEvent::Refused(refusal) => {
                if refusal.is_of_number() {
                    phone.clear();
                }
                after_refusal(&refusal, prompt, by_qr)?
            }
        };
    }
}

/// The prompt after a refusal, or the end if it cannot be answered here.
fn after_refusal(refusal: &Refusal, prompt: Prompt, by_qr: bool) -> Result<Prompt, Stop> {
    let give_up = matches!(refusal.back_to, Step::Method | Step::ApiCredentials)
        || refusal.wait.is_some()
        || !io::stdin().is_terminal()
        || (by_qr && matches!(prompt, Prompt::Wait));
    if give_up {
        return Err(failed(anyhow!("{refusal}")));
    }
    print::note(&refusal.to_string());
    Ok(match (refusal.back_to, prompt) {
        (Step::Phone, _) => Prompt::Phone,
        (Step::Email, _) => Prompt::Email,
        (Step::Password, Prompt::RecoveryCode { hint }) => Prompt::Password(hint),
        (_, prompt) => prompt,
    })
}

/// Asks for the two-step password. An empty answer asks for its recovery.
async fn ask_password(hint: Option<&str>) -> Result<SignInRequest, Stop> {
    let hint = hint.map(|hint| format!("hint: {hint}; ")).unwrap_or_default();
    let text = format!("Two-step password ({hint}Enter if it is forgotten): ");
    let typed = blocking(move || ask_hidden(&text)).await?;
    Ok(match typed {
        typed if typed.is_empty() => SignInRequest::ForgotPassword,
        typed => SignInRequest::Password(typed),
    })
}

/// Asks for the code. An empty answer requests another code if that is allowed, else returns `None`.
async fn ask_code(sent: &SentCode) -> Result<Option<SignInRequest>, Stop> {
    let again = match &sent.next {
        Some((way, at)) if *at <= Timestamp::now() => format!(" (Enter resends {})", way.text()),
        Some((way, at)) => {
            let seconds = at.duration_since(Timestamp::now()).as_secs();
            format!(" (in {seconds} s, Enter resends {})", way.text())
        }
        None => String::new(),
    };
    let typed = ask_blocking(format!("Code{again}: ")).await?;
    let allowed = sent.next.as_ref().is_some_and(|(_, at)| *at <= Timestamp::now());
    let again = allowed.then_some(SignInRequest::Resend);
    Ok(if typed.trim().is_empty() { again } else { Some(SignInRequest::Code(typed)) })
}

fn show_qr(url: &str, until: Timestamp, background: Background) {
    let seconds = until.duration_since(Timestamp::now()).as_secs().max(0);
    let code = qr::half_blocks(url, background);
    print::note(&code.unwrap_or_default().join("\n"));
    print::note(&format!(
        "Scan it: Telegram on your phone → {}. It is renewed in {seconds} s.",
        words::QR_MENU
    ));
}

async fn ask_blocking(prompt: String) -> Result<String, Stop> {
    blocking(move || ask(&prompt)).await
}

/// Runs a prompt on a thread for blocking calls.
async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, Stop> + Send + 'static,
) -> Result<T, Stop> {
    tokio::task::spawn_blocking(ask).await.map_err(failed)?
}

fn ask(prompt: &str) -> Result<String, Stop> {
    let mut err = io::stderr();
    // Standard error may be closed while the answer comes from a file.
    let _ = write!(err, "{prompt}").and_then(|()| err.flush());
    let mut line = String::new();
    match io::stdin().read_line(&mut line) {
        Ok(0) => Err(given_up()),
        Ok(_) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => Err(failed(error)),
    }
}

fn given_up() -> Stop {
    failed(anyhow!(words::CANCELLED))
}

/// Asks without an echo, if standard input is a terminal.
fn ask_hidden(prompt: &str) -> Result<String, Stop> {
    if !io::stdin().is_terminal() {
        return ask(prompt);
    }
    super::password_prompt::ask(prompt).map_err(failed)?.ok_or_else(given_up)
}

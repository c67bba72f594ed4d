//! The conversation by which a session comes into being: code, QR code, password, import.
//!
//! The session is in memory until Telegram has accepted it, and then stored at one stroke:
//! whatever interrupts the conversation leaves nothing behind. grammers' own helpers are not
//! used, for they panic on answers that Telegram does give.

mod code;
mod qr;
mod sent;
mod start;

use std::sync::Arc;
use std::time::Duration;

use grammers_client::{InvocationError, tl};
use grammers_mtsender::{SenderPool, SenderPoolHandle};
use grammers_session::types::DcOption;
use grammers_session::updates::UpdatesLike;
use grammers_session::{Session, SessionData};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::error;
use super::import::Imported;
use super::network::Network;
use super::peers::party;
use super::session::{self, Vault};
use crate::accounts::{Accounts, Draft, Settings};
use crate::sign_in::{Application, Event, Refusal, Request, Step};
use qr::Shown;
use start::first_data;

pub use start::Start;

/// How long the answer to a question may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// How often an account may turn out to live in another data centre.
const MOVES: usize = 2;

/// What signing in needs.
#[derive(Clone)]
pub struct Setup {
    /// Where the account will be stored.
    pub accounts: Accounts,
    /// Its name; without one it is named after the person.
    pub name: Option<String>,
    /// The application; only an import can do without.
    pub application: Option<Application>,
    /// How Telegram is reached.
    pub network: Network,
    /// Where to begin.
    pub start: Start,
}

/// A conversation. It is given up when this is dropped.
#[derive(Debug)]
pub struct SignIn {
    requests: mpsc::UnboundedSender<Request>,
    task: AbortHandle,
}

impl SignIn {
    /// Begins a conversation; it connects with the first request.
    pub fn start(setup: Setup, events: mpsc::Sender<Event>) -> Self {
        let (requests, receiver) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let mut talk = Talk::new(setup, events.clone());
            if let Some(done) = talk.run(receiver).await {
                // Nobody listens any more while the program ends.
                let _ = events.send(done).await;
            }
        });
        Self { requests, task: task.abort_handle() }
    }

    /// Gives Telegram what it has asked for.
    pub fn send(&self, request: Request) {
        // The conversation ends only when it is over.
        let _ = self.requests.send(request);
    }
}

impl Drop for SignIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes over a session that another program has made. Returns what became of it.
pub async fn import(mut setup: Setup, imported: Imported) -> Event {
    if imported.bot {
        return Event::Refused(Refusal::bot());
    }
    let known = match &setup.start {
        Start::Centres(centres) => centres.iter().find(|(dc, ..)| *dc == imported.dc),
        Start::Telegram | Start::TestServers => None,
    };
    let mut data = first_data(if imported.test { &Start::TestServers } else { &Start::Telegram });
    let address = known.map(|(_, address, _)| *address).or(imported.address);
    let centre = if let Some(address) = address {
        setup.network.ipv6 |= address.is_ipv6();
        session::centre(imported.dc, address, Some(&imported.auth_key))
    } else {
        let Some(known) = data.dc_options.get(&imported.dc) else {
            let text = format!("Telegram has no data centre {} of that kind", imported.dc);
            let advice = "make a new session";
            return Event::Refused(Refusal::local(text, advice, Step::Method));
        };
        DcOption { auth_key: Some(imported.auth_key), ..known.clone() }
    };
    data.home_dc = imported.dc;
    data.dc_options.insert(imported.dc, centre);
    let (events, _) = mpsc::channel(1);
    let mut talk =
        Talk { data: Some(data), dc: imported.dc, is_new: false, ..Talk::new(setup, events) };
    match talk.take_over().await {
        Ok(done) => done,
        Err(refusal) => Event::Refused(refusal),
    }
}

/// One conversation.
struct Talk {
    setup: Setup,
    events: mpsc::Sender<Event>,
    /// What the first connection begins with.
    data: Option<SessionData>,
    line: Option<Line>,
    /// The data centre that is talked to.
    dc: i32,
    /// Whether the session is made here, and not another program's.
    is_new: bool,
    /// The number that a code was sent to, and Telegram's name for that.
    code: Option<(String, String)>,
}

/// A connection of somebody who is nobody yet. Dropping it closes it.
struct Line {
    vault: Arc<Vault>,
    handle: SenderPoolHandle,
    updates: mpsc::Receiver<UpdatesLike>,
    runner: AbortHandle,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.runner.abort();
    }
}

type Outcome<T> = Result<T, Refusal>;

impl Talk {
    fn new(setup: Setup, events: mpsc::Sender<Event>) -> Self {
        let data = first_data(&setup.start);
        let dc = data.home_dc;
        Self { setup, events, data: Some(data), line: None, dc, is_new: true, code: None }
    }

    /// Answers requests until somebody is signed in, or nobody asks any more.
    async fn run(&mut self, mut requests: mpsc::UnboundedReceiver<Request>) -> Option<Event> {
        let mut next = requests.recv().await;
        while let Some(request) = next.take() {
            let answer = match request {
                Request::SendCode { phone } => self.send_code(phone).await,
                Request::Resend => self.resend().await,
                Request::Code(code) => self.sign_in(code).await,
                Request::Password(password) => self.check_password(password).await,
                Request::Import(text) => match Imported::parse(&text) {
                    Ok(imported) => Ok(import(self.setup.clone(), imported).await),
                    Err(error) => {
                        let advice = "copy the whole string, and paste it here";
                        Err(Refusal::local(error.to_string(), advice, Step::Same))
                    }
                },
                Request::Qr => match self.show_codes(&mut requests).await {
                    Ok(Shown::Answer(event)) => Ok(event),
                    Ok(Shown::Interrupted(request)) => {
                        next = request;
                        continue;
                    }
                    Err(refusal) => Err(refusal),
                },
            };
            match answer {
                Ok(done @ Event::Done { .. }) => return Some(done),
                Ok(event) => self.tell(event).await,
                Err(refusal) => self.tell(Event::Refused(refusal)).await,
            }
            next = requests.recv().await;
        }
        None
    }

    async fn tell(&self, event: Event) {
        // Nobody listens any more while the program ends.
        let _ = self.events.send(event).await;
    }

    async fn line(&mut self) -> Outcome<&mut Line> {
        if self.line.is_none() {
            let own = self.setup.application.as_ref().map(|application| application.id);
            let network = &self.setup.network;
            let api_id = own.unwrap_or_else(|| network.api_id());
            let parameters = network.parameters().await;
            let parameters = parameters.map_err(|cause| Refusal::unreachable(&cause))?;
            let data = self.data.take().unwrap_or_else(|| first_data(&self.setup.start));
            let vault = Arc::new(Vault::in_memory(data));
            let SenderPool { runner, handle, updates } =
                SenderPool::with_configuration(Arc::clone(&vault), api_id, parameters);
            let runner = tokio::spawn(runner.run()).abort_handle();
            self.line = Some(Line { vault, handle: handle.thin, updates, runner });
        }
        Ok(self.line.as_mut().expect("it was made"))
    }

    /// Asks at the data centre of the account, moving there if Telegram says where that is.
    async fn ask<R: tl::RemoteCall>(&mut self, request: &R) -> Outcome<R::Return> {
        let mut moves = 0;
        loop {
            let dc = self.dc;
            let line = self.line().await?;
            let answer = timeout(DEADLINE, line.handle.invoke_in_dc(dc, request)).await;
            let error = match answer {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => {
                    self.hang_up();
                    return Err(Refusal::unreachable("no answer"));
                }
            };
            match moved_to(&error) {
                Some(dc) if moves < MOVES => {
                    moves += 1;
                    self.dc = dc;
                }
                _ => return Err(self.refusal(&error)),
            }
        }
    }

    /// The application, as far as codes need it.
    fn application(&self) -> Outcome<Application> {
        let unknown = || Refusal::of_telegram(400, "API_ID_INVALID", None);
        self.setup.application.clone().ok_or_else(unknown)
    }

    /// Gives up the connection, but not the keys that it has got.
    fn hang_up(&mut self) {
        let Some(line) = self.line.take() else { return };
        let mut data = first_data(&self.setup.start);
        for dc in data.dc_options.keys().copied().collect::<Vec<_>>() {
            if let Ok(Some(centre)) = line.vault.dc_option(dc) {
                data.dc_options.insert(dc, centre);
            }
        }
        self.data = Some(data);
    }

    fn refusal(&mut self, error: &InvocationError) -> Refusal {
        if let InvocationError::Rpc(error) = error {
            return Refusal::of_telegram(error.code, &error.name, error.value);
        }
        if let Some(code) = error::signed_out(error) {
            return Refusal::of_telegram(401, &code, None);
        }
        self.hang_up();
        let cause = match error {
            InvocationError::Io(error) => error.to_string(),
            error => error.to_string(),
        };
        Refusal::unreachable(&cause)
    }

    /// Asks who an imported session belongs to, and stores it.
    async fn take_over(&mut self) -> Outcome<Event> {
        let id = vec![tl::enums::InputUser::UserSelf];
        let users = self.ask(&tl::functions::users::GetUsers { id }).await?;
        match users.into_iter().next() {
            Some(user) => self.store(user).await,
            None => Err(Refusal::of_telegram(400, "USER_ID_INVALID", None)),
        }
    }

    async fn authorized(&mut self, answer: tl::enums::auth::Authorization) -> Outcome<Event> {
        match answer {
            tl::enums::auth::Authorization::Authorization(answer) => self.store(answer.user).await,
            tl::enums::auth::Authorization::SignUpRequired(_) => {
                Err(Refusal::of_telegram(400, "PHONE_NUMBER_UNOCCUPIED", None))
            }
        }
    }

    /// Stores the session of a user who is signed in; if that fails, a new one is signed out again.
    async fn store(&mut self, user: tl::enums::User) -> Outcome<Event> {
        let tl::enums::User::User(raw) = &user else {
            return Err(Refusal::of_telegram(400, "USER_ID_INVALID", None));
        };
        if raw.bot {
            return Err(Refusal::bot());
        }
        let own = party(&user).unwrap_or_default();
        let (id, access_hash) = (raw.id, raw.access_hash.unwrap_or(0));
        let stored = self.store_session(id, access_hash, &own).await;
        match stored {
            Ok(name) => Ok(Event::Done { name, own }),
            Err(text) => {
                if self.is_new {
                    // An authorization that nobody has the key to must not stay behind.
                    let _ = self.ask(&tl::functions::auth::LogOut {}).await;
                }
                let advice = "mend that and sign in again; nothing was stored";
                Err(Refusal::local(text, advice, Step::Method))
            }
        }
    }

    async fn store_session(
        &mut self,
        user_id: i64,
        access_hash: i64,
        own: &crate::call::Party,
    ) -> Result<String, String> {
        let dc = self.dc;
        let line = self.line().await.map_err(|refusal| refusal.text)?;
        let centre = line.vault.dc_option(dc).ok().flatten().ok_or("the key is gone")?;
        let draft: Draft = self.setup.accounts.draft().map_err(|error| error.to_string())?;
        let made = session::create(&draft.session(), &centre, user_id, access_hash).await;
        made.map_err(|error| format!("the session could not be stored: {error}"))?;
        let settings =
            Settings { application: self.setup.application.clone(), ipv6: self.setup.network.ipv6 };
        let suggestion = own.username.clone().or_else(|| own.name.clone()).unwrap_or_default();
        let name = draft.finish(&settings, self.setup.name.as_deref(), &suggestion);
        // The session is used by its account from now on.
        self.line = None;
        name.map_err(|error| error.to_string())
    }
}

/// Where Telegram says that the account lives.
fn moved_to(error: &InvocationError) -> Option<i32> {
    match error {
        InvocationError::Rpc(error) if error.code == 303 => i32::try_from(error.value?).ok(),
        _ => None,
    }
}

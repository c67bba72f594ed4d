//! The conversation by which a session comes into being: code, QR code, password, import.
//!
//! The session is in memory until Telegram has accepted it, and then stored at one stroke:
//! whatever interrupts the conversation leaves nothing behind. grammers' own helpers are not
//! used, for they panic on answers that Telegram does give.

mod code;
mod qr;
mod sent;
mod start;
mod store;

use std::io::ErrorKind;
use std::net::SocketAddr;
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
use super::server_clock::ServerClock;
use super::session::{self, CachedSession};
use crate::accounts::AccountStore;
use crate::sign_in::{ApiCredentials, Refusal, SignInEvent, SignInRequest, Step};
use qr::Shown;
use start::first_data;
use store::undo;

pub use start::Start;

/// How long the answer to a question may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// How often an account may turn out to live in another data centre.
const MOVES: usize = 2;

/// What signing in needs.
#[derive(Clone)]
pub struct Setup {
    /// Where the account will be stored.
    pub accounts: AccountStore,
    /// Its name; without one it is named after the person.
    pub name: Option<String>,
    /// The application; only an import can do without.
    pub application: Option<ApiCredentials>,
    /// How Telegram is reached.
    pub network: Network,
    /// Where to begin.
    pub start: Start,
}

/// A conversation. It is given up when this is dropped: what is on its way is waited for, and a
/// session that comes of it is signed out again.
#[derive(Debug)]
pub struct SignInHandle {
    requests: mpsc::UnboundedSender<SignInRequest>,
}

impl SignInHandle {
    /// Begins a conversation; it connects with the first request.
    pub fn start(setup: Setup, events: mpsc::Sender<SignInEvent>) -> Self {
        let (requests, receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut talk = SignInFlow::new(setup.clone(), events.clone());
            let Some(done) = talk.run(receiver).await else { return };
            let name = match &done {
                SignInEvent::Done { name, .. } => name.clone(),
                _ => return,
            };
            if events.send(done).await.is_err() {
                undo(&setup, &name).await;
            }
        });
        Self { requests }
    }

    /// Gives Telegram what it has asked for.
    pub fn send(&self, request: SignInRequest) {
        // The conversation ends only when it is over.
        let _ = self.requests.send(request);
    }
}

/// Takes over a session that another program has made. Returns what became of it.
pub async fn import(mut setup: Setup, imported: Imported) -> SignInEvent {
    if imported.bot {
        return SignInEvent::Refused(Refusal::bot());
    }
    let start = match &setup.start {
        Start::Centres(_) => setup.start.clone(),
        _ if imported.test => Start::TestServers,
        _ => Start::Telegram,
    };
    let mut data = first_data(&start);
    let known = data.dc_options.get(&imported.dc).cloned();
    let centre = match (known, imported.address) {
        // What is known has both kinds of address.
        (Some(known), None) => known,
        (Some(known), Some(address)) if SocketAddr::from(known.ipv4) == address => known,
        (Some(known), Some(_)) if matches!(start, Start::Centres(_)) => known,
        (_, Some(address)) => {
            setup.network.ipv6 |= address.is_ipv6();
            session::centre(imported.dc, address, None)
        }
        (None, None) => {
            let text = format!("there is no data centre {} here", imported.dc);
            let advice = "is the session of other servers?";
            return SignInEvent::Refused(Refusal::local(text, advice, Step::Method));
        }
    };
    data.home_dc = imported.dc;
    let auth_key = Some(imported.auth_key);
    data.dc_options.insert(imported.dc, DcOption { auth_key, ..centre });
    let of_its_own = |id| ApiCredentials { id, hash: String::new() };
    setup.application = setup.application.or_else(|| imported.api_id.map(of_its_own));
    let (events, _listened_to) = mpsc::channel(1);
    let mut talk = SignInFlow {
        data: Some(data),
        dc: imported.dc,
        is_new: false,
        ..SignInFlow::new(setup, events)
    };
    match talk.take_over().await {
        Ok(done) => done,
        Err(refusal) => SignInEvent::Refused(refusal),
    }
}

/// One conversation.
struct SignInFlow {
    setup: Setup,
    events: mpsc::Sender<SignInEvent>,
    /// What the first connection begins with.
    data: Option<SessionData>,
    line: Option<SignInConnection>,
    /// The data centre that is talked to.
    dc: i32,
    clock: ServerClock,
    /// Whether something was sent of which nobody knows what came of it.
    in_doubt: bool,
    /// Whether the session is made here, and not another program's.
    is_new: bool,
    /// The number that a code was sent to, and Telegram's name for that.
    code: Option<(String, String)>,
}

/// A connection of somebody who is nobody yet. Dropping it closes it.
struct SignInConnection {
    vault: Arc<CachedSession>,
    handle: SenderPoolHandle,
    updates: mpsc::Receiver<UpdatesLike>,
    runner: AbortHandle,
}

impl Drop for SignInConnection {
    fn drop(&mut self) {
        self.runner.abort();
    }
}

type FlowResult<T> = Result<T, Refusal>;

impl SignInFlow {
    fn new(setup: Setup, events: mpsc::Sender<SignInEvent>) -> Self {
        let data = first_data(&setup.start);
        let dc = data.home_dc;
        Self {
            setup,
            events,
            data: Some(data),
            line: None,
            dc,
            clock: ServerClock::default(),
            in_doubt: false,
            is_new: true,
            code: None,
        }
    }

    /// Answers requests until somebody is signed in, or nobody asks any more.
    async fn run(
        &mut self,
        mut requests: mpsc::UnboundedReceiver<SignInRequest>,
    ) -> Option<SignInEvent> {
        let mut next = requests.recv().await;
        if next.is_some()
            && let Err(error) = self.setup.accounts.draft()
        {
            // Better now than after the code and the password have been given.
            let advice = "mend that and sign in again; nothing was stored";
            self.tell(SignInEvent::Refused(Refusal::local(
                error.to_string(),
                advice,
                Step::Method,
            )))
            .await;
            return None;
        }
        while let Some(request) = next.take() {
            tracing::debug!(?request, "somebody who signs in");
            if std::mem::take(&mut self.in_doubt) {
                match self.take_over().await {
                    // What was given last had come through, only the answer had not.
                    Ok(done) => return Some(done),
                    Err(refusal) if self.in_doubt => {
                        self.tell(SignInEvent::Refused(refusal)).await;
                        next = requests.recv().await;
                        continue;
                    }
                    Err(_) => {}
                }
            }
            let answer = match request {
                SignInRequest::SendCode { phone } => self.send_code(phone).await,
                SignInRequest::Resend => self.resend().await,
                SignInRequest::Code(code) => self.sign_in(code).await,
                SignInRequest::Password(password) => self.check_password(password).await,
                SignInRequest::Import(text) => match Imported::parse(&text) {
                    Ok(imported) => Ok(import(self.setup.clone(), imported).await),
                    Err(error) => {
                        let advice = "copy the whole string, and paste it here";
                        Err(Refusal::local(error.to_string(), advice, Step::Same))
                    }
                },
                SignInRequest::Qr => match self.show_codes(&mut requests).await {
                    Ok(Shown::Answer(event)) => Ok(event),
                    Ok(Shown::Interrupted(request)) => {
                        next = request;
                        continue;
                    }
                    Err(refusal) => Err(refusal),
                },
            };
            match answer {
                Ok(done @ SignInEvent::Done { .. }) => return Some(done),
                Ok(event) => self.tell(event).await,
                Err(refusal) => self.tell(SignInEvent::Refused(refusal)).await,
            }
            next = requests.recv().await;
        }
        if self.in_doubt {
            self.sign_out().await;
        }
        None
    }

    /// Signs out again: an authorization that nobody has the key to must not stay behind. Returns
    /// whether none does.
    async fn sign_out(&mut self) -> bool {
        if !self.is_new {
            return true;
        }
        match self.ask(&tl::functions::auth::LogOut {}).await {
            Ok(_) => true,
            Err(refusal) => refusal.code == "AUTH_KEY_UNREGISTERED",
        }
    }

    async fn tell(&self, event: SignInEvent) {
        tracing::debug!(?event, "somebody who signs in is told");
        // Nobody listens any more while the program ends.
        let _ = self.events.send(event).await;
    }

    async fn line(&mut self) -> FlowResult<&mut SignInConnection> {
        if self.line.is_none() {
            let own = self.setup.application.as_ref().map(|application| application.id);
            let network = &self.setup.network;
            let api_id = own.unwrap_or_else(|| network.api_id());
            let parameters = network.parameters().await;
            let parameters =
                parameters.map_err(|error| Refusal::unreachable(&error.to_string()))?;
            let data = self.data.take().unwrap_or_else(|| first_data(&self.setup.start));
            let vault = Arc::new(CachedSession::in_memory(data));
            let SenderPool { runner, handle, updates } =
                SenderPool::with_configuration(Arc::clone(&vault), api_id, parameters);
            let runner = tokio::spawn(runner.run()).abort_handle();
            self.line = Some(SignInConnection { vault, handle: handle.thin, updates, runner });
        }
        Ok(self.line.as_mut().expect("it was made"))
    }

    /// Asks at the data centre of the account, moving there if Telegram says where that is.
    async fn ask<R: tl::RemoteCall>(&mut self, request: &R) -> FlowResult<R::Return> {
        let mut moves = 0;
        loop {
            let dc = self.dc;
            let line = self.line().await?;
            let answer = timeout(DEADLINE, line.handle.invoke_in_dc(dc, request)).await;
            let error = match answer {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => {
                    self.in_doubt = true;
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
    fn application(&self) -> FlowResult<ApiCredentials> {
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
        self.in_doubt = true;
        self.hang_up();
        match error {
            InvocationError::Deserialize(_) => Refusal::local(
                "Telegram's answer cannot be read".to_owned(),
                "try again, or get a newer onhook",
                Step::Same,
            ),
            InvocationError::Io(error) => Refusal::unreachable(&match error.kind() {
                ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof => {
                    "the connection was closed".to_owned()
                }
                ErrorKind::ConnectionRefused => "the connection was refused".to_owned(),
                _ => error.to_string(),
            }),
            error => Refusal::unreachable(&error.to_string()),
        }
    }
}

/// Where Telegram says that the account lives.
fn moved_to(error: &InvocationError) -> Option<i32> {
    match error {
        InvocationError::Rpc(error) if error.code == 303 => i32::try_from(error.value?).ok(),
        _ => None,
    }
}

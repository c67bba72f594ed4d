//! Signs in: by code, QR code and password, or by importing a session.
//!
//! The session is in memory until Telegram has accepted it, and is then stored by one rename, so that
//! an interrupted sign-in leaves no files. The helpers of grammers-client are not used, because they
//! panic on some valid answers of Telegram.

mod code;
mod email;
mod password;
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
use jiff::Timestamp;
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
use qr::QrOutcome;
use start::initial_data;
use store::remove_stored;

pub use start::Start;

/// The deadline of each request.
const DEADLINE: Duration = Duration::from_secs(20);
/// How often a request follows Telegram to another data centre.
const MAX_MIGRATIONS: usize = 2;

/// The parameters of a sign-in.
#[derive(Clone)]
pub struct Setup {
    /// Where the account is stored.
    pub accounts: AccountStore,
    /// The name of the account; without one it is derived from the user's name.
    pub name: Option<String>,
    /// The credentials; an import of a session string that has an `api_id` works without them.
    pub application: Option<ApiCredentials>,
    /// The parameters of the connection.
    pub network: Network,
    /// The data centres of the new session.
    pub start: Start,
}

/// A handle to the task of a sign-in. Dropping it gives the sign-in up: a request in flight is still
/// awaited, and a session that it signs in is signed out again.
#[derive(Debug)]
pub struct SignInHandle {
    requests: mpsc::UnboundedSender<SignInRequest>,
}

impl SignInHandle {
    /// Starts a sign-in. It connects with its first request.
    pub fn start(setup: Setup, events: mpsc::Sender<SignInEvent>) -> Self {
        let (requests, receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut flow = SignInFlow::new(setup.clone(), events.clone());
            let Some(done) = flow.run(receiver).await else { return };
            let (name, renewed) = match &done {
                SignInEvent::Done { name, renewed, .. } => (name.clone(), *renewed),
                _ => return,
            };
            if events.send(done).await.is_err() {
                remove_stored(&setup, &name, renewed).await;
            }
        });
        Self { requests }
    }

    /// Sends the person's next input.
    pub fn send(&self, request: SignInRequest) {
        // The receiver is closed only after the sign-in has ended.
        let _ = self.requests.send(request);
    }
}

/// Imports a session of another program. Returns `Done` or `Refused`.
pub async fn import(mut setup: Setup, imported: Imported) -> SignInEvent {
    if imported.bot {
        return SignInEvent::Refused(Refusal::bot());
    }
    let without_hash = |id| ApiCredentials { id, hash: String::new() };
    setup.application = setup.application.or_else(|| imported.api_id.map(without_hash));
    if setup.application.is_none() {
        return SignInEvent::Refused(Refusal::no_api_id());
    }
    let start = match &setup.start {
        Start::DataCentres(_) => setup.start.clone(),
        _ if imported.test => Start::TestServers,
        _ => Start::Telegram,
    };
    let mut data = initial_data(&start);
    let known = data.dc_options.get(&imported.dc).cloned();
    let dc = match (known, imported.address) {
        // A known data centre has both an IPv4 and an IPv6 address.
        (Some(known), None) => known,
        (Some(known), Some(address)) if SocketAddr::from(known.ipv4) == address => known,
        (Some(known), Some(_)) if matches!(start, Start::DataCentres(_)) => known,
        (_, Some(address)) => {
            setup.network.ipv6 |= address.is_ipv6();
            session::dc_option(imported.dc, address, None)
        }
        (None, None) => {
            let text = format!("there is no data centre {} here", imported.dc);
            let advice = "is the session of other servers?";
            return SignInEvent::Refused(Refusal::local(text, advice, Step::Method));
        }
    };
    data.home_dc = imported.dc;
    let auth_key = Some(imported.auth_key);
    data.dc_options.insert(imported.dc, DcOption { auth_key, ..dc });
    let (events, _receiver) = mpsc::channel(1);
    let mut flow = SignInFlow {
        data: Some(data),
        dc: imported.dc,
        is_new: false,
        ..SignInFlow::new(setup, events)
    };
    match flow.store_own_user().await {
        Ok(done) => done,
        Err(refusal) => SignInEvent::Refused(refusal),
    }
}

/// One sign-in.
struct SignInFlow {
    setup: Setup,
    events: mpsc::Sender<SignInEvent>,
    /// The data of the next connection's session.
    data: Option<SessionData>,
    connection: Option<SignInConnection>,
    /// The data centre to which requests are sent.
    dc: i32,
    clock: ServerClock,
    /// Set when the outcome of the last request is unknown, after a timeout or a lost connection.
    outcome_unknown: bool,
    /// Whether the session is new, and not imported.
    is_new: bool,
    code: Option<PendingCode>,
    /// When a reset of the two-step password is due that another device has requested.
    pending_reset: Option<Timestamp>,
}

/// A code that was sent.
#[derive(Clone)]
struct PendingCode {
    phone: String,
    /// `phone_code_hash`.
    hash: String,
    /// Whether it was sent by e-mail, and is sent back as `email_verification`.
    by_email: bool,
}

/// A connection whose session is not signed in yet. Dropping it closes it.
struct SignInConnection {
    session: Arc<CachedSession>,
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
        let data = initial_data(&setup.start);
        let dc = data.home_dc;
        Self {
            setup,
            events,
            data: Some(data),
            connection: None,
            dc,
            clock: ServerClock::default(),
            outcome_unknown: false,
            is_new: true,
            code: None,
            pending_reset: None,
        }
    }

    /// Carries out requests until the sign-in is done, or its handle is dropped.
    async fn run(
        &mut self,
        mut requests: mpsc::UnboundedReceiver<SignInRequest>,
    ) -> Option<SignInEvent> {
        let mut next = requests.recv().await;
        if next.is_some()
            && let Err(error) = self.setup.accounts.draft()
        {
            // Checked now, so that it does not fail after the code and the password were entered.
            let advice = "mend that and sign in again; nothing was stored";
            self.send(SignInEvent::Refused(Refusal::local(
                error.to_string(),
                advice,
                Step::Method,
            )))
            .await;
            return None;
        }
        while let Some(request) = next.take() {
            tracing::debug!(?request, "sign-in request");
            if std::mem::take(&mut self.outcome_unknown) {
                match self.store_own_user().await {
                    // The last request had succeeded; only its answer was lost.
                    Ok(done) => return Some(done),
                    Err(refusal) if self.outcome_unknown => {
                        self.send(SignInEvent::Refused(refusal)).await;
                        next = requests.recv().await;
                        continue;
                    }
                    Err(_) => {}
                }
            }
            let answer = match request {
                SignInRequest::SendCode { phone } => self.send_code(phone).await,
                SignInRequest::Resend => self.resend().await,
                SignInRequest::Code(code) => self.sign_in(&code).await,
                SignInRequest::Email(address) => self.send_email_code(address).await,
                SignInRequest::EmailCode(code) => self.verify_email(&code).await,
                SignInRequest::Password(password) => self.check_password(password).await,
                SignInRequest::ForgotPassword => self.request_recovery().await,
                SignInRequest::RecoveryCode(code) => self.recover(&code).await,
                SignInRequest::Import(text) => match Imported::parse(&text) {
                    Ok(imported) => Ok(import(self.setup.clone(), imported).await),
                    Err(error) => {
                        let advice = "copy the whole string, and paste it here";
                        Err(Refusal::local(error.to_string(), advice, Step::Same))
                    }
                },
                SignInRequest::Qr => match self.show_qr_codes(&mut requests).await {
                    Ok(QrOutcome::Accepted(event)) => Ok(event),
                    Ok(QrOutcome::Interrupted(request)) => {
                        next = request;
                        continue;
                    }
                    Err(refusal) => Err(refusal),
                },
            };
            match answer {
                Ok(done @ SignInEvent::Done { .. }) => return Some(done),
                Ok(event) => self.send(event).await,
                Err(refusal) => self.send(SignInEvent::Refused(refusal)).await,
            }
            next = requests.recv().await;
        }
        if self.outcome_unknown {
            self.sign_out().await;
        }
        None
    }

    /// Signs a new session out, so that no authorization remains whose key is lost. Returns whether
    /// none remains.
    async fn sign_out(&mut self) -> bool {
        if !self.is_new {
            return true;
        }
        match self.invoke(&tl::functions::auth::LogOut {}).await {
            Ok(_) => true,
            Err(refusal) => refusal.code == "AUTH_KEY_UNREGISTERED",
        }
    }

    async fn send(&self, event: SignInEvent) {
        tracing::debug!(?event, "sign-in event");
        // The receiver is closed when the sign-in was given up.
        let _ = self.events.send(event).await;
    }

    /// The connection, which is opened if there is none.
    async fn connection(&mut self) -> FlowResult<&mut SignInConnection> {
        if self.connection.is_none() {
            let api_id = self.application()?.id;
            let network = &self.setup.network;
            let parameters = network.parameters().await;
            let parameters =
                parameters.map_err(|error| Refusal::unreachable(&error.to_string()))?;
            let data = self.data.take().unwrap_or_else(|| initial_data(&self.setup.start));
            let session = Arc::new(CachedSession::in_memory(data));
            let SenderPool { runner, handle, updates } =
                SenderPool::with_configuration(Arc::clone(&session), api_id, parameters);
            let runner = tokio::spawn(runner.run()).abort_handle();
            self.connection =
                Some(SignInConnection { session, handle: handle.thin, updates, runner });
        }
        Ok(self.connection.as_mut().expect("it was opened above"))
    }

    /// Sends a request to the data centre of the account, and follows a migration error to another one.
    async fn invoke<R: tl::RemoteCall>(&mut self, request: &R) -> FlowResult<R::Return> {
        let mut migrations = 0;
        loop {
            let dc = self.dc;
            let connection = self.connection().await?;
            let answer = timeout(DEADLINE, connection.handle.invoke_in_dc(dc, request)).await;
            let error = match answer {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => {
                    self.outcome_unknown = true;
                    self.disconnect();
                    return Err(Refusal::unreachable("no answer"));
                }
            };
            match migrated_to(&error) {
                Some(dc) if migrations < MAX_MIGRATIONS => {
                    migrations += 1;
                    self.dc = dc;
                }
                _ => return Err(self.refusal(&error)),
            }
        }
    }

    /// The credentials, or the refusal that asks for them.
    fn application(&self) -> FlowResult<ApiCredentials> {
        let unknown = || Refusal::of_telegram(400, "API_ID_INVALID", None);
        self.setup.application.clone().ok_or_else(unknown)
    }

    /// Closes the connection, and keeps the authorization keys of its session for the next one.
    fn disconnect(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let mut data = initial_data(&self.setup.start);
        for dc in data.dc_options.keys().copied().collect::<Vec<_>>() {
            if let Ok(Some(option)) = connection.session.dc_option(dc) {
                data.dc_options.insert(dc, option);
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
        self.outcome_unknown = true;
        self.disconnect();
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

/// The data centre of the account, from a migration error (303).
fn migrated_to(error: &InvocationError) -> Option<i32> {
    match error {
        InvocationError::Rpc(error) if error.code == 303 => i32::try_from(error.value?).ok(),
        _ => None,
    }
}

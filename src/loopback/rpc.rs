//! Methods: which there are, what they answer, and what a request looks like in the log.

#![expect(clippy::unnecessary_wraps, reason = "all handlers of the table have one type")]

mod account;
mod config;

use grammers_tl_types::deserialize::Result as Read;
use grammers_tl_types::{
    Cursor, Deserializable, Identifiable, Serializable, enums, functions, types,
};
use serde_json::{Value, json};

use super::call::SessionIx;
use super::scenario::InvalidMessage;
use super::world::{ClientInfo, ResponseKind, ResponseOverride, User, World, name_of};

type Handler = fn(&mut World, &Invocation) -> Read<Answer>;

/// A method that the server answers.
struct Method {
    /// Its name in the schema.
    name: &'static str,
    /// Whether the key must be signed in to a user.
    needs_user: bool,
    /// Whether the connection gets updates after a successful answer.
    subscribes: bool,
    /// The call that a request is about, if the method is about one call.
    call: fn(&[u8]) -> Read<Option<CallArgs>>,
    /// Computes the real answer.
    answer: Handler,
}

impl Method {
    const fn for_users(name: &'static str, answer: Handler) -> Self {
        Self { name, needs_user: true, subscribes: true, call: no_call, answer }
    }

    const fn for_any_key(name: &'static str, answer: Handler) -> Self {
        Self { name, needs_user: false, subscribes: false, call: no_call, answer }
    }
}

/// All methods. A new one is a row here and the function that answers it.
const METHODS: [Method; 17] = [
    Method::for_any_key("help.getConfig", get_config),
    Method::for_any_key("auth.sendCode", account::send_code),
    Method::for_any_key("auth.resendCode", account::resend_code),
    Method::for_any_key("auth.signIn", account::sign_in),
    Method::for_any_key("auth.checkPassword", account::check_password),
    Method {
        // The device that shows a login token gets an update when the token is accepted.
        subscribes: true,
        ..Method::for_any_key("auth.exportLoginToken", account::export_login_token)
    },
    Method::for_any_key("auth.importLoginToken", account::import_login_token),
    Method::for_any_key("account.getPassword", account::get_password),
    Method::for_users("auth.logOut", account::log_out),
    Method::for_users("account.getAuthorizations", account::get_authorizations),
    Method::for_users(
        "account.changeAuthorizationSettings",
        account::change_authorization_settings,
    ),
    Method::for_users("account.getPrivacy", account::get_privacy),
    Method::for_users("updates.getState", get_state),
    Method::for_users("updates.getDifference", get_difference),
    Method::for_users("users.getUsers", get_users),
    Method::for_users("messages.search", search),
    Method { call: discarded_call, ..Method::for_users("phone.discardCall", discard_call) },
];

/// The names of all methods that this server answers.
pub(crate) fn methods() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|method| method.name)
}

/// One request of a method.
struct Invocation<'a> {
    session: SessionIx,
    /// The serialized arguments, without the constructor number.
    args: &'a [u8],
    /// Milliseconds of the server's clock.
    now: i64,
    /// An invalid value that the answer is to carry.
    invalid: Option<InvalidMessage>,
}

/// The call that a request is about, and the request's arguments as the log shows them.
struct CallArgs {
    id: i64,
    log: Value,
}

/// How one client talks to the server: what it has set up so far.
#[derive(Debug, Default)]
pub(super) struct Client {
    /// It has sent `initConnection`.
    introduced: bool,
    /// It gets updates: it has called something that needs an authorised user.
    pub(super) subscribed: bool,
}

/// The bytes of a result, or the code and name of an error.
type Answer = Result<Vec<u8>, (i32, String)>;

/// A request, answered.
pub(super) struct Served {
    /// The name of the method, or its number where it is unknown.
    pub(super) method: String,
    /// The arguments for the log; `None` for what is nobody's business.
    pub(super) args: Option<Value>,
    pub(super) result: Answer,
    /// How the scenario wants it sent.
    pub(super) response_override: ResponseOverride,
}

/// Everything up to the end of a request: the wrapped query of a wrapper.
struct Rest(Vec<u8>);

impl Deserializable for Rest {
    fn deserialize(buf: &mut Cursor) -> Read<Self> {
        let mut rest = Vec::new();
        buf.read_to_end(&mut rest)?;
        Ok(Self(rest))
    }
}

/// Answers one request of a session.
pub(super) fn serve(
    world: &mut World,
    session: SessionIx,
    client: &mut Client,
    body: &[u8],
    now: i64,
) -> Served {
    let mut quiet = false;
    let mut device = None;
    let Ok(request) = unwrap(body, client, &mut quiet, &mut device) else {
        return refused("?", 400, "INPUT_FETCH_FAIL");
    };
    if let Some(device) = device {
        world.introduce(session, device);
    }
    let Some(id) = request.first_chunk().map(|id| u32::from_le_bytes(*id)) else {
        return refused("?", 400, "INPUT_FETCH_FAIL");
    };
    let name = grammers_tl_types::name_for_id(id);
    let Some(method) = METHODS.iter().find(|method| method.name == name) else {
        return refused(name, 400, &format!("INPUT_METHOD_INVALID_{id}"));
    };
    if !client.introduced {
        return refused(name, 400, "CONNECTION_NOT_INITED");
    }
    if let Some((code, error)) = world.refusal(session, name, method.needs_user) {
        return refused(name, code, &error);
    }
    let served = answer(world, session, method, &request[4..], now)
        .unwrap_or_else(|_| refused(name, 400, "INPUT_FETCH_FAIL"));
    if served.result.is_ok() && !quiet {
        client.subscribed |= method.subscribes;
        if method.needs_user {
            world.begin(now);
        }
    }
    served
}

/// Takes off the wrappers around a query.
fn unwrap(
    body: &[u8],
    client: &mut Client,
    quiet: &mut bool,
    device: &mut Option<ClientInfo>,
) -> Read<Vec<u8>> {
    let mut query = body.to_vec();
    while let Some(id) = query.first_chunk().map(|id| u32::from_le_bytes(*id)) {
        let args = &query[4..];
        query = match id {
            functions::InvokeWithLayer::<Rest>::CONSTRUCTOR_ID => {
                functions::InvokeWithLayer::<Rest>::from_bytes(args)?.query.0
            }
            functions::InitConnection::<Rest>::CONSTRUCTOR_ID => {
                client.introduced = true;
                let introduction = functions::InitConnection::<Rest>::from_bytes(args)?;
                *device = Some(ClientInfo {
                    model: introduction.device_model,
                    system: introduction.system_version,
                    app: introduction.app_version,
                    api_id: introduction.api_id,
                });
                introduction.query.0
            }
            functions::InvokeWithoutUpdates::<Rest>::CONSTRUCTOR_ID => {
                *quiet = true;
                functions::InvokeWithoutUpdates::<Rest>::from_bytes(args)?.query.0
            }
            _ => break,
        };
    }
    Ok(query)
}

/// Answers a request, as the scenario or an injected fault wants it.
fn answer(
    world: &mut World,
    session: SessionIx,
    method: &Method,
    args: &[u8],
    now: i64,
) -> Read<Served> {
    let call = (method.call)(args)?;
    let response_override = world.overrule(session, method.name, call.as_ref().map(|it| it.id));
    let done = if response_override.effect {
        let invalid = response_override.invalid;
        (method.answer)(world, &Invocation { session, args, now, invalid })?
    } else {
        Ok(Vec::new())
    };
    if response_override.echo
        && let Ok(bytes) = &done
        && let Ok(updates) = enums::Updates::from_bytes(bytes)
    {
        world.push(session, vec![updates]);
    }
    let result = match &response_override.kind {
        ResponseKind::Error(code, name) => error(*code, name),
        _ => done,
    };
    let args = call.map(|call| call.log);
    Ok(Served { method: method.name.to_owned(), args, result, response_override })
}

fn get_config(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let mut config = config::config(world, invocation.session, invocation.now);
    if invocation.invalid == Some(InvalidMessage::Address) {
        config.dc_options.push(config::invalid_address());
    }
    Ok(Ok(enums::Config::from(config).to_bytes()))
}

fn get_state(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let state = world.state(invocation.session, invocation.now);
    Ok(Ok(enums::updates::State::from(state).to_bytes()))
}

fn get_difference(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let request = functions::updates::GetDifference::from_bytes(invocation.args)?;
    if request.pts <= 0 {
        return Ok(error(400, "PERSISTENT_TIMESTAMP_EMPTY"));
    }
    if request.date <= 0 {
        return Ok(error(400, "DATE_EMPTY"));
    }
    Ok(Ok(world.difference(invocation.session, &request, invocation.now).to_bytes()))
}

fn get_users(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let request = functions::users::GetUsers::from_bytes(invocation.args)?;
    let users = request.id.iter().filter_map(|user| world.find_user(invocation.session, user));
    Ok(Ok(users.collect::<Vec<enums::User>>().to_bytes()))
}

/// `messages.search`, but only for phone calls in all chats.
fn search(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let request = functions::messages::Search::from_bytes(invocation.args)?;
    Ok(match &request.filter {
        enums::MessagesFilter::InputMessagesFilterPhoneCalls(filter)
            if matches!(request.peer, enums::InputPeer::Empty) =>
        {
            Ok(world.history(invocation.session, &request, filter.missed).to_bytes())
        }
        _ => error(400, "SEARCH_QUERY_EMPTY"),
    })
}

fn discard_call(world: &mut World, invocation: &Invocation) -> Read<Answer> {
    let request = functions::phone::DiscardCall::from_bytes(invocation.args)?;
    if world.user(invocation.session).is_some_and(User::is_bot) {
        return Ok(error(400, "BOT_METHOD_INVALID"));
    }
    let discarded = world.discard(invocation.session, &request, invocation.now);
    Ok(discarded.map(|updates| updates.to_bytes()).map_err(|(code, name)| (code, name.to_owned())))
}

fn discarded_call(args: &[u8]) -> Read<Option<CallArgs>> {
    let request = functions::phone::DiscardCall::from_bytes(args)?;
    let enums::InputPhoneCall::Call(peer) = &request.peer;
    let log = json!({
        "id": peer.id,
        "access_hash": peer.access_hash,
        "reason": name_of(&request.reason),
        "duration": request.duration,
        "video": request.video,
        "connection_id": request.connection_id,
    });
    Ok(Some(CallArgs { id: peer.id, log }))
}

fn no_call(_: &[u8]) -> Read<Option<CallArgs>> {
    Ok(None)
}

fn error(code: i32, name: &str) -> Answer {
    Err((code, name.to_owned()))
}

fn refused(method: &str, code: i32, name: &str) -> Served {
    Served {
        method: method.to_owned(),
        args: None,
        result: error(code, name),
        response_override: ResponseOverride { effect: true, ..ResponseOverride::default() },
    }
}

impl Served {
    /// The bytes of the answer: result, `rpc_error`, or what nobody can read.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        if self.response_override.kind == ResponseKind::Garbage {
            return vec![0x0b, 0xad, 0xf0, 0x0d, 1, 2, 3, 4];
        }
        match &self.result {
            Ok(bytes) => bytes.clone(),
            Err((error_code, error_message)) => {
                let error = types::RpcError {
                    error_code: *error_code,
                    error_message: error_message.clone(),
                };
                enums::RpcError::from(error).to_bytes()
            }
        }
    }

    /// The answer as the log names it.
    pub(super) fn outcome(&self) -> String {
        match (&self.response_override.kind, &self.result) {
            (ResponseKind::Cut(_), _) => "cut".to_owned(),
            (ResponseKind::Transport(code), _) => format!("transport {code}"),
            (ResponseKind::Silence, _) => "silence".to_owned(),
            (ResponseKind::Garbage, _) => "garbage".to_owned(),
            (_, Ok(_)) => "ok".to_owned(),
            (_, Err((code, name))) => format!("{code} {name}"),
        }
    }
}

//! The table of methods, the processing of a request, and what the log shows of it.

#![expect(clippy::unnecessary_wraps, reason = "all handlers of the table have one type")]

mod account;
mod config;
mod contacts;
mod phone;
mod text;

use grammers_tl_types::deserialize::Result as Read;
use grammers_tl_types::{
    Cursor, Deserializable, Identifiable, LAYER, Serializable, enums, functions, types,
};
use serde_json::{Value, json};

use crate::call::SessionIx;
use crate::scenario::InvalidMessage;
use crate::world::{ClientInfo, ResponseKind, ResponseOverride, World};

type ReadCall = fn(&[u8]) -> Read<Option<CallArgs>>;
type Handler = fn(&mut World, &Invocation) -> Read<RpcResult>;

/// A method that the server answers.
struct Method {
    /// The name in the TL schema.
    name: &'static str,
    /// Whether the session must be signed in.
    needs_user: bool,
    /// Whether the connection receives updates after a successful request.
    subscribes: bool,
    /// Extracts the call that a request refers to, if the method refers to one.
    call: ReadCall,
    /// Computes the result.
    answer: Handler,
}

impl Method {
    const fn for_users(name: &'static str, answer: Handler) -> Self {
        Self { name, needs_user: true, subscribes: true, call: no_call, answer }
    }

    const fn for_calls(name: &'static str, call: ReadCall, answer: Handler) -> Self {
        Self { call, ..Self::for_users(name, answer) }
    }

    const fn for_any_key(name: &'static str, answer: Handler) -> Self {
        Self { name, needs_user: false, subscribes: false, call: no_call, answer }
    }
}

/// All methods. A new method needs a row here and a function that computes its result.
const METHODS: [Method; 37] = [
    Method::for_any_key("help.getConfig", get_config),
    Method::for_any_key("auth.sendCode", account::send_code),
    Method::for_any_key("auth.resendCode", account::resend_code),
    Method::for_any_key("auth.signIn", account::sign_in),
    Method::for_any_key("auth.checkPassword", account::check_password),
    Method {
        // The client that shows a login token receives an update when the token is accepted.
        subscribes: true,
        ..Method::for_any_key("auth.exportLoginToken", account::export_login_token)
    },
    Method::for_any_key("auth.importLoginToken", account::import_login_token),
    Method::for_any_key("account.getPassword", account::get_password),
    Method::for_any_key("auth.requestPasswordRecovery", account::request_password_recovery),
    Method::for_any_key("auth.recoverPassword", account::recover_password),
    Method::for_any_key("account.sendVerifyEmailCode", account::send_verify_email_code),
    Method::for_any_key("account.verifyEmail", account::verify_email),
    Method::for_users("auth.logOut", account::log_out),
    Method::for_users("account.getAuthorizations", account::get_authorizations),
    Method::for_users(
        "account.changeAuthorizationSettings",
        account::change_authorization_settings,
    ),
    Method::for_users("account.getPrivacy", account::get_privacy),
    Method::for_users("updates.getState", get_state),
    Method::for_users("updates.getDifference", get_difference),
    Method::for_users("updates.getChannelDifference", get_channel_difference),
    Method::for_users("users.getUsers", get_users),
    Method::for_users("messages.search", search),
    Method::for_users("messages.getMessages", get_messages),
    Method::for_calls("messages.sendMessage", text::addressee, text::send_message),
    Method::for_calls("phone.declineConferenceCallInvite", declined_message, decline_invitation),
    Method::for_users("contacts.getContacts", contacts::get_contacts),
    Method::for_users("contacts.resolveUsername", contacts::resolve_username),
    Method::for_users("contacts.resolvePhone", contacts::resolve_phone),
    Method::for_users("messages.getDhConfig", phone::get_dh_config),
    Method::for_users("phone.getCallConfig", phone::get_call_config),
    Method::for_calls("phone.requestCall", phone::requested_user, phone::request_call),
    Method::for_calls("phone.receivedCall", phone::received_peer, phone::received_call),
    Method::for_calls("phone.acceptCall", phone::accepted_peer, phone::accept_call),
    Method::for_calls("phone.confirmCall", phone::confirmed_peer, phone::confirm_call),
    Method::for_calls("phone.discardCall", phone::discarded_peer, phone::discard_call),
    Method::for_calls("phone.sendSignalingData", phone::signaling_peer, phone::send_signaling_data),
    Method::for_calls("phone.setCallRating", phone::rated_peer, phone::set_call_rating),
    Method::for_calls("phone.saveCallDebug", phone::debugged_peer, phone::save_call_debug),
];

/// The names of all methods of this server.
pub(crate) fn methods() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|method| method.name)
}

/// One call of a method.
struct Invocation<'a> {
    session: SessionIx,
    /// The serialized arguments, without the constructor id.
    args: &'a [u8],
    /// Milliseconds of the server's clock.
    now: i64,
    /// An invalid value that the result must contain.
    invalid: Option<InvalidMessage>,
}

/// The call that a request refers to, and the request's arguments for the log.
struct CallArgs {
    subject: Subject,
    log: Value,
}

/// What a request about a call refers to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject {
    /// A call or an invitation with this id.
    Call(i64),
    /// The user with this id.
    User(i64),
}

/// What the client of one connection has set up.
#[derive(Debug, Default)]
pub(crate) struct ClientState {
    /// The client has sent `invokeWithLayer` with the layer of this server.
    layer: bool,
    /// The client has sent `initConnection`.
    initialized: bool,
    /// The connection receives updates; see [`Method::subscribes`].
    pub(crate) subscribed: bool,
}

/// The serialized result, or the code and name of an `rpc_error`.
type RpcResult = Result<Vec<u8>, (i32, String)>;

/// The outcome of a request.
pub(crate) struct Response {
    /// The name of the method; `?` if the request has no constructor id.
    pub(crate) method: String,
    /// The arguments for the log; `None` for methods whose arguments may be secret.
    pub(crate) args: Option<Value>,
    pub(crate) result: RpcResult,
    /// How the scenario or an injected fault changes the response.
    pub(crate) overrides: ResponseOverride,
}

/// The query inside a wrapper: all bytes up to the end of the request.
struct WrappedQuery(Vec<u8>);

impl Deserializable for WrappedQuery {
    fn deserialize(buf: &mut Cursor) -> Read<Self> {
        let mut rest = Vec::new();
        buf.read_to_end(&mut rest)?;
        Ok(Self(rest))
    }
}

/// Processes one request of a session.
pub(crate) fn serve(
    world: &mut World,
    session: SessionIx,
    client: &mut ClientState,
    body: &[u8],
    now: i64,
) -> Response {
    let Ok(wrapped) = strip_wrappers(body) else {
        return error_response("?", 400, "INPUT_FETCH_FAIL");
    };
    let Wrapped { query: request, layer, client_info, without_updates } = wrapped;
    // The types of a connection are those of the layer in its `invokeWithLayer`, and this server has
    // those of one layer only. Source: <https://core.telegram.org/api/invoking#layers>.
    if layer.is_some_and(|layer| layer != LAYER) {
        return error_response("invokeWithLayer", 400, "CONNECTION_LAYER_INVALID");
    }
    client.layer |= layer.is_some();
    if let Some(client_info) = client_info {
        if !client.layer {
            return error_response("initConnection", 400, "CONNECTION_LAYER_INVALID");
        }
        client.initialized = true;
        if client_info.api_id <= 0 {
            return error_response("initConnection", 400, "CONNECTION_API_ID_INVALID");
        }
        world.set_client_info(session, client_info);
    }
    let Some(id) = request.first_chunk().map(|id| u32::from_le_bytes(*id)) else {
        return error_response("?", 400, "INPUT_FETCH_FAIL");
    };
    let name = grammers_tl_types::name_for_id(id);
    let Some(method) = METHODS.iter().find(|method| method.name == name) else {
        return error_response(name, 400, &format!("INPUT_METHOD_INVALID_{id}"));
    };
    if !client.initialized {
        return error_response(name, 400, "CONNECTION_NOT_INITED");
    }
    if let Some((code, error)) = world.refusal(session, name, method.needs_user) {
        return error_response(name, code, &error);
    }
    let response = respond(world, session, method, &request[4..], now)
        .unwrap_or_else(|_| error_response(name, 400, "INPUT_FETCH_FAIL"));
    if response.result.is_ok() && !without_updates {
        client.subscribed |= method.subscribes;
        if method.needs_user {
            world.start_script(now);
        }
    }
    response
}

/// A query and what the functions around it set.
struct Wrapped {
    query: Vec<u8>,
    /// The layer of `invokeWithLayer`.
    layer: Option<i32>,
    /// The parameters of `initConnection`.
    client_info: Option<ClientInfo>,
    without_updates: bool,
}

/// Removes `invokeWithLayer`, `initConnection` and `invokeWithoutUpdates` around a query.
fn strip_wrappers(body: &[u8]) -> Read<Wrapped> {
    let mut wrapped =
        Wrapped { query: body.to_vec(), layer: None, client_info: None, without_updates: false };
    while let Some(id) = wrapped.query.first_chunk().map(|id| u32::from_le_bytes(*id)) {
        let args = &wrapped.query[4..];
        wrapped.query = match id {
            functions::InvokeWithLayer::<WrappedQuery>::CONSTRUCTOR_ID => {
                let invoke = functions::InvokeWithLayer::<WrappedQuery>::from_bytes(args)?;
                wrapped.layer = Some(invoke.layer);
                invoke.query.0
            }
            functions::InitConnection::<WrappedQuery>::CONSTRUCTOR_ID => {
                let init = functions::InitConnection::<WrappedQuery>::from_bytes(args)?;
                wrapped.client_info = Some(ClientInfo {
                    model: init.device_model,
                    system: init.system_version,
                    app: init.app_version,
                    api_id: init.api_id,
                });
                init.query.0
            }
            functions::InvokeWithoutUpdates::<WrappedQuery>::CONSTRUCTOR_ID => {
                wrapped.without_updates = true;
                functions::InvokeWithoutUpdates::<WrappedQuery>::from_bytes(args)?.query.0
            }
            _ => break,
        };
    }
    Ok(wrapped)
}

/// Computes the result of a request and applies the override of the scenario or of a fault.
fn respond(
    world: &mut World,
    session: SessionIx,
    method: &Method,
    args: &[u8],
    now: i64,
) -> Read<Response> {
    let call = (method.call)(args)?;
    let response_override =
        world.response_override(session, method.name, call.as_ref().map(|it| it.subject));
    let computed = if response_override.effect {
        let invalid = response_override.invalid;
        (method.answer)(world, &Invocation { session, args, now, invalid })?
    } else {
        Ok(Vec::new())
    };
    if response_override.updates_first
        && let Ok(bytes) = &computed
        && let Ok(updates) = enums::Updates::from_bytes(bytes)
    {
        world.push(session, vec![updates]);
    }
    let result = match &response_override.kind {
        ResponseKind::Error(code, name) => error(*code, name),
        _ => computed,
    };
    let args = call.map(|call| call.log);
    Ok(Response { method: method.name.to_owned(), args, result, overrides: response_override })
}

fn get_config(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let mut config = config::config(world, invocation.session, invocation.now);
    if invocation.invalid == Some(InvalidMessage::Address) {
        config.dc_options.push(config::invalid_address());
    }
    Ok(Ok(enums::Config::from(config).to_bytes()))
}

fn get_state(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let state = world.state(invocation.session, invocation.now);
    Ok(Ok(enums::updates::State::from(state).to_bytes()))
}

fn get_difference(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::updates::GetDifference::from_bytes(invocation.args)?;
    if request.pts <= 0 {
        return Ok(error(400, "PERSISTENT_TIMESTAMP_EMPTY"));
    }
    if request.date <= 0 {
        return Ok(error(400, "DATE_EMPTY"));
    }
    let difference = world.difference(invocation.session, &request, invocation.now);
    Ok(difference.map(|it| it.to_bytes()).map_err(|(code, name)| (code, name.to_owned())))
}

fn get_channel_difference(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::updates::GetChannelDifference::from_bytes(invocation.args)?;
    let difference = world.channel_difference(&request, invocation.now);
    Ok(difference.map(|it| it.to_bytes()).map_err(|(code, name)| (code, name.to_owned())))
}

fn get_users(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::users::GetUsers::from_bytes(invocation.args)?;
    let users = request.id.iter().filter_map(|user| world.find_user(invocation.session, user));
    Ok(Ok(users.collect::<Vec<enums::User>>().to_bytes()))
}

/// `messages.search` for phone calls in all chats; other searches are refused.
fn search(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::messages::Search::from_bytes(invocation.args)?;
    Ok(match &request.filter {
        enums::MessagesFilter::InputMessagesFilterPhoneCalls(filter)
            if matches!(request.peer, enums::InputPeer::Empty) =>
        {
            let (session, now) = (invocation.session, invocation.now);
            Ok(world.history(session, &request, filter.missed, now).to_bytes())
        }
        _ => error(400, "SEARCH_QUERY_EMPTY"),
    })
}

fn get_messages(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::messages::GetMessages::from_bytes(invocation.args)?;
    Ok(Ok(world.messages(invocation.session, &request.id).to_bytes()))
}

fn decline_invitation(world: &mut World, invocation: &Invocation) -> Read<RpcResult> {
    let request = functions::phone::DeclineConferenceCallInvite::from_bytes(invocation.args)?;
    let declined = world.decline_invitation(invocation.session, request.msg_id, invocation.now);
    Ok(declined.map(|updates| updates.to_bytes()).map_err(|(code, name)| (code, name.to_owned())))
}

fn declined_message(args: &[u8]) -> Read<Option<CallArgs>> {
    let request = functions::phone::DeclineConferenceCallInvite::from_bytes(args)?;
    let subject = Subject::Call(request.msg_id.into());
    Ok(Some(CallArgs { subject, log: json!({ "message": request.msg_id }) }))
}

fn no_call(_: &[u8]) -> Read<Option<CallArgs>> {
    Ok(None)
}

fn error(code: i32, name: &str) -> RpcResult {
    Err((code, name.to_owned()))
}

fn error_response(method: &str, code: i32, name: &str) -> Response {
    Response {
        method: method.to_owned(),
        args: None,
        result: error(code, name),
        overrides: ResponseOverride { effect: true, ..ResponseOverride::default() },
    }
}

impl Response {
    /// The serialized result or `rpc_error`, or bytes that are no valid TL.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        if self.overrides.kind == ResponseKind::Garbage {
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

    /// The outcome as the log shows it.
    pub(crate) fn outcome(&self) -> String {
        match (&self.overrides.kind, &self.result) {
            (ResponseKind::Cut(_), _) => "cut".to_owned(),
            (ResponseKind::Transport(code), _) => format!("transport {code}"),
            (ResponseKind::Silence, _) => "silence".to_owned(),
            (ResponseKind::Garbage, _) => "garbage".to_owned(),
            (_, Ok(_)) => "ok".to_owned(),
            (_, Err((code, name))) => format!("{code} {name}"),
        }
    }
}

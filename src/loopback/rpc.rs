//! Methods: which there are, what they answer, and what a request looks like in the log.

mod account;

use grammers_tl_types::deserialize::Result as Read;
use grammers_tl_types::{
    Cursor, Deserializable, Identifiable, Serializable, enums, functions, types,
};
use serde_json::{Value, json};

use super::DCS;
use super::call::{SessionIx, seconds};
use super::scenario::Poison;
use super::world::{Device, Instead, Override, User, World, name_of};

/// The methods that only a key may call which is signed in to somebody.
const FOR_USERS: [&str; 9] = [
    "updates.getState",
    "updates.getDifference",
    "users.getUsers",
    "messages.search",
    "phone.discardCall",
    "auth.logOut",
    "account.getAuthorizations",
    "account.changeAuthorizationSettings",
    "account.getPrivacy",
];

/// Those that any key may call.
const OPEN: [&str; 8] = [
    "help.getConfig",
    "auth.sendCode",
    "auth.resendCode",
    "auth.signIn",
    "auth.checkPassword",
    "auth.exportLoginToken",
    "auth.importLoginToken",
    "account.getPassword",
];

/// The methods that this server answers, by the names of the schema.
pub(super) fn methods() -> impl Iterator<Item = &'static str> {
    FOR_USERS.into_iter().chain(OPEN)
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
    pub(super) conduct: Override,
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
    let method = grammers_tl_types::name_for_id(id);
    if !methods().any(|known| known == method) {
        return refused(method, 400, &format!("INPUT_METHOD_INVALID_{id}"));
    }
    if !client.introduced {
        return refused(method, 400, "CONNECTION_NOT_INITED");
    }
    let open = OPEN.contains(&method);
    if let Some((code, name)) = world.refusal(session, method, !open) {
        return refused(method, code, &name);
    }
    let served = answer(world, session, method, &request[4..], now)
        .unwrap_or_else(|_| refused(method, 400, "INPUT_FETCH_FAIL"));
    if served.result.is_ok() && !quiet {
        if !open {
            client.subscribed = true;
            world.begin(now);
        }
        // Who shows a login token is told when it is accepted.
        client.subscribed |= method == "auth.exportLoginToken";
    }
    served
}

/// Takes off the wrappers around a query.
fn unwrap(
    body: &[u8],
    client: &mut Client,
    quiet: &mut bool,
    device: &mut Option<Device>,
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
                *device = Some(Device {
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

fn answer(
    world: &mut World,
    session: SessionIx,
    method: &str,
    args: &[u8],
    now: i64,
) -> Read<Served> {
    if method == "phone.discardCall" {
        return discard(world, session, args, now);
    }
    let conduct = world.overrule(session, method, None);
    let result = match &conduct.instead {
        Instead::Error(code, name) => error(*code, name),
        // Nobody will read the answer, and nothing is to be done.
        _ if !conduct.effect => Ok(Vec::new()),
        _ if method == "help.getConfig" && conduct.poison == Some(Poison::Address) => {
            let mut config = config(world, session, now);
            config.dc_options.push(nowhere());
            Ok(enums::Config::from(config).to_bytes())
        }
        _ => match account::answer(world, session, method, args, now)? {
            Some(answer) => answer,
            None => look_up(world, session, method, args, now)?,
        },
    };
    Ok(Served { method: method.to_owned(), args: None, result, conduct })
}

/// The methods that change nothing.
fn look_up(
    world: &mut World,
    session: SessionIx,
    method: &str,
    args: &[u8],
    now: i64,
) -> Read<Answer> {
    let found = match method {
        "help.getConfig" => enums::Config::from(config(world, session, now)).to_bytes(),
        "updates.getState" => enums::updates::State::from(world.state(session, now)).to_bytes(),
        "updates.getDifference" => {
            let request = functions::updates::GetDifference::from_bytes(args)?;
            if request.pts <= 0 {
                return Ok(error(400, "PERSISTENT_TIMESTAMP_EMPTY"));
            }
            if request.date <= 0 {
                return Ok(error(400, "DATE_EMPTY"));
            }
            world.difference(session, &request, now).to_bytes()
        }
        "users.getUsers" => {
            let request = functions::users::GetUsers::from_bytes(args)?;
            let users: Vec<enums::User> =
                request.id.iter().filter_map(|user| world.find_user(session, user)).collect();
            users.to_bytes()
        }
        _ => {
            let request = functions::messages::Search::from_bytes(args)?;
            match &request.filter {
                enums::MessagesFilter::InputMessagesFilterPhoneCalls(filter)
                    if matches!(request.peer, enums::InputPeer::Empty) =>
                {
                    world.history(session, &request, filter.missed).to_bytes()
                }
                _ => return Ok(error(400, "SEARCH_QUERY_EMPTY")),
            }
        }
    };
    Ok(Ok(found))
}

fn discard(world: &mut World, session: SessionIx, args: &[u8], now: i64) -> Read<Served> {
    let request = functions::phone::DiscardCall::from_bytes(args)?;
    let enums::InputPhoneCall::Call(peer) = &request.peer;
    let conduct = world.overrule(session, "phone.discardCall", Some(peer.id));
    let logged = json!({
        "id": peer.id,
        "access_hash": peer.access_hash,
        "reason": name_of(&request.reason),
        "duration": request.duration,
        "video": request.video,
        "connection_id": request.connection_id,
    });
    let done = if !conduct.effect {
        Ok(Vec::new())
    } else if world.user(session).is_some_and(User::is_bot) {
        error(400, "BOT_METHOD_INVALID")
    } else {
        match world.discard(session, &request, now) {
            Ok(updates) => {
                let bytes = updates.to_bytes();
                if conduct.echo {
                    world.push(session, vec![updates]);
                }
                Ok(bytes)
            }
            Err((code, name)) => error(code, name),
        }
    };
    let result = match &conduct.instead {
        Instead::Error(code, name) => error(*code, name),
        _ => done,
    };
    Ok(Served { method: "phone.discardCall".to_owned(), args: Some(logged), result, conduct })
}

fn error(code: i32, name: &str) -> Answer {
    Err((code, name.to_owned()))
}

fn refused(method: &str, code: i32, name: &str) -> Served {
    Served {
        method: method.to_owned(),
        args: None,
        result: error(code, name),
        conduct: Override { effect: true, ..Override::default() },
    }
}

impl Served {
    /// The bytes of the answer: result, `rpc_error`, or what nobody can read.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        if self.conduct.instead == Instead::Garbage {
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
        match (&self.conduct.instead, &self.result) {
            (Instead::Cut(_), _) => "cut".to_owned(),
            (Instead::Transport(code), _) => format!("transport {code}"),
            (Instead::Silence, _) => "silence".to_owned(),
            (Instead::Garbage, _) => "garbage".to_owned(),
            (_, Ok(_)) => "ok".to_owned(),
            (_, Err((code, name))) => format!("{code} {name}"),
        }
    }
}

/// A data centre whose address is none.
fn nowhere() -> enums::DcOption {
    types::DcOption {
        ipv6: false,
        media_only: false,
        tcpo_only: false,
        cdn: false,
        r#static: true,
        this_port_only: false,
        id: DCS[1],
        ip_address: "nowhere".to_owned(),
        port: 443,
        secret: None,
    }
    .into()
}

/// `help.getConfig`. The list of data centres stays empty: a client that has come here knows their
/// addresses.
fn config(world: &World, session: SessionIx, now: i64) -> types::Config {
    types::Config {
        default_p2p_contacts: false,
        preload_featured_stickers: false,
        revoke_pm_inbox: false,
        blocked_mode: false,
        force_try_ipv6: false,
        date: seconds(now),
        expires: seconds(now) + 3600,
        test_mode: false,
        this_dc: world.sessions()[session].dc,
        dc_options: Vec::new(),
        dc_txt_domain_name: String::new(),
        chat_size_max: 200,
        megagroup_size_max: 200_000,
        forwarded_count_max: 100,
        online_update_period_ms: 210_000,
        offline_blur_timeout_ms: 5000,
        offline_idle_timeout_ms: 30_000,
        online_cloud_timeout_ms: 300_000,
        notify_cloud_delay_ms: 30_000,
        notify_default_delay_ms: 1500,
        push_chat_period_ms: 60_000,
        push_chat_limit: 2,
        edit_time_limit: 172_800,
        revoke_time_limit: 172_800,
        revoke_pm_time_limit: 172_800,
        rating_e_decay: 2_419_200,
        stickers_recent_limit: 200,
        channels_read_media_period: 604_800,
        tmp_sessions: None,
        call_receive_timeout_ms: 20_000,
        call_ring_timeout_ms: world.ring_timeout_ms(),
        call_connect_timeout_ms: 30_000,
        call_packet_timeout_ms: 10_000,
        me_url_prefix: "https://t.me/".to_owned(),
        autoupdate_url_prefix: None,
        gif_search_username: None,
        venue_search_username: None,
        img_search_username: None,
        static_maps_provider: None,
        caption_length_max: 1024,
        message_length_max: 4096,
        webfile_dc_id: 4,
        suggested_lang_code: None,
        lang_pack_version: None,
        base_lang_pack_version: None,
        reactions_default: None,
        autologin_token: None,
    }
}

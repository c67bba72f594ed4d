//! The embedded server against the grammers client: results, errors and updates.

mod chaos;
mod contacts;
mod find_person;
mod noise;
mod phone;
mod send_text;
mod sign_in;
mod text;

use std::time::Duration;

use grammers_client::tl::{self, enums, functions, types};
use grammers_mtsender::{InvocationError, SenderPool, SenderPoolFatHandle};
use grammers_session::updates::UpdatesLike;
use jiff::Timestamp;
use onhook::calls::AccountId;
use onhook::calls::account::{AccountCommand, AccountEvent, ConnectionState};
use onhook::calls::event::CallEvent;
use onhook::telegram::{Account, Network, SessionSource};
use onhook_loopback::{DataCentre, Options, Scenario, Server};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::common::client::{self, DC};

/// How long anything may take before a test fails.
const DEADLINE: Duration = Duration::from_secs(30);

const PEOPLE: &str = "title = 't'\n\
    [[person]]\nkey = 'grace'\nname = 'Grace Hopper'\nusername = 'grace'\n\
    [[person]]\nkey = 'ghost'\nname = 'Ghost'\nunnamed = true\n";

async fn server(text: &str) -> Server {
    let scenario = Scenario::parse("s.toml", &format!("{PEOPLE}{text}")).expect("a good scenario");
    Server::start(scenario, Options::default()).await.expect("a port")
}

/// A client that consists of grammers' sender pool alone.
struct Client {
    handle: SenderPoolFatHandle,
    updates: mpsc::Receiver<UpdatesLike>,
    _runner: tokio::task::JoinHandle<()>,
}

impl Client {
    fn new(server: &Server, session: usize) -> Self {
        Self::with_keys(std::slice::from_ref(&server.sessions()[session].centre))
    }

    fn with_keys(centres: &[DataCentre]) -> Self {
        let pool = client::pool(centres);
        let SenderPool { runner, handle, updates } = pool;
        Self { handle, updates, _runner: tokio::spawn(runner.run()) }
    }

    async fn invoke<R: tl::RemoteCall>(&self, request: &R) -> Result<R::Return, InvocationError> {
        self.invoke_in_dc(DC, request).await
    }

    async fn invoke_in_dc<R: tl::RemoteCall>(
        &self,
        dc: i32,
        request: &R,
    ) -> Result<R::Return, InvocationError> {
        let answer = self.handle.thin.invoke_in_dc(dc, request);
        timeout(DEADLINE, answer).await.expect("an answer in time")
    }

    /// Waits for the next pushed call, and returns it with the `seq` of its container.
    async fn next_call(&mut self) -> (enums::PhoneCall, i32) {
        loop {
            let update = timeout(DEADLINE, self.updates.recv()).await.expect("an update in time");
            let (updates, seq) = match update.expect("the client runs") {
                UpdatesLike::Updates(enums::Updates::Updates(it)) => (it.updates, it.seq),
                UpdatesLike::Updates(enums::Updates::Combined(it)) => {
                    assert_eq!(it.seq_start, it.seq);
                    assert!(it.updates.len() == 1 && it.users.len() == 2);
                    (it.updates, it.seq)
                }
                UpdatesLike::Updates(enums::Updates::UpdateShort(it)) => (vec![it.update], 0),
                _ => continue,
            };
            for update in updates {
                if let enums::Update::PhoneCall(update) = update {
                    return (update.phone_call, seq);
                }
            }
        }
    }

    async fn next_ringing_call(&mut self) -> types::PhoneCallRequested {
        match self.next_call().await.0 {
            enums::PhoneCall::Requested(call) => call,
            other => panic!("not ringing: {other:?}"),
        }
    }

    async fn state(&self) -> types::updates::State {
        let enums::updates::State::State(state) =
            self.invoke(&functions::updates::GetState {}).await.expect("a state");
        state
    }

    async fn discard(&self, id: i64, access_hash: i64) -> Result<enums::Updates, InvocationError> {
        self.invoke(&functions::phone::DiscardCall {
            video: false,
            peer: types::InputPhoneCall { id, access_hash }.into(),
            duration: 0,
            reason: enums::PhoneCallDiscardReason::Busy,
            connection_id: 0,
        })
        .await
    }
}

fn rpc_error(error: InvocationError) -> String {
    match error {
        InvocationError::Rpc(error) => format!("{} {}", error.code, error.name),
        other => panic!("not an RPC error: {other}"),
    }
}

#[tokio::test]
async fn a_declined_call_ends_once_for_all_sessions() {
    let server =
        server("[server]\nsessions = 2\n[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1").await;
    let (mut first, mut second) = (Client::new(&server, 0), Client::new(&server, 1));
    let before = first.state().await;
    second.state().await;
    let call = first.next_ringing_call().await;
    assert_eq!(second.next_ringing_call().await.id, call.id);
    assert_eq!((call.participant_id, call.g_a_hash.len()), (server.sessions()[0].user_id, 32));

    let wrong = first.discard(call.id, call.access_hash + 1).await.expect_err("a wrong hash");
    assert_eq!(rpc_error(wrong), "400 CALL_PEER_INVALID");
    let unknown = first.discard(1, 2).await.expect_err("no such call");
    assert_eq!(rpc_error(unknown), "400 CALL_PEER_INVALID");

    let answer = first.discard(call.id, call.access_hash).await.expect("it is declined");
    let enums::Updates::Updates(answer) = answer else { panic!("a full container") };
    let [enums::Update::PhoneCall(update), enums::Update::NewMessage(message)] =
        &answer.updates[..]
    else {
        panic!("{:?}", answer.updates)
    };
    let enums::PhoneCall::Discarded(discarded) = &update.phone_call else { panic!("discarded") };
    assert_eq!(discarded.reason, Some(enums::PhoneCallDiscardReason::Busy));
    assert_eq!((answer.seq, message.pts, message.pts_count), (0, before.pts + 1, 1));
    let (pushed, seq) = second.next_call().await;
    assert!(matches!(pushed, enums::PhoneCall::Discarded(it) if it.id == call.id));
    assert_eq!(seq, 2, "the second numbered container of that session");

    let again = first.discard(call.id, call.access_hash).await.expect_err("it is over");
    assert_eq!(rpc_error(again), "400 CALL_PEER_INVALID");
}

#[tokio::test]
async fn discarding_a_call_that_another_device_accepted_is_refused() {
    let call = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\nrings = 0.2\nthen = 'answered'";
    let server = server(call).await;
    let mut client = Client::new(&server, 0);
    client.state().await;
    let ring = client.next_ringing_call().await;
    let (over, _) = client.next_call().await;
    let enums::PhoneCall::Discarded(over) = over else { panic!("{over:?}") };
    assert_eq!((over.reason, over.duration), (None, None), "not a word about how it went on");
    let refused = client.discard(ring.id, ring.access_hash).await.expect_err("not from here");
    assert_eq!(rpc_error(refused), "400 CALL_ALREADY_ACCEPTED");
}

#[tokio::test]
async fn the_caller_receives_every_state_of_a_call() {
    let call = "[[call]]\nfrom = 'me'\ndevice = 'here'\nto = 'grace'\nat = 0.1\nreceipt = 0.1\nrings = 0.2\n\
        then = 'answered'\nconnects = 0.1\ntalks = 1\nends = 'migrated'";
    let server = server(call).await;
    let mut client = Client::new(&server, 0);
    client.state().await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(client.next_call().await.0);
    }
    assert!(matches!(&seen[0], enums::PhoneCall::Waiting(it) if it.receive_date.is_none()));
    assert!(matches!(&seen[1], enums::PhoneCall::Waiting(it) if it.receive_date.is_some()));
    assert!(matches!(&seen[2], enums::PhoneCall::Accepted(_)));
    assert!(matches!(&seen[3], enums::PhoneCall::Call(it) if it.connections.len() == 2));
    let enums::PhoneCall::Discarded(over) = &seen[4] else { panic!("{:?}", seen[4]) };
    let reason = over.reason.as_ref().expect("a reason");
    assert!(matches!(reason, enums::PhoneCallDiscardReason::MigrateConferenceCall(_)));
    assert_eq!(over.duration, Some(1));
}

#[tokio::test]
async fn updates_are_repeated_delayed_and_sent_in_the_scripted_container() {
    let call = |rest: &str| format!("[[call]]\nfrom = 'grace'\nto = 'me'\n{rest}\n");
    let text = call("at = 0.1\nrepeat = 1\ncontainer = 'combined'")
        + &call("at = 0.2\ncontainer = 'short'")
        + &call("at = 0.1\nlate = 1.5");
    let server = server(&text).await;
    let mut client = Client::new(&server, 0);
    client.state().await;
    let first = client.next_call().await;
    let repeated = client.next_call().await;
    assert_eq!(first.0, repeated.0);
    assert_eq!((first.1, repeated.1), (1, 2), "each container has its number");
    let (short, seq) = client.next_call().await;
    assert_eq!(seq, 0);
    let late = client.next_ringing_call().await;
    let enums::PhoneCall::Requested(short) = short else { panic!("{short:?}") };
    assert!(late.date <= short.date, "a late update keeps the date of its call");
}

#[tokio::test]
async fn the_difference_contains_missed_messages_and_calls() {
    let text = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\nrings = 0.2\n\
        [[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.4";
    let server = server(text).await;
    let mut client = Client::new(&server, 0);
    let before = client.state().await;
    let first = client.next_ringing_call().await;
    client.next_call().await;
    let second = client.next_ringing_call().await;
    let request = functions::updates::GetDifference {
        pts: before.pts,
        pts_limit: None,
        pts_total_limit: None,
        date: before.date,
        qts: before.qts,
        qts_limit: None,
    };
    let answer = client.invoke(&request).await.expect("a difference");
    let enums::updates::Difference::Difference(difference) = answer else { panic!("{answer:?}") };
    assert_eq!(difference.new_messages.len(), 1);
    let ids: Vec<_> = difference
        .other_updates
        .iter()
        .map(|update| match update {
            enums::Update::PhoneCall(update) => (
                update.phone_call.id(),
                match update.phone_call {
                    enums::PhoneCall::Requested(_) => "requested",
                    enums::PhoneCall::Discarded(_) => "discarded",
                    _ => "other",
                },
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    let wanted = [(first.id, "requested"), (first.id, "discarded"), (second.id, "requested")];
    assert_eq!(ids, wanted);

    let after = client.state().await;
    assert_eq!(after.pts, before.pts + 1);
    let date = after.date + 10;
    let nothing = functions::updates::GetDifference { pts: after.pts, date, ..request.clone() };
    let answer = client.invoke(&nothing).await.expect("a difference");
    let enums::updates::Difference::Difference(rest) = answer else { panic!("{answer:?}") };
    assert!(rest.new_messages.is_empty(), "only the call that lives is repeated");
    assert_eq!(rest.other_updates.len(), 1);
    for (wrong, code) in [(0, "PERSISTENT_TIMESTAMP_EMPTY"), (1, "DATE_EMPTY")] {
        let wrong = functions::updates::GetDifference { pts: wrong, date: 0, ..request.clone() };
        let refused = client.invoke(&wrong).await.expect_err("a wrong request");
        assert_eq!(rpc_error(refused), format!("400 {code}"));
    }
}

#[tokio::test]
async fn users_are_returned_only_for_their_access_hash() {
    let server = server("").await;
    let client = Client::new(&server, 0);
    let own = &server.sessions()[0];
    let user = |user_id, access_hash| types::InputUser { user_id, access_hash }.into();
    for (id, wanted) in [
        (enums::InputUser::UserSelf, 1),
        (user(own.user_id, own.access_hash), 1),
        (user(own.user_id, own.access_hash ^ 1), 0),
        (user(5, 5), 0),
    ] {
        let users =
            client.invoke(&functions::users::GetUsers { id: vec![id] }).await.expect("users");
        assert_eq!(users.len(), wanted);
    }
}

#[tokio::test]
async fn an_unknown_method_and_a_truncated_request_are_refused() {
    let server = server("").await;
    let client = Client::new(&server, 0);
    let unknown = client.invoke(&functions::help::GetInviteText {}).await.expect_err("unknown");
    assert!(rpc_error(unknown).starts_with("400 INPUT_METHOD_INVALID"));
    let mut truncated = functions::updates::GetDifference {
        pts: 1,
        pts_limit: None,
        pts_total_limit: None,
        date: 1,
        qts: 1,
        qts_limit: None,
    };
    truncated.pts_limit = Some(1);
    let mut bytes = tl::Serializable::to_bytes(&truncated);
    bytes.truncate(8);
    let refused = client.handle.thin.raw_invoke_in_dc(DC, bytes).await;
    assert_eq!(rpc_error(refused.expect_err("half a request")), "400 INPUT_FETCH_FAIL");
}

#[tokio::test]
async fn an_unknown_key_is_refused_by_the_transport() {
    let server = server("").await;
    let known = server.sessions()[0].centre.clone();
    let stranger = Client::with_keys(&[DataCentre { auth_key: [9; 256], ..known }]);
    let refused = stranger.invoke(&functions::updates::GetState {}).await.expect_err("no such key");
    assert!(!matches!(refused, InvocationError::Rpc(_)), "{refused}");
}

#[tokio::test]
async fn a_scripted_answer_applies_to_the_given_number_of_requests() {
    let text = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n\
        [[answer]]\nmethod = 'phone.discardCall'\nerror = '420 FLOOD_WAIT_7'\ntimes = 2";
    let server = server(text).await;
    let mut client = Client::new(&server, 0);
    client.state().await;
    let call = client.next_ringing_call().await;
    for _ in 0..2 {
        let refused = client.discard(call.id, call.access_hash).await.expect_err("scripted");
        assert_eq!(rpc_error(refused), "420 FLOOD_WAIT");
    }
    client.discard(call.id, call.access_hash).await.expect("the third is served");
}

/// An account of onhook at this server, with its events.
fn account(server: &Server) -> (Account, mpsc::Receiver<(AccountId, AccountEvent)>) {
    let (sender, events) = mpsc::channel(100);
    (
        Account::start(
            AccountId(0),
            SessionSource::Seed(Box::new(client::seed(server))),
            Network::default(),
            sender,
        ),
        events,
    )
}

async fn next_event<T>(
    events: &mut mpsc::Receiver<(AccountId, AccountEvent)>,
    wanted: impl Fn(&AccountEvent) -> Option<T>,
) -> T {
    loop {
        let event = timeout(DEADLINE, events.recv()).await.expect("the event comes in time");
        if let Some(found) = wanted(&event.expect("the account runs").1) {
            return found;
        }
    }
}

#[tokio::test]
async fn an_account_reports_the_servers_clock_ring_timeout_and_its_own_name() {
    let server = server("[server]\nclock = 600\nring_timeout = 42.0").await;
    let (_account, mut events) = account(&server);
    let ahead = next_event(&mut events, |event| match event {
        AccountEvent::Clock { ahead, .. } => Some(*ahead),
        _ => None,
    })
    .await;
    assert!((ahead - 600_000).abs() <= 1000, "{ahead}");
    next_event(&mut events, |event| {
        (*event == AccountEvent::RingTimeout(Duration::from_secs(42))).then_some(())
    })
    .await;
    next_event(&mut events, |event| match event {
        AccountEvent::OwnUser(own) => (own.name.as_deref() == Some("Ada Lovelace")).then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn a_caller_has_a_name_only_if_updates_contained_its_user() {
    let text = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.1\n\
        [[call]]\nfrom = 'ghost'\nto = 'me'\nat = 0.2\ncontainer = 'short'\n\
        [[call]]\nfrom = 'grace'\nto = 'me'\nat = 0.3\ncontainer = 'short'";
    let server = server(text).await;
    let (_account, mut events) = account(&server);
    let mut names = Vec::new();
    let mut seen = std::collections::HashSet::new();
    while names.len() < 3 {
        let live = next_event(&mut events, |event| match event {
            AccountEvent::Call(CallEvent::Live(live)) => Some(live.clone()),
            _ => None,
        })
        .await;
        if seen.insert(live.handle.id) {
            names.push(live.peer.name);
        }
    }
    let grace = Some("Grace Hopper".to_owned());
    assert_eq!(names, [grace.clone(), None, grace], "the third is known from the first");
}

#[tokio::test]
async fn reconcile_finds_the_end_of_a_call_before_250_later_ones() {
    // The first call ends at once; 250 later ones follow.
    let text = "[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0\nrings = 0\n\
        [flood]\ncalls = 250\nat = 0.2\nrings = 0\n";
    let server = server(text).await;
    let (account, mut events) = account(&server);
    next_event(&mut events, |event| {
        (*event == AccountEvent::ConnectionState(ConnectionState::Online)).then_some(())
    })
    .await;
    let all_ended = async {
        while server.ground_truth(0).iter().filter(|call| call.ended.is_some()).count() < 251 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, all_ended).await.expect("all calls end in time");
    let first = server.ground_truth(0)[0].id;
    for (since, asked, wanted) in [
        (Timestamp::UNIX_EPOCH, first, Some(vec![first])),
        (Timestamp::UNIX_EPOCH, 1, Some(vec![])),
        (Timestamp::MAX, 1, Some(vec![])),
    ] {
        account.send(AccountCommand::Reconcile { calls: vec![asked], since, lost_since: None });
        let found =
            next_event(&mut events, |event| match event {
                AccountEvent::Reconciled { ended, .. } => Some(ended.as_ref().map(|it| {
                    it.iter().map(|event| event.key(AccountId(0)).id).collect::<Vec<_>>()
                })),
                _ => None,
            })
            .await;
        assert_eq!(found, wanted);
    }
}

#[tokio::test]
async fn a_silent_server_leads_to_a_reconnect() {
    let server = server("[[network_fault]]\nat = 0\nfor = 11\nhow = 'silent'").await;
    let (_account, mut events) = account(&server);
    let cause = next_event(&mut events, |event| match event {
        AccountEvent::ConnectionState(ConnectionState::Retrying { cause, .. }) => {
            Some(cause.clone())
        }
        _ => None,
    })
    .await;
    assert_eq!(cause, "Telegram does not answer");
    next_event(&mut events, |event| {
        (*event == AccountEvent::ConnectionState(ConnectionState::Online)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_wrong_clock_of_this_machine_is_reported_as_the_cause() {
    let server = server("[server]\nclock = -600").await;
    let (_account, mut events) = account(&server);
    let cause = next_event(&mut events, |event| match event {
        AccountEvent::ConnectionState(ConnectionState::Retrying { cause, .. }) => {
            Some(cause.clone())
        }
        _ => None,
    })
    .await;
    let wanted = "this machine's clock is 10:00 ahead of Telegram's; set it right";
    let late = wanted.replace("10:00", "10:01");
    assert!(cause == wanted || cause == late, "{cause}");
}

#[tokio::test]
async fn a_signed_out_session_sends_requests_only_after_reconnect() {
    let answer =
        "[[answer]]\nmethod = 'updates.getState'\nerror = '401 SESSION_REVOKED'\ntimes = 0";
    let server = server(answer).await;
    let (account, mut events) = account(&server);
    let signed_out = |event: &AccountEvent| match event {
        AccountEvent::ConnectionState(ConnectionState::SignedOut { code }) => Some(code.clone()),
        _ => None,
    };
    assert_eq!(next_event(&mut events, signed_out).await, "SESSION_REVOKED");
    account.send(AccountCommand::Reconnect);
    assert_eq!(next_event(&mut events, signed_out).await, "SESSION_REVOKED", "only when asked to");
}

#[tokio::test]
async fn a_session_that_two_connections_use_in_parallel_ends() {
    let server = server("").await;
    let (first, second) = (Client::new(&server, 0), Client::new(&server, 0));
    let state = functions::updates::GetState {};
    first.invoke(&state).await.expect("the only connection");
    second.invoke(&state).await.expect("a newer connection");
    second.invoke(&state).await.expect("the older one sends nothing");
    for client in [&first, &second] {
        let error = client.invoke(&state).await.expect_err("both are refused");
        assert!(error.is("AUTH_KEY_DUPLICATED"), "{error}");
    }
    let error = Client::new(&server, 0).invoke(&state).await.expect_err("the session has ended");
    assert!(error.is("AUTH_KEY_DUPLICATED"), "{error}");
}

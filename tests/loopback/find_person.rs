//! People whom an account looks up in order to call them.

use onhook::calls::account::{AccountCommand, AccountEvent, ConnectionState};
use onhook::calls::failure::Failure;
use onhook::telegram::Account;
use tokio::sync::mpsc;

use super::{account, next_event, server};

const PEOPLE: &str = "
    [[person]]\nkey = 'hedy'\nname = 'Hedy Lamarr'\nusername = 'hedy'\nphone = '15550101'
    known = 'contact'
    [[person]]\nkey = 'hedda'\nname = 'Hedda Gabler'\nknown = 'contact'
    [[person]]\nkey = 'stranger'\nname = 'Sam'\nusername = 'sam_1'\nphone = '15550109'\nknown = 'min'
    ";

/// An event of the account that the tests start.
type Event = (onhook::calls::AccountId, AccountEvent);

/// The names of those who are found; the error is a code.
async fn find(
    account: &Account,
    events: &mut mpsc::Receiver<Event>,
    wanted: &str,
) -> Result<Vec<(String, i64)>, String> {
    account.send(AccountCommand::FindPerson(wanted.to_owned()));
    let found = next_event(events, |event| match event {
        AccountEvent::PersonFound { outcome: found, .. } => Some(found.clone()),
        _ => None,
    })
    .await;
    let named = |party: onhook::calls::Party| (party.name.unwrap_or_default(), party.user_id);
    found.map(|found| found.into_iter().map(named).collect()).map_err(|failure| failure.code())
}

async fn online(events: &mut mpsc::Receiver<Event>) {
    next_event(events, |event| {
        (*event == AccountEvent::ConnectionState(ConnectionState::Online)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn people_are_found_by_username_number_id_and_name() {
    let server = server(PEOPLE).await;
    let (account, mut events) = account(&server);
    online(&mut events).await;
    let cases: [(&str, &[&str]); 13] = [
        ("@HEDY", &["Hedy Lamarr"]),
        ("@sam_1", &["Sam"]),
        ("@nobody", &[]),
        ("@not a name", &[]),
        ("+1 555 0109", &["Sam"]),
        ("+1 555 0000", &[]),
        ("1 555 0101", &["Hedy Lamarr"]),
        ("15550109", &[]),
        ("hedy lamarr", &["Hedy Lamarr"]),
        ("gab", &["Hedda Gabler"]),
        ("hed", &["Hedy Lamarr", "Hedda Gabler"]),
        ("Sam", &[]),
        ("@ada", &[]),
    ];
    for (wanted, names) in cases {
        let found = find(&account, &mut events, wanted).await.expect(wanted);
        let found: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(found, names, "{wanted}");
    }
    let sam = find(&account, &mut events, "@sam_1").await.expect("found")[0].1;
    let by_id = find(&account, &mut events, &sam.to_string()).await.expect("found");
    assert_eq!(by_id, [("Sam".to_owned(), sam)], "the session has what was found");
}

#[cfg(feature = "voice")]
#[tokio::test]
async fn a_person_who_was_found_can_be_called() {
    use onhook::calls::own_call::OwnCallEvent;

    let server = server(PEOPLE).await;
    let (account, mut events) = account(&server);
    online(&mut events).await;
    let sam = find(&account, &mut events, "@sam_1").await.expect("found")[0].1;
    account.send(AccountCommand::Place(sam));
    let placed = next_event(&mut events, |event| match event {
        AccountEvent::OwnCall(OwnCallEvent::Placed(outcome)) => Some(outcome.clone()),
        _ => None,
    })
    .await;
    let call = server.ground_truth(0).last().expect("a call").id;
    assert_eq!(placed, Ok(call));
}

#[tokio::test]
async fn a_search_that_telegram_refuses_fails_with_the_code() {
    let refusing = "[[answer]]\nmethod = 'contacts.resolveUsername'\nerror = '420 FLOOD_WAIT_7'";
    let server = server(&format!("{PEOPLE}{refusing}")).await;
    let (account, mut events) = account(&server);
    let early = find(&account, &mut events, "@hedy").await.expect_err("not online yet");
    assert!([Failure::Offline.code(), "FLOOD_WAIT_7".to_owned()].contains(&early), "{early}");
    online(&mut events).await;
    let refused = find(&account, &mut events, "@hedy").await;
    assert_eq!(refused, Err("FLOOD_WAIT_7".to_owned()));
}

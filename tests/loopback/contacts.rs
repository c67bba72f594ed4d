//! Contacts, and users that are found by a username or a phone number.

use grammers_client::tl::{enums, functions, types};

use super::{Client, rpc_error, server};

const PERSONS: &str = "[[person]]\nkey = 'mary'\nname = 'Mary'\nknown = 'contact'\n\
    [[person]]\nkey = 'john'\nname = 'John'\nknown = 'contact'\nusername = 'JohnD'\n\
    [[person]]\nkey = 'min'\nname = 'Min'\nknown = 'min'\nusername = 'mini'\nphone = '+15550199'\n";

fn hash_of(numbers: &[i64]) -> i64 {
    let mut hash: u64 = 0;
    for number in numbers {
        hash ^= hash >> 21;
        hash ^= hash << 35;
        hash ^= hash >> 4;
        hash = hash.wrapping_add(*number as u64);
    }
    hash as i64
}

#[tokio::test]
async fn contacts_are_returned_unless_the_client_knows_them() {
    let server = server(PERSONS).await;
    let client = Client::new(&server, 0);
    let request = functions::contacts::GetContacts { hash: 0 };
    let answer = client.invoke(&request).await.expect("contacts");
    let enums::contacts::Contacts::Contacts(found) = answer else { panic!("{answer:?}") };
    let ids: Vec<i64> = found
        .contacts
        .iter()
        .map(|contact| {
            let enums::Contact::Contact(contact) = contact;
            contact.user_id
        })
        .collect();
    assert_eq!((ids.len(), found.saved_count, found.users.len()), (2, 2, 2));
    assert!(ids.is_sorted());
    let hash = hash_of(&[2, ids[0], ids[1]]);
    let known = client.invoke(&functions::contacts::GetContacts { hash }).await.expect("contacts");
    assert!(matches!(known, enums::contacts::Contacts::NotModified), "{known:?}");
    let other = functions::contacts::GetContacts { hash: hash + 1 };
    let changed = client.invoke(&other).await.expect("contacts");
    assert!(matches!(changed, enums::contacts::Contacts::Contacts(_)), "{changed:?}");
}

#[tokio::test]
async fn a_username_or_a_number_finds_a_user_who_can_be_called() {
    let server = server(PERSONS).await;
    let client = Client::new(&server, 0);
    let by_name = |username: &str| functions::contacts::ResolveUsername {
        username: username.to_owned(),
        referer: None,
    };
    let by_number = |phone: &str| functions::contacts::ResolvePhone { phone: phone.to_owned() };
    let found = [
        client.invoke(&by_name("johnd")).await.expect("in any case"),
        client.invoke(&by_name("mini")).await.expect("it is there"),
        client.invoke(&by_number("15550199")).await.expect("it is there"),
        client.invoke(&by_number("+15550199")).await.expect("it is there"),
    ];
    for found in found {
        let enums::contacts::ResolvedPeer::Peer(found) = found;
        let [enums::User::User(user)] = &found.users[..] else { panic!("{:?}", found.users) };
        assert_eq!(found.peer, types::PeerUser { user_id: user.id }.into());
        let input = types::InputUser {
            user_id: user.id,
            access_hash: user.access_hash.expect("an access hash"),
        };
        let users = functions::users::GetUsers { id: vec![input.into()] };
        assert_eq!(client.invoke(&users).await.expect("users").len(), 1, "it is usable");
    }
    for (username, error) in [
        ("nobody", "400 USERNAME_NOT_OCCUPIED"),
        ("@johnd", "400 USERNAME_INVALID"),
        ("abc", "400 USERNAME_INVALID"),
        ("1abcd", "400 USERNAME_INVALID"),
        ("", "400 USERNAME_INVALID"),
    ] {
        let refused = client.invoke(&by_name(username)).await.expect_err("it is wrong");
        assert_eq!(rpc_error(refused), error, "{username}");
    }
    for phone in ["15550100", "", "+", "1 555 0199"] {
        let refused = client.invoke(&by_number(phone)).await.expect_err("it is wrong");
        assert_eq!(rpc_error(refused), "400 PHONE_NOT_OCCUPIED", "{phone}");
    }
}

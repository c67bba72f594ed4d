//! Tests of accounts in a temporary folder.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;
use crate::sign_in::ApiCredentials;

fn accounts() -> (tempfile::TempDir, AccountStore) {
    let folder = tempfile::tempdir().expect("a folder");
    let accounts = AccountStore::at(folder.path().join("accounts"));
    (folder, accounts)
}

fn made(accounts: &AccountStore, name: &str) -> String {
    let application = ApiCredentials::parse("7", &"ab".repeat(16)).expect("an application");
    let settings =
        AccountSettings { application: Some(application), user_id: Some(9), ipv6: false };
    let draft = accounts.draft().expect("a draft");
    draft.finish(&settings, None, name).expect("an account")
}

#[test]
fn an_account_is_made_whole_or_not_at_all() {
    let (_folder, accounts) = accounts();
    assert_eq!(accounts.names().expect("none"), Vec::<String>::new());
    drop(accounts.draft().expect("a draft"));
    assert_eq!(fs::read_dir(accounts.root()).expect("the folder").count(), 0, "nothing is left");
    assert_eq!(made(&accounts, "Ada Lovelace"), "adalovelace");
    assert_eq!(made(&accounts, "Ada Lovelace"), "adalovelace-2");
    assert_eq!(made(&accounts, "李"), "account");
    assert_eq!(accounts.names().expect("three"), ["account", "adalovelace", "adalovelace-2"]);
    let lease = accounts.lease("account").expect("it can be used");
    assert_eq!(lease.settings().application.as_ref().map(|known| known.id), Some(7));
    for path in [lease.session(), settings_of(&lease.folder), lease.folder.join("lock")] {
        assert_eq!(fs::metadata(path).expect("a file").mode() & 0o777, 0o600);
    }
    assert_eq!(fs::metadata(&lease.folder).expect("a folder").mode() & 0o777, 0o700);
}

#[test]
fn a_draft_of_a_process_that_has_ended_is_removed() {
    let (_folder, accounts) = accounts();
    let left = accounts.root().join(".new-1-00000000");
    create_folder(&left).expect("a folder");
    let working = accounts.draft().expect("a draft");
    assert!(!left.exists());
    let second = accounts.draft().expect("another draft");
    assert!(working.folder.exists() && second.folder.exists(), "one that is at work stays");
}

#[test]
fn an_account_in_use_is_refused_with_the_process_id() {
    let (_folder, accounts) = accounts();
    made(&accounts, "ada");
    let lease = accounts.lease("ada").expect("it is free");
    let refused = accounts.lease("ada").expect_err("it is in use").to_string();
    let holder = std::process::id();
    assert_eq!(refused, format!("the account 'ada' is in use by process {holder}; end that first"));
    drop(lease);
    accounts.lease("ada").expect("it is free again");
}

#[test]
fn loose_permissions_are_refused_with_the_command_that_mends_them() {
    let (_folder, accounts) = accounts();
    made(&accounts, "ada");
    let session = accounts.folder("ada").expect("a folder").join("session.db");
    fs::set_permissions(&session, fs::Permissions::from_mode(0o644)).expect("loosened");
    let refused = accounts.lease("ada").expect_err("others can read it").to_string();
    let path = session.display();
    assert_eq!(
        refused,
        format!("{path} can be read by others (644); mend it with: chmod 600 '{path}'")
    );
}

#[test]
fn names_stay_inside_the_folder() {
    let (_folder, accounts) = accounts();
    for name in ["", "..", "../x", "a/b", ".hidden", "-x", "a b", &"x".repeat(33)] {
        assert!(matches!(accounts.folder(name), Err(AccountsError::Name(_))), "{name}");
    }
    let unknown = accounts.folder("ada").expect_err("none yet").to_string();
    assert_eq!(unknown, "no account 'ada'; there are none yet: run `onhook login`");
}

#[test]
fn renaming_takes_no_name_that_is_taken() {
    let (_folder, accounts) = accounts();
    made(&accounts, "ada");
    made(&accounts, "grace");
    assert!(matches!(accounts.rename("ada", "grace"), Err(AccountsError::Taken(_))));
    accounts.rename("ada", "work").expect("a free name");
    assert_eq!(accounts.names().expect("two"), ["grace", "work"]);
}

fn staged(accounts: &AccountStore, text: &str) -> Result<(), AccountsError> {
    let settings = AccountSettings { user_id: Some(9), ipv6: true, ..AccountSettings::default() };
    let draft = accounts.draft().expect("a draft");
    fs::write(draft.session(), text).expect("written");
    draft.renew(&settings, "ada")
}

#[test]
fn a_renewed_session_is_adopted_by_the_next_lease_without_the_old_journal() {
    let (_folder, accounts) = accounts();
    made(&accounts, "ada");
    let lease = accounts.lease("ada").expect("it is free");
    let session = lease.session();
    let journal = lease.folder.join("session.db-journal");
    fs::write(&journal, "of the old session").expect("written");
    staged(&accounts, "first").expect("this process uses the account");
    staged(&accounts, "second").expect("it replaces the first");
    assert_eq!(
        fs::read_to_string(&session).expect("a file"),
        "",
        "nothing changes while it is used"
    );
    drop(lease);
    let lease = accounts.lease("ada").expect("it is free again");
    assert_eq!(fs::read_to_string(&session).expect("a file"), "second");
    assert!(lease.settings().ipv6 && lease.renewal().is_none() && !journal.exists());
    assert_eq!(fs::metadata(&session).expect("a file").mode() & 0o777, 0o600);
    assert_eq!(accounts.names().expect("one"), ["ada"]);
}

#[test]
fn an_interrupted_adoption_is_completed_by_the_next_lease() {
    let (_folder, accounts) = accounts();
    made(&accounts, "ada");
    staged(&accounts, "new").expect("it is free");
    let folder = accounts.folder("ada").expect("a folder");
    fs::rename(folder.join("renewed/account.toml"), folder.join("account.toml")).expect("renamed");
    let lease = accounts.lease("ada").expect("it is free");
    assert_eq!(fs::read_to_string(lease.session()).expect("a file"), "new");
    assert!(lease.settings().ipv6);
}

#[test]
fn a_withdrawn_session_leaves_the_account_as_it_was_and_can_be_restored() {
    let (_folder, accounts) = accounts();
    made(&accounts, "ada");
    staged(&accounts, "new").expect("it is free");
    let draft = accounts.withdraw_renewal("ada").expect("readable").expect("it is staged");
    assert!(accounts.withdraw_renewal("ada").expect("readable").is_none());
    assert!(draft.settings().expect("readable").ipv6);
    draft.restore("ada").expect("it is free");
    drop(accounts.withdraw_renewal("ada").expect("readable").expect("it is staged again"));
    let lease = accounts.lease("ada").expect("it is free");
    assert_eq!(fs::read_to_string(lease.session()).expect("a file"), "");
    assert_eq!(fs::read_dir(accounts.root()).expect("a folder").count(), 1, "no draft is left");
}

#[test]
fn settings_that_are_wrong_are_refused_with_their_line() {
    let (_folder, accounts) = accounts();
    made(&accounts, "ada");
    let path = accounts.folder("ada").expect("a folder").join("account.toml");
    fs::write(&path, "\napi_id = 0\n").expect("written");
    let refused = accounts.lease("ada").expect_err("no such application").to_string();
    assert_eq!(refused, format!("{}:2: api_id: must be above 0", path.display()));
}

#[test]
fn a_user_id_is_added_to_settings_that_have_none() {
    let (_folder, accounts) = accounts();
    made(&accounts, "ada");
    let path = accounts.folder("ada").expect("a folder").join("account.toml");
    for (before, after) in [
        (None, "user_id = 5\n"),
        (Some("# mine\napi_id = 7"), "user_id = 5\n# mine\napi_id = 7"),
        (Some("user_id = 9\n"), "user_id = 9\n"),
    ] {
        fs::remove_file(&path).expect("removed");
        if let Some(text) = before {
            write_new_file(&path, text).expect("written");
        }
        let lease = accounts.lease("ada").expect("it can be used");
        lease.record_user(5).expect("written");
        assert_eq!(fs::read_to_string(&path).expect("a file"), after);
        assert_eq!(fs::metadata(&path).expect("a file").mode() & 0o777, 0o600);
        drop(lease);
        accounts.lease("ada").expect("the settings are right");
    }
}

#[test]
fn settings_are_written_as_they_are_read() {
    let (_folder, accounts) = accounts();
    let hash = "ab".repeat(16);
    let known = ApiCredentials::parse("7", &hash).expect("an application");
    let imported = ApiCredentials { id: 8, hash: String::new() };
    let cases = [
        (
            Some(known),
            Some(9),
            true,
            format!("api_id = 7\napi_hash = \"{hash}\"\nuser_id = 9\nipv6 = true\n"),
        ),
        (Some(imported), None, false, "api_id = 8\n".to_owned()),
        (None, None, false, String::new()),
    ];
    for (application, user_id, ipv6, text) in cases {
        let settings = AccountSettings { application, user_id, ipv6 };
        assert_eq!(settings.to_text(), text);
        let draft = accounts.draft().expect("a draft");
        let name = draft.finish(&settings, None, "ada").expect("an account");
        assert_eq!(accounts.lease(&name).expect("it can be used").settings(), &settings);
    }
}

//! Signing in with unbound keys, and the settings and revocation of sessions.

use grammers_client::tl::{LAYER, enums, functions, types};
use grammers_crypto::two_factor_auth::calculate_2fa;
use grammers_mtsender::InvocationError;
use grammers_session::updates::UpdatesLike;
use onhook_loopback::Server;
use tokio::time::timeout;

use super::{Client, DC, DEADLINE, rpc_error, server};

const HASH: &str = "0123456789abcdef0123456789abcdef";
const PHONE: &str = "+1 555 0100";

/// A server whose account has a phone number, and a client with unbound keys.
async fn unbound_client(text: &str) -> (Server, Client) {
    let me = if text.contains("[me]") { "" } else { "[me]\nphone = '15550100'\n" };
    let server = server(&format!("[server]\nunbound_keys = 1\n{me}{text}")).await;
    let client = Client::with_keys(&server.unbound_keys()[0].centres);
    (server, client)
}

impl Client {
    async fn send_code(
        &self,
        dc: i32,
        phone: &str,
    ) -> Result<enums::auth::SentCode, InvocationError> {
        let settings = types::CodeSettings {
            allow_flashcall: false,
            current_number: false,
            allow_app_hash: false,
            allow_missed_call: false,
            allow_firebase: false,
            unknown_number: false,
            logout_tokens: None,
            token: None,
            app_sandbox: None,
        };
        let request = functions::auth::SendCode {
            phone_number: phone.to_owned(),
            api_id: 1,
            api_hash: HASH.to_owned(),
            settings: settings.into(),
        };
        self.invoke_in_dc(dc, &request).await
    }

    async fn sign_in(
        &self,
        hash: &str,
        code: &str,
    ) -> Result<enums::auth::Authorization, InvocationError> {
        self.invoke(&sign_in_request(hash, Some(code), None)).await
    }

    async fn sign_in_by_email(
        &self,
        hash: &str,
        code: &str,
    ) -> Result<enums::auth::Authorization, InvocationError> {
        self.invoke(&sign_in_request(hash, None, Some(code))).await
    }

    async fn resend(&self, hash: &str) -> Result<enums::auth::SentCode, InvocationError> {
        let request = functions::auth::ResendCode {
            phone_number: PHONE.to_owned(),
            phone_code_hash: hash.to_owned(),
            reason: None,
        };
        self.invoke(&request).await
    }

    async fn try_password(
        &self,
        password: &str,
    ) -> Result<enums::auth::Authorization, InvocationError> {
        let enums::account::Password::Password(asked) =
            self.invoke(&functions::account::GetPassword {}).await.expect("a challenge");
        let Some(enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algo)) =
            asked.current_algo
        else {
            panic!("an algorithm")
        };
        let (m1, a) = calculate_2fa(
            &algo.salt1,
            &algo.salt2,
            &algo.p,
            &algo.g,
            asked.srp_b.expect("a challenge"),
            vec![7; 256],
            password,
        );
        let srp_id = asked.srp_id.expect("a challenge");
        let proof = types::InputCheckPasswordSrp { srp_id, a: a.to_vec(), m1: m1.to_vec() };
        self.invoke(&functions::auth::CheckPassword { password: proof.into() }).await
    }

    async fn login_token(&self) -> Result<enums::auth::LoginToken, InvocationError> {
        let request = functions::auth::ExportLoginToken {
            api_id: 1,
            api_hash: HASH.to_owned(),
            except_ids: Vec::new(),
        };
        self.invoke(&request).await
    }

    async fn wait_for_login_token_update(&mut self) {
        loop {
            let update = timeout(DEADLINE, self.updates.recv()).await.expect("an update in time");
            if let Some(UpdatesLike::Updates(enums::Updates::UpdateShort(short))) = update
                && matches!(short.update, enums::Update::LoginToken)
            {
                return;
            }
        }
    }

    async fn check_signed_in(&self) -> Result<(), String> {
        let asked = self.invoke(&functions::updates::GetState {}).await;
        asked.map(drop).map_err(rpc_error)
    }
}

fn sign_in_request(
    hash: &str,
    phone_code: Option<&str>,
    email_code: Option<&str>,
) -> functions::auth::SignIn {
    functions::auth::SignIn {
        phone_number: PHONE.to_owned(),
        phone_code_hash: hash.to_owned(),
        phone_code: phone_code.map(str::to_owned),
        email_verification: email_code.map(verification),
    }
}

fn verification(code: &str) -> enums::EmailVerification {
    types::EmailVerificationCode { code: code.to_owned() }.into()
}

fn sent_code(sent: enums::auth::SentCode) -> types::auth::SentCode {
    let enums::auth::SentCode::Code(sent) = sent else { panic!("a code") };
    sent
}

fn code_hash(sent: enums::auth::SentCode) -> String {
    sent_code(sent).phone_code_hash
}

#[tokio::test]
async fn a_login_code_signs_in_once_and_a_wrong_code_is_refused() {
    let (_server, client) = unbound_client("").await;
    let signed_out = "401 AUTH_KEY_UNREGISTERED";
    assert_eq!(client.check_signed_in().await, Err(signed_out.to_owned()));
    let hash = code_hash(client.send_code(DC, PHONE).await.expect("a code is sent"));
    let wrong = client.sign_in(&hash, "00000").await.expect_err("a wrong code");
    assert_eq!(rpc_error(wrong), "400 PHONE_CODE_INVALID");
    assert_eq!(client.check_signed_in().await, Err(signed_out.to_owned()));
    client.sign_in(&hash, "12345").await.expect("the right code");
    assert_eq!(client.check_signed_in().await, Ok(()));
    let again = client.sign_in(&hash, "12345").await.expect_err("a code is good for once");
    assert_eq!(rpc_error(again), "400 PHONE_CODE_EXPIRED");
    client.invoke(&functions::auth::LogOut {}).await.expect("signed out");
    assert_eq!(client.check_signed_in().await, Err(signed_out.to_owned()));
}

#[tokio::test]
async fn invalid_phone_numbers_and_repeated_wrong_codes_are_refused() {
    let (_server, client) = unbound_client("").await;
    for (phone, wanted) in
        [("12", "400 PHONE_NUMBER_INVALID"), ("+1 555 01OO", "400 PHONE_NUMBER_INVALID")]
    {
        let refused = client.send_code(DC, phone).await.expect_err(phone);
        assert_eq!(rpc_error(refused), wanted, "{phone}");
    }
    let hash = code_hash(client.send_code(DC, PHONE).await.expect("a code is sent"));
    for _ in 0..5 {
        let wrong = client.sign_in(&hash, "1").await.expect_err("a guess");
        assert_eq!(rpc_error(wrong), "400 PHONE_CODE_INVALID");
    }
    let late = client.sign_in(&hash, "12345").await.expect_err("too many guesses");
    assert_eq!(rpc_error(late), "400 PHONE_CODE_EXPIRED");
}

#[tokio::test]
async fn a_sixth_sign_in_on_a_day_is_refused() {
    let (_server, client) = unbound_client("").await;
    for _ in 0..5 {
        let hash = code_hash(client.send_code(DC, PHONE).await.expect("a code is sent"));
        client.sign_in(&hash, "12345").await.expect("the right code");
        client.invoke(&functions::auth::LogOut {}).await.expect("signed out");
    }
    let refused = client.send_code(DC, PHONE).await.expect_err("too many sign-ins");
    assert_eq!(rpc_error(refused), "400 PHONE_NUMBER_FLOOD");
}

#[tokio::test]
async fn a_request_of_another_layer_is_refused() {
    let (_server, client) = unbound_client("").await;
    for (layer, wanted) in [(1, Err("400 CONNECTION_LAYER_INVALID".to_owned())), (LAYER, Ok(()))] {
        let query = functions::help::GetConfig {};
        let answer = client.invoke(&functions::InvokeWithLayer { layer, query }).await;
        assert_eq!(answer.map(drop).map_err(rpc_error), wanted, "layer {layer}");
    }
}

#[tokio::test]
async fn the_two_step_password_is_required_after_the_code() {
    let (_server, client) =
        unbound_client("[me]\nphone = '15550100'\npassword = 'tea'\nhint = 'T'").await;
    let hash = code_hash(client.send_code(DC, PHONE).await.expect("a code is sent"));
    let needed = client.sign_in(&hash, "12345").await.expect_err("a password is set");
    assert_eq!(rpc_error(needed), "401 SESSION_PASSWORD_NEEDED");
    assert_eq!(client.check_signed_in().await, Err("401 SESSION_PASSWORD_NEEDED".to_owned()));
    let wrong = client.try_password("coffee").await.expect_err("a wrong password");
    assert_eq!(rpc_error(wrong), "400 PASSWORD_HASH_INVALID");
    client.try_password("tea").await.expect("the right password");
    assert_eq!(client.check_signed_in().await, Ok(()));
}

#[tokio::test]
async fn a_code_of_an_email_is_accepted_as_email_verification_only() {
    let (_server, client) = unbound_client("[sign_in]\nvia = 'email'").await;
    let sent = sent_code(client.send_code(DC, PHONE).await.expect("a code is sent"));
    assert!(matches!(sent.r#type, enums::auth::SentCodeType::EmailCode(_)));
    let hash = sent.phone_code_hash;
    for (phone_code, email_code, wanted) in [
        (None, None, "400 PHONE_CODE_EMPTY"),
        (Some("12345"), None, "400 PHONE_CODE_INVALID"),
        (None, Some("99999"), "400 CODE_INVALID"),
    ] {
        let request = sign_in_request(&hash, phone_code, email_code);
        let refused = client.invoke(&request).await.expect_err(wanted);
        assert_eq!(rpc_error(refused), wanted);
    }
    client.sign_in_by_email(&hash, "12345").await.expect("the right code");
    assert_eq!(client.check_signed_in().await, Ok(()));

    let (_server, client) = unbound_client("[sign_in]\nvia = 'email'\nlife = 0").await;
    let hash = code_hash(client.send_code(DC, PHONE).await.expect("a code is sent"));
    let late = client.sign_in_by_email(&hash, "12345").await.expect_err("too late");
    assert_eq!(rpc_error(late), "400 EMAIL_VERIFY_EXPIRED");
}

#[tokio::test]
async fn a_code_of_an_sms_is_no_email_verification() {
    let (_server, client) = unbound_client("[sign_in]\nvia = 'sms'").await;
    let hash = code_hash(client.send_code(DC, PHONE).await.expect("a code is sent"));
    let refused = client.sign_in_by_email(&hash, "12345").await.expect_err("the wrong field");
    assert_eq!(rpc_error(refused), "400 PHONE_CODE_EMPTY");
}

#[tokio::test]
async fn a_phrase_is_compared_with_its_blanks() {
    let phrase = "[sign_in]\nvia = 'sms-phrase'\ncode = 'two brown foxes'\nbeginning = 'two'";
    let (_server, client) = unbound_client(phrase).await;
    let sent = sent_code(client.send_code(DC, PHONE).await.expect("a code is sent"));
    let enums::auth::SentCodeType::SmsPhrase(kind) = sent.r#type else { panic!("a phrase") };
    assert_eq!(kind.beginning.as_deref(), Some("two"));
    let hash = sent.phone_code_hash;
    let wrong = client.sign_in(&hash, "twobrownfoxes").await.expect_err("without blanks");
    assert_eq!(rpc_error(wrong), "400 PHONE_CODE_INVALID");
    client.sign_in(&hash, "two brown foxes").await.expect("the phrase");
}

#[tokio::test]
async fn firebase_sends_no_code_until_another_way_is_asked_for() {
    let ways = "[sign_in]\nvia = 'firebase'\nnext = 'sms'\ntimeout = 0";
    let (_server, client) = unbound_client(ways).await;
    let sent = sent_code(client.send_code(DC, PHONE).await.expect("an answer"));
    assert!(matches!(sent.r#type, enums::auth::SentCodeType::FirebaseSms(_)));
    let hash = sent.phone_code_hash;
    let none = client.sign_in(&hash, "12345").await.expect_err("no code was sent");
    assert_eq!(rpc_error(none), "400 PHONE_CODE_INVALID");
    let sent = sent_code(client.resend(&hash).await.expect("the next way"));
    assert!(matches!(sent.r#type, enums::auth::SentCodeType::Sms(_)));
    client.sign_in(&hash, "12345").await.expect("the code of the SMS");
}

#[tokio::test]
async fn a_code_is_resent_once_and_not_before_the_timeout() {
    let (_server, client) = unbound_client("[sign_in]\nnext = 'sms'\ntimeout = 60").await;
    let hash = code_hash(client.send_code(DC, PHONE).await.expect("a code is sent"));
    let early = client.resend(&hash).await.expect_err("too early");
    assert_eq!(rpc_error(early), "406 SEND_CODE_UNAVAILABLE");
    let (_server, client) = unbound_client("[sign_in]\nnext = 'fragment'\ntimeout = 0").await;
    let hash = code_hash(client.send_code(DC, PHONE).await.expect("a code is sent"));
    let sent = sent_code(client.resend(&hash).await.expect("another way"));
    assert!(matches!(sent.r#type, enums::auth::SentCodeType::FragmentSms(_)));
    let again = client.resend(&hash).await.expect_err("no way is left");
    assert_eq!(rpc_error(again), "406 SEND_CODE_UNAVAILABLE");
}

#[tokio::test]
async fn a_number_without_an_account_gets_a_code_and_is_refused_with_it() {
    let (_server, client) = unbound_client("").await;
    let nobody = "+44 20 7946 0000";
    let sent = sent_code(client.send_code(DC, nobody).await.expect("a code is sent"));
    let request = |phone: &str, code: &str| functions::auth::SignIn {
        phone_number: phone.to_owned(),
        ..sign_in_request(&sent.phone_code_hash, Some(code), None)
    };
    for (phone, code, wanted) in [
        ("12", "12345", "406 PHONE_NUMBER_INVALID"),
        (nobody, "99999", "400 PHONE_CODE_INVALID"),
        (nobody, "12345", "400 PHONE_NUMBER_UNOCCUPIED"),
    ] {
        let refused = client.invoke(&request(phone, code)).await.expect_err(wanted);
        assert_eq!(rpc_error(refused), wanted);
    }
    let without_hash = client.sign_in("", "12345").await.expect_err("no hash");
    assert_eq!(rpc_error(without_hash), "400 PHONE_CODE_HASH_EMPTY");
}

#[tokio::test]
async fn an_email_address_is_set_up_before_a_code_is_sent_to_it() {
    let (_server, client) = unbound_client("[sign_in]\nvia = 'email-setup'").await;
    let sent = sent_code(client.send_code(DC, PHONE).await.expect("an answer"));
    assert!(matches!(sent.r#type, enums::auth::SentCodeType::SetUpEmailRequired(_)));
    let hash = sent.phone_code_hash;
    let purpose: enums::EmailVerifyPurpose = types::EmailVerifyPurposeLoginSetup {
        phone_number: PHONE.to_owned(),
        phone_code_hash: hash.clone(),
    }
    .into();
    let send = |email: &str| functions::account::SendVerifyEmailCode {
        purpose: purpose.clone(),
        email: email.to_owned(),
    };
    let verify = |code: &str| functions::account::VerifyEmail {
        purpose: purpose.clone(),
        verification: verification(code),
    };
    let early = client.invoke(&verify("246810")).await.expect_err("no code was sent");
    assert_eq!(rpc_error(early), "400 EMAIL_VERIFY_EXPIRED");
    let invalid = client.invoke(&send("ada at home")).await.expect_err("no address");
    assert_eq!(rpc_error(invalid), "400 EMAIL_INVALID");
    let enums::account::SentEmailCode::Code(code) =
        client.invoke(&send("lovelace@example.org")).await.expect("a code is sent");
    assert_eq!((code.email_pattern.as_str(), code.length), ("l******e@example.org", 6));
    let wrong = client.invoke(&verify("12345")).await.expect_err("the wrong code");
    assert_eq!(rpc_error(wrong), "400 CODE_INVALID");
    let enums::account::EmailVerified::Login(verified) =
        client.invoke(&verify("246810")).await.expect("the right code")
    else {
        panic!("a login code")
    };
    assert_eq!(verified.email, "lovelace@example.org");
    let sent = sent_code(verified.sent_code);
    assert!(matches!(sent.r#type, enums::auth::SentCodeType::EmailCode(_)));
    client.sign_in_by_email(&sent.phone_code_hash, "12345").await.expect("signed in");
    assert_eq!(client.check_signed_in().await, Ok(()));
}

#[tokio::test]
async fn a_recovery_code_removes_the_password_and_signs_in() {
    let me = "[me]\nphone = '15550100'\npassword = 'tea'\nrecovery_email = 'ada@example.org'\n\
        pending_reset = 3600";
    let (_server, client) = unbound_client(me).await;
    let request_recovery = functions::auth::RequestPasswordRecovery {};
    let early = client.invoke(&request_recovery).await.expect_err("nobody is signing in");
    assert_eq!(rpc_error(early), "401 AUTH_KEY_UNREGISTERED");
    let hash = code_hash(client.send_code(DC, PHONE).await.expect("a code is sent"));
    client.sign_in(&hash, "12345").await.expect_err("a password is set");
    let enums::account::Password::Password(password) =
        client.invoke(&functions::account::GetPassword {}).await.expect("a challenge");
    assert!(password.has_recovery && password.pending_reset_date.is_some());
    let recover =
        |code: &str| functions::auth::RecoverPassword { code: code.to_owned(), new_settings: None };
    let early = client.invoke(&recover("777777")).await.expect_err("no code was sent");
    assert_eq!(rpc_error(early), "400 PASSWORD_RECOVERY_EXPIRED");
    let enums::auth::PasswordRecovery::Recovery(sent) =
        client.invoke(&request_recovery).await.expect("a code is sent");
    assert_eq!(sent.email_pattern, "a*a@example.org");
    for (code, wanted) in [("", "400 CODE_EMPTY"), ("1", "400 CODE_INVALID")] {
        let refused = client.invoke(&recover(code)).await.expect_err(wanted);
        assert_eq!(rpc_error(refused), wanted);
    }
    client.invoke(&recover("777777")).await.expect("signed in");
    assert_eq!(client.check_signed_in().await, Ok(()));
    let enums::account::Password::Password(password) =
        client.invoke(&functions::account::GetPassword {}).await.expect("no challenge");
    assert!(!password.has_password);
}

#[tokio::test]
async fn a_password_without_a_recovery_address_cannot_be_recovered() {
    let (_server, client) = unbound_client("[me]\nphone = '15550100'\npassword = 'tea'").await;
    let hash = code_hash(client.send_code(DC, PHONE).await.expect("a code is sent"));
    client.sign_in(&hash, "12345").await.expect_err("a password is set");
    let refused = client.invoke(&functions::auth::RequestPasswordRecovery {}).await;
    assert_eq!(rpc_error(refused.expect_err("no address")), "400 PASSWORD_RECOVERY_NA");
}

#[tokio::test]
async fn a_code_for_an_account_of_another_data_centre_is_sent_only_there() {
    let (_server, client) = unbound_client("[me]\nphone = '15550100'\ndc = 4").await;
    let elsewhere = client.send_code(DC, PHONE).await.expect_err("the account lives elsewhere");
    assert_eq!(rpc_error(elsewhere), "303 PHONE_MIGRATE");
    client.send_code(4, PHONE).await.expect("a code is sent");
}

#[tokio::test]
async fn an_accepted_login_token_signs_in_at_the_accounts_data_centre() {
    for dc in [2, 4] {
        let me = format!("[me]\nphone = '15550100'\ndc = {dc}\n[sign_in]\nscanned = 0.05");
        let (_server, mut client) = unbound_client(&me).await;
        let token = client.login_token().await.expect("a token");
        assert!(matches!(token, enums::auth::LoginToken::Token(_)));
        client.wait_for_login_token_update().await;
        match client.login_token().await.expect("it was scanned") {
            enums::auth::LoginToken::Success(_) if dc == DC => {}
            enums::auth::LoginToken::MigrateTo(to) if dc != DC => {
                assert_eq!(to.dc_id, dc);
                let request = functions::auth::ImportLoginToken { token: to.token };
                let imported = client.invoke_in_dc(dc, &request).await.expect("signed in there");
                assert!(matches!(imported, enums::auth::LoginToken::Success(_)));
                let again = client.invoke_in_dc(dc, &request).await.expect_err("good for once");
                assert_eq!(rpc_error(again), "400 AUTH_TOKEN_INVALID");
            }
            _ => panic!("the wrong answer for an account at {dc}"),
        }
        client.invoke_in_dc(dc, &functions::updates::GetState {}).await.expect("signed in");
    }
}

#[tokio::test]
async fn a_session_receives_no_calls_while_call_requests_are_disabled() {
    let calls = "[me]\ncalls_off = true\n[[call]]\nfrom = 'grace'\nto = 'me'\nat = 0\n\
        [[call]]\nfrom = 'grace'\nto = 'me'\nat = 2\nvideo = true";
    let server = server(calls).await;
    let mut client = Client::new(&server, 0);
    let enums::account::Authorizations::Authorizations(list) =
        client.invoke(&functions::account::GetAuthorizations {}).await.expect("a list");
    let enums::Authorization::Authorization(own) = &list.authorizations[0];
    assert!(own.current && own.call_requests_disabled && own.device_model == "test");
    let change = functions::account::ChangeAuthorizationSettings {
        confirmed: false,
        hash: 77,
        encrypted_requests_disabled: None,
        call_requests_disabled: Some(false),
    };
    let wrong = client.invoke(&change).await.expect_err("no such session");
    assert_eq!(rpc_error(wrong), "400 HASH_INVALID");
    let change = functions::account::ChangeAuthorizationSettings { hash: own.hash, ..change };
    client.invoke(&change).await.expect("it is changed");
    // The first call, which rang before the change, was no video call.
    assert!(client.next_ringing_call().await.video);
}

#[tokio::test]
async fn call_requests_are_disabled_for_one_session_only() {
    let calls = "[server]\nsessions = 2\n[[call]]\nfrom = 'grace'\nto = 'me'\nat = 1";
    let server = server(calls).await;
    let (off, mut on) = (Client::new(&server, 0), Client::new(&server, 1));
    let change = functions::account::ChangeAuthorizationSettings {
        confirmed: false,
        hash: 0,
        encrypted_requests_disabled: None,
        call_requests_disabled: Some(true),
    };
    off.invoke(&change).await.expect("it is changed");
    on.state().await;
    on.next_ringing_call().await;
    let enums::account::Authorizations::Authorizations(list) =
        on.invoke(&functions::account::GetAuthorizations {}).await.expect("a list");
    let flags: Vec<_> = list
        .authorizations
        .iter()
        .map(|it| {
            let enums::Authorization::Authorization(it) = it;
            (it.current, it.call_requests_disabled)
        })
        .collect();
    assert_eq!(flags, [(false, true), (true, false)]);
}

#[tokio::test]
async fn only_the_revoked_session_is_closed_and_refused() {
    let text = "[[person]]\nkey = 'linus'\nname = 'Linus'\nsessions = 1\n\
        [[revoke]]\nat = 0.1\naccount = 'linus'\nerror = '401 SESSION_REVOKED'";
    let server = server(text).await;
    let (me, mut linus) = (Client::new(&server, 0), Client::new(&server, 1));
    assert_eq!(linus.check_signed_in().await, Ok(()));
    let closed = async {
        while !matches!(linus.updates.recv().await, Some(UpdatesLike::ConnectionClosed)) {}
    };
    timeout(DEADLINE, closed).await.expect("the connection is closed");
    assert_eq!(linus.check_signed_in().await, Err("401 SESSION_REVOKED".to_owned()));
    assert_eq!(me.check_signed_in().await, Ok(()));
}

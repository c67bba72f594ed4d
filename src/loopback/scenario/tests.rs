//! Which scenarios are refused, and with which error.

use super::*;

fn refusal(text: &str) -> String {
    Scenario::parse("s.toml", text).expect_err("a wrong scenario").to_string()
}

#[test]
fn every_builtin_scenario_loads() {
    for name in builtin::names() {
        let scenario = Scenario::load(name).unwrap_or_else(|error| panic!("{error}"));
        assert!(!scenario.title.is_empty(), "{name} has a title");
    }
}

#[test]
fn an_invalid_file_is_refused_with_file_line_and_key() {
    let person = "title = 't'\n[[person]]\nkey = 'a'\nname = 'A'\n";
    let cases = [
        ("title = 3", "s.toml:1: title: must be a text in quotes"),
        (
            "title = 't'\n[me]\nphone = '+1 555'",
            "s.toml:3: phone: must be the digits of a phone number, with or without a +",
        ),
        ("title = 't'\nspeed = 2", "s.toml:2: speed: unknown field"),
        ("title = 't'\n[[call]]\nfrom = 'x'\nto = 'me'\nat = 1", "s.toml:3: from: nobody is"),
        (&format!("{person}[[call]]\nfrom = 'a'\nto = 'a'\nat = 1"), "s.toml:7: to: nobody calls"),
        (&format!("{person}[[call]]\nfrom = 'a'\nto = 'me'\nat = -1"), "s.toml:8: at: must be"),
        (&format!("{person}[[person]]\nkey = 'a'\nname = 'B'"), "s.toml:6: key: 'a' is taken"),
        ("speed = 2", "s.toml:1: speed: unknown field"),
        ("[me]\nname = 'A'", "s.toml:1: title: is missing"),
        ("title = 't'\n[flood]\ncalls = 0\nat = 1", "s.toml:3: calls: must be 1 to 100000"),
        ("title = 't'\n[[answer]]\nmethod = 'updates.getState'", "s.toml:3: answer: takes one"),
        (
            &format!("{person}[[call]]\nfrom = 'a'\nto = 'me'\nat = 1\ntalks = 2"),
            "s.toml:9: talks: needs",
        ),
        (
            &format!("{person}[[call]]\nfrom = 'a'\nto = 'me'\nat = 1\nreceipt = 2"),
            "s.toml:9: receipt: is",
        ),
        ("title = 't'\n[[answer]]\nmethod = 'x.y'", "s.toml:3: method: this server has no"),
        ("title = 't'\n[server]\nsessions = 17", "s.toml:3: sessions: must be 0 to 16"),
        (
            &format!("{person}[[call]]\nfrom = 'a'\nto = 'me'\nat = 1\nreason = 'busy'"),
            "s.toml:7: to: reason and duration need",
        ),
        ("title = 't'\n[server]\nsearch_lag = -1", "s.toml:3: search_lag: must be a number"),
        ("title = 't'\n[server]\nsearch_page = 101", "s.toml:3: search_page: must be 0 to 100"),
        ("title = 't'\n[server]\nunbound_keys = 99", "s.toml:3: unbound_keys: must be 0 to 16"),
        ("title = 't'\n[noise]\nrate = 0.0", "s.toml:3: rate: must be"),
        ("title = 't'\n[noise]\nchannels = 5000", "s.toml:3: channels: must be 0 to 1000"),
        ("title = 't'\n[noise]\nprivate = 21", "s.toml:3: private: must be at most"),
        ("title = 't'\n[noise]\nonly = ['hum']", "s.toml:3: only: unknown variant"),
        (&format!("{person}answers_after = 1"), "s.toml:5: answers_after: needs answers"),
        (
            &format!("{person}answers = 'echo'\ntalks = 1"),
            "s.toml:6: talks: needs answers = \"hangs-up\"",
        ),
        (
            &format!("{person}answers = 'echo'\nanswers_after = -1"),
            "s.toml:6: answers_after: must be a number",
        ),
        (&format!("{person}answers = 'sings'"), "s.toml:5: answers: unknown variant"),
        (&format!("{person}refuses = 'all'"), "s.toml:5: refuses: unknown variant"),
        (&format!("{person}hostile = ['mood']"), "s.toml:5: hostile: unknown variant"),
        ("title = 't'\n[phone]\nconfig = '{'", "s.toml:3: config: must be a text with JSON"),
        (
            "title = 't'\n[phone]\ncustom_parameters = '{'",
            "s.toml:3: custom_parameters: must be a text with JSON",
        ),
        ("title = 't'\n[signaling]\nlose = 101.0", "s.toml:3: lose: must be a percentage"),
        ("title = 't'\n[signaling]\ndelay = -1.0", "s.toml:3: delay: must be a number"),
        ("title = 't'\n[[phone.reflector]]\nlose = -1.0", "s.toml:3: lose: must be a percentage"),
        ("title = 't'\n[[phone.reflector]]\njitter = -1.0", "s.toml:3: jitter: must be a number"),
        ("title = 't'\n[[phone.reflector]]\ndown_for = 1.0", "s.toml:3: down_for: needs down_at"),
        ("title = 't'\n[phone]\nstun = 'off'", "s.toml:3: stun: unknown variant"),
        ("title = 't'\n[phone]\nturn = true", "s.toml:3: turn: "),
        ("title = 't'\n[phone]\nlate = -1.0", "s.toml:3: late: must be a number"),
        ("title = 't'\n[phone]\ndh = 'small'", "s.toml:3: dh: unknown variant"),
        ("title = 't'\n[me]\ndc = 3", "s.toml:3: dc: must be 2 or 4"),
        ("title = 't'\n[sign_in]\nlife = -1", "s.toml:3: life: must be a number of seconds"),
        ("title = 't'\n[sign_in]\nnext = 'email'", "s.toml:3: next: must be \"sms\""),
        ("title = 't'\n[sign_in]\nbeginning = '9'", "s.toml:3: beginning: must be the"),
        ("title = 't'\n[me]\nrecovery_email = 'ada'", "s.toml:3: recovery_email: must be an"),
        ("title = 't'\n[me]\npending_reset = -1", "s.toml:3: pending_reset: must be a number"),
        ("title = 't'\n[[revoke]]\nat = 1\naccount = 'x'", "s.toml:4: account: nobody is"),
        ("title = 't'\n[[revoke]]\nat = 1\nerror = 'NO'", "s.toml:4: error: must be a code"),
        (
            "title = 't'\n[[answer]]\nmethod = 'phone.discardCall'\nerror = 'NO'",
            "s.toml:4: error: must be a code",
        ),
        (
            "title = 't'\n[[answer]]\nmethod = 'phone.discardCall'\nsilence = true\ngarbage = true",
            "s.toml:3: answer: takes one of",
        ),
    ];
    for (text, wanted) in cases {
        let refusal = refusal(text);
        assert!(refusal.starts_with(wanted), "{refusal}\nwanted: {wanted}");
    }
}

#[test]
fn an_unknown_name_is_refused_with_the_builtin_names() {
    let refusal = Scenario::load("nonesuch").expect_err("no such scenario").to_string();
    assert!(refusal.contains("'nonesuch'") && refusal.contains("busy"), "{refusal}");
}

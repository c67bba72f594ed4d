//! Files of rules that are read, and the messages about those that are refused.

use super::*;

fn rules(text: &str) -> Result<Rules, String> {
    let list = |file: &str| match file {
        "spam.txt" => people_of("spam.txt", "@a # one\n\n+49 30\n77").map_err(|it| it.to_string()),
        "wrong.txt" => people_of("wrong.txt", "@a\n?\n").map_err(|it| it.to_string()),
        _ => Err("there is no such file".to_owned()),
    };
    parse(TomlSource::new("r.toml", text), list).map_err(|error| error.to_string())
}

#[test]
fn a_rule_is_read_with_everything_that_it_can_have() {
    let text = "zone = 'Europe/Berlin'\nmost_declines_per_minute = 5\n\
        [do_not_disturb]\npeople = ['@grace']\ncontacts = true\nrepeated = 3\n\
        [[rule]]\nname = 'all'\ndry = false\n\
        when = { accounts = ['main'], people = ['77'], list = 'spam.txt', contact = false, \
        hours = '22:00-07:00', weekdays = ['mon', 'sun'], zone = 'Asia/Tokyo', kinds = ['video'], \
        repeated = 5, calls = { days = 30, at_most = 2 }, do_not_disturb = true, in_call = true, \
        idle = true, locked = false }\n\
        then = { decline = 'missed', grace = 0, text = ' later ', run = ['log', 'x'] }\n\
        [[rule]]\nname = 'ask'\nthen = { ask = ['~/decide'], ask_seconds = 5 }\n\
        [[rule]]\nname = 'only run'\nthen = { run = ['log'] }\n";
    let rules = rules(text).expect("valid rules");
    assert_eq!((rules.rules.len(), rules.most_declines), (3, 5));
    assert!(rules.breakthrough.contacts && rules.breakthrough.people.len() == 1);
    assert_eq!(rules.breakthrough.repeated, Some(Duration::from_mins(3)));
    let Rule { when, then, run, dry, .. } = &rules.rules[0];
    let decline = AutomaticDecline {
        reason: EndReason::Missed,
        grace: Duration::ZERO,
        text: ReplyText::new("later").ok(),
    };
    assert_eq!(then, &Reaction::Decline(decline));
    assert!(!dry && run.as_ref().is_some_and(|run| run.arguments == ["x"]));
    let expected = Condition {
        accounts: vec!["main".to_owned()],
        people: vec![PersonPattern::Id(77)],
        list: Some(Arc::new([
            PersonPattern::Username("a".to_owned()),
            PersonPattern::PhonePrefix("4930".to_owned()),
            PersonPattern::Id(77),
        ])),
        contact: Some(false),
        hours: Some("22:00-07:00".parse().expect("hours")),
        weekdays: vec![Weekday::Monday, Weekday::Sunday],
        zone: Some(TimeZone::get("Asia/Tokyo").expect("a zone")),
        kinds: vec![HistoryKind::Video],
        repeated: Some(Duration::from_mins(5)),
        calls: Some(CallCount { days: 30, at_least: 0, at_most: Some(2) }),
        do_not_disturb: Some(true),
        in_call: Some(true),
        idle: Some(true),
        locked: Some(false),
    };
    assert_eq!(when, &expected);
    let Reaction::Ask { program, limit } = &rules.rules[1].then else { panic!("it asks") };
    assert_eq!((program.program.as_str(), limit), ("~/decide", &Duration::from_secs(5)));
    assert!(rules.rules[1].dry, "until it is switched on");
    assert_eq!(rules.rules[1].when.zone, Some(TimeZone::get("Europe/Berlin").expect("a zone")));
    assert_eq!(rules.rules[2].then, Reaction::Ring);
}

#[test]
fn the_printed_example_has_rules() {
    let example = rules(EXAMPLE).expect("a valid example");
    assert!(example.rules.is_empty(), "everything is a comment");
    let (examples, _) = EXAMPLE.split_once("# when:").expect("the list of conditions");
    let uncommented: Vec<_> =
        examples.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
    let text = uncommented.join("\n").replace("people/spam.txt", "spam.txt");
    let all = rules(&text).expect("its examples are valid");
    assert!(all.rules.len() >= 3 && all.rules.iter().all(|rule| rule.dry));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn wrong_rules_are_refused_with_their_place() {
    let then = "then = { ring = true }";
    let rule = |when: &str, then: &str| format!("[[rule]]\nname = 'a'\nwhen = {when}\n{then}\n");
    let cases = [
        (
            "zone = 'Mars'".to_owned(),
            "r.toml:1: zone: 'Mars' is no time zone, such as Europe/Berlin",
        ),
        (
            "most_declines_per_minute = 0".to_owned(),
            "r.toml:1: most_declines_per_minute: must be from 1 to 60",
        ),
        (
            "[[rule]]\nname = ' '\nthen = { ring = true }".to_owned(),
            "r.toml:2: name: must not be empty",
        ),
        (rule("{}", then).repeat(2), "r.toml:6: name: 'a' is the name of two rules"),
        (
            rule("{ hours = '25:00-7' }", then),
            "r.toml:3: hours: '25:00' in '25:00-7' is no time from 00:00 to 24:00",
        ),
        (
            rule("{ people = ['bob'] }", then),
            "r.toml:3: people: 'bob' names nobody: write @username, the digits of an id, or + and the beginning of a number",
        ),
        (
            rule("{ weekdays = ['monday'] }", then),
            "r.toml:3: weekdays: 'monday' is not one of mon, tue, wed, thu, fri, sat, sun",
        ),
        (
            rule("{ kinds = ['voice'] }", then),
            "r.toml:3: kinds: 'voice' is not one of audio, video, group",
        ),
        (rule("{ list = 'none.txt' }", then), "r.toml:3: list: there is no such file"),
        (
            rule("{ list = 'wrong.txt' }", then),
            "r.toml:3: list: wrong.txt:2: this line: '?' names nobody: write @username, the digits of an id, or + and the beginning of a number",
        ),
        (rule("{ repeated = 0 }", then), "r.toml:3: repeated: must be from 1 to 1440"),
        (
            rule("{ calls = { days = 91, at_least = 1 } }", then),
            "r.toml:3: days: must be from 1 to 90",
        ),
        (
            rule("{ calls = { days = 9 } }", then),
            "r.toml:3: days: needs at_least or at_most beside it",
        ),
        (
            rule("{ calls = { days = 9, at_least = 3, at_most = 2 } }", then),
            "r.toml:3: calls: at_least is more than at_most",
        ),
        (
            rule("{}", "then = {}"),
            "r.toml:4: then: needs one of ring = true, silence = true, decline = \"busy\" and ask = [\"program\"]",
        ),
        (
            rule("{}", "then = { ring = true, silence = true }"),
            "r.toml:4: then: only one of ring, silence, decline and ask",
        ),
        (
            rule("{}", "then = { decline = true }"),
            "r.toml:4: decline: must be a text in quotes, and is true or false",
        ),
        (
            "[rule]\nname = 'a'\nthen = { ring = true }".to_owned(),
            "r.toml:1: [rule]: must be written as [[rule]]",
        ),
        (
            "[[rule]]\nname = 'do not disturb'\nthen = { ring = true }".to_owned(),
            "r.toml:2: name: 'do not disturb' is not a name for a rule: calls are marked with it",
        ),
        (
            rule("{ hours = '22:00-22:00' }", then),
            "r.toml:3: hours: '22:00-22:00' is empty: write it as \"22:00-07:00\"",
        ),
        (
            rule("{ hours = 'night' }", then),
            "r.toml:3: hours: 'night' is no part of the day: write it as \"22:00-07:00\"",
        ),
        (
            rule("{ contacts = false }", then),
            "r.toml:3: when: unknown field `contacts`; did you mean `contact`?",
        ),
        (
            "[do_not_disturb]\ncontact = true".to_owned(),
            "r.toml:2: contact: unknown field `contact`; did you mean `contacts`?",
        ),
        (
            rule("{ calls = { days = 9, at_most = 100 } }", then),
            "r.toml:3: at_most: must be from 0 to 99",
        ),
        (
            rule("{}", "then = { decline = 'rude' }"),
            "r.toml:4: decline: 'rude' is not one of busy, missed, hangup, disconnect",
        ),
        (
            rule("{}", "then = { decline = 'busy', grace = 31 }"),
            "r.toml:4: grace: must be from 0 to 30",
        ),
        (
            rule("{}", "then = { decline = 'busy', text = ' ' }"),
            "r.toml:4: text: must not be empty",
        ),
        (rule("{}", "then = { ring = true, grace = 3 }"), "r.toml:4: grace: is only for decline"),
        (rule("{}", "then = { ring = true, text = 'x' }"), "r.toml:4: text: is only for decline"),
        (
            rule("{}", "then = { ring = true, ask_seconds = 1 }"),
            "r.toml:4: ask_seconds: is only for ask",
        ),
        (
            rule("{}", "then = { ask = [] }"),
            "r.toml:4: ask: needs a program: ask = [\"program\", \"argument\"]",
        ),
        (
            rule("{}", "then = { ask = ['x'], ask_seconds = 11 }"),
            "r.toml:4: ask_seconds: must be from 1 to 10",
        ),
        (
            rule("{ contact = 'yes' }", then),
            "r.toml:3: contact: must be true or false, and is a text",
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(rules(&text).expect_err("wrong"), wanted);
    }
    let unknown = rules(&rule("{ colour = 'red' }", then)).expect_err("an unknown key");
    assert!(unknown.starts_with("r.toml:3: when: unknown field `colour`"), "{unknown}");
}

#[test]
fn a_list_that_cannot_be_read_is_named_with_its_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rules.toml");
    let text = "[[rule]]\nname = 'a'\nwhen = { list = 'spam.txt' }\nthen = { ring = true }\n";
    std::fs::write(&file, text).expect("written");
    let refused = load(&file).expect_err("there is no list").to_string();
    let list = folder.path().join("spam.txt");
    let wanted = format!("rules.toml:3: list: {}: No such file", list.display());
    assert!(refused.contains(&wanted), "{refused}");
}

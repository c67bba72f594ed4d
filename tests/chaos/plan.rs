//! What is going to happen: the calls, the keys, and the seed of the server's troubles.

use std::fmt::{self, Write};
use std::ops::Range;

use onhook::app::action::Action;
use onhook::app::phone::PhoneEvent;
use onhook::calls::own_call::SoundRoute;
use onhook::control::protocol::{Reason, Selector};
use onhook_loopback::fault_kinds;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::control::Target;
use crate::media::MediaScript;
use crate::rule_plan::{CALLERS, RulesSketch, StrayEvent, any_stray, any_versions};

/// How long there is trouble, in seconds.
const TROUBLE: u64 = 200;
/// A day, in seconds.
const DAY: u64 = 86_400;

/// Something that is done to the program.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Time passes, in milliseconds.
    Wait(u64),
    /// A key.
    Press(Action),
    /// A client of the control socket asks for the status.
    AskStatus,
    /// It hangs up.
    Hangup { target: Target, reason: Option<Reason>, yes: bool },
    /// A command without a screen calls one of the people who were found, by its number.
    Place(usize),
    /// Such a command answers a call that rings, by its number.
    Answer(usize),
    /// Such a command hangs up the own call.
    HangUpOwn,
    /// Text is pasted.
    Paste(&'static str),
    /// The rules are read again, in the version of this number; `None` is one that cannot be read.
    Reload(Option<usize>),
    /// An event for the rules that nothing waits for, about a call by its number.
    Stray(usize, StrayEvent),
    /// The program ends, and is started again.
    Restart,
    /// The same, but what its session has learned since it was written last is lost: Telegram
    /// tells again what the program knows already.
    Kill,
}

/// All of it.
#[derive(Debug)]
pub struct Plan {
    seed: u64,
    /// Calls and invitations, each as the scenario has it.
    calls: Vec<String>,
    /// By how many seconds the server's clock is ahead.
    pub clock: i64,
    /// What Telegram does not document, as the scenario has it.
    variant: String,
    /// Whether a difference has all calls that live or have ended.
    pub repeats_calls: bool,
    troubles: Vec<&'static str>,
    /// What Telegram and other people do with calls of clients, as the scenario has it.
    phone: String,
    /// What the media of each call report.
    pub media: Vec<MediaScript>,
    /// The versions of the rules; none if there are no rules.
    pub rules: Vec<RulesSketch>,
    /// Whether a command answers each call whose countdown begins.
    pub answers_counting: bool,
    /// The table `[noise]`, or nothing.
    noise: &'static str,
    /// How long there is trouble, in seconds.
    pub until: u64,
    /// In which steps time passes, in milliseconds.
    pub tick: u64,
    pub steps: Vec<Step>,
}

impl Plan {
    /// Some minutes.
    pub fn new(seed: u64) -> Self {
        let faults = fault_kinds().count();
        Self { tick: 200, ..Self::of(seed, TROUBLE, 5..24, (faults, 30..150), 6_000) }
    }

    /// A whole day: calls all the time, now and then a key.
    pub fn of_a_day(seed: u64) -> Self {
        Self { tick: 5_000, ..Self::of(seed, DAY, 400..500, (4, 300..400), 400_000) }
    }

    /// A whole day of an account with 300 channels, without faults.
    pub fn of_a_noisy_day(seed: u64) -> Self {
        let noise = "[noise]\nchannels = 300\nprivate = 10\nrate = 0.3\n";
        Self { troubles: vec!["noise"], noise, tick: 15_000, ..Self::of_a_day(seed) }
    }

    /// `waits` is how long one of the steps may wait, in milliseconds.
    fn of(
        seed: u64,
        until: u64,
        calls: Range<usize>,
        (troubles, steps): (usize, Range<usize>),
        waits: u64,
    ) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let plan = (
            proptest::collection::vec(any_call(until), calls),
            proptest::collection::vec(any_invitation(until), 0..6),
            proptest::sample::select(vec![0, 0, 600, -20]),
            any_variant(),
            // All faults at once leave little of a session.
            proptest::sample::subsequence(fault_kinds().collect::<Vec<_>>(), 1..=troubles),
            proptest::collection::vec(any_steps(waits), steps),
            (
                any_phone(),
                proptest::collection::vec(any_media(), 1..12),
                any_versions(),
                proptest::bool::weighted(0.15),
            ),
        );
        let tree = plan.new_tree(&mut runner).expect("nothing is filtered out");
        let (calls, invitations, clock, variant, troubles, steps, others) = tree.current();
        let (phone, media, rules, answers_counting) = others;
        let (variant, repeats_calls) = variant;
        let calls = [calls, invitations].concat();
        let steps = steps.concat();
        Self {
            seed,
            calls,
            clock,
            variant,
            repeats_calls,
            troubles,
            phone,
            media,
            rules,
            answers_counting,
            noise: "",
            until,
            tick: 0,
            steps,
        }
    }

    /// Whether the server makes this trouble.
    pub fn has(&self, trouble: &str) -> bool {
        self.troubles.contains(&trouble)
    }

    /// The scenario, as the server reads it.
    pub fn scenario(&self) -> String {
        let mut text = format!(
            "title = 'chaos'\n[server]\nclock = {}\n{}[chaos]\nseed = {}\nuntil = {}\nonly = {:?}\n",
            self.clock, self.variant, self.seed, self.until, self.troubles,
        );
        text.push_str(&self.phone);
        text.push_str(self.noise);
        for call in &self.calls {
            let _ = writeln!(text, "{call}");
        }
        text
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{:?}\n{:?}", self.scenario(), self.rules, self.steps)
    }
}

/// The people, and what happens to calls that the program places and answers: `[[person]]`, `[phone]`,
/// `[signaling]` and `[[answer]]`. The first three people make most calls of the plan, and the others are
/// contacts, of whom two call as well.
fn any_phone() -> impl Strategy<Value = String> {
    let people = (
        proptest::collection::vec(any_hostility(), 3),
        proptest::collection::vec((any_callee(), any_hostility()), 4),
    );
    let people = people.prop_map(|(callers, callees)| {
        let mut text = String::new();
        let names = ["Grace Hopper", "Alan Turing", "Linus"].into_iter().zip(callers);
        for (person, (name, hostile)) in names.enumerate() {
            let username = CALLERS[person];
            let _ = write!(
                text,
                "[[person]]\nkey = 'p{person}'\nname = '{name}'\nusername = '{username}'\n{hostile}"
            );
        }
        for (contact, (answers, hostile)) in callees.into_iter().enumerate() {
            let _ = write!(
                text,
                "[[person]]\nkey = 'c{contact}'\nname = 'Contact {contact}'\nknown = 'contact'\n\
                 username = 'contact_{contact}'\n{answers}{hostile}"
            );
        }
        text
    });
    let one_of = |values: &[&'static str]| proptest::sample::select(values.to_vec());
    let phone = (
        prop_oneof![14 => Just("telegram"), 1 => Just("generator"), 1 => Just("short")],
        one_of(&["numeric", "text", "caller", "callee"]),
        one_of(&["waiting", "accepted"]),
        proptest::sample::select(vec![0, 0, 0, 1, 2]),
        proptest::option::weighted(0.2, 0.1..3.0f64),
        one_of(&["updates", "short", "combined"]),
        proptest::bool::weighted(0.04),
    );
    let phone = phone.prop_map(|(dh, best, accept_result, repeat, late, container, outdated)| {
        let late = late.map(|late| format!("late = {late:.1}\n")).unwrap_or_default();
        let required = if outdated { "required_version = '99.0.0'\n" } else { "" };
        format!(
            "[phone]\ndh = '{dh}'\nbest = '{best}'\naccept_result = '{accept_result}'\n\
             repeat = {repeat}\ncontainer = '{container}'\n{late}{required}"
        )
    });
    let percent = || proptest::sample::select(vec![0, 0, 10, 40]);
    let signaling = (percent(), percent(), percent(), percent(), any::<u16>()).prop_map(
        |(lose, double, corrupt, reorder, seed)| {
            format!(
                "[signaling]\nseed = {seed}\nlose = {lose}.0\ndouble = {double}.0\n\
                 corrupt = {corrupt}.0\nreorder = {reorder}.0\n"
            )
        },
    );
    let answers = proptest::collection::vec(any_answer(), 0..4).prop_map(|it| it.concat());
    (phone, signaling, people, answers)
        .prop_map(|(phone, signaling, people, answers)| phone + &signaling + &people + &answers)
}

/// What a person does who is called, as the scenario has it.
fn any_callee() -> impl Strategy<Value = String> {
    let after = || prop_oneof![3 => 0.1..5.0f64, 1 => 5.0..40.0f64];
    prop_oneof![
        4 => after().prop_map(|after| format!("answers = 'echo'\nanswers_after = {after:.1}\n")),
        4 => (after(), 0.1..60.0f64).prop_map(|(after, talks)| {
            format!("answers = 'hangs-up'\nanswers_after = {after:.1}\ntalks = {talks:.1}\n")
        }),
        2 => after().prop_map(|after| format!("answers = 'declines'\nanswers_after = {after:.1}\n")),
        2 => Just("answers = 'never'\n".to_owned()),
        1 => Just("answers = 'busy'\n".to_owned()),
        1 => Just(String::new()),
        1 => proptest::sample::select(vec![
            "privacy", "blocked", "outdated", "deactivated", "incompatible",
        ])
        .prop_map(|refuses| format!("refuses = '{refuses}'\n")),
    ]
}

/// What is wrong in the calls with a person, as the scenario has it: mostly nothing.
fn any_hostility() -> impl Strategy<Value = String> {
    let kinds = vec![
        "wrong-g-a",
        "zero",
        "one",
        "p-minus-one",
        "wrong-fingerprint",
        "unknown-version",
        "no-connections",
        "garbage-parameters",
    ];
    proptest::option::weighted(0.12, proptest::sample::select(kinds))
        .prop_map(|kind| kind.map(|kind| format!("hostile = ['{kind}']\n")).unwrap_or_default())
}

/// A changed answer to a request about calls of the program, as the scenario has it.
fn any_answer() -> impl Strategy<Value = String> {
    let method = proptest::sample::select(vec![
        "phone.requestCall",
        "phone.acceptCall",
        "phone.confirmCall",
        "phone.sendSignalingData",
        "phone.discardCall",
        "messages.getDhConfig",
    ]);
    // A hang-up is never refused with the untruth that the call has ended.
    let refusals = [
        "420 FLOOD_WAIT_3",
        "420 FLOOD_WAIT_40",
        "500 CALL_OCCUPY_FAILED",
        "403 USER_PRIVACY_RESTRICTED",
        "406 SOMETHING_LOCAL",
        "406 CALL_PROTOCOL_COMPAT_LAYER_INVALID",
        "400 CALL_PROTOCOL_FLAGS_INVALID",
        "400 CALL_PEER_INVALID",
        "400 CALL_ALREADY_ACCEPTED",
        "400 CALL_ALREADY_DECLINED",
    ];
    let error = move |method: &'static str| {
        let truths = if method == "phone.discardCall" { 5 } else { refusals.len() };
        proptest::sample::select(refusals[..truths].to_vec())
    };
    let method = method.prop_flat_map(move |method| (Just(method), error(method)));
    let what = prop_oneof![
        3 => Just(None),
        2 => (0.1..14.0f64).prop_map(|delay| Some(format!("delay = {delay:.1}\n"))),
        1 => any::<bool>().prop_map(|effect| Some(format!("silence = true\neffect = {effect}\n"))),
        1 => (any::<bool>(), 0.0..4.0f64)
            .prop_map(|(effect, cut)| Some(format!("cut = {cut:.1}\neffect = {effect}\n"))),
    ];
    let any = (method, what, 1..3).prop_map(|((method, error), what, times)| {
        let what = what.unwrap_or_else(|| format!("error = '{error}'\n"));
        format!("[[answer]]\nmethod = '{method}'\n{what}times = {times}\n")
    });
    // A wait for rules, which decline more calls meanwhile unless they pause.
    let wait = "[[answer]]\nmethod = 'phone.discardCall'\nerror = '420 FLOOD_WAIT_40'\ntimes = 1\n";
    prop_oneof![5 => any, 1 => Just(wait.to_owned())]
}

/// What the media of a call report.
fn any_media() -> impl Strategy<Value = MediaScript> {
    let event = prop_oneof![
        12 => Just(PhoneEvent::Signaling(Vec::new())),
        3 => Just(PhoneEvent::Connected),
        1 => Just(PhoneEvent::Reconnecting),
        1 => Just(PhoneEvent::Path(SoundRoute::Relayed { connection_id: 1 })),
        1 => any::<bool>().prop_map(PhoneEvent::PeerMuted),
        1 => Just(PhoneEvent::MutedByDevice("another microphone".to_owned())),
        1 => Just(PhoneEvent::Trouble(Some("no sound".to_owned()))),
    ];
    let wait = prop_oneof![3 => 0u64..300, 1 => 0u64..9_000];
    let end = proptest::option::weighted(
        0.4,
        prop_oneof![
            3 => Just(PhoneEvent::Ended(Some("no path".to_owned()))),
            1 => Just(PhoneEvent::Ended(None)),
        ],
    );
    let late = proptest::sample::select(vec![0, 0, 50, 400]);
    (proptest::collection::vec((wait, event), 0..30), 0u64..20_000, end, late).prop_map(
        |(mut events, wait, end, late)| {
            events.extend(end.map(|end| (wait, end)));
            MediaScript { events, late }
        },
    )
}

/// The keys of `[server]` for what Telegram does not document, and whether a difference has all
/// calls.
fn any_variant() -> impl Strategy<Value = (String, bool)> {
    let one_of = |values: &[&'static str]| proptest::sample::select(values.to_vec());
    (
        one_of(&["kept", "overruled"]),
        one_of(&["peer-invalid", "already-declined", "ok", "ok-with-end"]),
        one_of(&["no-reason", "hangup"]),
        one_of(&["client", "server"]),
        one_of(&["all", "all", "none", "requested"]),
        proptest::sample::select(vec![0, 0, 2, 5]),
        proptest::sample::select(vec![0, 0, 1, 7]),
        one_of(&["scripted", "scripted", "scripted", "acks", "absent"]),
    )
        .prop_map(|(reasons, repeat, elsewhere, duration, repeats_calls, lag, page, devices)| {
            let text = format!(
                "reasons = '{reasons}'\nrepeat = '{repeat}'\nanswered_elsewhere = '{elsewhere}'\n\
                 duration = '{duration}'\nrepeats_calls = '{repeats_calls}'\nsearch_lag = {lag}\n\
                 search_page = {page}\n[me]\ndevices = '{devices}'\n"
            );
            (text, repeats_calls == "all")
        })
}

/// How the callee's device declines a call, as the scenario has it.
fn any_decline() -> impl Strategy<Value = String> {
    let reason = proptest::sample::select(vec!["busy", "hangup", "missed"]);
    (reason, any::<bool>()).prop_map(|(reason, zero)| {
        let duration = if zero { "duration = 0\n" } else { "" };
        format!("then = 'declined'\nreason = '{reason}'\n{duration}")
    })
}

/// The service message after a call, as the scenario has it.
fn any_message() -> impl Strategy<Value = String> {
    let kind = prop_oneof![
        6 => Just("full"),
        1 => Just("no-reason"),
        1 => Just("early"),
        1 => Just("deleted"),
        1 => Just("none"),
    ];
    (kind, proptest::option::weighted(0.2, 0.1..20.0f64)).prop_map(|(kind, late)| {
        let late = late.map(|late| format!("message_late = {late:.1}\n")).unwrap_or_default();
        format!("message = '{kind}'\n{late}")
    })
}

/// A call, as the scenario has it.
fn any_call(until: u64) -> impl Strategy<Value = String> {
    // Contacts only call: those whom the program calls have another call at that time.
    let person = (0usize..3, proptest::option::weighted(0.2, 0usize..2));
    let device = proptest::sample::select(vec!["here", "elsewhere"]);
    let container = proptest::sample::select(vec!["updates", "short", "combined"]);
    // Some come when all is well again, and some meet a busy device.
    let rings = prop_oneof![8 => 2.0..80.0f64, 1 => Just(0.02), 1 => Just(90.0)];
    let times = (0.0..(until + 280) as f64, rings);
    let head = (person, proptest::bool::weighted(0.7), times, any::<bool>(), any::<bool>())
        .prop_map(|((person, contact), incoming, (at, rings), video, receipt)| {
            let caller = contact.map_or(format!("p{person}"), |contact| format!("c{contact}"));
            let (from, to) =
                if incoming { (caller, "me".into()) } else { ("me".into(), format!("p{person}")) };
            let mut text = format!(
                "[[call]]\nfrom = '{from}'\nto = '{to}'\nat = {at:.1}\nrings = {rings:.2}\nvideo = {video}\n"
            );
            if receipt && !incoming {
                let _ = writeln!(text, "receipt = {:.1}", rings / 2.0);
            }
            text
        });
    let ends = proptest::sample::select(vec!["peer", "me", "lost", "migrated"]);
    let talks = proptest::option::weighted(0.7, 1.0..150.0f64);
    let answered = (0.0..5.0f64, talks, ends).prop_map(|(connects, talks, ends)| {
        let talks = talks.map(|talks| format!("talks = {talks:.1}\n")).unwrap_or_default();
        format!("then = 'answered'\nconnects = {connects:.1}\nends = '{ends}'\n{talks}")
    });
    let unanswered = proptest::sample::select(vec!["missed", "lost"]);
    let then = prop_oneof![
        2 => unanswered.prop_map(|then| format!("then = '{then}'\n")),
        2 => any_decline(),
        2 => answered,
    ];
    let delivery = (device, container, any_message());
    (head, then, delivery).prop_map(|(head, then, (device, container, message))| {
        format!("{head}{then}device = '{device}'\ncontainer = '{container}'\n{message}")
    })
}

/// An invitation to a conference, as the scenario has it.
fn any_invitation(until: u64) -> impl Strategy<Value = String> {
    let conference = proptest::sample::select(vec!["", "", "a", "b"]);
    let then = proptest::sample::select(vec![
        "then = 'missed'",
        "then = 'joined'\ntalks = 9",
        "then = 'deleted'",
    ]);
    let rings = proptest::option::weighted(0.8, 1.0..90.0f64);
    (0usize..3, conference, 0.0..(until + 280) as f64, rings, then).prop_map(
        |(person, conference, at, rings, then)| {
            let rings = rings.map(|rings| format!("rings = {rings:.1}\n")).unwrap_or_default();
            format!(
                "[[invite]]\nfrom = 'p{person}'\nconference = '{conference}'\nat = {at:.1}\n\
                 {rings}{then}\n"
            )
        },
    )
}

/// A few steps that belong together.
fn any_steps(waits: u64) -> impl Strategy<Value = Vec<Step>> {
    let key = prop_oneof![
        8 => Just(Action::HangUpNow),
        3 => Just(Action::HangUp),
        2 => Just(Action::Accept),
        3 => Just(Action::Down),
        1 => Just(Action::Up),
        2 => Just(Action::Top),
        2 => Just(Action::Mark),
        2 => Just(Action::Dismiss),
        2 => Just(Action::Back),
        1 => Just(Action::Freeze),
        1 => Just(Action::Reconnect),
        1 => Just(Action::Reverse),
        4 => Just(Action::Answer),
        1 => Just(Action::Mute),
    ];
    let pause = || {
        (0u64..1_500, any::<bool>())
            .prop_map(|(wait, waits)| Step::Wait(if waits { wait } else { 0 }))
    };
    // The question whether to end the own call may follow.
    let talk = || prop_oneof![1 => Just(0), 2 => 0..8_000u64].prop_map(Step::Wait);
    let answer =
        (any::<bool>(), pause(), any::<bool>(), talk()).prop_map(|(top, wait, yes, talk)| {
            let question = if yes { Action::Accept } else { Action::Back };
            let go = Step::Press(if top { Action::Top } else { Action::Down });
            vec![go, Step::Press(Action::Answer), wait, Step::Press(question), talk]
        });
    let call = (pause(), 0usize..5, talk()).prop_map(|(wait, down, talk)| {
        let down = std::iter::repeat_n(Step::Press(Action::Complete), down);
        let open = [Step::Press(Action::Call), wait];
        open.into_iter().chain(down).chain([Step::Press(Action::Accept), talk]).collect()
    });
    let order = prop_oneof![
        2 => (0usize..4).prop_map(Step::Place),
        4 => (0usize..4).prop_map(Step::Answer),
        1 => Just(Step::HangUpOwn),
    ];
    let choice = proptest::sample::select(vec![
        Action::Accept,
        Action::DefaultReason,
        Action::ReasonBusy,
        Action::ReasonMissed,
        Action::ReasonHangup,
        Action::ReasonDisconnect,
    ]);
    // Between the picker and the choice something may happen.
    let pick = (choice, 0u64..1_500, any::<bool>()).prop_map(|(choice, wait, waits)| {
        let wait = Step::Wait(if waits { wait } else { 0 });
        vec![Step::Press(Action::Top), Step::Press(Action::HangUp), wait, Step::Press(choice)]
    });
    let selector = proptest::sample::select(vec![
        Selector::Only,
        Selector::Selected,
        Selector::Latest,
        Selector::Ringing,
        Selector::All,
    ]);
    let target = prop_oneof![
        2 => (0usize..8).prop_map(Target::Known),
        1 => selector.prop_map(Target::Selected),
    ];
    let reason = proptest::option::of(proptest::sample::select(vec![
        Reason::Busy,
        Reason::Missed,
        Reason::Hangup,
        Reason::Disconnect,
    ]));
    // Between the status and the hang-up something may happen.
    let control = (target, reason, proptest::bool::weighted(0.3), 0u64..1_500, any::<bool>())
        .prop_map(|(target, reason, yes, wait, waits)| {
            let wait = Step::Wait(if waits { wait } else { 0 });
            vec![Step::AskStatus, wait, Step::Hangup { target, reason, yes }]
        });
    let quiet = (any::<bool>(), proptest::sample::select(vec!["", "1m", "on", "off", "off"]));
    let quiet = quiet.prop_map(|(one, text)| {
        let account = if one { Action::Complete } else { Action::CompleteBack };
        let open = [Step::Press(Action::DoNotDisturb), Step::Press(account), Step::Paste(text)];
        open.into_iter().chain([Step::Press(Action::Accept)]).collect::<Vec<_>>()
    });
    let rules = prop_oneof![
        2 => quiet,
        2 => proptest::option::weighted(0.8, 0usize..4).prop_map(|it| vec![Step::Reload(it)]),
        2 => (0usize..4, any_stray()).prop_map(|(call, event)| vec![Step::Stray(call, event)]),
        1 => Just(vec![Step::Press(Action::Top), Step::Press(Action::Silence)]),
    ];
    prop_oneof![
        4 => control,
        4 => rules,
        8 => (0..waits).prop_map(|millis| vec![Step::Wait(millis)]),
        6 => (0u64..400).prop_map(|millis| vec![Step::Wait(millis)]),
        12 => key.prop_map(|key| vec![Step::Press(key)]),
        6 => pick,
        7 => answer,
        3 => call,
        5 => order.prop_map(|it| vec![it]),
        1 => proptest::sample::select(vec![Step::Restart, Step::Kill]).prop_map(|it| vec![it]),
    ]
}

//! How long rules take to decide about a call, beside a scan of their names.

#[path = "../common.rs"]
mod common;

use std::hint::black_box;

use criterion::Criterion;
use jiff::tz::TimeZone;
use onhook::calls::Party;
use onhook::calls::history::HistoryKind;
use onhook::rules::{Presence, RuleCall, Rules, decide};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let hours = "08:00-18:00".parse().expect("hours");
    let rules = Rules { rules: common::rules::unmatched(100, hours), ..Rules::default() };
    let peer = Party { name: Some("Grace Hopper".to_owned()), ..Party::unknown(107) };
    let call = RuleCall {
        account: "ada",
        peer: &peer,
        kind: HistoryKind::Audio,
        at: "2026-01-05T00:00:00Z".parse().expect("a time"),
        earlier: None,
        in_call: false,
        do_not_disturb: false,
        presence: Presence::default(),
    };
    assert_eq!(decide(&rules, 0, &call, &TimeZone::UTC).rule, None, "all of them are tried");
    for (name, zone) in [("UTC", "UTC"), ("Berlin", "Europe/Berlin")] {
        let zone = TimeZone::get(zone).expect("a zone");
        criterion.bench_function(&format!("100 rules, none matches, {name}"), |bencher| {
            bencher.iter(|| decide(black_box(&rules), 0, black_box(&call), &zone));
        });
    }
    criterion.bench_function("floor: 100 names compared", |bencher| {
        bencher.iter(|| black_box(&rules).rules.iter().filter(|it| it.name == "none").count());
    });
    criterion.final_summary();
}

//! What reading a ledger of 1,000,000 calls costs: first page, later pages, filters, text search, and
//! the statistics.

#![expect(clippy::print_stdout, reason = "printing is the job of a benchmark")]

use std::path::Path;
use std::time::{Duration, Instant};

use criterion::Criterion;
use onhook::app::action::Action;
use onhook::app::history::{PAGE, StatisticsPanel};
use onhook::app::msg::Msg;
use onhook::calls::history::{HistoryFilter, MISSED, PageStart};
use onhook::ledger::Ledger;
use onhook::runtime::Switchboard;
use onhook::telegram::Network;

const CALLS: i64 = 1_000_000;
/// People in the ledger; each has a name of two words that repeat.
const PEOPLE: i64 = 20_000;

/// Fills a ledger by SQL: the writer is not measured here.
async fn fill(path: &Path) {
    drop(Ledger::open(path).await.expect("a new ledger"));
    let database = libsql::Builder::new_local(path).build().await.expect("a database");
    let connection = database.connect().expect("a connection");
    let sql = format!(
        "BEGIN;
        INSERT INTO people (id, folded)
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {PEOPLE} - 1)
            SELECT i, 'name' || (i % 900) || ' surname' || (i / 900) || ' @user' || i FROM n;
        INSERT INTO calls (account, id, peer, name, username, outgoing, video, placed, ended,
            outcome, recorded, ring_seconds, talk_seconds)
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {CALLS} - 1)
            SELECT i % 3, i, (i * 7919) % {PEOPLE}, 'name', 'user', i % 2, i % 5 = 0,
                1600000000000 + i * 60000, 1600000000000 + i * 60000 + 9000,
                CASE i % 4 WHEN 0 THEN 'missed' WHEN 1 THEN 'completed' WHEN 2 THEN 'declined'
                    ELSE 'unanswered' END,
                'missed', 9, NULL FROM n;
        COMMIT;"
    );
    connection.execute_batch(&sql).await.expect("filled");
}

/// Opens the statistics on the history of a board without a screen, and moves the cursor until they are
/// shown. Returns how long that took, and the longest time of a key.
async fn open_statistics(path: &Path) -> (Duration, Duration) {
    let mut switchboard = Switchboard::open(Vec::new(), Network::default(), Some(path)).await;
    let press = |switchboard: &mut Switchboard, action| {
        let start = Instant::now();
        switchboard.dispatch(Msg::Action(action)).expect("there is no output");
        start.elapsed()
    };
    press(&mut switchboard, Action::ShowHistory);
    while switchboard.state.history.rows().is_empty() {
        assert_eq!(switchboard.state.history.failure, None);
        let msg = switchboard.next_event().await;
        switchboard.dispatch(msg).expect("there is no output");
    }
    let start = Instant::now();
    let mut longest = press(&mut switchboard, Action::Statistics);
    let mut keys = tokio::time::interval(Duration::from_millis(1));
    while !matches!(switchboard.state.history.statistics, StatisticsPanel::Shown(_)) {
        tokio::select! {
            msg = switchboard.next_event() => switchboard.dispatch(msg).expect("there is no output"),
            _ = keys.tick() => longest = longest.max(press(&mut switchboard, Action::Down)),
        }
    }
    let counted = start.elapsed();
    switchboard.close().await;
    (counted, longest)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("ledger.db");
    onhook::accounts::private_file(&path).expect("a file");
    let began = Instant::now();
    runtime.block_on(fill(&path));
    println!("{CALLS} calls in {:?}", began.elapsed());
    for _ in 0..3 {
        let (counted, key) = runtime.block_on(open_statistics(&path));
        println!("the statistics are shown after {counted:.0?}; the longest key took {key:.1?}");
    }
    let ledger = runtime.block_on(Ledger::open(&path)).expect("the ledger");
    let deep = runtime.block_on(async {
        // A page in the middle: half of all calls are older.
        let mut start = PageStart::Newest;
        for _ in 0..200 {
            let page = ledger.page(&HistoryFilter::default(), start, 2_500).await.expect("a page");
            start = PageStart::OlderThan(page.calls.last().expect("a call").cursor());
        }
        start
    });
    let of = |text: &str| HistoryFilter { text: text.to_owned(), ..HistoryFilter::default() };
    let cases = [
        ("first page", HistoryFilter::default(), PageStart::Newest),
        ("a page in the middle", HistoryFilter::default(), deep),
        (
            "one person",
            HistoryFilter { person: Some(77), ..HistoryFilter::default() },
            PageStart::Newest,
        ),
        ("missed", HistoryFilter { outcomes: MISSED.to_vec(), ..HistoryFilter::default() }, deep),
        ("the last page", HistoryFilter::default(), PageStart::Oldest),
        ("one account", HistoryFilter { account: Some(1), ..HistoryFilter::default() }, deep),
        ("text of one person", of("@user777 name777"), PageStart::Newest),
        ("text of 242 people", of("name77 "), PageStart::Newest),
        ("text of all people", of("name"), PageStart::Newest),
        ("text of nobody", of("zebra"), PageStart::Newest),
    ];
    let mut criterion = Criterion::default()
        .configure_from_args()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    let mut group = criterion.benchmark_group("ledger of 1,000,000 calls");
    for (name, filter, start) in cases {
        group.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(ledger.page(&filter, start, PAGE)).expect("a page"));
        });
    }
    for (name, filter) in [("statistics", of("")), ("statistics of 242 people", of("name77 "))] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(ledger.statistics(&filter)).expect("statistics"));
        });
    }
    group.finish();
    criterion.final_summary();
}

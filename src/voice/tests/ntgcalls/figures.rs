//! A table of figures for `tests/bench/README.md`.

use std::fs;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use onhook_voice::LibraryVersion;

use crate::bursts::{HeardBursts, quantile};
use crate::call::{CallPlan, InteropCall};
use crate::reflector::{LossyLine, LossyReflector};

/// How long each line is measured, and how long one line is in a long call.
const TIME: Duration = Duration::from_mins(1);
const LONG: Duration = Duration::from_mins(10);
/// How long the jitter buffers may take to adapt before that.
const SETTLING: Duration = Duration::from_secs(5);
/// The unit of the times in `/proc/PID/stat`, on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Measures three lines, one after the other, and prints a row for each.
pub fn print() {
    let lines = [(0, 0), (5, 30), (20, 100)];
    rows(lines.map(|(loss, delay)| (LossyLine { loss, delay }, TIME)));
}

/// Measures a line without faults for ten minutes.
pub fn print_long() {
    rows([(LossyLine { loss: 0, delay: 0 }, LONG)]);
}

fn rows(lines: impl IntoIterator<Item = (LossyLine, Duration)>) {
    let mut out = stdout().lock();
    let mut write = |row: String| writeln!(out, "{row}").expect("the output is open");
    write(
        "| line | connected | mouth to ear, here → ntgcalls: p50, p95 | ntgcalls → here | bursts \
         heard by ntgcalls, here | dropouts at ntgcalls, here | CPU here, ntgcalls | memory here, \
         ntgcalls |"
            .to_owned(),
    );
    write("|---|---|---|---|---|---|---|---|".to_owned());
    for (line, time) in lines {
        write(row(line, time));
    }
}

fn row(line: LossyLine, time: Duration) -> String {
    let plan = CallPlan { version: LibraryVersion::V13, caller: true, custom: "{}" };
    let reflector = LossyReflector::start(line, 11);
    let call = InteropCall::start(plan, Some(&reflector));
    let connection = call.connected();
    call.listen(SETTLING);
    let (engine, peer) = (engine_time(), process_time(call.peer.id()));
    let began = Instant::now();
    let heard = call.listen(time);
    let share = |from: f64, to: f64| 100.0 * (to - from) / began.elapsed().as_secs_f64();
    let of_engine = share(engine, engine_time());
    let of_peer = share(peer, process_time(call.peer.id()));
    let delay = |heard: &HeardBursts| {
        let (middle, high) = (quantile(&heard.delays, 0.5), quantile(&heard.delays, 0.95));
        format!("{middle:.0}, {high:.0} ms")
    };
    format!(
        "| {} % lost, 0 to {} ms late | {:.0} ms | {} | {} | {}, {} | {}, {} | {of_engine:.1}, \
         {of_peer:.1} % | {:.0}, {:.0} MB |",
        line.loss,
        line.delay,
        connection.own.max(connection.peer).as_secs_f64() * 1_000.0,
        delay(&heard.peer),
        delay(&heard.own),
        heard.peer.delays.len(),
        heard.own.delays.len(),
        heard.peer.dropouts,
        heard.own.dropouts,
        memory("self"),
        memory(&call.peer.id().to_string()),
    )
}

/// The seconds of processor time of the threads of the engine and of its device.
fn engine_time() -> f64 {
    let threads = fs::read_dir("/proc/self/task").expect("this process");
    let stats = threads.flatten().filter_map(|it| fs::read_to_string(it.path().join("stat")).ok());
    let of_engine = |stat: &String| stat.contains("(voice)") || stat.contains("(sound)");
    stats.filter(of_engine).map(|stat| time_of(&stat)).sum()
}

fn process_time(process: u32) -> f64 {
    time_of(&fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs"))
}

/// User and system time. The fields after the name, which may contain spaces, begin with the state.
fn time_of(stat: &str) -> f64 {
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks = fields.split_ascii_whitespace().skip(11).take(2);
    ticks.map(|it| it.parse::<f64>().expect("a number")).sum::<f64>() / TICKS_PER_SECOND
}

/// The resident memory of a process, in megabytes.
fn memory(process: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    let kilobytes = line.split_ascii_whitespace().next().expect("a number");
    kilobytes.parse::<f64>().expect("a number") / 1024.0
}

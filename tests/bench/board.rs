//! What the board costs without a network: taking in a flood, drawing, ticking.

#![expect(clippy::print_stdout, reason = "printing is the job of a benchmark")]

#[path = "../common.rs"]
mod common;

use std::cell::Cell;
use std::hint::black_box;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use jiff::Timestamp;
use onhook::app::account::AccountState;
use onhook::app::action::Action;
use onhook::app::msg::Msg;
use onhook::app::{State, update};
use onhook::calls::account::AccountEvent;
use onhook::calls::event::{Protocol, Stage};
use onhook::calls::{AccountId, Party};
use onhook::ui::{DisplayOptions, Scratch, view};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::{TerminalOptions, Viewport};

use common::calls::{self, ME};
use common::display::{self, SIZE};

fn now() -> Timestamp {
    calls::at(0)
}

fn ring(id: i64) -> Msg {
    let peer = Party {
        user_id: 100 + id % 200,
        name: Some(format!("Caller {:03}", id % 200)),
        username: None,
        phone: None,
        contact: None,
    };
    let mut call = calls::live(id, peer, true, now(), Stage::Requested);
    call.video = id % 4 == 0;
    call.protocol = Protocol { layers: (65, 92), libraries: vec!["13.0.0".to_owned()] };
    Msg::Account(AccountId(0), AccountEvent::Call(calls::event(call)))
}

fn empty() -> State {
    State::new(vec![AccountState::new(String::new(), Party::unknown(ME))])
}

fn board_of(calls: i64) -> State {
    let mut state = empty();
    for id in 0..calls {
        // Scattered, as Telegram's ids are.
        update(&mut state, ring(id.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)), now());
    }
    state.calls.take_changes();
    update(&mut state, Msg::Resized { width: SIZE.width, height: SIZE.height }, now());
    state
}

/// Counts what is written, and forgets it.
#[derive(Clone, Default)]
struct Counter(Rc<Cell<usize>>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal that only counts.
struct Screen {
    terminal: Terminal<CrosstermBackend<Counter>>,
    written: Counter,
}

fn screen() -> Screen {
    let options = TerminalOptions { viewport: Viewport::Fixed(SIZE) };
    let written = Counter::default();
    let terminal = Terminal::with_options(CrosstermBackend::new(written.clone()), options);
    Screen { terminal: terminal.expect("in memory"), written }
}

/// Draws a frame and returns how many bytes it wrote.
fn draw(screen: &mut Screen, state: &State, look: &DisplayOptions, at: Timestamp) -> usize {
    let before = screen.written.0.get();
    let mut scratch = Scratch::default();
    screen.terminal.draw(|frame| view(state, look, at, &mut scratch, frame)).expect("in memory");
    screen.written.0.get() - before
}

fn after(seconds: i64) -> Timestamp {
    now() + jiff::SignedDuration::from_secs(seconds)
}

fn flood(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reducer");
    group.sample_size(20);
    for calls in [1_000, 10_000] {
        let flood: Vec<_> = (0..calls)
            .map(|id: i64| ring(id.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)))
            .collect();
        group.bench_function(format!("flood of {calls} calls"), |bencher| {
            let setup = || (empty(), flood.clone());
            bencher.iter_batched(
                setup,
                |(mut state, flood)| {
                    for msg in flood {
                        black_box(update(&mut state, msg, now()));
                    }
                    state
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn drawing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("draw");
    let look = display::options();
    for calls in [10, 100, 10_000] {
        let mut state = board_of(calls);
        update(&mut state, Msg::Action(Action::Bottom), now());
        let mut screen = screen();
        let mut second = 0;
        group.bench_function(format!("board of {calls} calls"), |bencher| {
            bencher.iter(|| {
                second = (second + 1) % 80;
                draw(&mut screen, &state, &look, after(second))
            });
        });
    }
    group.finish();
}

/// Not a matter of time: how many bytes go to the terminal when one second passes.
fn tick_bytes() {
    let look = display::options();
    for calls in [1, 12, 10_000] {
        let state = board_of(calls);
        let mut screen = screen();
        let whole = draw(&mut screen, &state, &look, after(10));
        let tick = draw(&mut screen, &state, &look, after(11));
        let same = draw(&mut screen, &state, &look, after(11));
        println!(
            "bytes written, board of {calls} calls: whole frame {whole}, one second {tick}, nothing new {same}"
        );
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    tick_bytes();
    flood(&mut criterion);
    drawing(&mut criterion);
    criterion.final_summary();
}

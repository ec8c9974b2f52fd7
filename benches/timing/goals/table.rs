//! How a row is measured, and how the table is printed.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Runs so many times and says how long that took.
pub(crate) type Batch<'a> = &'a mut dyn FnMut(u32) -> Duration;

/// What the ratio of this library's figure to the limit should be.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// Of times: this library's divided by the limit's.
    AtMost(f64),
    /// Of rates: this library's divided by the bare counterpart's.
    AtLeast(f64),
    /// None: this library's time is quoted beside the limit's.
    Quoted,
}

/// One row: times of a run in each round, this library's and the limit's.
struct Row {
    name: String,
    goal: Goal,
    ours: Vec<f64>,
    limit: Vec<f64>,
    /// Allocations of a run more than the limit's, and how many may be.
    more: Option<(f64, f64)>,
}

/// What is done with each row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Both sides run once, and nothing is judged.
    Once,
    /// Both sides are timed.
    Timed,
    /// One side runs so many times. A profiler counts what it does.
    Run(Side, u32),
}

/// A side of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Ours,
    Limit,
}

pub(crate) struct Table {
    rows: Vec<Row>,
    names: Vec<String>,
    mode: Mode,
}

impl Table {
    pub(crate) fn new(mode: Mode, names: Vec<String>) -> Self {
        Self { rows: Vec::new(), names, mode }
    }

    /// Whether something is timed, or only run.
    pub(crate) fn is_timed(&self) -> bool {
        self.mode == Mode::Timed
    }

    /// Whether a row was asked for: all are, where none is named.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|it| name.contains(it.as_str()))
    }

    /// Adds a row of runs that take nanoseconds or microseconds.
    pub(crate) fn row(&mut self, name: &str, goal: Goal, ours: Batch<'_>, limit: Batch<'_>) {
        self.row_of(name, goal, 45, Duration::from_millis(4), ours, limit);
    }

    /// Adds a row of so many rounds, each of about so long.
    pub(crate) fn row_of(
        &mut self,
        name: &str,
        goal: Goal,
        rounds: usize,
        round: Duration,
        ours: Batch<'_>,
        limit: Batch<'_>,
    ) {
        if !self.wants(name) {
            return;
        }
        if let Mode::Run(side, times) = self.mode {
            match side {
                Side::Ours => ours(times),
                Side::Limit => limit(times),
            };
            return;
        }
        let mut row =
            Row { name: name.to_owned(), goal, ours: Vec::new(), limit: Vec::new(), more: None };
        let rounds = if self.is_timed() { rounds } else { 1 };
        let times = |batch: &mut dyn FnMut(u32) -> Duration| {
            if !self.is_timed() || round.is_zero() {
                return 1;
            }
            // What starting threads costs must not pass for what their work costs.
            let mut times = 20;
            loop {
                let took = batch(times).max(Duration::from_nanos(20));
                if took * 4 >= round || times >= MOST_TIMES / 4 {
                    let all = f64::from(times) * round.as_secs_f64() / took.as_secs_f64();
                    return (all as u32).clamp(4, MOST_TIMES);
                }
                times *= 4;
            }
        };
        let (of_ours, of_limit) = (times(ours), times(limit));
        for _ in 0..rounds {
            row.ours.push(ours(of_ours).as_nanos() as f64 / f64::from(of_ours));
            row.limit.push(limit(of_limit).as_nanos() as f64 / f64::from(of_limit));
        }
        self.rows.push(row);
    }

    /// Says of the last row how many allocations more than the limit's a run makes.
    pub(crate) fn allocates(
        &mut self,
        name: &str,
        at_most: f64,
        ours: impl FnMut(),
        limit: impl FnMut(),
    ) {
        if let Some(row) = self.rows.last_mut().filter(|row| row.name == name) {
            row.more = Some((allocations(ours) - allocations(limit), at_most));
        }
    }

    pub(crate) fn print(&self) {
        if !self.is_timed() {
            return;
        }
        println!(
            "| row | goal | middle ratio | ratio of the lowest | here | limit | allocations |"
        );
        println!("| --- | --- | --- | --- | --- | --- | --- |");
        for row in &self.rows {
            let ratio = |ours: f64, limit: f64| match row.goal {
                Goal::AtMost(_) | Goal::Quoted => ours / limit,
                Goal::AtLeast(_) => limit / ours,
            };
            let ratios = row.ours.iter().zip(&row.limit).map(|(ours, limit)| ratio(*ours, *limit));
            let (goal, digits) = match row.goal {
                Goal::AtMost(goal) => (format!("≤ {goal}"), 2),
                Goal::AtLeast(goal) => (format!("≥ {goal}"), 3),
                Goal::Quoted => ("–".to_owned(), 2),
            };
            let lowest = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
            println!(
                "| {} | {goal} | {:.digits$} | {:.digits$} | {} | {} | {} |",
                row.name,
                middle(ratios.collect()),
                ratio(lowest(&row.ours), lowest(&row.limit)),
                time(middle(row.ours.clone())),
                time(middle(row.limit.clone())),
                row.more
                    .map_or("–".to_owned(), |(more, most)| format!("{more:+.1} (≤ {most:+})")),
            );
        }
    }
}

/// How many runs a round has at most.
const MOST_TIMES: u32 = 10_000_000;

/// How long some work takes.
pub(crate) fn timed(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

/// So many runs by each of so many threads, from the first one's begin to the last one's end.
pub(crate) fn together(
    threads: usize,
    run: &(dyn Fn(u32) -> Duration + Sync),
    times: u32,
) -> Duration {
    if threads == 1 {
        return run(times);
    }
    let gate = Barrier::new(threads);
    let timed = || {
        gate.wait();
        let begin = Instant::now();
        run(times);
        (begin, Instant::now())
    };
    let spans: Vec<(Instant, Instant)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(timed)).collect();
        threads.into_iter().map(|it| it.join().expect("nobody panics")).collect()
    });
    let begin = spans.iter().map(|span| span.0).min();
    let end = spans.iter().map(|span| span.1).max();
    begin.zip(end).map_or(Duration::MAX, |(begin, end)| end - begin)
}

/// Allocations of a run, the mean of two hundred.
fn allocations(mut run: impl FnMut()) -> f64 {
    const TIMES: u32 = 200;
    run();
    let info = allocation_counter::measure(|| (0..TIMES).for_each(|_| run()));
    info.count_total as f64 / f64::from(TIMES)
}

fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e4 => format!("{nanoseconds:.1} ns"),
        1e4..1e7 => format!("{:.1} µs", nanoseconds / 1e3),
        _ => format!("{:.1} ms", nanoseconds / 1e6),
    }
}

//! Rounds, medians and tables.
//!
//! Owns how a number is measured and printed. Does not know any client or service.

use std::time::{Duration, Instant};

/// How old a token is when a table asks what its holder does once it is stale.
pub const AGE: Duration = Duration::from_secs(2);

/// What many rounds found of one number.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds one round's; what is not a number (no answer, or no time for one) is left out.
    pub fn push(&mut self, sample: f64) {
        self.0.extend(Some(sample).filter(|sample| !sample.is_nan()));
    }

    /// The middle of what was found; of two middles the lower.
    #[must_use]
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
    }

    /// This number's ratio to another's, round by round; its middle, with two digits.
    #[must_use]
    pub fn ratio_to(&self, other: &Self) -> String {
        let ratios = self.0.iter().zip(&other.0).map(|(one, other)| one / other);
        format!("{:.2}", Self(ratios.collect()).median())
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// Median, lowest and highest: `12.3 (11.9–14.0)`; one number if all rounds agree.
impl std::fmt::Display for Samples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sorted = self.sorted();
        let (Some(low), Some(high)) = (sorted.first(), sorted.last()) else {
            return f.write_str("–");
        };
        let digits =
            if self.median() < 100.0 && self.0.iter().any(|n| n.fract() != 0.0) { 1 } else { 0 };
        if low == high {
            return write!(f, "{low:.digits$}");
        }
        write!(f, "{:.digits$} ({low:.digits$}–{high:.digits$})", self.median())
    }
}

/// Measures what is done: time, processor time or allocations.
pub type Measure<'a> = &'a dyn Fn(&mut dyn FnMut()) -> f64;

/// A [`Measure`] of time, in nanoseconds.
pub fn nanoseconds(work: &mut dyn FnMut()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_nanos() as f64
}

/// Something that runs so many times and says how long it took.
pub type Batch<'a> = Box<dyn FnMut(u32) -> Duration + 'a>;

/// Nanoseconds a run of each batch, all batches in turn in every round, so that what the machine does
/// meanwhile hits them alike.
pub fn interleaved(rounds: usize, batches: &mut [Batch<'_>]) -> Vec<Samples> {
    // Short: a busy machine lets a thread run for some milliseconds before it lets another.
    const ROUND: Duration = Duration::from_millis(1);
    let times: Vec<u32> = batches
        .iter_mut()
        .map(|batch| {
            // Twice: the first run warms up.
            let each = (batch(200), batch(200)).1.as_nanos().max(1) / 200;
            (ROUND.as_nanos() / each.max(1)).clamp(50, 1_000_000) as u32
        })
        .collect();
    let mut samples = vec![Samples::default(); batches.len()];
    for _ in 0..rounds {
        for ((batch, times), samples) in batches.iter_mut().zip(&times).zip(&mut samples) {
            samples.push(batch(*times).as_nanos() as f64 / f64::from(*times));
        }
    }
    samples
}

/// Milliseconds.
#[must_use]
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Prints a table in Markdown, aligned.
pub fn print_table(title: &str, how: &str, head: &[&str], rows: &[Vec<String>]) {
    println!("\n### {title}\n\n{how}\n");
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let line = |row: &[String]| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let pad = width(column) - cell.chars().count();
            format!(" {cell}{} |", " ".repeat(pad))
        });
        println!("|{}", cells.collect::<String>());
    };
    line(&head);
    let rule = (0..head.len()).map(|column| "-".repeat(width(column) + 2) + "|");
    println!("|{}", rule.collect::<String>());
    rows.iter().for_each(|row| line(row));
}

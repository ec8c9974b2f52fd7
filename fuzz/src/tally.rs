//! What a target is, and how many of its inputs reach the goal.
//!
//! If nearly all inputs of a target are refused at once, the target finds nothing, and looks like a
//! success. So a campaign reports the share that reaches the goal.

use std::sync::atomic::{AtomicU64, Ordering};

/// A fuzz target: its name, its goal, and what runs one input.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its binary, its corpus and its dictionary.
    pub name: &'static str,
    /// The deepest state that an input can reach, in a few words.
    pub goal: &'static str,
    /// Runs one input; panics if an invariant is broken.
    pub run: fn(&[u8]) -> Ran,
}

/// What became of one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Whether it was read as a description of an input, and not as the bytes themselves.
    pub structured: bool,
    /// Whether it reached the target's goal.
    pub deepest: bool,
}

/// Counts a target's inputs while libFuzzer runs it.
#[derive(Debug)]
pub struct Tally {
    target: Target,
    all: AtomicU64,
    structured: AtomicU64,
    deepest: AtomicU64,
}

/// The first count at which a tally is printed; then at each doubling, as libFuzzer's own pulse.
const FIRST: u64 = 1 << 12;

impl Tally {
    /// A tally of nothing yet.
    #[must_use]
    pub const fn of(target: Target) -> Self {
        let (all, structured, deepest) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { target, all, structured, deepest }
    }

    /// Runs one input and, now and then, prints on standard error how many have reached the goal.
    ///
    /// # Panics
    ///
    /// Where an invariant is broken: that is the finding.
    pub fn run(&self, data: &[u8]) {
        let Ran { structured, deepest } = (self.target.run)(data);
        let all = self.all.fetch_add(1, Ordering::Relaxed) + 1;
        if structured {
            self.structured.fetch_add(1, Ordering::Relaxed);
            self.deepest.fetch_add(u64::from(deepest), Ordering::Relaxed);
        }
        if all >= FIRST && all.is_power_of_two() {
            let structured = self.structured.load(Ordering::Relaxed);
            let deepest = self.deepest.load(Ordering::Relaxed);
            let share = deepest as f64 * 100.0 / structured.max(1) as f64;
            let Target { name, goal, .. } = self.target;
            eprintln!(
                "{name}: {share:.1} % of {structured} structured inputs (of {all}) reached {goal}"
            );
        }
    }
}

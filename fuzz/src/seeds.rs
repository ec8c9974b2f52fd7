//! Schedules by seed: how many are played, and the trace of one that fails.
//!
//! Knows nothing of what a schedule does.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::choices::{Bytes, Choices, Dice, recorded};

/// Plays so many schedules: the long form.
const COUNT: &str = "IMTS_MODEL_SCHEDULES";

/// Plays the schedule of this seed alone.
const SEED: &str = "IMTS_MODEL_SEED";

/// The world of one schedule.
pub(crate) trait Played {
    /// What the schedules have reached.
    type Tally: Default;

    /// The dice of this seed.
    fn dice(seed: u64) -> Dice;
    fn new(choices: Box<dyn Choices>, tally: Self::Tally) -> Self;
    fn play(&mut self);
    fn trace(&mut self) -> &mut Option<Vec<String>>;
    fn into_tally(self) -> Self::Tally;
}

/// How many schedules are played, if that is set from outside.
pub(crate) fn long_form() -> Option<u64> {
    number(COUNT)
}

/// Plays `usual` schedules, or as many as the long form says. Nothing is yielded if one was chosen.
pub(crate) fn play_all<World: Played>(usual: u64) -> Option<World::Tally> {
    let mut tally = World::Tally::default();
    if let Some(seed) = number(SEED) {
        play::<World>(seed, tally);
        return None;
    }
    for seed in 0..long_form().unwrap_or(usual) {
        tally = play::<World>(seed, tally);
    }
    Some(tally)
}

/// Holds that the bytes which a recorder has written of a schedule play it again.
pub(crate) fn inputs_play_the_same<World: Played>(most_events: usize) {
    for seed in 0..200 {
        let (by_dice, input) = recorded(seed, World::dice(seed), traced::<World>);
        let by_bytes = traced::<World>(Box::new(Bytes::of(&input, most_events)));
        assert_eq!(by_bytes, by_dice, "schedule {seed}");
    }
}

fn traced<World: Played>(choices: Box<dyn Choices>) -> Vec<String> {
    let mut world = World::new(choices, World::Tally::default());
    *world.trace() = Some(Vec::new());
    world.play();
    world.trace().take().unwrap_or_default()
}

/// Plays one schedule. If it fails, plays it again with a trace, and reports that.
fn play<World: Played>(seed: u64, tally: World::Tally) -> World::Tally {
    let mut world = World::new(Box::new(World::dice(seed)), tally);
    if catch_unwind(AssertUnwindSafe(|| world.play())).is_ok() {
        return world.into_tally();
    }
    let mut world = World::new(Box::new(World::dice(seed)), World::Tally::default());
    *world.trace() = Some(Vec::new());
    let panic = catch_unwind(AssertUnwindSafe(|| world.play())).unwrap_err();
    let what = message(panic.as_ref());
    let trace = world.trace().take().unwrap_or_default().join("\n");
    panic!("{what}\n{trace}\n{what}\nthis was schedule {seed}: {SEED}={seed} runs it alone");
}

fn message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text.clone(),
        (_, Some(text)) => (*text).to_owned(),
        _ => "a panic without a message".to_owned(),
    }
}

#[allow(clippy::disallowed_methods, reason = "which schedules run is set from outside")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().expect("a number"))
}

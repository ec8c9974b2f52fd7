//! Where a simulated world takes its choices from: seeded dice in tests, an input's bytes in a fuzz target.
//!
//! Does not know what is chosen.

use std::collections::VecDeque;
#[cfg(test)]
use std::{cell::RefCell, rc::Rc};

/// A source of choices.
pub(crate) trait Choices {
    /// A number below `n`.
    fn below(&mut self, n: u64) -> u64;

    /// The bytes of a line. Dice take one of these texts, and may change it.
    fn line(&mut self, texts: &[&str]) -> Vec<u8>;

    /// Whether one more event happens.
    fn goes_on(&mut self) -> bool;
}

impl dyn Choices + '_ {
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a length")
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// The place of one of these, by its weight.
    pub(crate) fn weighed<T>(&mut self, choices: &[(u64, T)]) -> usize {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        let is_chosen = |(weight, _): &(u64, T)| match left.checked_sub(*weight) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        };
        choices.iter().position(is_chosen).expect("the weights sum up to the whole")
    }
}

/// The choices of a fuzz target's input: as many bytes for each as its numbers need, the highest
/// first, and for a line all bytes up to the next line feed. After the last byte each choice is 0, each line
/// empty, and no event happens.
pub(crate) struct Bytes {
    rest: VecDeque<u8>,
    /// How many events may still happen.
    events: usize,
}

impl Bytes {
    pub(crate) fn of(data: &[u8], events: usize) -> Self {
        Self { rest: data.iter().copied().collect(), events }
    }
}

impl Choices for Bytes {
    fn below(&mut self, n: u64) -> u64 {
        let number = (0..width(n))
            .fold(0, |sum, _| sum << 8 | u64::from(self.rest.pop_front().unwrap_or(0)));
        number % n
    }

    fn line(&mut self, _: &[&str]) -> Vec<u8> {
        let length = self.rest.iter().position(|byte| *byte == b'\n');
        let line = self.rest.drain(..length.unwrap_or(self.rest.len())).collect();
        self.rest.pop_front();
        line
    }

    fn goes_on(&mut self) -> bool {
        let goes_on = self.events > 0 && !self.rest.is_empty();
        self.events = self.events.saturating_sub(1);
        goes_on
    }
}

/// How many bytes a number below `n` needs.
fn width(n: u64) -> u32 {
    (u64::BITS - (n - 1).leading_zeros()).div_ceil(8)
}

/// Chance from a seed (SplitMix64): the same seed makes the same choices, on every machine.
#[cfg(test)]
pub(crate) struct Dice {
    state: u64,
    /// How many events may still happen.
    events: u64,
}

#[cfg(test)]
impl Dice {
    pub(crate) fn of(seed: u64, events: std::ops::Range<u64>) -> Self {
        let mut dice = Self { state: seed, events: 0 };
        dice.events = events.start + dice.below(events.end - events.start);
        dice
    }
}

#[cfg(test)]
impl Choices for Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn line(&mut self, texts: &[&str]) -> Vec<u8> {
        let choices: &mut dyn Choices = self;
        let mut line = choices.pick(texts).as_bytes().to_vec();
        if line.is_empty() || !choices.one_in(4) {
            return line;
        }
        let place = choices.index(line.len());
        match choices.below(4) {
            0 => line.truncate(place),
            1 => drop(line.remove(place)),
            2 => line.insert(place, line[place]),
            _ => line[place] = choices.pick(b"\"\\{}[]:,e0 \x80"),
        }
        line
    }

    fn goes_on(&mut self) -> bool {
        let goes_on = self.events > 0;
        self.events = self.events.saturating_sub(1);
        goes_on
    }
}

/// Writes the inputs of the first schedules into this folder, for a fuzz target to begin with.
#[cfg(test)]
const INPUTS: &str = "IMTS_MODEL_INPUTS";

/// Dice, and the bytes that make the same choices.
#[cfg(test)]
pub(crate) struct Recorder {
    dice: Dice,
    bytes: Rc<RefCell<Vec<u8>>>,
}

/// Plays a schedule by dice: what came of it, and the input that plays it again.
#[cfg(test)]
pub(crate) fn recorded<T>(
    seed: u64,
    dice: Dice,
    play: impl FnOnce(Box<dyn Choices>) -> T,
) -> (T, Vec<u8>) {
    let bytes = Rc::default();
    let played = play(Box::new(Recorder { dice, bytes: Rc::clone(&bytes) }));
    let input = bytes.take();
    if let Ok(folder) = std::env::var(INPUTS) {
        std::fs::write(format!("{folder}/seed-{seed}"), &input).expect("a folder to write to");
    }
    (played, input)
}

#[cfg(test)]
impl Choices for Recorder {
    fn below(&mut self, n: u64) -> u64 {
        let number = self.dice.below(n);
        let bytes = number.to_be_bytes();
        let width = usize::try_from(width(n)).expect("a few bytes");
        self.bytes.borrow_mut().extend(&bytes[bytes.len() - width..]);
        number
    }

    fn line(&mut self, texts: &[&str]) -> Vec<u8> {
        let line = self.dice.line(texts);
        self.bytes.borrow_mut().extend(line.iter().chain(b"\n"));
        line
    }

    fn goes_on(&mut self) -> bool {
        self.dice.goes_on()
    }
}

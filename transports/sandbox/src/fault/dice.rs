//! Decides which request meets which rule.

use super::{Fault, Rule, When};
use crate::operation::Operation;

/// Counts requests for each rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dice {
    /// The rules that the counts belong to.
    rules: Vec<Rule>,
    /// For each rule, how many requests it was about.
    counts: Vec<u64>,
    draws: u64,
}

impl Dice {
    /// Returns the fault of the first rule that applies. Every rule counts each request that it is
    /// about.
    pub(crate) fn pick(
        &mut self,
        rules: &[Rule],
        operation: Operation,
        seed: u64,
    ) -> Option<Fault> {
        if self.rules != rules {
            *self = Self { rules: rules.to_vec(), counts: vec![0; rules.len()], draws: 0 };
        }
        let mut picked = None;
        for (rule, count) in rules.iter().zip(&mut self.counts) {
            if rule.operation.is_some_and(|only| only != operation) {
                continue;
            }
            *count += 1;
            let applies = match rule.when {
                When::Always => true,
                When::Nth(n) => *count == n,
                When::Every(n) => n != 0 && count.is_multiple_of(n),
                When::Percent(percent) => {
                    self.draws += 1;
                    scramble(seed ^ scramble(self.draws)) % 100 < u64::from(percent)
                }
            };
            if applies && picked.is_none() {
                picked = Some(rule.fault.clone());
            }
        }
        picked
    }
}

/// Spreads neighbouring numbers far apart (the finalizer of SplitMix64).
fn scramble(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

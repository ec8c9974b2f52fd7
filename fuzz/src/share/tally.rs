//! What the schedules have reached: a promise that no schedule puts to the test proves nothing.

use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Tally {
    counts: BTreeMap<&'static str, u64>,
}

/// Each must be reached by some schedule.
const REQUIRED: &[&str] = &[
    "a failure",
    "a grant",
    "a host crashes",
    "a refusal",
    "a request is late",
    "a swap is done",
    "a swap is late",
    "a token is rejected",
    "healed",
    "restored from a file of its own",
    "rule 15: a claim",
    "rule 16: a refresh under a claim",
    "rule 16: a sign-in under a claim",
    "rule 17: moved",
    "rule 18: a sibling's state",
    "rule 18: its own state",
    "rule 18: nothing there",
    "rule 19: a sibling rests",
    "rule 19: held by a sibling",
    "rule 20: a hand-over",
    "rule 21: news",
    "rule 21: news, with a rest",
    "rule 22: a sign-in alone",
    "rule 22: no answer",
    "rule 24: a look",
    "rule 25: a look",
    "rule 27: a host signs out everywhere",
    "the store forgets",
    "the store goes back",
    "the store stands still",
];

impl Tally {
    pub(super) fn note(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Fails if something that must be reached was not.
    pub(super) fn check(&self) {
        let unknown: Vec<_> = self.counts.keys().filter(|what| !REQUIRED.contains(what)).collect();
        assert!(unknown.is_empty(), "counted, and not required: {unknown:?}");
        let missed = |what: &&&str| !self.counts.contains_key(**what);
        let missed: Vec<_> = REQUIRED.iter().filter(missed).collect();
        assert!(missed.is_empty(), "no schedule reached: {missed:#?}");
    }
}

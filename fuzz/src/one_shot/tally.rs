//! What the schedules have reached: a promise that no schedule puts to the test proves nothing.

use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Tally {
    counts: BTreeMap<&'static str, u64>,
}

/// Each must be reached by some schedule.
const REQUIRED: &[&str] = &[
    "a code is asked for",
    "a code is unsent",
    "a crash",
    "a grant is saved",
    "a mark is saved",
    "a refresh",
    "a refresh is not handled",
    "a refresh is unsent",
    "a reply is late",
    "a reply is lost",
    "a save fails",
    "a save is not reported",
    "a sign-in",
    "a token is rejected",
    "an empty state is saved",
    "healed",
    "healed by a code",
    "revoked",
    "revoked by an earlier id",
    "revoked, and not its own",
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

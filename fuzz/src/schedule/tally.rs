//! What the schedules have reached: a promise that no schedule puts to the test proves nothing.

use std::collections::BTreeMap;

use imts_core::Phase;

#[derive(Default)]
pub(super) struct Tally {
    counts: BTreeMap<&'static str, u64>,
    phases: [[u64; 4]; 4],
}

/// Each must be reached by some schedule.
#[cfg(test)]
const REQUIRED: &[&str] = &[
    "rule 1: served while someone else renews",
    "rule 1: busy while someone else renews",
    "rule 2: a flight is over time",
    "rule 3: a late success counts",
    "rule 3: a stale success is dropped",
    "rule 3: a late refusal changes nothing",
    "rule 4: the current token is rejected",
    "rule 4: an old token is rejected",
    "rule 5: a refused refresh is followed by a sign-in",
    "rule 5: a forbidden refresh is followed by a sign-in",
    "rule 5: a missing refresh is followed by a sign-in",
    "rule 5: the old refresh token is kept",
    "rule 6: a token of unknown fate is not sent: signing in",
    "rule 6: a token of unknown fate is replayed",
    "rule 7: served while renewals fail",
    "rule 8: quiet after a failure",
    "rule 8: quiet as long as the service asks",
    "rule 8: credentials are latched",
    "rule 8: a secret that never worked is tried slowly",
    "rule 9: a first young token is rejected",
    "rule 9: its young successor is rejected",
    "rule 9: a grant is dead on arrival",
    "rule 9: a rejected token is granted again",
    "rule 10: a mark is saved",
    "rule 10: a grant is saved",
    "rule 10: served while a save is under way",
    "rule 10: busy while a save is under way",
    "rule 10: a save fails",
    "rule 10: a save is over time",
    "rule 10: a save ends too late",
    "rule 11: a sibling's state is adopted",
    "rule 12: a sign-in is forbidden",
    "rule 12: quiet after a 403",
    "rule 11: an older state changes nothing",
    "rule 11: a state of another agent is refused",
    "rule 13: a request is withdrawn",
    "rule 13: the time of a request begins anew",
    "rule 13: the time of a request begins anew no more",
    "tokens live too short",
    "reply: 2xx",
    "reply: 3xx",
    "reply: 4xx",
    "reply: 5xx",
    "verdict: forbidden",
    "verdict: missing",
    "verdict: refused",
    "verdict: not understood",
    "verdict: lost",
    "verdict: passing",
    "verdict: foreign",
    "fault: reply",
    "fault: not sent",
    "fault: unknown",
    "fault: timed out",
    "rotation: never",
    "rotation: always",
    "rotation: reuse revokes the family",
    "rotation: grace",
    "no token: absent",
    "no token: null",
    "no token: empty",
    "error shape: v5",
    "error shape: nested",
    "error shape: fields",
    "error shape: state",
    "error shape: bare",
    "sandbox: status",
    "sandbox: html",
    "sandbox: redirect",
    "sandbox: body",
    "sandbox: content type",
    "sandbox: field",
    "sandbox: dropped",
    "retry-after: seconds",
    "retry-after: date",
    "restart: from what was saved last",
    "restart: from what was saved on leaving",
    "restart: from nothing",
    "healed: at once",
    "healed: by new credentials",
    "healed: after a rejection",
    "credentials: once",
    "credentials: held",
];

impl Tally {
    pub(super) fn note(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(super) fn passed(&mut self, from: usize, to: usize) {
        self.phases[from][to] += 1;
    }

    /// Fails if something that must be reached was not.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let unknown: Vec<_> = self.counts.keys().filter(|what| !REQUIRED.contains(*what)).collect();
        assert!(unknown.is_empty(), "counted, and not required: {unknown:?}");
        let mut missed: Vec<String> = Vec::new();
        for what in REQUIRED.iter().filter(|what| !self.counts.contains_key(*what)) {
            missed.push((*what).to_owned());
        }
        for (from, row) in self.phases.iter().enumerate() {
            for (to, _) in row.iter().enumerate().filter(|(_, count)| **count == 0) {
                missed.push(format!("{} → {}", PHASES[from], PHASES[to]));
            }
        }
        assert!(missed.is_empty(), "no schedule reached: {missed:#?}");
    }
}

const PHASES: [&str; 4] = ["unauthenticated", "valid", "expiring", "expired"];

pub(super) fn number(phase: &Phase<'_>) -> usize {
    PHASES.iter().position(|name| *name == phase.as_str()).unwrap()
}

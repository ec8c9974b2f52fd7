//! What a client's swaps came to: the counts, the last failure, and the events of the log.
//!
//! Owns the reading of an answer for an operator. Decides nothing: the session has judged the
//! answer before.

use std::sync::Arc;
use std::time::Duration;

use imts_core::swap::{Found, Swap, Swapped};
use imts_core::time::Mono;
use imts_core::transport_error::Source;
use imts_core::{Now, Saved, Session};

use super::swapping::Answer;

/// How often a client swapped with its [store](crate::Builder::store), and what came of it. All
/// counts begin at 0 with the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreCounts {
    /// Swaps that were begun.
    pub swaps: u64,
    /// Swaps that put a state.
    pub done: u64,
    /// Swaps that the store answered with what is there instead, looks included.
    pub other: u64,
    /// Swaps without an answer.
    pub failed: u64,
    /// Tokens that a sibling process had got, and this client took over.
    pub found: u64,
    /// Grants that this client got with a claim on the store.
    pub renewed: u64,
    /// Grants that this client got without a claim, because the store was out of reach.
    pub alone: u64,
    /// Grants whose hand-over found that a sibling had put another state meanwhile.
    pub superseded: u64,
    /// Swaps after which the store may have lost writes: its server was restarted or replaced.
    pub moved: u64,
}

/// What happened between a client and its store.
#[cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "only tracing reads the fields"))]
pub(crate) enum StoreEvent {
    Claimed { generation: u64, lease: Duration },
    LeftToSibling { left: Duration },
    Found { generation: u64, age: Duration },
    HandedOver { generation: u64, took: Duration },
    Superseded,
    SiblingRests { left: Duration },
    Silent { failures: u32, retry: Duration, kind: &'static str },
    Answers,
    Forgot { knew: u64, found: u64 },
    Moved,
    Alone,
}

/// What is known of the swaps so far.
#[derive(Default)]
pub(crate) struct Sharing {
    pub(crate) counts: StoreCounts,
    /// Why the last swap failed.
    pub(crate) failure: Option<Source>,
    /// Swaps in a row that failed.
    failures: u32,
    /// Whether the last swap was a claim that was done.
    has_claim: bool,
    /// Whether a grant came in that is not handed over yet.
    has_grant: bool,
    /// Whose lease was reported last, and whether it rests.
    held: Option<bool>,
    began: Mono,
}

/// The number of the token in use, before a swap's answer is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct InUse(u64);

impl InUse {
    pub(crate) fn of(session: &Session, now: Now) -> Self {
        Self(session.phase(now).usable().map_or(0, |usable| usable.bearer().epoch().count()))
    }
}

impl Sharing {
    /// A swap begins.
    pub(crate) fn begins(&mut self, now: Now) {
        self.counts.swaps += 1;
        self.has_claim = false;
        self.began = now.mono;
    }

    /// A token request is sent.
    pub(crate) fn sends(&self) -> Option<StoreEvent> {
        (!self.has_claim).then_some(StoreEvent::Alone)
    }

    /// A grant came in.
    pub(crate) fn granted(&mut self) {
        let count = if self.has_claim { &mut self.counts.renewed } else { &mut self.counts.alone };
        *count += 1;
        self.has_grant = true;
    }

    /// An answer came, and the session has judged it. `before` is the token that was in use then.
    pub(crate) fn answered(
        &mut self,
        swap: &Swap,
        answer: &Answer,
        before: InUse,
        session: &Session,
        now: Now,
    ) -> Vec<StoreEvent> {
        let mut events = Vec::new();
        let answered = match answer {
            Ok(answered) => answered,
            Err(error) => {
                self.counts.failed += 1;
                self.failures = self.failures.saturating_add(1);
                self.failure = Some(Arc::new(error.clone()));
                if self.failures == 1 {
                    let retry = session.health(now).next_renewal.unwrap_or_default();
                    let (failures, kind) = (self.failures, error.kind());
                    events.push(StoreEvent::Silent { failures, retry, kind });
                }
                return events;
            }
        };
        self.failure = None;
        if std::mem::take(&mut self.failures) > 0 {
            events.push(StoreEvent::Answers);
        }
        match answered {
            Swapped::Done { moved, .. } => self.done(swap, *moved, now, &mut events),
            Swapped::Other(found) => {
                let after = InUse::of(session, now);
                self.other(swap, found, before != after && after != InUse(0), &mut events);
            }
        }
        events
    }

    fn done(&mut self, swap: &Swap, moved: bool, now: Now, events: &mut Vec<StoreEvent>) {
        self.counts.done += 1;
        self.held = None;
        if moved {
            self.counts.moved += 1;
            events.push(StoreEvent::Moved);
        }
        let generation = swap.put().map_or(0, Saved::generation);
        if is_claim(swap) {
            self.has_claim = true;
            events.push(StoreEvent::Claimed { generation, lease: swap.lease() });
        } else if self.has_grant {
            let took = now.mono.since(self.began);
            events.push(StoreEvent::HandedOver { generation, took });
        }
        self.has_grant = false;
    }

    fn other(
        &mut self,
        swap: &Swap,
        found: &Found,
        brings_token: bool,
        events: &mut Vec<StoreEvent>,
    ) {
        self.counts.other += 1;
        let (knew, shown) = (swap.expects().generation, found.stamp());
        let is_own = swap.put().is_some_and(|put| put.stamp() == shown);
        if self.has_grant && swap.put().is_some() && !is_claim(swap) && !is_own {
            self.counts.superseded += 1;
            self.has_grant = false;
            events.push(StoreEvent::Superseded);
        }
        if shown.generation < knew {
            events.push(StoreEvent::Forgot { knew, found: shown.generation });
        } else if brings_token {
            self.counts.found += 1;
            events.push(StoreEvent::Found { generation: shown.generation, age: found.age() });
        }
        let held = found.held();
        if let Some(held) = held.filter(|held| self.held != Some(held.is_resting())) {
            let left = held.left();
            events.push(match held.is_resting() {
                true => StoreEvent::SiblingRests { left },
                false => StoreEvent::LeftToSibling { left },
            });
        }
        self.held = held.map(|held| held.is_resting());
    }
}

/// Whether a swap claims the right to renew.
pub(crate) fn is_claim(swap: &Swap) -> bool {
    swap.put().is_some() && !swap.lease().is_zero() && !swap.is_resting()
}

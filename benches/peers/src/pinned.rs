//! On which cores the asking threads and the service's run.
//!
//! Owns their affinity while a table needs it. Knows nothing of what they do there.

use std::fmt;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::service;

/// The current thread, with the threads that it starts from now on, on one core, and the service's
/// thread on one. Once dropped, both run on the cores that they had before.
pub struct Pinned {
    everywhere: CpuSet,
    client: usize,
    server: usize,
}

impl Pinned {
    /// Both on the same core: neither waits for the other to wake up, and the time is processor time.
    #[must_use]
    pub fn together() -> Self {
        Self::on(|first, _| (first, first))
    }

    /// Each on a core of its own, if there are two.
    #[must_use]
    pub fn apart() -> Self {
        Self::on(|first, last| (first, last))
    }

    /// # Panics
    ///
    /// Where the system lets nobody choose.
    fn on(choose: impl FnOnce(usize, usize) -> (usize, usize)) -> Self {
        let everywhere = sched_getaffinity(None).expect("the system says what is allowed");
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|core| everywhere.is_set(*core));
        let first = allowed.next().expect("this thread runs somewhere");
        let (client, server) = choose(first, allowed.next_back().unwrap_or(first));
        service::run_on(one(server));
        sched_setaffinity(None, &one(client)).expect("the core is allowed");
        Self { everywhere, client, server }
    }
}

impl fmt::Display for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, server, .. } = self;
        if client == server {
            return write!(f, "client and server pinned to core {client}");
        }
        write!(f, "client pinned to core {client}, server to core {server}")
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        service::run_on(self.everywhere);
        sched_setaffinity(None, &self.everywhere).expect("it was allowed before");
    }
}

/// Puts the current thread, the `number`th of several, on a core: each of those allowed in turn.
///
/// # Panics
///
/// Where the system lets nobody choose.
pub fn in_turn(number: usize) {
    let everywhere = sched_getaffinity(None).expect("the system says what is allowed");
    let allowed = (0..CpuSet::MAX_CPU).filter(|core| everywhere.is_set(*core)).collect::<Vec<_>>();
    sched_setaffinity(None, &one(allowed[number % allowed.len()])).expect("the core is allowed");
}

fn one(core: usize) -> CpuSet {
    let mut cores = CpuSet::new();
    cores.set(core);
    cores
}

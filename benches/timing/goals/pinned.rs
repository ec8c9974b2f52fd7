//! On which cores a row's client and its server run.
//!
//! Left to itself, the system moves the server's threads between cores, and a row differs from one
//! process to the next by more than its two sides differ.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::table::Table;

/// Keeps the current thread on its core. Once dropped, the thread runs where it was allowed to before.
pub(crate) struct Pinned(Option<CpuSet>);

/// Starts a server whose threads stay on one core, and keeps the current thread on another one, if
/// there are two. If nothing is timed, nothing is pinned.
pub(crate) fn apart<S>(table: &Table, server: impl FnOnce() -> S) -> (S, Pinned) {
    if !table.is_timed() {
        return (server(), Pinned(None));
    }
    let everywhere = sched_getaffinity(None).expect("the system says what is allowed");
    let mut allowed = (0..CpuSet::MAX_CPU).filter(|core| everywhere.is_set(*core));
    let first = allowed.next().expect("this thread runs somewhere");
    // A thread starts where the one runs that started it.
    run_on(&one(allowed.next_back().unwrap_or(first)));
    let server = server();
    run_on(&one(first));
    (server, Pinned(Some(everywhere)))
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(everywhere) = &self.0 {
            run_on(everywhere);
        }
    }
}

fn run_on(cores: &CpuSet) {
    sched_setaffinity(None, cores).expect("the cores are allowed");
}

fn one(core: usize) -> CpuSet {
    let mut cores = CpuSet::new();
    cores.set(core);
    cores
}

//! Time, the service, the store and the hosts.

use std::time::Duration;

use imts_core::Policy;
use imts_core::policy::Replay;

use super::host::Host;
use super::late::Late;
use super::service::Service;
use super::store::Store;
use super::tally::Tally;
use crate::choices::Choices;

pub(super) struct World {
    pub(super) choices: Box<dyn Choices>,
    pub(super) tally: Tally,
    pub(super) service: Service,
    pub(super) store: Store,
    pub(super) hosts: Vec<Host>,
    /// What is still on its way.
    pub(super) late: Vec<Late>,
    /// The true time, which is the service's, in microseconds since 1970.
    pub(super) truth: i64,
    /// Whether nothing is lost or late any more.
    pub(super) is_calm: bool,
    /// How many sessions there were.
    pub(super) lives: u64,
    /// What happened, for the reader of a failure.
    pub(super) trace: Option<Vec<String>>,
}

const START: i64 = 1_753_269_451_577_745;

impl World {
    pub(super) fn new(mut choices: Box<dyn Choices>, tally: Tally) -> Self {
        let count = 2 + choices.below(4);
        let lifetime = choices.pick(&[2, 5, 12, 60, 300, 900, 900]);
        let mut world = Self {
            choices,
            tally,
            service: Service::new(Duration::from_secs(lifetime)),
            store: Store::default(),
            hosts: Vec::new(),
            late: Vec::new(),
            truth: START,
            is_calm: false,
            lives: 0,
            trace: None,
        };
        for _ in 0..count {
            let offset = i64::try_from(world.choices.below(2_001)).unwrap() - 1_000;
            let has_credentials = !world.choices.one_in(6);
            let host = world.host(offset * 1_000_000, has_credentials);
            world.hosts.push(host);
        }
        world
    }

    /// A host with a new process.
    pub(super) fn host(&mut self, offset: i64, has_credentials: bool) -> Host {
        self.lives += 1;
        let policy = Policy::default()
            .with_replay(Replay::Never)
            .with_jitter_seed(self.lives.wrapping_mul(0x9e37_79b9));
        Host::new(self.lives, offset, has_credentials, policy, self.truth)
    }

    pub(super) fn any(&mut self) -> usize {
        self.choices.index(self.hosts.len())
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.truth += i64::try_from(time.as_micros()).expect("a time of less than ages");
    }

    /// Adds a line to the trace, if there is one.
    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let line = what();
            trace.push(format!("{:>14} {line}", self.truth - START));
        }
    }
}

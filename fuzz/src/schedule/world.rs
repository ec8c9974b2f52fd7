//! Time, the service, the sessions and their store.

use std::time::Duration;

use imts_core::time::{Mono, Wall};
use imts_core::{Keep, Now, Policy, Saved};

use super::node::Node;
use super::service::{AGENTS, Service};
use super::tally::{Tally, number};
use crate::choices::Choices;

pub(super) struct World {
    pub(super) choices: Box<dyn Choices>,
    pub(super) tally: Tally,
    pub(super) service: Service,
    pub(super) nodes: Vec<Node>,
    /// What was saved last, for all nodes.
    pub(super) store: Option<Saved>,
    /// Whether each driver behaves well. A good driver adopts what a sibling has saved before it
    /// asks, and leaves the store to a sibling that is at work. It never replaces a newer state by
    /// an older one.
    pub(super) is_careful: bool,
    /// Whether one session alone has used the service, always with credentials that it keeps.
    pub(super) is_alone: bool,
    /// The true time, which is the service's, in microseconds since 1970.
    pub(super) truth: i64,
    pub(super) now: Now,
    pub(super) event: u64,
    /// When the local clocks last went another way than the true time.
    pub(super) jumped: u64,
    pub(super) suspended: u64,
    /// Whether a mark before a refresh was not saved.
    pub(super) is_unmarked: bool,
    pub(super) policy: Policy,
    pub(super) has_refreshed: bool,
    /// What happened, for the reader of a failure.
    pub(super) trace: Option<Vec<String>>,
}

const START: i64 = 1_753_269_451_577_745;

impl World {
    pub(super) fn new(mut choices: Box<dyn Choices>, tally: Tally) -> Self {
        let mut policy = Policy::default();
        policy.jitter_seed = choices.below(256);
        policy.secret_tries = choices.pick(&[1, 1, 2, 3]);
        let stores = choices.percent(50);
        let siblings = if stores && choices.percent(40) { 2 } else { 1 };
        let is_careful = !stores || choices.percent(70);
        let mut world = Self {
            choices,
            tally,
            service: Service::new(),
            nodes: Vec::new(),
            store: None,
            is_careful,
            is_alone: siblings == 1,
            truth: START,
            now: Now { mono: Mono::from_micros(5_000_000), wall: Wall::from_unix_micros(START) },
            event: 0,
            jumped: 0,
            suspended: 0,
            is_unmarked: !is_careful,
            policy,
            has_refreshed: false,
            trace: None,
        };
        world.nodes = (0..siblings).map(|_| world.node(stores)).collect();
        if world.choices.percent(60) {
            for at in 0..world.nodes.len() {
                world.signs_in(at, AGENTS[0], true, Keep::Always);
            }
        }
        world
    }

    /// A new process.
    pub(super) fn node(&self, stores: bool) -> Node {
        let mut node = Node::new(stores, self.policy.clone());
        node.unmarked = !self.is_careful;
        node
    }

    /// One of the nodes.
    pub(super) fn any(&mut self) -> usize {
        self.choices.index(self.nodes.len())
    }

    /// Credentials are given to a node.
    pub(super) fn signs_in(&mut self, at: usize, agent: &str, right: bool, keep: Keep) {
        self.is_alone &= keep == Keep::Always;
        self.nodes[at].sign_in(agent, right, keep, self.now);
    }

    pub(super) fn signs_out(&mut self, at: usize) {
        self.is_alone = false;
        self.nodes[at].sign_out();
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.truth += i64::try_from(time.as_micros()).expect("a time of less than ages");
        self.now = self.now.advanced_by(time);
        self.clocks_moved();
    }

    /// The wall clock is set.
    pub(super) fn jump(&mut self, by: i64) {
        self.now.wall = Wall::from_unix_micros(self.now.wall.unix_micros() + by);
        self.jumped = self.event;
        self.clocks_moved();
        // A token that was to be renewed may be good for long again.
        for node in &mut self.nodes {
            node.disturbed = true;
        }
    }

    /// Time passes that the monotonic clock does not count.
    pub(super) fn suspend(&mut self, by: i64) {
        self.truth += by;
        self.now.wall = Wall::from_unix_micros(self.now.wall.unix_micros() + by);
        self.suspended = self.event;
        self.clocks_moved();
    }

    /// After a clock has moved, a renewal may be due again, or a token usable that was not.
    fn clocks_moved(&mut self) {
        for node in &mut self.nodes {
            (node.burst, node.falls_back) = (0, None);
        }
    }

    /// A sibling, or the process that comes after this one, will not know of a mark.
    pub(super) fn not_saved(&mut self, at: usize, saved: &Saved) {
        if saved.is_in_doubt() {
            self.is_unmarked = true;
            self.keep_from_others(at);
        }
    }

    /// The others do not know what this node does with its refresh token.
    pub(super) fn keep_from_others(&mut self, at: usize) {
        for (other, node) in self.nodes.iter_mut().enumerate() {
            node.unmarked |= other != at;
        }
    }

    /// Adds a line to the trace, if there is one.
    pub(super) fn tell(&mut self, what: impl FnOnce(&Now) -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(what(&self.now));
        }
    }

    /// Notes what an event has made of each session's phase and generation.
    pub(super) fn note_phases(&mut self) {
        for node in &mut self.nodes {
            let phase = number(&node.session.phase(self.now));
            self.tally.passed(node.phase, phase);
            node.phase = phase;
            if let Some(generation) = node.held_generation(self.now) {
                node.known.reaches(generation);
            }
        }
    }
}

//! A fleet: a service, eight processes that share a store, and someone who harms them.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use imts_sandbox::{Front, Operation, Rotation, Sandbox};
use rustix::process::{Pid, Signal, kill_process};

use super::node;
use crate::folder::Folder;

const NODES: usize = 8;

/// What is done to a process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Harm {
    /// It is killed, and another one takes its place.
    Kill,
    /// It is stopped for up to three seconds, and goes on.
    Stop,
}

/// How a fleet is harmed.
pub(super) struct Plan {
    pub(super) harm: Harm,
    pub(super) every: Duration,
    /// The lease of its claims, if not the default one.
    pub(super) lease: Option<Duration>,
    /// The longest pause between looks while the store does not answer, if not the default one.
    pub(super) store_backoff_cap: Option<Duration>,
    /// How many sign-ins alone the outages of the store may cost.
    pub(super) alone: u64,
}

pub(super) struct Fleet {
    harm: Harm,
    every: Duration,
    lease: Option<Duration>,
    store_backoff_cap: Option<Duration>,
    address: String,
    front: Front,
    reports: Folder,
    begun: usize,
    nodes: Vec<Child>,
}

/// What became of a fleet.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) harmed: u64,
    pub(super) asks: u64,
    pub(super) replays: u64,
    /// Sign-ins and refreshes.
    pub(super) renewals: u64,
    /// Asks that failed, and stores that were found damaged.
    pub(super) failures: Vec<String>,
}

impl Fleet {
    pub(super) fn start(plan: &Plan, address: String) -> Self {
        let mut sandbox = Sandbox::default();
        sandbox.settings_mut().rotation = Rotation::ReuseRevokesFamily;
        sandbox.settings_mut().access_lifetime = Duration::from_secs(2);
        // So a good part of those who are killed have a request under way.
        sandbox.settings_mut().latency = Duration::from_millis(100);
        let mut fleet = Self {
            harm: plan.harm,
            every: plan.every,
            lease: plan.lease,
            store_backoff_cap: plan.store_backoff_cap,
            address,
            front: Front::start(sandbox).unwrap(),
            reports: Folder::new(),
            begun: 0,
            nodes: Vec::new(),
        };
        fleet.nodes = (0..NODES).map(|_| fleet.begin()).collect();
        fleet
    }

    fn begin(&mut self) -> Child {
        let mut node = Command::new(std::env::current_exe().unwrap());
        node.args(["--exact", "killed::node::node", "--nocapture"])
            .env(node::URL, self.front.url())
            .env(node::STORE, &self.address)
            .env(node::REPORT, self.reports.folder().join(format!("node-{}", self.begun)))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(lease) = self.lease {
            node.env(node::LEASE_MS, lease.as_millis().to_string());
        }
        if let Some(cap) = self.store_backoff_cap {
            node.env(node::STORE_BACKOFF_CAP_MS, cap.as_millis().to_string());
        }
        self.begun += 1;
        node.spawn().unwrap()
    }

    /// Harms the fleet for this long, and then lets everyone report. `meanwhile` is called once in
    /// every second.
    pub(super) fn play(
        mut self,
        number: usize,
        time: Duration,
        mut meanwhile: impl FnMut(),
    ) -> Ended {
        let mut dice = 0x2545_f491_4f6c_dd1d_u64.wrapping_add(number as u64);
        let mut roll = move |sides: usize| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            usize::try_from(dice % sides as u64).unwrap()
        };
        let (began, mut harmed, mut seconds) = (Instant::now(), 0, 0);
        let mut stopped: Vec<(Instant, usize)> = Vec::new();
        while began.elapsed() < time {
            thread::sleep(self.every);
            if began.elapsed().as_secs() > seconds {
                seconds = began.elapsed().as_secs();
                meanwhile();
            }
            stopped.retain(|(until, node)| {
                let goes_on = *until <= Instant::now();
                if goes_on {
                    signal(&self.nodes[*node], Signal::CONT);
                }
                !goes_on
            });
            let victim = roll(NODES);
            match self.harm {
                Harm::Kill => {
                    self.nodes[victim].kill().unwrap();
                    self.nodes[victim].wait().unwrap();
                    self.nodes[victim] = self.begin();
                }
                Harm::Stop if stopped.iter().any(|(_, node)| *node == victim) => continue,
                Harm::Stop => {
                    signal(&self.nodes[victim], Signal::STOP);
                    let until = Duration::from_millis(800 + 100 * roll(22) as u64);
                    stopped.push((Instant::now() + until, victim));
                }
            }
            harmed += 1;
        }
        for (_, node) in stopped {
            signal(&self.nodes[node], Signal::CONT);
        }
        self.end(harmed)
    }

    fn end(mut self, harmed: u64) -> Ended {
        for node in &mut self.nodes {
            drop(node.stdin.take());
        }
        for node in &mut self.nodes {
            let status = node.wait().unwrap();
            assert!(status.success(), "a node ended with {status}");
        }
        let (mut asks, mut failures) = (0, Vec::new());
        for node in 0..self.begun {
            // A node that was killed at once has not begun its report.
            let report = fs::read_to_string(self.reports.folder().join(format!("node-{node}")));
            for line in report.unwrap_or_default().lines() {
                match line.split_once(' ') {
                    Some(("asks", count)) => asks += count.parse::<u64>().unwrap(),
                    _ => failures.push(format!("node {node}: {line}")),
                }
            }
        }
        let sandbox = self.front.sandbox();
        let (sign_ins, refreshes) =
            (sandbox.count(Operation::GetToken), sandbox.count(Operation::Refresh));
        let replays = sandbox.counters().refresh_reuse;
        println!("{sign_ins} sign-ins, {refreshes} refreshes");
        let renewals = (sign_ins + refreshes) as u64;
        Ended { harmed, asks, replays, renewals, failures }
    }
}

impl Drop for Fleet {
    /// Leaves no process behind, not even a stopped one.
    fn drop(&mut self) {
        for node in &mut self.nodes {
            drop(node.kill());
            drop(node.wait());
        }
    }
}

fn signal(node: &Child, signal: Signal) {
    let pid = Pid::from_child(node);
    kill_process(pid, signal).unwrap();
}

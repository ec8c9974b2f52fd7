//! Time, the service, the session of one user, and what was saved of it.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Response;
use imts_core::services::{self, freedom_id};
use imts_core::session::SaveTicket;
use imts_core::time::{Mono, Wall};
use imts_core::{Credentials, Endpoint, Keep, Now, Policy, Saved, Session, Ticket};

use super::service::Service;
use super::tally::Tally;
use crate::choices::Choices;

pub(super) struct World {
    pub(super) choices: Box<dyn Choices>,
    pub(super) tally: Tally,
    pub(super) service: Service,
    pub(super) session: Session,
    pub(super) now: Now,
    pub(super) policy: Policy,
    /// Whether the session saves what it has.
    pub(super) stores: bool,
    pub(super) saved: Option<Saved>,
    pub(super) saving: Option<(SaveTicket, Saved)>,
    /// Replies that have not come in.
    pub(super) late: Vec<(Ticket, Response<Vec<u8>>)>,
    /// Codes and refresh tokens that may have left.
    pub(super) sent: BTreeSet<String>,
    /// Access tokens that were saved.
    pub(super) kept: BTreeSet<String>,
    /// Families of whose revocation this process knows.
    pub(super) heard: BTreeSet<u64>,
    /// The ids of tokens that were granted, latest last.
    pub(super) ids: Vec<String>,
    pub(super) trace: Option<Vec<String>>,
}

const START: i64 = 1_740_465_350_000_000;

impl World {
    pub(super) fn new(mut choices: Box<dyn Choices>, tally: Tally) -> Self {
        let mut policy = freedom_id::policy();
        policy.jitter_seed = choices.below(256);
        let stores = choices.percent(60);
        let now = Now { mono: Mono::from_micros(5_000_000), wall: Wall::from_unix_micros(START) };
        Self {
            session: fresh(stores, policy.clone()),
            choices,
            tally,
            service: Service::default(),
            now,
            policy,
            stores,
            saved: None,
            saving: None,
            late: Vec::new(),
            sent: BTreeSet::new(),
            kept: BTreeSet::new(),
            heard: BTreeSet::new(),
            ids: Vec::new(),
            trace: None,
        }
    }

    /// The user brings a new code.
    pub(super) fn signs_in(&mut self) {
        let code = self.service.code();
        let credentials = Credentials::new("client", "secret").expect("good credentials");
        let credentials = credentials.with_code(code).expect("a code");
        self.session.sign_in(credentials, Keep::Once, self.now);
    }

    /// The process ends, and another one goes on from what was saved.
    pub(super) fn crashes(&mut self) {
        self.session = fresh(self.stores, self.policy.clone());
        (self.saving, self.late) = (None, Vec::new());
        self.heard.clear();
        if let Some(saved) = self.saved.clone().filter(|_| self.stores) {
            let saved = Saved::from_json(&saved.to_json()).expect("what is saved can be read");
            self.session.adopt(saved, self.now).expect("a state of its own");
        }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now = self.now.advanced_by(time);
    }

    /// Adds a line to the trace, if there is one.
    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:?} {}", self.now.mono, what()));
        }
    }
}

fn fresh(stores: bool, policy: Policy) -> Session {
    let endpoint = Endpoint::https("https://passport.example").expect("an endpoint");
    let session = Session::new(endpoint, services::freedom_id(), policy).expect("a session");
    let session = session.with_subject("user-1");
    if stores { session.with_store() } else { session }
}

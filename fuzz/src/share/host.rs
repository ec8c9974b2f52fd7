//! One host: a session, its clocks, and what the world knows of it without asking it.

use imts_core::session::SwapTicket;
use imts_core::time::{Mono, Wall};
use imts_core::{
    Bearer, Credentials, Endpoint, Keep, Now, Policy, Saved, Session, Ticket, services,
};

use super::service::{AGENT, SECRET};

pub(super) struct Host {
    pub(super) session: Session,
    /// The number of its process, which is its number in the store too.
    pub(super) life: u64,
    /// How far its clocks are from the true time, in microseconds.
    pub(super) offset: i64,
    pub(super) has_credentials: bool,
    /// The swap whose answer it awaits, when it asked, and until when it waits.
    pub(super) swap: Option<(SwapTicket, Mono, Mono)>,
    /// Until when its claim runs, by its own clock.
    pub(super) claim: Option<Mono>,
    /// Whether its last swap had no answer.
    pub(super) is_out: bool,
    /// The request that it counts as under way, and until when.
    pub(super) flight: Option<(Ticket, Mono)>,
    pub(super) bearers: Vec<Bearer>,
    /// What it kept in a file of its own.
    pub(super) kept: Option<Saved>,
}

impl Host {
    pub(super) fn new(
        life: u64,
        offset: i64,
        has_credentials: bool,
        policy: Policy,
        truth: i64,
    ) -> Self {
        let endpoint = Endpoint::https("https://service.example").unwrap();
        let session = Session::new(endpoint, services::transfer(), policy).unwrap();
        let mut host = Self {
            session: session.with_shared_store(life).with_agent(AGENT),
            life,
            offset,
            has_credentials,
            swap: None,
            claim: None,
            is_out: false,
            flight: None,
            bearers: Vec::new(),
            kept: None,
        };
        if has_credentials {
            let credentials = Credentials::new(AGENT, SECRET).unwrap();
            let now = host.now(truth);
            host.session.sign_in(credentials, Keep::Always, now);
        }
        host
    }

    pub(super) fn now(&self, truth: i64) -> Now {
        let local = truth + self.offset;
        let mono = u64::try_from(local - 1_700_000_000_000_000).expect("after the origin");
        Now { mono: Mono::from_micros(mono), wall: Wall::from_unix_micros(local) }
    }
}

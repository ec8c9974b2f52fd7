//! Two processes, their store, the service, and the time that passes for all of them.

use std::time::Duration;

use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use imts_core::{Keep, Mono, Now, Wall};
use imts_sandbox::{
    DEFAULT_AGENT, DEFAULT_SECRET, ECHO_PATH, ErrorShape, Fault, NoToken, Operation, Outage,
    RetryAfter, Rotation, Rule, Sandbox, Settings, Time,
};
use serde_json::json;

use super::process::{Polled, Process};

const START: i64 = 1_753_269_451_577_745;
const OTHER_AGENT: &str = "other-agent";

pub(super) struct World {
    service: Sandbox,
    /// What really has passed, suspended or not, in microseconds.
    passed: i64,
    /// What the monotonic clock has counted of it.
    mono: u64,
    /// How far the wall clock is off.
    offset: i64,
    processes: [Process; 2],
    store: Option<Vec<u8>>,
    with_store: bool,
    /// Whether the first process alone has ever used the service, with credentials that it keeps.
    is_alone: bool,
}

impl World {
    pub(super) fn new(scene: u8) -> Self {
        let rotation = [
            Rotation::Never,
            Rotation::Always,
            Rotation::ReuseRevokesFamily,
            Rotation::GraceSeconds(10),
        ][usize::from(scene & 3)];
        let mut settings = Settings::default();
        settings.rotation = rotation;
        settings.agents.insert(OTHER_AGENT.to_owned(), DEFAULT_SECRET.to_owned());
        let with_store = scene & 4 != 0;
        let mut world = Self {
            service: Sandbox::new(settings),
            passed: 0,
            mono: 0,
            offset: 0,
            processes: [Process::new(with_store), Process::new(with_store)],
            store: None,
            with_store,
            is_alone: true,
        };
        let keep = if scene & 8 != 0 { Keep::Once } else { Keep::Always };
        world.is_alone = keep == Keep::Always;
        let now = world.now();
        world.processes[0].sign_in(DEFAULT_AGENT, DEFAULT_SECRET, keep, now);
        if scene & 16 != 0 {
            world.processes[1].sign_in(DEFAULT_AGENT, DEFAULT_SECRET, Keep::Always, now);
        }
        world
    }

    pub(super) fn has_refreshed(&self) -> bool {
        self.processes.iter().any(|process| process.has_refreshed)
    }

    fn now(&self) -> Now {
        let wall = START.saturating_add(self.passed).saturating_add(self.offset);
        Now { mono: Mono::from_micros(self.mono), wall: Wall::from_unix_micros(wall) }
    }

    fn server_now(&self) -> Time {
        Time::from_micros(START.saturating_add(self.passed))
    }

    fn pass(&mut self, micros: i64) {
        self.passed = self.passed.saturating_add(micros);
        self.mono = self.mono.saturating_add(micros.unsigned_abs());
    }

    /// One event. The argument's lowest bit says which process, the rest how much.
    pub(super) fn event(&mut self, event: u8, argument: u8) {
        let (who, much) = (usize::from(argument & 1), i64::from(argument >> 1));
        self.is_alone &= who == 0 || matches!(event % 32, 7..=12 | 27..=31);
        let now = self.now();
        match event % 32 {
            0 | 1 => self.poll_for(who, Duration::ZERO),
            2 => self.poll_for(who, Duration::from_secs(much.unsigned_abs() * 10)),
            3 => self.serve(who, much),
            4 => self.on_pending(who, much, |process, which| process.arrives(which, now)),
            5 => self.on_pending(who, much, |process, which| process.lose(which, false, now)),
            6 => self.on_pending(who, much, |process, which| process.keep_back(which, now)),
            7 => self.pass(much * 10_000),
            8 => self.pass(much * 1_000_000),
            9 => self.pass(much * 60_000_000),
            10 => self.passed += much * 60_000_000,
            11 => self.offset = self.offset.saturating_add(much * 60_000_000),
            12 => self.offset = self.offset.saturating_sub(much * 60_000_000),
            13 => self.processes[who].reject(0, now),
            14 => self.processes[who].reject(usize::from(argument >> 1 & 3), now),
            15 => self.sign_in(who, DEFAULT_AGENT, much),
            16 => self.sign_in(who, OTHER_AGENT, much),
            17 => {
                self.is_alone = false;
                self.processes[who].sign_out();
            }
            18 => self.saved(who),
            19 => drop(self.processes[who].saved(now)),
            20 => self.processes[who].forget_save(),
            21 => self.adopt(who),
            22 => self.restart(who, much),
            23 => self.on_pending(who, much, |process, which| process.lose(which, true, now)),
            24 | 25 => self.use_honestly(who),
            26 => self.call(who),
            _ => self.change_service(event, much),
        }
    }

    fn poll_for(&mut self, who: usize, at_least: Duration) {
        let now = self.now();
        let _ = self.processes[who].poll(now, at_least);
    }

    fn use_honestly(&mut self, who: usize) {
        let _ = self.run_honestly(who);
    }

    fn on_pending(&mut self, who: usize, much: i64, what: impl FnOnce(&mut Process, usize)) {
        let process = &mut self.processes[who];
        let count = process.pending.len();
        if count > 0 {
            what(process, usize::try_from(much).unwrap_or(0) % count);
        }
    }

    /// One request reaches the service.
    fn serve(&mut self, who: usize, much: i64) {
        let now = self.server_now();
        let pending = &mut self.processes[who].pending;
        let count = pending.len().max(1);
        if let Some(pending) = pending.get_mut(usize::try_from(much).unwrap_or(0) % count)
            && pending.response.is_none()
        {
            pending.response = Some(self.service.handle(now, &pending.request));
        }
    }

    fn sign_in(&mut self, who: usize, agent: &str, much: i64) {
        let keep = if much & 1 == 0 { Keep::Always } else { Keep::Once };
        let secret = if much & 6 == 6 { "wrong" } else { DEFAULT_SECRET };
        self.is_alone &= keep == Keep::Always;
        let now = self.now();
        self.processes[who].sign_in(agent, secret, keep, now);
    }

    fn saved(&mut self, who: usize) {
        let now = self.now();
        if let Some(bytes) = self.processes[who].saved(now) {
            self.store = Some(bytes);
        }
    }

    fn adopt(&mut self, who: usize) {
        self.is_alone = false;
        let now = self.now();
        if let Some(bytes) = &self.store {
            self.processes[who].adopt(bytes, now);
        }
    }

    fn restart(&mut self, who: usize, much: i64) {
        self.processes[who] = Process::new(self.with_store);
        if much & 1 == 0 {
            self.sign_in(who, DEFAULT_AGENT, 0);
        }
        self.adopt(who);
    }

    /// Polls, and does at once what the step says, until it rests.
    fn run_honestly(&mut self, who: usize) -> Polled {
        for _ in 0..6 {
            let now = self.now();
            let polled = self.processes[who].poll(now, Duration::ZERO);
            match polled {
                Polled::Sent => {
                    let last = self.processes[who].pending.len() - 1;
                    self.serve(who, i64::try_from(last).unwrap_or(0));
                    self.processes[who].arrives(last, now);
                }
                Polled::Save => {
                    while self.processes[who]
                        .saved(now)
                        .map(|bytes| self.store = Some(bytes))
                        .is_some()
                    {}
                }
                rest => return rest,
            }
        }
        Polled::Later(self.mono)
    }

    /// A call with the latest token, and its 401 reported.
    fn call(&mut self, who: usize) {
        let Some(bearer) = self.processes[who].bearers.last() else { return };
        let request = Request::post(ECHO_PATH)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, bearer.header().clone())
            .body(b"{}".to_vec())
            .expect("a good request");
        let response = self.service.handle(self.server_now(), &request);
        if response.status() == 401 {
            let now = self.now();
            self.processes[who].reject(0, now);
        }
    }

    fn change_service(&mut self, event: u8, much: i64) {
        let small = usize::try_from(much).unwrap_or(0);
        let settings = self.service.settings_mut();
        match event % 32 {
            27 => {
                settings.outage = (small & 1 == 0).then(|| {
                    let mut outage = Outage::default();
                    outage.status = [503, 500, 429, 408, 403, 302, 200, 401][small >> 1 & 7];
                    outage.retry_after = [
                        None,
                        Some(RetryAfter::Seconds(30)),
                        Some(RetryAfter::Date(Duration::from_secs(90))),
                        Some(RetryAfter::Seconds(u64::MAX)),
                    ][small >> 4 & 3];
                    outage
                });
            }
            28 => {
                settings.access_lifetime =
                    Duration::from_secs([900, 1, 2, 30, 0, 86_400 * 500, 5, 60][small & 7]);
                settings.refresh_lifetime =
                    Duration::from_secs([2_592_000, 60, 0, 86_400 * 5_000][small >> 3 & 3]);
            }
            29 => {
                settings.refuse_refresh = small & 1 != 0;
                settings.reject_access = small & 2 != 0;
                settings.refresh_endpoint = small & 4 == 0;
                settings.no_token =
                    [NoToken::Absent, NoToken::Null, NoToken::Empty, NoToken::Null][small >> 3 & 3];
                settings.error_shape =
                    [ErrorShape::V5, ErrorShape::Bare, ErrorShape::State, ErrorShape::Nested]
                        [small >> 5 & 3];
            }
            30 => match small & 3 {
                0 => self.service.revoke_access_tokens(),
                1 => self.service.revoke_refresh_tokens(),
                _ => settings.skew_micros = (much - 64) * 60_000_000,
            },
            _ => {
                let only = [Operation::Refresh, Operation::GetToken][small & 1];
                let fault = fault(small >> 1 & 15);
                // A rotated token that never arrives makes the old one look good still.
                self.is_alone &=
                    !matches!(&fault, Some(Fault::Field { name, .. }) if name == "refresh_token");
                settings.faults =
                    fault.map(|fault| Rule::always(only, fault)).into_iter().collect();
            }
        }
    }

    /// The service is well again: each process comes to rest within few steps.
    pub(super) fn heal(&mut self) {
        if self.is_alone {
            let reused = self.service.counters().refresh_reuse;
            assert_eq!(reused, 0, "a refresh token was presented twice, with credentials held");
        }
        let well = Settings::default();
        let settings = self.service.settings_mut();
        let (agents, rotation) = (settings.agents.clone(), settings.rotation);
        *settings = well;
        (settings.agents, settings.rotation) = (agents, rotation);
        for who in 0..2 {
            let mut rests = false;
            for _ in 0..24 {
                match self.run_honestly(who) {
                    Polled::Later(until) => {
                        let wait = until.saturating_sub(self.mono);
                        self.pass(i64::try_from(wait).expect("a wait of less than ages"));
                    }
                    _ => {
                        rests = true;
                        break;
                    }
                }
            }
            assert!(rests, "the service is well, and the process does not come to rest");
        }
    }
}

/// What may become of a request, by number.
fn fault(number: usize) -> Option<Fault> {
    let field = |name: &str, value| Fault::Field { name: name.to_owned(), value };
    Some(match number {
        0..=2 => return None,
        3 => Fault::Status { status: 503, retry_after_s: Some(120) },
        4 => Fault::Status { status: 500, retry_after_s: None },
        5 => Fault::Html { status: 403 },
        6 => Fault::Html { status: 200 },
        7 => Fault::Redirect { status: 307, location: "https://evil.example/".to_owned() },
        8 => Fault::Body { text: r#"{"state":false}"#.to_owned() },
        9 => Fault::Body { text: "[]".to_owned() },
        10 => Fault::ContentType { value: "text/plain".to_owned() },
        11 => field("access_token", json!("one-and-the-same")),
        12 => field("access_token", json!("not a token")),
        13 => field("access_expire_at", json!("9999-12-31T23:59:59Z")),
        14 => field("refresh_token", json!(null)),
        _ => Fault::Status { status: 400, retry_after_s: None },
    })
}

//! Where the demo's steps run: one client, one sandbox, and the saved state between them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};
use imts::time::Wall;
use imts::{
    BearerGuard, Builder, Credentials, Endpoint, Policy, Recovery, Saved, Service, TokenError,
};
use zeroize::Zeroizing;

use super::control::{AGENT, Control, SECRET};
use super::pace::Pace;
use super::report::Report;
use crate::carrier::Carrier;
use crate::client::Client;
use crate::failure::{Failure, Kind};
use crate::log::Log;

/// How often a wait checks the session.
const TICK: Duration = Duration::from_millis(5);
/// How long the first access token lives on an idle machine, in seconds. The service truncates its
/// dates to whole seconds, so up to one second is lost.
const FIRST_LIFETIME_S: u32 = 3;
/// How long a wait may take before it counts as failed. It is longer than any token here lives.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

type Store = Arc<Mutex<Option<Zeroizing<Vec<u8>>>>>;

pub(crate) struct Stage {
    endpoint: Endpoint,
    service: Service,
    pub(crate) control: Control,
    pub(crate) pace: Pace,
    pub(crate) report: Report,
    carrier: Carrier,
    log: Log,
    pub(crate) client: Client,
    /// What the `on_grant` hook persisted last. It stands in for a disk.
    store: Store,
}

impl Stage {
    pub(crate) fn new(
        endpoint: Endpoint,
        service: Service,
        control: Control,
        report: Report,
        carrier: Carrier,
        log: Log,
        pace: Pace,
    ) -> Result<Self, Failure> {
        control.prepare(FIRST_LIFETIME_S * pace.factor()).map_err(broken)?;
        let store = Store::default();
        let client = client(&endpoint, &service, &carrier, log, &store, None)?;
        Ok(Self { endpoint, service, control, pace, report, carrier, log, client, store })
    }

    /// Requests a token, and prints the result.
    pub(crate) fn ask(&self) -> Result<BearerGuard, String> {
        let (outcome, waited) = self.ask_quietly();
        match outcome {
            Ok(bearer) => {
                let left = bearer_left(&self.client);
                self.tell(&format!(
                    "asked for a token: got number {} after {} ms; {left:.2} s of it are left",
                    bearer.epoch().count(),
                    waited.as_millis()
                ));
                Ok(bearer)
            }
            Err(error) => {
                self.tell(&format!("asked for a token: {error}"));
                Err(error.to_string())
            }
        }
    }

    /// Sets how long the next tokens live, in seconds of an idle machine.
    pub(crate) fn set_lifetime(&self, seconds: u32) -> Result<(), String> {
        self.control.set_lifetime(seconds * self.pace.factor())
    }

    pub(crate) fn ask_quietly(&self) -> (Result<BearerGuard, TokenError>, Duration) {
        let began = Instant::now();
        let outcome = self.client.token();
        (outcome, began.elapsed())
    }

    /// Prints a text about the session, with its current phase.
    pub(crate) fn tell(&self, text: &str) {
        self.report.phase(&self.phase(), text);
    }

    pub(crate) fn phase(&self) -> String {
        self.client.phase(|phase| phase.to_string())
    }

    pub(crate) fn wait_for_phase(&self, wanted: &str) -> Result<(), String> {
        self.wait_until(wanted, || self.phase() == wanted)?;
        self.tell("time has passed");
        Ok(())
    }

    /// Waits until the token has expired, by the client's clocks and by the service's own. The next
    /// grant then has all of its seconds.
    pub(crate) fn wait_for_expiry(&self) -> Result<(), String> {
        let end =
            self.client.phase(|phase| phase.usable().map(imts::session::Usable::access_expire_at));
        self.wait_until("expired", || {
            let now = Wall::from(DateTime::<Utc>::from(SystemTime::now()));
            self.phase() == "expired" && end.is_none_or(|end| now >= end)
        })?;
        self.tell("time has passed");
        Ok(())
    }

    pub(crate) fn wait_until(&self, what: &str, reached: impl Fn() -> bool) -> Result<(), String> {
        let began = Instant::now();
        while !reached() {
            let longest = self.pace.scaled(LONGEST_WAIT);
            if began.elapsed() > longest {
                return Err(format!("waited {longest:?} without reaching: {what}"));
            }
            self.pace.sleep(TICK);
        }
        Ok(())
    }

    /// Checks by the service's own counts that no refresh token was used twice.
    pub(crate) fn nothing_used_twice(&self) -> Result<(), String> {
        match self.control.refresh_tokens_used_twice()? {
            0 => Ok(()),
            reused => Err(format!("the service saw {reused} refresh tokens used twice")),
        }
    }

    /// Ends the client and starts another from what the hook persisted.
    pub(crate) fn restart(&mut self) -> Result<usize, String> {
        let saved = self.store.lock().map_err(|_| "the store is broken")?.clone();
        let saved = saved.ok_or("the hook saved nothing")?;
        let state = Saved::from_json(&saved).map_err(|error| error.to_string())?;
        let client = client(
            &self.endpoint,
            &self.service,
            &self.carrier,
            self.log,
            &self.store,
            Some(state),
        );
        self.client = client.map_err(|_| "cannot build a second client")?;
        Ok(saved.len())
    }
}

/// Returns what is left of the session's token, in seconds.
fn bearer_left(client: &Client) -> f64 {
    client.phase(|phase| phase.usable().map_or(0.0, |usable| usable.remaining().as_secs_f64()))
}

fn client(
    endpoint: &Endpoint,
    service: &Service,
    carrier: &Carrier,
    log: Log,
    store: &Store,
    restored: Option<Saved>,
) -> Result<Client, Failure> {
    let mut policy = Policy::default();
    // The demo's tokens live a second or two. An age that is young for a token of fifteen minutes
    // is old here.
    policy.settle = Duration::from_millis(100);
    policy.renew_after = Duration::ZERO;
    // Calls wait for a back-off to end. If the service rejects every token, the demo must end
    // nevertheless.
    policy.backoff_cap = Duration::from_millis(200);
    policy.time_limit = Duration::from_secs(30);
    let credentials = Credentials::new(AGENT, SECRET).map_err(Failure::usage)?;
    let disk = Arc::clone(store);
    let mut builder = Builder::new(endpoint.clone())
        .credentials(credentials)
        .service(service.clone())
        .policy(policy)
        .user_agent("demo")
        .on_grant(move |saved| {
            let mut disk = disk.lock().map_err(|_| "the store is broken")?;
            *disk = Some(saved.to_json());
            Ok(())
        });
    if let Some(saved) = restored {
        builder = builder.restore(saved);
    }
    carrier.client(builder, log)
}

/// Creates a failure: the server does not answer as a sandbox.
pub(super) fn broken(message: String) -> Failure {
    Failure::new(Kind::Transport, Recovery::Fix, message)
}

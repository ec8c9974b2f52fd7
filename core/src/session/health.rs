//! The health of a session for operators: a small view without secrets, for probes and dashboards.
//!
//! Owns the view and its serialized form. Decides nothing: it reports what the session knows.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Flight, Session};
use crate::exchange::Purpose;
use crate::renewal_error::RenewalError;
use crate::time::{Mono, Now};

/// A session's health at one moment. It holds no secret and no token.
///
/// It serializes as one flat object. Each duration is a whole number of milliseconds, under its
/// name with `_ms` added. For a readiness probe use [`is_ready`](Health::is_ready). Do not make a
/// liveness probe depend on any of this. A restart does not repair the service, and it forgets how
/// often a secret was refused.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// The [phase](super::Phase): `unauthenticated`, `valid`, `expiring` or `expired`.
    pub phase: &'static str,
    /// What is left of the access token. `None` if none is usable.
    #[serde(rename = "remaining_ms", serialize_with = "millis")]
    pub remaining: Option<Duration>,
    /// What is left of the refresh token. `None` if the session has none.
    #[serde(rename = "refresh_remaining_ms", serialize_with = "millis")]
    pub refresh_remaining: Option<Duration>,
    /// How long until the next renewal may begin. Zero if it is due now, or under way. `None` if
    /// the session needs new credentials.
    #[serde(rename = "next_renewal_ms", serialize_with = "millis")]
    pub next_renewal: Option<Duration>,
    /// What is left of a back-off, of a `Retry-After`, or of the wait after a 403. With a shared
    /// store, also of a sibling's back-off, or of the wait before the store is asked again.
    #[serde(rename = "backing_off_ms", serialize_with = "millis")]
    pub backing_off: Option<Duration>,
    /// The renewal that is under way.
    pub in_flight: Option<InFlight>,
    /// What the service said about the credentials.
    pub credentials: CredentialsHealth,
    /// Failed renewals since a token last settled.
    pub failures: u32,
    /// Why the last renewal failed, until one succeeds.
    pub last_error: Option<LastError>,
    /// Whether the last save failed. The driver sets it; the session does not know about it.
    pub save_failed: bool,
    /// Whether the driver's last reading of the credentials failed. The driver sets it; the session
    /// does not know about it.
    pub credentials_failed: bool,
    /// The number of the grant in use, or of the last one. 0 if there was none.
    pub epoch: u64,
    /// The number of the session's save that the present state is, counted across restarts and
    /// siblings.
    pub generation: u64,
}

/// What the service said about the credentials that a session holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CredentialsHealth {
    /// No credentials are held.
    None,
    /// They were not tried, or no reply said anything about them.
    Untried,
    /// They worked, the last time or earlier.
    Worked,
    /// They may not be used from here, or not now (403). They are retried after the wait.
    Forbidden,
    /// They were refused, and are retried after a wait, as the policy allows.
    Doubted,
    /// They were refused and are not retried. The session needs other credentials.
    Refused,
}

/// A renewal under way.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct InFlight {
    /// What its request is for: `sign-in` or `refresh`.
    #[serde(serialize_with = "purpose")]
    pub purpose: Purpose,
    /// How long it has been under way. If this is more than the policy's time limit, nobody drives
    /// it.
    #[serde(rename = "since_ms", serialize_with = "whole_millis")]
    pub since: Duration,
}

/// Why the last renewal failed. It serializes with its kind, its text, and what to do about it.
#[derive(Clone, Debug)]
pub struct LastError {
    failure: Arc<RenewalError>,
    age: Duration,
}

impl LastError {
    /// Returns how long ago it happened.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age
    }

    /// Returns the error itself.
    #[must_use]
    pub fn renewal_error(&self) -> &Arc<RenewalError> {
        &self.failure
    }
}

impl fmt::Display for LastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl Serialize for LastError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("LastError", 4)?;
        fields.serialize_field("kind", self.failure.kind())?;
        fields.serialize_field("text", &self.failure.to_string())?;
        fields.serialize_field("recovery", self.failure.recovery().as_str())?;
        fields.serialize_field("age_ms", &as_millis(self.age))?;
        fields.end()
    }
}

impl Health {
    /// Returns whether a token is usable now. A readiness probe should ask this.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.remaining.is_some()
    }

    /// Returns whether only new credentials help. A person must then act.
    #[must_use]
    pub fn needs_credentials(&self) -> bool {
        self.next_renewal.is_none()
    }
}

impl Session {
    /// Returns the session's health now. Allocates nothing and changes nothing.
    ///
    /// ```
    /// use imts_core::time::{Mono, Wall};
    /// use imts_core::{Endpoint, Now, Policy, Session, services};
    ///
    /// let endpoint = Endpoint::https("https://service.example")?;
    /// let session = Session::new(endpoint, services::transfer(), Policy::default())?;
    /// let now = Now { mono: Mono::default(), wall: Wall::from_unix_micros(1_753_269_451_577_745) };
    /// let health = session.health(now);
    /// assert!(!health.is_ready() && health.needs_credentials());
    /// # Ok::<(), imts_core::endpoint::EndpointError>(())
    /// ```
    #[must_use]
    pub fn health(&self, now: Now) -> Health {
        let now = self.clamped(now);
        let phase = self.phase(now);
        let left = |until: Mono| Some(until.since(now.mono)).filter(|left| !left.is_zero());
        let route = self.route(now);
        let waits = route.and_then(|purpose| self.waits(purpose, now)).map(|(until, _)| until);
        let waits = waits.max(self.share.as_ref().and_then(|share| share.backs_off(now.mono)));
        let refresh = self.grant.as_ref().and_then(|grant| grant.usable_refresh(now));
        let flight = self.flight.map(|Flight { ticket, .. }| InFlight {
            purpose: ticket.purpose,
            since: now.mono.since(ticket.sent.mono),
        });
        let until_due = phase.usable().map_or(Duration::ZERO, |usable| {
            if self.signs_in_once() {
                return Duration::ZERO;
            }
            usable.remaining().saturating_sub(self.margin_of(usable.lifetime()))
        });
        let backing_off = waits.and_then(left);
        let can_renew = flight.is_some() || route.is_some();
        let next_renewal = match flight {
            Some(_) => Some(Duration::ZERO),
            None => can_renew.then(|| until_due.max(backing_off.unwrap_or_default())),
        };
        Health {
            phase: phase.as_str(),
            remaining: phase.usable().map(super::Usable::remaining),
            refresh_remaining: refresh.map(|refresh| refresh.end.remaining(now)),
            next_renewal,
            backing_off,
            in_flight: flight,
            credentials: self.health_of_credentials(now),
            failures: self.pace.failures(),
            last_error: self.pace.last_at().map(|(failure, at)| LastError {
                failure: Arc::clone(failure),
                age: now.mono.since(at),
            }),
            save_failed: false,
            credentials_failed: false,
            epoch: self.epoch.count(),
            generation: self.generation,
        }
    }

    fn health_of_credentials(&self, now: Now) -> CredentialsHealth {
        let Some(held) = &self.held else { return CredentialsHealth::None };
        let standing = &held.standing;
        if standing.is_dead() {
            CredentialsHealth::Refused
        } else if standing.is_doubted() {
            CredentialsHealth::Doubted
        } else if standing.slow.until(now.mono).is_some() {
            CredentialsHealth::Forbidden
        } else if standing.worked() {
            CredentialsHealth::Worked
        } else {
            CredentialsHealth::Untried
        }
    }
}

fn as_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn millis<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(as_millis).serialize(serializer)
}

fn whole_millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    as_millis(*duration).serialize(serializer)
}

fn purpose<S: Serializer>(purpose: &Purpose, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(purpose)
}

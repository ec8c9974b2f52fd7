//! The service itself: a function from time and request to response.
//!
//! Owns the tokens, the rules by which they are given and taken back, and the log. Knows nothing of
//! sockets; reads no clock.

use std::collections::BTreeMap;

use http::{HeaderMap, Request, Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::control;
use crate::fault::{Dice, Fault};
use crate::log::{Entry, Operation, Verdict};
use crate::reply::{self, Delay, Evidence};
use crate::request::{Refusal, bearer, json_body, no_authorization, no_such_path, strings};
use crate::settings::{NoToken, Rotation, Settings};
use crate::time::Time;
use crate::token::{Kind, Mint};

/// Where Get token is (published).
pub const GET_TOKEN_PATH: &str = "/v5/partner/transfer/agent/auth";
/// Where Refresh token is (assumed).
pub const REFRESH_PATH: &str = "/v5/partner/transfer/agent/refresh";
/// Where the sandbox's own protected operation is: it answers what it is sent.
pub const ECHO_PATH: &str = "/_sandbox/echo";

/// A local IMTS. See the [crate's documentation](crate).
#[derive(Clone, Debug, Default)]
pub struct Sandbox {
    settings: Settings,
    mint: Mint,
    issued: BTreeMap<String, Issued>,
    families: u64,
    log: Vec<Entry>,
    counters: Counters,
    dice: Dice,
}

/// What a client must not do, and how often it was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Grants given, by sign-in and by refresh.
    pub grants: u64,
    /// Retired refresh tokens that were presented again.
    pub refresh_reuse: u64,
    /// Access tokens that were presented after their end.
    pub expired_bearers: u64,
}

#[derive(Clone, Debug)]
struct Issued {
    kind: Kind,
    agent: String,
    /// The sign-in that it descends from.
    family: u64,
    ends: Time,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Live,
    Revoked,
    /// Used, and followed by this refresh token.
    Retired {
        at: Time,
        successor: String,
    },
}

type Answer = Result<(Verdict, Response<Vec<u8>>), Refusal>;

impl Sandbox {
    /// A service that behaves as the settings say.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Answers a request that comes in at this time.
    pub fn handle(&mut self, now: Time, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let path = request.uri().path();
        if path != ECHO_PATH && (path == "/_sandbox" || path.starts_with("/_sandbox/")) {
            return control::handle(self, now, request);
        }
        let server_now = now.shifted(self.settings.skew_micros);
        let operation = operation(request.uri().path());
        let fault = self.dice.pick(&self.settings.faults, operation, self.settings.fault_seed);
        let answer = self.answer(server_now, operation, fault.as_ref(), request);
        let (verdict, mut response) = answer.unwrap_or_else(|refusal| {
            let Refusal { status, verdict, message } = refusal;
            (verdict, reply::refusal(status, server_now, self.settings.error_shape, &message))
        });
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            response = reply::allowing(response, "POST");
        }
        if let Some(fault) = fault.filter(|_| verdict != Verdict::Faulted) {
            fault.after(&mut response);
        }
        if !self.settings.latency.is_zero() {
            response.extensions_mut().insert(Delay(self.settings.latency));
        }
        self.log.push(Entry {
            number: self.log.last().map_or(1, |last| last.number + 1),
            at_us: now.micros(),
            operation,
            status: response.status().as_u16(),
            verdict,
        });
        response
    }

    /// How it behaves.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How it behaves, to change.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Every request to the service, oldest first.
    #[must_use]
    pub fn log(&self) -> &[Entry] {
        &self.log
    }

    /// How many requests asked for this.
    #[must_use]
    pub fn count(&self, operation: Operation) -> usize {
        self.log.iter().filter(|entry| entry.operation == operation).count()
    }

    /// How often a client did what it must not.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Takes one token back, access or refresh.
    pub fn revoke(&mut self, token: &str) {
        if let Some(issued) = self.issued.get_mut(token) {
            issued.state = State::Revoked;
        }
    }

    /// Takes every access token back.
    pub fn revoke_access_tokens(&mut self) {
        self.revoke_where(|issued| issued.kind == Kind::Access);
    }

    /// Takes every refresh token back.
    pub fn revoke_refresh_tokens(&mut self) {
        self.revoke_where(|issued| issued.kind == Kind::Refresh);
    }

    /// Forgets tokens, log and counters; the settings stay.
    pub fn reset(&mut self) {
        let settings = std::mem::take(&mut self.settings);
        let mint = std::mem::take(&mut self.mint);
        *self = Self { settings, mint, ..Self::default() };
    }

    fn revoke_where(&mut self, which: impl Fn(&Issued) -> bool) {
        for issued in self.issued.values_mut().filter(|issued| which(issued)) {
            issued.state = State::Revoked;
        }
    }

    fn answer(
        &mut self,
        now: Time,
        operation: Operation,
        fault: Option<&Fault>,
        request: &Request<Vec<u8>>,
    ) -> Answer {
        let shape = self.settings.error_shape;
        let refusal = |status| reply::refusal(status, now, shape, "a fault of the sandbox's");
        if let Some(response) = fault.and_then(|fault| fault.before(refusal)) {
            return Ok((Verdict::Faulted, response));
        }
        let is_there = match operation {
            Operation::Other => false,
            Operation::Refresh => self.settings.refresh_endpoint,
            _ => true,
        };
        if !is_there {
            return Err(no_such_path());
        }
        if let Some(response) = self.outage(now) {
            return Ok((Verdict::Outage, response));
        }
        let body = json_body(request)?;
        match operation {
            Operation::GetToken => self.get_token(now, request.headers(), &body),
            Operation::Refresh => self.refresh(now, request.headers(), &body),
            _ => self.echo(now, request.headers(), &body),
        }
    }

    fn outage(&self, now: Time) -> Option<Response<Vec<u8>>> {
        let outage = self.settings.outage.as_ref()?;
        if outage.until.is_some_and(|until| now >= until) {
            return None;
        }
        let shape = self.settings.error_shape;
        Some(reply::outage(outage.status, outage.retry_after, now, shape))
    }

    fn get_token(&mut self, now: Time, headers: &HeaderMap, body: &Value) -> Answer {
        no_authorization(headers)?;
        let [id, secret] = strings(body, ["agent_id", "agent_secret"])?;
        if self.settings.agents.get(id).is_none_or(|known| known != secret) {
            let quoted = match self.settings.quote_secrets {
                true => format!("no agent {id} with secret {secret}"),
                false => "unknown agent or wrong secret".to_owned(),
            };
            return Err(Refusal::new(401, Verdict::WrongCredentials, quoted));
        }
        self.families += 1;
        let payload = self.grant(now, id, self.families, None);
        Ok((Verdict::Granted, reply::success(now, Evidence::Published, payload)))
    }

    fn refresh(&mut self, now: Time, headers: &HeaderMap, body: &Value) -> Answer {
        no_authorization(headers)?;
        let [token] = strings(body, ["refresh_token"])?;
        if self.settings.refuse_refresh {
            let quoted = if self.settings.quote_secrets { token } else { "refresh refused" };
            return Err(Refusal::new(401, Verdict::RefusedRefresh, quoted));
        }
        let known = self.issued.get(token).filter(|issued| issued.kind == Kind::Refresh);
        let unknown = Refusal::new(401, Verdict::UnknownRefreshToken, "unknown refresh token");
        let issued = known.ok_or(unknown)?.clone();
        let (verdict, successor) = match &issued.state {
            State::Live if now >= issued.ends => {
                let verdict = Verdict::ExpiredRefreshToken;
                return Err(Refusal::new(401, verdict, "the refresh token has expired"));
            }
            State::Live => (Verdict::Refreshed, None),
            State::Revoked => {
                let verdict = Verdict::UnknownRefreshToken;
                return Err(Refusal::new(401, verdict, "the refresh token was revoked"));
            }
            State::Retired { at, successor } => {
                self.counters.refresh_reuse += 1;
                if !self.forgives(*at, now) {
                    if self.settings.rotation == Rotation::ReuseRevokesFamily {
                        self.revoke_where(|other| other.family == issued.family);
                    }
                    let verdict = Verdict::ReusedRefreshToken;
                    return Err(Refusal::new(401, verdict, "the refresh token was used before"));
                }
                (Verdict::RefreshedAgain, Some(successor.clone()))
            }
        };
        let rotated = self.rotate(now, token, &issued, successor);
        let payload = self.grant(now, &issued.agent, issued.family, Some(rotated));
        Ok((verdict, reply::success(now, Evidence::Assumed, payload)))
    }

    fn forgives(&self, retired: Time, now: Time) -> bool {
        match self.settings.rotation {
            Rotation::GraceSeconds(grace) => {
                now < retired.shifted(i64::from(grace).saturating_mul(1_000_000))
            }
            _ => false,
        }
    }

    /// The refresh token that a refresh brings, where it brings one.
    fn rotate(
        &mut self,
        now: Time,
        token: &str,
        issued: &Issued,
        successor: Option<String>,
    ) -> Option<String> {
        if self.settings.rotation == Rotation::Never {
            return None;
        }
        if successor.is_some() {
            return successor;
        }
        let successor = self.issue(Kind::Refresh, &issued.agent, issued.family, now);
        if let Some(old) = self.issued.get_mut(token) {
            old.state = State::Retired { at: now, successor: successor.clone() };
        }
        Some(successor)
    }

    /// A grant's payload: with a refresh token of its own after a sign-in (`None`), or with what a
    /// refresh brings (`Some`).
    fn grant(
        &mut self,
        now: Time,
        agent: &str,
        family: u64,
        rotated: Option<Option<String>>,
    ) -> Payload {
        self.counters.grants += 1;
        let access_token = self.issue(Kind::Access, agent, family, now);
        let refresh_token =
            rotated.unwrap_or_else(|| Some(self.issue(Kind::Refresh, agent, family, now)));
        let refresh_ends = refresh_token.as_ref().and_then(|token| self.issued.get(token));
        Payload {
            access_expire_at: now.after(self.settings.access_lifetime).to_seconds_offset(),
            refresh_expire_at: refresh_ends.map(|issued| issued.ends.to_seconds_offset()),
            access_token,
            refresh_token: match (refresh_token, self.settings.no_token) {
                (Some(token), _) => Some(Some(token)),
                (None, NoToken::Absent) => None,
                (None, NoToken::Null) => Some(None),
                (None, NoToken::Empty) => Some(Some(String::new())),
            },
        }
    }

    fn issue(&mut self, kind: Kind, agent: &str, family: u64, now: Time) -> String {
        let lifetime = match kind {
            Kind::Access => self.settings.access_lifetime,
            Kind::Refresh => self.settings.refresh_lifetime,
        };
        let ends = now.after(lifetime);
        let token = self.mint.make(kind, agent, now, ends);
        let issued = Issued { kind, agent: agent.to_owned(), family, ends, state: State::Live };
        self.issued.insert(token.clone(), issued);
        token
    }

    fn echo(&mut self, now: Time, headers: &HeaderMap, body: &Value) -> Answer {
        let bad = || Refusal::new(401, Verdict::BadBearer, "no valid access token");
        let token = bearer(headers).ok_or_else(bad)?;
        let issued = self.issued.get(token).filter(|issued| issued.kind == Kind::Access);
        let issued = issued.ok_or_else(bad)?;
        if now >= issued.ends {
            self.counters.expired_bearers += 1;
            let message = "the access token has expired";
            return Err(Refusal::new(401, Verdict::ExpiredBearer, message));
        }
        if self.settings.reject_access || !matches!(issued.state, State::Live) {
            return Err(bad());
        }
        let payload = json!({ "echo": body });
        Ok((Verdict::Echoed, reply::success(now, Evidence::Assumed, payload)))
    }
}

/// What a path asks for.
fn operation(path: &str) -> Operation {
    match path {
        GET_TOKEN_PATH => Operation::GetToken,
        REFRESH_PATH => Operation::Refresh,
        ECHO_PATH => Operation::Echo,
        _ => Operation::Other,
    }
}

/// A grant's fields in the published order.
#[derive(Serialize)]
struct Payload {
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Option<String>>,
    access_expire_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expire_at: Option<String>,
}

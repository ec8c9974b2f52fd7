//! One process: a session, its model, and what is under way.

use http::{Request, Response};
use imts_core::{
    Bearer, Credentials, Endpoint, Keep, NotSent, Now, Policy, Purpose, RenewalCause, Reply,
    SaveTicket, Saved, Session, Step, Ticket, TransportError, services,
};
use serde_json::Value;

use super::model::{Granted, Model, Sent};
use crate::oracle::date;

const CAP: i64 = 86_400_000_000;

/// A request between the process and the service.
pub(super) struct Pending {
    ticket: Ticket,
    sent: Sent,
    pub(super) request: Request<Vec<u8>>,
    /// The answer, once the service has given one.
    pub(super) response: Option<Response<Vec<u8>>>,
}

/// What a poll came to.
pub(super) enum Polled {
    Ready,
    /// A request is under way.
    Sent,
    /// Something is to be saved.
    Save,
    /// Nothing before this reading of the monotonic clock.
    Later(u64),
    /// Credentials are needed.
    SignIn,
}

pub(super) struct Process {
    session: Session,
    model: Model,
    requests: u64,
    pub(super) pending: Vec<Pending>,
    saves: Vec<(SaveTicket, Saved)>,
    /// The tokens that were handed out, the latest last.
    pub(super) bearers: Vec<Bearer>,
    pub(super) has_refreshed: bool,
}

impl Process {
    pub(super) fn new(with_store: bool) -> Self {
        let endpoint = Endpoint::https("https://sandbox.example").expect("a good URL");
        let session = Session::new(endpoint, services::transfer(), Policy::default());
        let session = session.expect("a good contract");
        Self {
            session: if with_store { session.with_store() } else { session },
            model: Model::new(with_store),
            requests: 0,
            pending: Vec::new(),
            saves: Vec::new(),
            bearers: Vec::new(),
            has_refreshed: false,
        }
    }

    pub(super) fn sign_in(&mut self, agent: &str, secret: &str, keep: Keep, now: Now) {
        if self.session.agent_id().is_some_and(|known| known != agent) {
            self.model.forgets_rejected();
        }
        let before = self.session.health(now).credentials;
        let credentials = Credentials::new(agent, secret).expect("good credentials");
        self.session.sign_in(credentials, keep, now);
        self.model.signs_in(format!("{agent} {secret}"), keep, before, self.requests);
    }

    pub(super) fn sign_out(&mut self) {
        self.session.sign_out();
        self.model.signs_out(self.requests);
    }

    pub(super) fn poll(&mut self, now: Now, at_least: std::time::Duration) -> Polled {
        self.model.pass(now);
        let usable = self.session.phase(now).usable();
        let was_usable = usable.is_some_and(|usable| usable.remaining() >= at_least);
        let is_usable = usable.is_some();
        let step = self.session.poll_for(now, at_least);
        let polled = match step {
            Step::Ready(bearer) => {
                self.model.ready(&bearer, now);
                if self.bearers.last().is_none_or(|last| last.epoch() != bearer.epoch()) {
                    self.bearers.push(bearer);
                }
                Polled::Ready
            }
            Step::Send(ticket, exchange) => {
                self.requests += 1;
                let deadline = now.mono.after(exchange.time_limit()).as_micros();
                let request = exchange.into_request().map(|body| body.as_ref().to_vec());
                let body: Value = serde_json::from_slice(request.body()).expect("a JSON body");
                let refresh_token = body["refresh_token"].as_str().map(str::to_owned);
                assert_eq!(refresh_token.is_some(), ticket.purpose() == Purpose::Refresh);
                let text = |name: &str| body[name].as_str().map(str::to_owned);
                let secret = text("agent_id").zip(text("agent_secret"));
                let secret = secret.map(|(agent, secret)| format!("{agent} {secret}"));
                let (number, last) = (self.requests, self.requests);
                let sent = Sent { number, last, at: now, refresh_token, secret };
                self.model.sends(&sent, now, deadline, is_usable);
                self.pending.push(Pending { ticket, sent, request, response: None });
                Polled::Sent
            }
            Step::Save(ticket, saved) => {
                let bytes = saved.to_json();
                let read = Saved::from_json(&bytes).expect("what is saved can be read");
                assert_eq!(read.to_json(), bytes, "a fixed point");
                self.saves.push((ticket, saved));
                Polled::Save
            }
            Step::Busy { until } | Step::Wait { until, .. } => {
                assert!(until > now.mono, "a wait until now");
                assert!(!was_usable, "bad news before a usable token");
                Polled::Later(until.as_micros())
            }
            Step::SignIn { .. } => {
                assert!(!was_usable, "bad news before a usable token");
                Polled::SignIn
            }
        };
        self.note_generation(now);
        polled
    }

    /// The reply to one request arrives, where the service has given one.
    pub(super) fn arrives(&mut self, which: usize, now: Now) {
        let Pending { ticket, mut sent, response, .. } = self.pending.remove(which);
        let Some(response) = response else { return self.fails(ticket, sent, false, now) };
        sent.last = self.requests;
        if response.status() == 403 && self.model.is_live(&sent) {
            self.model.is_forbidden(&sent, now);
        }
        let outcome = self.session.on_reply(ticket, Reply::from(&response), now);
        let is_grant = match &outcome {
            Ok(()) => true,
            Err(trouble) => {
                matches!(trouble.why(), RenewalCause::DeadOnArrival | RenewalCause::Rejected)
            }
        };
        let granted = is_grant.then(|| granted(response.body()));
        if outcome.is_ok() && sent.refresh_token.is_some() {
            self.has_refreshed = true;
        }
        self.model.replied(&sent, granted, outcome.is_ok(), now);
        self.note_generation(now);
    }

    /// One request fails, or is never heard of again.
    pub(super) fn lose(&mut self, which: usize, silently: bool, now: Now) {
        let Pending { ticket, sent, .. } = self.pending.remove(which);
        if !silently {
            self.fails(ticket, sent, false, now);
        }
    }

    /// One request turns out not to have left; only where the service has not seen it.
    pub(super) fn keep_back(&mut self, which: usize, now: Now) {
        if self.pending[which].response.is_none() {
            let Pending { ticket, sent, .. } = self.pending.remove(which);
            self.fails(ticket, sent, true, now);
        }
    }

    fn fails(&mut self, ticket: Ticket, sent: Sent, not_sent: bool, now: Now) {
        let why = if not_sent {
            TransportError::not_sent(NotSent::vouch())
        } else {
            TransportError::unknown()
        };
        let _ = self.session.on_failure(ticket, why, now);
        self.model.failed(sent, not_sent, now);
    }

    /// The oldest save is over; what was to be saved, where it succeeded.
    pub(super) fn saved(&mut self, now: Now) -> Option<Vec<u8>> {
        if self.saves.is_empty() {
            return None;
        }
        let (ticket, saved) = self.saves.remove(0);
        self.session.on_saved(ticket, now);
        Some(saved.to_json().to_vec())
    }

    /// Nobody reports the oldest save.
    pub(super) fn forget_save(&mut self) {
        if !self.saves.is_empty() {
            let _ = self.saves.remove(0);
        }
    }

    pub(super) fn adopt(&mut self, bytes: &[u8], now: Now) {
        let saved = Saved::from_json(bytes).expect("what is saved can be read");
        let form: Value = serde_json::from_slice(bytes).expect("JSON");
        let (generation, doubt) = (saved.generation(), saved.is_in_doubt());
        if self.session.adopt(saved, now).is_err() || generation <= self.model.generation {
            return;
        }
        let access = &form["access"];
        let int = |value: &Value| value.as_i64().expect("a whole number");
        let access = access["token"]
            .as_str()
            .filter(|_| int(&form["saved_at_us"]) <= now.wall.unix_micros());
        let access = access.map(|token| {
            let access = &form["access"];
            let left = int(&access["ends_at_us"]).saturating_sub(now.wall.unix_micros());
            let left = left.clamp(0, int(&access["lifetime_us"]).min(CAP));
            let mono = now.mono.as_micros() + left.unsigned_abs();
            (token.to_owned(), mono, now.wall.unix_micros() + left)
        });
        self.model.adopted(self.requests, access);
        if let Some(token) = form["refresh"]["token"].as_str().filter(|_| doubt) {
            self.model.doubts(token.to_owned());
        }
        self.model.generation = generation;
    }

    /// The service refuses a token that was handed out: the latest, or so many before it.
    pub(super) fn reject(&mut self, back: usize, now: Now) {
        let Some(bearer) = self.bearers.iter().rev().nth(back) else { return };
        let current = self.session.phase(now).usable().map(|usable| usable.bearer().epoch());
        let is_current = current == Some(bearer.epoch());
        self.session.reject(bearer.epoch(), now);
        if is_current {
            assert!(self.session.phase(now).usable().is_none(), "usable after its rejection");
        }
        self.model.rejects(is_current.then(|| bearer.expose_token().to_owned()), now);
    }

    fn note_generation(&mut self, now: Now) {
        if let Some(saved) = self.session.saved(now) {
            assert!(saved.generation() >= self.model.generation, "generations only rise");
            self.model.generation = saved.generation();
        }
    }
}

/// What a reply that was taken for a grant grants, by its own bytes.
fn granted(body: &[u8]) -> Granted {
    let body: Value = serde_json::from_slice(body).expect("a grant is JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let payload = &body["payload"];
    let at = |value: &Value| date::rfc3339(&text(value)).expect("a date");
    let lifetime = at(&payload["access_expire_at"]) - at(&body["response_time"]);
    Granted { token: text(&payload["access_token"]), lifetime: lifetime.min(CAP) }
}

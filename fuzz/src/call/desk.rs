//! The driver of one call, and what it holds the call to.

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Method, Response, StatusCode, Uri};
use imts_core::journal::Digest;
use imts_core::operation::{Auth, Json};
use imts_core::time::{Mono, Wall};
use imts_core::transport_error::Source;
use imts_core::{
    Bearer, Call, CallStep, Class, Exchange, Now, Outcome, Permit, Recovery, Reply, Session, Step,
    TransportError,
};

use super::ledger::{ID, Ledger};
use super::line::Line;
use super::rules::{LIMIT, Sign};
use super::setup::{self, ATTEMPTS, TIME};

pub(super) struct Desk {
    session: Session,
    class: Class,
    auth: Auth,
    journal: bool,
    trusts_401: bool,
    decides: bool,
    attempts_allowed: u32,
    now: Now,
    sign_ins: u32,
    given: Vec<Bearer>,
    call: Call<Json>,
    deadline: Mono,
    ledger: Ledger,
    attempts: u32,
    /// What was sent first: each time it is the same.
    sent: Option<(Uri, Vec<u8>)>,
    /// When the last request went out, and until when its reply is waited for.
    out: Option<(Now, Mono)>,
    token: String,
    sign: Sign,
    is_over: bool,
    permit: Option<Permit<Json>>,
    is_done: bool,
}

/// What a poll came to.
enum Asked {
    Bearer,
    Record,
    Until(Mono),
    Nothing,
}

impl Desk {
    pub(super) fn new(options: &[u8]) -> Self {
        let has = |letter| options.contains(&letter);
        let attempts_allowed = if has(b'1') { 1 } else { ATTEMPTS };
        let (trusts_401, decides) = (has(b't'), has(b'd'));
        let session = setup::session(attempts_allowed, trusts_401, decides);
        let now = setup::START;
        let deadline = now.mono.after(TIME);
        let (class, auth, call) = setup::call(&session, options, deadline);
        let journal = has(b'j');
        let call = if journal { call.with_journal() } else { call };
        Self {
            session,
            class,
            auth,
            journal: journal && class != Class::Read,
            trusts_401,
            decides,
            attempts_allowed,
            now,
            sign_ins: 0,
            given: Vec::new(),
            call,
            deadline,
            ledger: Ledger::default(),
            attempts: 0,
            sent: None,
            out: None,
            token: String::new(),
            sign: Sign::None,
            is_over: false,
            permit: None,
            is_done: false,
        }
    }

    pub(super) fn play(&mut self, line: &Line) {
        match line {
            Line::Reply { in_turn: true, .. } | Line::TransportError { in_turn: true, .. } => {
                self.send();
            }
            _ => {}
        }
        match line {
            Line::Reply { response, .. } => self.reply(response),
            Line::TransportError { not_sent, .. } => self.fail(*not_sent),
            Line::Bearer => self.give(),
            Line::NoBearer => {
                self.call.on_no_bearer(source("no token"), Recovery::SignIn);
            }
            Line::Recorded(written) => self.record(*written),
            Line::Poll => drop(self.poll()),
            Line::Pass(ms) => {
                self.now = self.now.advanced_by(Duration::from_millis(u64::from(*ms)));
            }
            Line::Set(ms) => {
                let micros = self.now.wall.unix_micros().saturating_add(ms * 1_000);
                self.now.wall = Wall::from_unix_micros(micros);
            }
            Line::Retry => self.retry(),
        }
    }

    /// Drives the call to its end, where it has none yet; whether a call was done.
    pub(super) fn finish(mut self) -> bool {
        for _ in 0..=ATTEMPTS {
            self.send();
            self.fail(false);
        }
        self.poll();
        assert!(self.is_over, "no answer, and no end: {:?}", self.call);
        // Nothing comes after the end, whatever is said.
        for event in [Line::Bearer, Line::Recorded(true), Line::Poll] {
            self.play(&event);
        }
        self.fail(true);
        self.poll();
        self.is_done
    }

    /// Does what is asked until the request is out, or the call over.
    fn send(&mut self) {
        for _ in 0..64 {
            if self.is_over || self.out.is_some() {
                return;
            }
            match self.poll() {
                Asked::Bearer => self.give(),
                Asked::Record => self.record(true),
                Asked::Until(until) => {
                    self.now = self.now.advanced_by(until.since(self.now.mono));
                }
                Asked::Nothing => {}
            }
        }
        panic!("it neither sends nor ends: {:?}", self.call);
    }

    fn poll(&mut self) -> Asked {
        if self.out.as_ref().is_some_and(|(_, until)| self.now.mono >= *until) {
            (self.out, self.sign) = (None, Sign::Silence);
        }
        let step = self.call.poll(self.now);
        self.silent(&format!("{step:?}"));
        if self.is_over {
            assert!(
                matches!(step, CallStep::Wait { .. } | CallStep::Reject(_)),
                "after the end: {step:?}"
            );
        }
        match step {
            CallStep::Token => {
                assert_eq!(self.auth, Auth::Bearer, "a token that it does not take");
                return Asked::Bearer;
            }
            CallStep::Record(entry) => {
                assert!(self.journal, "a journal that nobody declared: {entry:?}");
                self.ledger.ask(entry);
                return Asked::Record;
            }
            CallStep::NotAdmitted(error) => panic!("no journal stands against it: {error}"),
            CallStep::Send(exchange) => self.sent(&exchange),
            CallStep::Reject(epoch) => self.session.reject(epoch, self.now),
            CallStep::Wait { until } => {
                assert!(until <= self.deadline || self.is_over, "longer than there is time");
                return Asked::Until(until);
            }
            CallStep::Over(outcome) => self.end(outcome),
        }
        Asked::Nothing
    }

    fn sent(&mut self, exchange: &Exchange) {
        assert!(self.out.is_none(), "sent twice at once");
        assert!(self.now.mono < self.deadline, "sent too late");
        assert!(exchange.time_limit() <= self.deadline.since(self.now.mono));
        assert_eq!(exchange.reply_limit(), LIMIT);
        self.attempts += 1;
        assert!(self.attempts <= self.attempts_allowed, "sent too often");
        let may = self.class == Class::Read || self.sign.permits();
        assert!(may, "sent again after {:?}", self.sign);
        let request = exchange.request();
        let (uri, body) = (request.uri().clone(), request.body().as_ref().to_vec());
        assert_eq!(request.method(), Method::POST);
        if self.journal {
            self.ledger.send(&body);
        }
        let first = self.sent.get_or_insert_with(|| (uri.clone(), body.clone()));
        assert_eq!((&uri, &body), (&first.0, &first.1), "other bytes than before");
        let header = request.headers().get(AUTHORIZATION);
        assert_eq!(header.is_some(), self.auth == Auth::Bearer, "a token, where one is taken");
        if let Some(header) = header {
            assert!(header.is_sensitive());
            let mut given = self.given.iter().rev();
            let bearer = given.find(|it| it.header() == header).expect("a bearer that was given");
            assert!(!bearer.remaining(self.now).is_zero(), "a dead bearer");
            self.token = bearer.expose_token().to_owned();
        }
        self.out = Some((self.now, self.now.mono.after(exchange.time_limit())));
        self.sign = Sign::Out;
    }

    fn reply(&mut self, response: &Response<Vec<u8>>) {
        self.call.on_reply(Reply::from(response), self.now);
        if let Some((sent, _)) = self.out.take() {
            self.sign = match self.auth {
                Auth::Bearer => Sign::of(response, self.trusts_401, self.decides),
                Auth::None => Sign::of_exchange(response, self.decides, sent.wall),
            };
            if response.status() == StatusCode::UNAUTHORIZED && self.auth == Auth::Bearer {
                let step = self.call.poll(self.now);
                let CallStep::Reject(epoch) = step else { panic!("a bad token: {step:?}") };
                self.session.reject(epoch, self.now);
            }
        }
        self.silent(&format!("{:?}", self.call));
    }

    fn fail(&mut self, not_sent: bool) {
        let failure = match not_sent {
            true => TransportError::not_sent(imts_core::transport_error::NotSent::vouch()),
            false => TransportError::unknown(),
        };
        self.call.on_failure(failure, self.now);
        if self.out.take().is_some() {
            self.sign = if not_sent { Sign::NotSent } else { Sign::Silence };
        }
    }

    fn record(&mut self, written: bool) {
        self.ledger.answer(written);
        self.call.on_recorded(if written { Ok(ID) } else { Err(source("full").into()) });
    }

    fn give(&mut self) {
        for _ in 0..32 {
            match self.session.poll(self.now) {
                Step::Ready(bearer) => {
                    self.given.push(bearer.clone());
                    return self.call.on_bearer(bearer);
                }
                Step::Send(ticket, _) => {
                    self.sign_ins += 1;
                    let reply = setup::grant(self.sign_ins);
                    drop(self.session.on_reply(ticket, Reply::from(&reply), self.now));
                }
                Step::Wait { until, .. } | Step::Busy { until } => {
                    self.now = self.now.advanced_by(until.since(self.now.mono));
                }
                step => panic!("no token comes: {step:?}"),
            }
        }
        panic!("no token comes");
    }

    fn retry(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        self.silent(&format!("{permit:?}"));
        self.deadline = self.now.mono.after(TIME);
        self.call = permit.retry(self.deadline);
        (self.ledger, self.attempts, self.is_over) = (Ledger::default(), 0, false);
    }

    fn end(&mut self, outcome: Outcome<Json>) {
        assert!(self.out.is_none(), "over, and its request is out");
        let ending = outcome.ending();
        let sign = &self.sign;
        assert!(sign.allows(self.class, ending), "{ending:?} after {sign:?}: {outcome:?}");
        let told = match &outcome {
            Outcome::Done(reply) => Some(reply.as_str()),
            _ => None,
        };
        match sign {
            Sign::Done(payload) => assert_eq!(told, Some(payload.as_str()), "what was done"),
            Sign::Open => {}
            _ => assert_eq!(told, None, "a success that was none"),
        }
        assert!(outcome.recovery().is_none() == matches!(outcome, Outcome::Done(_)));
        self.ledger.end(ending);
        self.silent(&format!("{outcome:?}"));
        self.is_over = true;
        match outcome {
            Outcome::Done(_) => self.is_done = true,
            Outcome::Refused(refusal) => self.quiet(&refusal.to_string()),
            Outcome::Unknown(unknown) => {
                let bytes = self.sent.as_ref().map(|(_, body)| Digest::of(body));
                assert_eq!(Some(unknown.digest()), bytes);
                assert_eq!(unknown.class(), self.class);
                self.quiet(&unknown.to_string());
            }
            Outcome::Failed(failed) => {
                self.quiet(&failed.why().to_string());
                self.permit = failed.into_permit();
                assert!(self.permit.is_some(), "what was not done can be done");
            }
        }
    }

    /// An error's text is fit to be shown.
    fn quiet(&self, text: &str) {
        assert!(!text.contains(char::is_control), "a text that moves the cursor: {text:?}");
        self.silent(text);
    }

    /// A text is short, and holds no token and, of an exchange that carries one, no secret.
    fn silent(&self, text: &str) {
        assert!(text.len() < 4_096, "a text of boundless length: {text}");
        assert!(self.token.is_empty() || !text.contains(&self.token), "a token: {text}");
        let secrets = if self.auth == Auth::None { setup::SECRETS.as_slice() } else { &[] };
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "a secret: {text}");
    }
}

fn source(text: &str) -> Source {
    Source::from(Box::<dyn std::error::Error + Send + Sync>::from(text))
}

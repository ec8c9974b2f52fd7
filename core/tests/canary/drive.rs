//! A session with marked secrets, driven through every phase, every step and every kind of reply.

use std::time::Duration;

use http::{Request, Response};
use imts_core::exchange::Purpose;
use imts_core::service::{Refresh, TokenIn};
use imts_core::time::{Mono, Wall};
use imts_core::transport_error::NotSent;
use imts_core::{
    Credentials, Endpoint, Keep, Now, Policy, Reply, Saved, Service, Session, Step, Ticket,
    TransportError, services,
};
use imts_sandbox::{Sandbox, Settings, Time};
use serde_json::Value;

use crate::hunt::Hunt;
use crate::outputs::Outputs;

pub(crate) const AGENT: &str = "agent-in-the-clear";
/// Right, wrong, and one that JSON escapes.
pub(crate) const SECRET: &str = "Right-Secret.CanaryQ7xZvKwTn4";
pub(crate) const WRONG: &str = "Wrong-Secret.CanaryJ3bLrYhMd8";
pub(crate) const QUOTED: &str = "\"Quoted\\Secret\"/CanaryF9pSgNcRt2";

pub(crate) struct Drive {
    pub(crate) session: Session,
    pub(crate) now: Now,
    pub(crate) service: Sandbox,
    pub(crate) hunt: Hunt,
    pub(crate) outputs: Outputs,
    pub(crate) saved: Option<Saved>,
}

impl Drive {
    pub(crate) fn new(service: Service) -> Self {
        let mut settings = Settings::default();
        settings.agents = [(AGENT.to_owned(), SECRET.to_owned())].into();
        settings.rotation = imts_sandbox::Rotation::Always;
        settings.quote_secrets = true;
        let endpoint = Endpoint::https("https://service.example").unwrap();
        let session = Session::new(endpoint, service, Policy::default()).unwrap().with_store();
        let wall = Wall::from_unix_micros(1_753_269_451_577_745);
        let mut hunt = Hunt::default();
        for (what, secret) in [("secret", SECRET), ("wrong secret", WRONG), ("quoted", QUOTED)] {
            hunt.add(what, secret);
        }
        Self {
            session,
            now: Now { mono: Mono::default(), wall },
            service: Sandbox::new(settings),
            hunt,
            outputs: Outputs::default(),
            saved: None,
        }
    }

    /// The refresh token as bearer, as the vendor's sign-in service has it.
    pub(crate) fn bearer_service() -> Service {
        let tokens = services::transfer::tokens();
        let path = tokens.refresh().unwrap().path().clone();
        let refresh = Refresh::new(http::Method::PATCH, path, TokenIn::Bearer);
        services::transfer().with_tokens(tokens.with_refresh(refresh))
    }

    pub(crate) fn sign_in(&mut self, secret: &str, keep: Keep) {
        let credentials = Credentials::new(AGENT, secret).unwrap();
        self.outputs.show("credentials", &credentials);
        self.session.sign_in(credentials, keep, self.now);
        self.look();
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now = self.now.advanced_by(Duration::from_secs(seconds));
        self.look();
    }

    pub(crate) fn look(&mut self) {
        self.outputs.session(&self.session, self.now);
    }

    /// Polls until something is to be sent, saving what is to be saved; `None` where nothing is.
    pub(crate) fn next(&mut self) -> Option<(Ticket, Request<Vec<u8>>)> {
        loop {
            let step = self.session.poll(self.now);
            self.outputs.show("a step", &step);
            self.look();
            match step {
                Step::Send(ticket, exchange) => {
                    self.outputs.show("an exchange", &exchange);
                    self.outputs.show("its request", exchange.request());
                    self.outputs.print("its purpose", &ticket.purpose());
                    let request = exchange.into_request();
                    self.outputs.show("a request", &request);
                    self.outputs.show("a body", request.body());
                    self.outputs.show("headers", request.headers());
                    return Some((ticket, request.map(|body| body.as_ref().to_vec())));
                }
                Step::Save(ticket, saved) => {
                    self.outputs.show("a save", &(ticket, &saved));
                    self.saved = Some(saved);
                    self.session.on_saved(ticket, self.now);
                }
                Step::Wait { last, .. } => {
                    self.outputs.renewal_error(&last);
                    return None;
                }
                _ => return None,
            }
        }
    }

    /// Sends what is due to the sandbox, until a token is in use or nothing more is to be done.
    pub(crate) fn settle(&mut self) {
        while let Some((ticket, request)) = self.next() {
            let now = Time::from_micros(self.now.wall.unix_micros());
            let response = self.service.handle(now, &request);
            self.receive(ticket, &response);
            self.look();
        }
    }

    /// Every token of a reply is a secret from here on.
    pub(crate) fn receive(&mut self, ticket: Ticket, response: &Response<Vec<u8>>) -> bool {
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        for name in ["access_token", "refresh_token"] {
            if let Some(token) = body["payload"][name].as_str().filter(|it| it.len() > 16) {
                self.hunt.add(name, token);
            }
        }
        self.outputs.show("a reply", &Reply::from(response));
        self.outputs.show("a ticket", &ticket);
        let outcome = self.session.on_reply(ticket, response.into(), self.now);
        if let Err(error) = &outcome {
            self.outputs.renewal_error(error);
        }
        outcome.is_ok()
    }

    pub(crate) fn fails(&mut self, ticket: Ticket, not_sent: bool) {
        let failure = match not_sent {
            true => TransportError::not_sent(NotSent::vouch()),
            false => TransportError::unknown().timed_out(),
        };
        self.outputs.print("a failure", &failure);
        let error = self.session.on_failure(ticket, failure, self.now);
        self.outputs.renewal_error(&error);
        self.look();
    }

    /// The tokens in use: access and refresh.
    pub(crate) fn tokens(&self) -> [String; 2] {
        let saved = self.session.saved(self.now).unwrap().to_json();
        let saved: Value = serde_json::from_slice(&saved).unwrap();
        ["access", "refresh"].map(|name| saved[name]["token"].as_str().unwrap().to_owned())
    }

    /// A session that has just sent this, and what it has said until then forgotten.
    pub(crate) fn about_to(purpose: Purpose) -> (Self, Ticket) {
        let mut drive = Self::new(services::transfer());
        drive.sign_in(SECRET, Keep::Always);
        if purpose == Purpose::Refresh {
            drive.settle();
            drive.pass(1_000);
        }
        let (ticket, _) = drive.next().expect("nothing is in the way");
        assert_eq!(ticket.purpose(), purpose);
        drive.outputs = Outputs::default();
        (drive, ticket)
    }

    /// The secrets that a request of this kind carries, or that its answer may name.
    pub(crate) fn at_stake(&self, purpose: Purpose) -> Vec<String> {
        match purpose {
            Purpose::SignIn => vec![SECRET.to_owned()],
            Purpose::Refresh => self.tokens().into_iter().chain([SECRET.to_owned()]).collect(),
        }
    }
}

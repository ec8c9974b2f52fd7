//! What a session is asked, and what must hold of each step that it takes.

use http::Response;
use http::header::AUTHORIZATION;
use imts_core::exchange::Purpose;
use imts_core::time::Mono;
use imts_core::transport_error::NotSent;
use imts_core::{Bearer, Step, Ticket, TransportError};
use serde_json::Value;

use super::service::reply;
use super::world::World;

/// What a session wants.
pub(super) enum Said {
    Ready(Bearer),
    Sent,
    Save,
    Later(Mono),
    NeedsCode,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    /// It was processed, and the reply comes later or never.
    Late,
    /// It was processed, and the driver reports a failure.
    ReplyLost,
    /// It was not processed, which nobody knows.
    RequestLost,
    NotSent,
    Withdrawn,
    /// An answer that is no grant and no refusal, to a request that was not processed.
    Status(u16),
    /// A success that nobody can read, to a request that was processed.
    Garbage,
}

pub(super) const FATES: [(u64, Fate); 15] = [
    (30, Fate::Answered),
    (4, Fate::Late),
    (4, Fate::ReplyLost),
    (4, Fate::RequestLost),
    (6, Fate::NotSent),
    (2, Fate::Withdrawn),
    (2, Fate::Status(503)),
    (2, Fate::Status(500)),
    (2, Fate::Status(403)),
    (1, Fate::Status(404)),
    (1, Fate::Status(302)),
    (1, Fate::Status(405)),
    (1, Fate::Status(425)),
    (1, Fate::Status(429)),
    (2, Fate::Garbage),
];

impl World {
    /// Asks the session once, and lets its request have this fate.
    pub(super) fn ask(&mut self, fate: Fate) -> Said {
        match self.session.poll(self.now) {
            Step::Ready(bearer) => {
                self.is_used(&bearer);
                Said::Ready(bearer)
            }
            Step::Send(ticket, exchange) => {
                let request = exchange.into_request();
                let secret = match ticket.purpose() {
                    Purpose::SignIn => {
                        let body: Value = serde_json::from_slice(request.body().as_ref()).unwrap();
                        body["authorization_code"].as_str().unwrap().to_owned()
                    }
                    Purpose::Refresh => {
                        assert!(request.body().is_empty(), "a refresh has no body");
                        let header = request.headers()[AUTHORIZATION].to_str().unwrap();
                        header.strip_prefix("Bearer ").unwrap().to_owned()
                    }
                };
                self.sends(ticket, &secret, fate);
                Said::Sent
            }
            Step::Save(ticket, state) => {
                assert!(self.stores, "a save without a store");
                assert_eq!(state.subject(), Some("user-1"));
                self.tally.note(match (state.is_empty(), state.is_in_doubt()) {
                    (true, _) => "an empty state is saved",
                    (_, true) => "a mark is saved",
                    _ => "a grant is saved",
                });
                self.saving = Some((ticket, state));
                Said::Save
            }
            Step::Busy { until } | Step::Wait { until, .. } => Said::Later(until),
            Step::SignIn { .. } => Said::NeedsCode,
            step => panic!("no store is shared: {step:?}"),
        }
    }

    fn is_used(&mut self, bearer: &Bearer) {
        let token = bearer.expose_token();
        assert!(!bearer.remaining(self.now).is_zero(), "an expired bearer");
        assert!(!self.stores || self.kept.contains(token), "used, and a crash would lose it");
        let family = self.service.family_of_access(token).expect("a token of the service");
        assert!(!self.heard.contains(&family), "a token is used that is known to be revoked");
    }

    fn sends(&mut self, ticket: Ticket, secret: &str, fate: Fate) {
        self.tell(|| format!("    {secret}: {fate:?}"));
        assert!(self.sent.insert(secret.to_owned()), "{secret} is sent again");
        let refreshes = ticket.purpose() == Purpose::Refresh;
        let processed = |world: &mut Self| match refreshes {
            true => world.service.refreshes(secret, world.now),
            false => world.service.exchanges(secret, world.now),
        };
        match fate {
            Fate::Answered => {
                let response = processed(self);
                self.replied(ticket, &response);
            }
            Fate::Late => {
                let response = processed(self);
                self.late.push((ticket, response));
            }
            Fate::ReplyLost => {
                let _lost = processed(self);
                self.session.on_failure(ticket, TransportError::unknown(), self.now);
                self.tally.note("a reply is lost");
            }
            Fate::RequestLost => {
                self.session.on_failure(ticket, TransportError::unknown(), self.now);
            }
            Fate::NotSent => {
                let why = TransportError::not_sent(NotSent::vouch());
                self.session.on_failure(ticket, why, self.now);
                self.sent.remove(secret);
                self.tally.note(if refreshes { "a refresh is unsent" } else { "a code is unsent" });
            }
            Fate::Withdrawn => {
                self.session.withdraw(ticket);
                self.sent.remove(secret);
            }
            Fate::Status(status) => {
                if refreshes {
                    self.tally.note("a refresh is not handled");
                }
                self.replied(ticket, &reply(status, r#"{"status":"no"}"#.to_owned()));
            }
            Fate::Garbage => {
                let _unread = processed(self);
                self.replied(ticket, &reply(200, r#"{"ok":1}"#.to_owned()));
            }
        }
    }

    pub(super) fn replied(&mut self, ticket: Ticket, response: &Response<Vec<u8>>) {
        let is_good = self.session.on_reply(ticket, response.into(), self.now).is_ok();
        let body: Value = serde_json::from_slice(response.body()).expect("JSON");
        if let Some(id) = body["id"].as_str().filter(|_| is_good) {
            self.ids.push(id.to_owned());
            self.tally.note(match ticket.purpose() {
                Purpose::SignIn => "a sign-in",
                Purpose::Refresh => "a refresh",
            });
        }
    }

    /// The save that the session waits for ends.
    pub(super) fn saves(&mut self, is_durable: bool, is_reported: bool) {
        let Some((ticket, state)) = self.saving.take() else { return };
        if is_durable {
            let form: Value = serde_json::from_slice(&state.to_json()).expect("JSON");
            self.kept.extend(form["access"]["token"].as_str().map(str::to_owned));
            self.saved = Some(state);
        }
        match (is_durable, is_reported) {
            (_, false) => self.tally.note("a save is not reported"),
            (true, true) => self.session.on_saved(ticket, self.now),
            (false, true) => {
                self.session.on_save_failed(ticket, self.now);
                self.tally.note("a save fails");
            }
        }
    }
}

//! What a call records and sends, held to what was asked for and to what it may do.

use std::time::Duration;

use http::Method;
use http::header::AUTHORIZATION;
use imts_core::Exchange;
use imts_core::journal::{Digest, Entry};
use imts_core::operation::Auth;

use super::asks::{AGENTS, url};
use super::caller::{Awaited, Caller, Inbox};
use super::faults::Fault;
use super::known::State::{NotSent, Refused};
use super::replies;
use super::service::Heard;
use super::sign::LIMIT;
use super::world::World;

/// How long a reply may take, by the default policy.
const REPLY_WITHIN: Duration = Duration::from_secs(30);

/// How long a sending may be under way once its journal was asked to record it.
const SENT_WITHIN: Duration = Duration::from_secs(60);

impl World {
    /// Holds an entry to what was asked for, and to how the call must end.
    pub(super) fn inspect(&self, caller: &mut Caller, entry: &Entry) {
        assert!(caller.is_recorded, "a journal that nobody declared: {entry:?}");
        assert_eq!(entry.id(), caller.id, "{entry:?}");
        let sent = caller.faults.len();
        match entry {
            Entry::Intent(intent) => {
                let scope = intent.scope.as_ref().expect("it has one");
                assert_eq!(scope.url, url(caller.ask.key.place()));
                assert_eq!(scope.agent, AGENTS[caller.ask.key.agent]);
                assert_eq!(intent.reference.as_deref(), Some(caller.ask.key.reference()));
                assert_eq!(intent.digest, Digest::of(caller.ask.body.as_bytes()), "other bytes");
                assert_eq!(intent.despite, caller.ask.despite);
                assert_eq!(intent.at, self.now.wall);
            }
            Entry::Sending { at, until, .. } => {
                assert!(caller.course.goes_on(sent));
                let within = SENT_WITHIN.min(caller.rules.deadline.since(self.now.mono));
                let lease = (self.now.mono.after(within), self.now.wall.after(within));
                assert_eq!((*at, *until), (self.now.wall, Some(lease.1)));
                caller.lease = Some(lease);
            }
            Entry::Ended { at, ending, .. } => {
                assert_eq!(*at, self.now.wall);
                self.may_end(caller, *ending);
                assert!(caller.ended.is_none_or(|ended| ended == *ending), "two ends");
                caller.ended = Some(*ending);
            }
            Entry::Resolved { .. } => panic!("no call resolves"),
        }
    }

    pub(super) fn send(&mut self, at: usize, caller: &mut Caller, exchange: Exchange) {
        let admitted = caller.admitted.clone();
        let (sent, rules) = (caller.faults.len(), caller.rules);
        assert!(caller.awaits.is_none(), "sent twice at once");
        assert!(self.now.mono < rules.deadline, "sent too late");
        assert!(caller.course.goes_on(sent), "sent again: {:?}", caller.faults);
        let request = exchange.request();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri().to_string(), url(caller.ask.key.place()));
        assert_eq!(request.body().as_ref(), caller.ask.body.as_bytes());
        assert_eq!(exchange.reply_limit(), LIMIT);
        let mut within = REPLY_WITHIN.min(rules.deadline.since(self.now.mono));
        if caller.is_recorded {
            let marks = self.desks[at].marks(caller.id.expect("it is recorded"));
            assert!(marks > sent, "it is sent before that is durable");
            let (mono, wall) = caller.lease.expect("it was marked");
            let lease = mono.since(self.now.mono).min(wall.since(self.now.wall));
            assert!(!lease.is_zero(), "its journal may take it for gone");
            within = within.min(lease);
        }
        assert_eq!(exchange.time_limit(), within);
        let token = self.token(caller, &exchange);
        let fault = self.fault(token.as_deref());
        if fault == Fault::Reply || (token.is_none() && fault.arrives()) {
            self.service.given = Some(match self.is_calm {
                true => (replies::grant(), false),
                false => {
                    (replies::any(&mut *self.choices, token.as_deref()), self.choices.one_in(2))
                }
            });
        }
        let number = admitted.number;
        self.tell(|it| {
            format!("journal {at}: call {number} meets {fault:?} {:?}", it.service.given)
        });
        self.tally.met(fault, rules.class);
        if ask_is_again(caller) {
            self.tally.note("sent again after a refusal or an unsent call");
        }
        let expired = self.expired();
        self.tally.note(if sent == 0 { "sent" } else { "sent again by proof" });
        if fault == Fault::Revoked && caller.faults.contains(&Fault::Revoked) {
            self.tally.note("rejected twice");
        }
        let wall = self.now.wall;
        caller.faults.push(fault);
        caller.sent_at = Some(wall);
        let heard = self.at_service(&admitted, |it| {
            it.exchange(exchange.into_request(), &admitted, wall, fault)
        });
        assert_eq!(self.expired(), expired, "it was sent with a token that had expired");
        if fault == Fault::Delayed {
            self.delayed = Some(admitted);
        }
        caller.awaits = Some(Awaited { sent: self.now, until: self.now.mono.after(within), fault });
        caller.inbox = match heard {
            Heard::Reply(reply) => Some(Inbox::Reply(reply)),
            Heard::TransportError(failure) => Some(Inbox::TransportError(failure)),
            Heard::Nothing => None,
        };
    }

    /// The token of a request: one that its caller got, and that is valid.
    fn token(&self, caller: &Caller, exchange: &Exchange) -> Option<String> {
        let header = exchange.request().headers().get(AUTHORIZATION);
        assert_eq!(
            header.is_some(),
            caller.rules.auth == Auth::Bearer,
            "a token, where one is taken"
        );
        let header = header?;
        assert!(header.is_sensitive());
        let mut given = caller.bearers.iter().rev();
        let bearer = given.find(|it| it.header() == header).expect("a token that was given");
        assert!(!bearer.remaining(self.now).is_zero(), "a dead token");
        Some(bearer.expose_token().to_owned())
    }

    fn expired(&self) -> u64 {
        self.service.sandbox.counters().expired_bearers
    }
}

/// Whether its journal holds an earlier call of the same that was refused or not sent.
fn ask_is_again(caller: &Caller) -> bool {
    let mut known = caller.admitted.known.iter();
    caller.faults.is_empty() && known.any(|it| matches!(it.state, NotSent | Refused))
}

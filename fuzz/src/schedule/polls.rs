//! What a session is asked, and what must hold of each step that it takes.

use std::time::Duration;

use http::Request;
use imts_core::exchange::Purpose;
use imts_core::session::{RenewalCause, Usable};
use imts_core::time::Mono;
use imts_core::{Bearer, Saved, Step, Ticket};

use super::node::Open;
use super::service::{Fate, plain, presented};
use super::world::World;

/// What a session wants.
#[derive(Debug)]
pub(super) enum Said {
    Ready(Bearer),
    /// The node's last open request is to be sent.
    Send,
    Save,
    Later(Mono),
    SignIn,
}

/// How many rejected tokens a session remembers.
const REJECTED: usize = 16;

impl World {
    /// Asks a session what to do, and holds its answer to the rules.
    pub(super) fn ask(&mut self, at: usize, at_least: Duration) -> Said {
        let said = self.step(at, at_least);
        self.tell(|now| format!("    node {at} at {:?}: {said:?}", now.mono));
        said
    }

    fn step(&mut self, at: usize, at_least: Duration) -> Said {
        self.pass_deadlines(at);
        let mono = self.now.mono.as_micros();
        let node = &mut self.nodes[at];
        let (flies, saves) = (node.live.is_some(), node.save.is_some());
        let falls_back = node.falls_back.take() == Some(self.now.mono);
        // A secret that was given since may have a pace of its own.
        let is_slow = node.said().slow.until > mono;
        let at_once = node.is_due_at_once(self.now) && !is_slow;
        node.settle(self.now);
        let was_usable = node.session.phase(self.now).usable().map(Usable::remaining);
        let is_enough = was_usable.is_some_and(|remaining| remaining >= at_least);
        let step = node.session.poll_for(self.now, at_least);
        let signs_in =
            matches!(&step, Step::Send(ticket, _) if ticket.purpose() == Purpose::SignIn);
        let bad_news = matches!(step, Step::Busy { .. } | Step::Wait { .. } | Step::SignIn { .. });
        let usable = node.session.phase(self.now).usable().is_some();
        let must_serve = is_enough || (usable && at_least.is_zero());
        assert!(!bad_news || !must_serve, "a usable token is not served: {step:?}");
        assert!(!falls_back || signs_in, "no sign-in follows a refresh of no use: {step:?}");
        let waits = matches!(step, Step::Wait { .. });
        assert!(!at_once || !waits, "a wait after a first rejection: {step:?}");
        match step {
            Step::Ready(bearer) => {
                if flies {
                    self.tally.note("rule 1: served while someone else renews");
                } else if saves {
                    self.tally.note("rule 10: served while a save is under way");
                } else if mono < node.quiet_until {
                    self.tally.note("rule 7: served while renewals fail");
                }
                self.check_bearer(at, &bearer);
                self.nodes[at].bearers.push(bearer.clone());
                Said::Ready(bearer)
            }
            Step::Send(ticket, exchange) => {
                let request = plain(exchange.into_request());
                self.check_request(at, ticket, request, was_usable.is_some());
                // The next caller may want less, and get the token that there is.
                self.nodes[at].disturbed |= !at_least.is_zero();
                Said::Send
            }
            Step::Save(ticket, saved) => {
                let newer = saved.generation() > node.generation;
                assert!(newer, "a generation went back: {} to {saved:?}", node.generation);
                assert_eq!(saved.agent_id(), node.session.agent_id(), "agents crossed in a save");
                let bytes = saved.to_json();
                let read = Saved::from_json(&bytes).expect("what is saved can be read");
                assert_eq!(read.to_json(), bytes, "what is saved changes when it is read");
                self.tally.note(match saved.is_in_doubt() {
                    true => "rule 10: a mark is saved",
                    false => "rule 10: a grant is saved",
                });
                node.generation = saved.generation();
                let until = self.now.mono.after(self.policy.save_within);
                node.save = Some((ticket, saved, until.as_micros()));
                Said::Save
            }
            Step::Busy { until } => {
                assert!(until > self.now.mono, "busy until a time that is over");
                assert!(flies || saves, "busy, and nothing is under way");
                self.tally.note(match flies {
                    true => "rule 1: busy while someone else renews",
                    false => "rule 10: busy while a save is under way",
                });
                Said::Later(until)
            }
            Step::Wait { until, last } => {
                let wait = until.since(self.now.mono);
                let most = self.policy.retry_after_cap.max(self.policy.forbidden_cap);
                assert!(!wait.is_zero() && wait <= most, "{wait:?}: {last}");
                let mono = self.now.mono.as_micros();
                let slow = node.refresh_slow.until.max(node.said().slow.until);
                self.tally.note(match last.why() {
                    _ if slow > mono && until.as_micros() == slow => "rule 12: quiet after a 403",
                    RenewalCause::ShortLived => "tokens live too short",
                    _ if wait > self.policy.backoff_cap => {
                        "rule 8: quiet as long as the service asks"
                    }
                    _ => "rule 8: quiet after a failure",
                });
                Said::Later(until)
            }
            Step::Swap(..) | Step::Rest { .. } => panic!("no store is shared"),
            Step::SignIn { .. } => {
                let helpless = node.keep.is_none() || node.said().is_dead;
                assert!(helpless, "credentials are held, and were not refused");
                if node.keep.is_some() {
                    self.tally.note("rule 8: credentials are latched");
                }
                Said::SignIn
            }
        }
    }

    /// What time alone has brought about by the next ask.
    fn pass_deadlines(&mut self, at: usize) {
        let mono = self.now.mono.as_micros();
        let node = &mut self.nodes[at];
        if node.live.is_some_and(|(_, deadline)| mono >= deadline) {
            node.gives_up_request();
            node.failed(self.now, None);
            self.tally.note("rule 2: a flight is over time");
            self.tally.note("fault: timed out");
        }
        if let Some((_, saved, _)) = node.save.clone().filter(|(_, _, until)| mono >= *until) {
            node.gives_up_save();
            self.tally.note("rule 10: a save is over time");
            self.not_saved(at, &saved);
        }
    }

    fn check_bearer(&mut self, at: usize, bearer: &Bearer) {
        let (node, token) = (&self.nodes[at], bearer.expose_token());
        node.known.serves(bearer, self.now);
        assert!(node.session.phase(self.now).usable().is_some(), "a bearer in no usable phase");
        let rejected = node.rejected.iter().rev().take(REJECTED).any(|it| it == token);
        assert!(!rejected, "a rejected token is handed out again");
        let agent = node.session.agent_id().expect("an agent").to_owned();
        let issued = self.service.access.get(&(agent, token.to_owned()));
        let issued = issued.expect("a token that the service gave to this agent");
        let wall_lies = self.jumped >= issued.event;
        let mono_lies = self.suspended >= issued.event || node.adopted >= issued.event;
        let expired = self.truth >= issued.ends;
        assert!(!expired || (wall_lies && mono_lies), "expired by the service's clock");
    }

    fn check_request(
        &mut self,
        at: usize,
        ticket: Ticket,
        request: Request<Vec<u8>>,
        is_usable: bool,
    ) {
        let node = &mut self.nodes[at];
        assert!(node.live.is_none(), "two renewals at a time");
        let mono = self.now.mono.as_micros();
        assert!(mono >= node.quiet_until, "{} us too early", node.quiet_until - mono);
        node.burst += 1;
        node.disturbed = false;
        assert!(node.burst <= 2, "a storm: {} requests at one moment", node.burst);
        let deadline = self.now.mono.after(self.policy.time_limit).as_micros();
        (node.live, node.postponed) = (Some((ticket, deadline)), 0);
        let (mut sent, is_bare) = (None, node.keep.is_none());
        let slow = match ticket.purpose() {
            Purpose::SignIn => node.said().slow,
            Purpose::Refresh => node.refresh_slow,
        };
        assert!(mono >= slow.until, "forbidden, and sent again after less than minutes");
        let refused = ticket.purpose() == Purpose::SignIn && node.said().is_dead;
        assert!(!refused, "a dead secret is sent");
        if ticket.purpose() == Purpose::Refresh {
            let token = presented(&request);
            node.known.sends(&token, node.keep.is_some(), is_usable);
            node.carried = Some(token.clone());
            let fate = self.service.refresh[&token];
            let replayed = fate != Fate::Unused;
            let excused = node.keep.is_none() || node.unmarked || node.unheard.contains(&token);
            assert!(!replayed || excused, "a refresh token of fate {fate:?} is sent again");
            if replayed && is_bare {
                self.tally.note("rule 6: a token of unknown fate is replayed");
            }
            // A session that holds a newer state, saved or not, takes no older mark over.
            let now = self.now;
            let generation = node.held_generation(now);
            for newer in &mut self.nodes {
                if newer.held_generation(now) > generation {
                    newer.unheard.insert(token.clone());
                }
            }
            self.service.refresh.insert(token.clone(), Fate::Unknown);
            sent = Some((token, fate));
        } else if self.nodes[at].open.last().is_some_and(|last| self.is_in_doubt(last)) {
            self.tally.note("rule 6: a token of unknown fate is not sent: signing in");
        }
        let (at_now, event) = (self.now, self.event);
        let open = Open {
            ticket,
            at: at_now,
            event,
            request: Some(request),
            answer: None,
            stale: false,
            presented: sent,
        };
        self.nodes[at].open.push(open);
        if is_bare {
            // It may use what another has marked and then not sent.
            self.keep_from_others(at);
        }
    }

    /// Whether a refresh token was sent, and nothing is known of what became of it.
    fn is_in_doubt(&self, open: &Open) -> bool {
        let sent = open.presented.as_ref().and_then(|(token, _)| self.service.refresh.get(token));
        sent == Some(&Fate::Unknown)
    }
}

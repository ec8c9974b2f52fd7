//! What a host asks for, and the fate of each swap and each request.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use imts_core::exchange::Purpose;
use imts_core::session::SwapTicket;
use imts_core::swap::{Swap, SwapError, Swapped};
use imts_core::time::Mono;
use imts_core::{Bearer, Reply, Step, Ticket, TransportError};

use super::late::{Late, Message};
use super::world::World;

/// What a host said when it was asked.
pub(super) enum Said {
    Ready(Bearer),
    /// It asked for something that is now on its way.
    Waiting,
    Later(Mono),
    SignIn,
}

impl World {
    /// Asks a host until it says something else than to do more.
    pub(super) fn ask(&mut self, at: usize, at_least: Duration) -> Said {
        for _ in 0..64 {
            let now = self.hosts[at].now(self.truth);
            self.hosts[at].swap.take_if(|(_, _, deadline)| *deadline <= now.mono);
            let step = self.hosts[at].session.poll_for(now, at_least);
            self.tell(|| format!("host {at}: {}", name(&step)));
            match step {
                Step::Ready(bearer) => {
                    self.check_bearer(&bearer);
                    self.hosts[at].bearers.push(bearer.clone());
                    return Said::Ready(bearer);
                }
                Step::Swap(ticket, swap) => {
                    if !self.swaps(at, ticket, swap) {
                        return Said::Waiting;
                    }
                }
                Step::Send(ticket, exchange) => {
                    self.check_send(at, ticket, now.mono.after(exchange.time_limit()));
                    let request = exchange.into_request().map(|body| body.as_ref().to_vec());
                    if !self.sends(at, ticket, request) {
                        return Said::Waiting;
                    }
                }
                Step::Busy { until } | Step::Rest { until } | Step::Wait { until, .. } => {
                    assert!(until > now.mono, "a wait that is over");
                    return Said::Later(until);
                }
                Step::SignIn { .. } => {
                    assert!(!self.hosts[at].has_credentials, "credentials are held");
                    return Said::SignIn;
                }
                Step::Save(..) => panic!("a save, where a store is shared"),
            }
        }
        panic!("64 steps, and no end");
    }

    /// No token is handed out after its end.
    fn check_bearer(&self, bearer: &Bearer) {
        let is_alive = self.truth < self.service.end(bearer);
        assert!(is_alive || self.store.set_back > 0, "a token is handed out after its end");
    }

    /// Whatever is sent is sent under a claim, or is a sign-in while the store is out.
    fn check_send(&mut self, at: usize, ticket: Ticket, until: Mono) {
        let host = &self.hosts[at];
        let now = host.now(self.truth);
        let is_claimed = host.claim.is_some_and(|claim| now.mono < claim);
        let is_alone = ticket.purpose() == Purpose::SignIn && host.is_out && host.claim.is_none();
        assert!(is_claimed || is_alone, "a request without a claim");
        if is_claimed {
            let claim = host.claim.expect("a claim");
            assert!(until <= claim, "an exchange may outlive its claim");
            let others = self.hosts.iter().enumerate().filter(|(other, _)| *other != at);
            for (other, host) in others {
                let flies = host.flight.is_some_and(|(_, until)| host.now(self.truth).mono < until);
                let claims = host.claim.is_some();
                let both = flies && claims && !self.store.is_disturbed;
                assert!(!both, "hosts {at} and {other} both have a claimed request under way");
            }
        }
        self.tally.note(match (ticket.purpose(), is_claimed) {
            (Purpose::Refresh, _) => "rule 16: a refresh under a claim",
            (Purpose::SignIn, true) => "rule 16: a sign-in under a claim",
            (Purpose::SignIn, false) => "rule 22: a sign-in alone",
        });
        self.hosts[at].flight = Some((ticket, until));
    }

    /// The fate of a swap. Returns whether its answer has come.
    fn swaps(&mut self, at: usize, ticket: SwapTicket, swap: Swap) -> bool {
        let life = self.hosts[at].life;
        self.note_swap(at, &swap);
        let now = self.hosts[at].now(self.truth).mono;
        let host = &mut self.hosts[at];
        host.swap = Some((ticket, now, now.after(swap.within())));
        host.is_out = true;
        host.claim.take_if(|_| swap.put().is_some());
        let fate = match (self.is_calm, self.store.stands_still) {
            (true, _) => 0,
            (_, true) => 12,
            _ => self.choices.below(20),
        };
        self.tell(|| format!("  fate {fate}: {}", swap_name(&swap)));
        match fate {
            // Done, and answered at once or in a moment.
            0..=11 => {
                let wait = Duration::from_millis(self.choices.below(3));
                self.pass(wait);
                let swapped = self.store.swap(&swap, self.truth);
                self.answered(at, ticket, Ok(swapped), claims(&swap));
                return true;
            }
            // Lost before: the host hears of it, or waits.
            12 => {
                if self.choices.percent(50) {
                    self.answered(at, ticket, Err(()), claims(&swap));
                    return true;
                }
            }
            // Done, and the answer lost.
            13 | 14 => {
                let _lost = self.store.swap(&swap, self.truth);
                if self.choices.percent(50) {
                    self.answered(at, ticket, Err(()), claims(&swap));
                    return true;
                }
            }
            // Done, and the answer late.
            15 => {
                let swapped = self.store.swap(&swap, self.truth);
                let what = Message::Answer(ticket, swapped, claims(&swap));
                self.late.push(Late { life, what, answers: true });
            }
            // Done late.
            _ => {
                let answers = self.choices.percent(70);
                self.late.push(Late { life, what: Message::Swap(ticket, swap), answers });
            }
        }
        false
    }

    /// An answer to a swap that was a claim for so long, if it is done.
    fn answered(
        &mut self,
        at: usize,
        ticket: SwapTicket,
        answer: Result<Swapped, ()>,
        lease: Duration,
    ) {
        let now = self.hosts[at].now(self.truth);
        let host = &mut self.hosts[at];
        if let Some((_, asked, _)) = host.swap.take_if(|(swap, ..)| *swap == ticket) {
            host.is_out = answer.is_err();
            if let Ok(Swapped::Done { moved, .. }) = &answer {
                host.claim = Some(asked.after(lease)).filter(|_| !lease.is_zero());
                if *moved {
                    self.tally.note("rule 17: moved");
                }
            }
        }
        self.tell(|| format!("  host {at} hears {}", answer_name(&answer)));
        match &answer {
            Ok(Swapped::Done { .. }) => self.tally.note("a swap is done"),
            Ok(Swapped::Other(found)) if found.stamp().is_none() => {
                self.tally.note("rule 18: nothing there");
            }
            Ok(Swapped::Other(found)) if found.stamp().holder == self.hosts[at].life => {
                self.tally.note("rule 18: its own state");
            }
            Ok(Swapped::Other(found)) => self.tally.note(match found.held() {
                Some(held) if held.is_resting() => "rule 19: a sibling rests",
                Some(_) => "rule 19: held by a sibling",
                None => "rule 18: a sibling's state",
            }),
            Err(()) => self.tally.note("rule 22: no answer"),
        }
        let answer = answer
            .map_err(|()| -> imts_core::transport_error::Source { Arc::new(SwapError::TimedOut) });
        self.hosts[at].session.on_swap(ticket, answer, now);
    }

    /// The fate of a request. Returns whether its reply has come.
    fn sends(&mut self, at: usize, ticket: Ticket, request: Request<Vec<u8>>) -> bool {
        let life = self.hosts[at].life;
        let fate = if self.is_calm { 0 } else { self.choices.below(20) };
        match fate {
            0..=11 => {
                let wait = Duration::from_millis(self.choices.below(300));
                self.pass(wait);
                let response = self.service.renew(self.truth, ticket.purpose(), &request);
                self.replied(at, ticket, &response);
                return true;
            }
            // The request is lost, and the host may hear of it.
            12 | 13 => {
                if self.choices.percent(50) {
                    self.fails(at, ticket);
                    return true;
                }
            }
            // The reply is lost.
            14 | 15 => {
                let _lost = self.service.renew(self.truth, ticket.purpose(), &request);
                if self.choices.percent(50) {
                    self.fails(at, ticket);
                    return true;
                }
            }
            16 => {
                let response = self.service.renew(self.truth, ticket.purpose(), &request);
                let what = Message::Reply(ticket, response);
                self.late.push(Late { life, what, answers: true });
            }
            // The host is paused before it sends.
            _ => {
                let answers = self.choices.percent(60);
                self.late.push(Late { life, what: Message::Request(ticket, request), answers });
            }
        }
        false
    }

    pub(super) fn replied(&mut self, at: usize, ticket: Ticket, response: &Response<Vec<u8>>) {
        let now = self.hosts[at].now(self.truth);
        self.tell(|| format!("  host {at}: {} answered {}", ticket.purpose(), response.status()));
        let reply = Reply::from(response);
        let outcome = self.hosts[at].session.on_reply(ticket, reply, now);
        self.lands(at, ticket);
        self.tally.note(if outcome.is_ok() { "a grant" } else { "a refusal" });
    }

    fn fails(&mut self, at: usize, ticket: Ticket) {
        let now = self.hosts[at].now(self.truth);
        self.tell(|| format!("  host {at}: {} failed", ticket.purpose()));
        self.hosts[at].session.on_failure(ticket, TransportError::unknown(), now);
        self.lands(at, ticket);
        self.tally.note("a failure");
    }

    fn lands(&mut self, at: usize, ticket: Ticket) {
        self.hosts[at].flight.take_if(|(flight, _)| *flight == ticket);
    }

    /// Something that was on its way arrives.
    pub(super) fn arrives(&mut self, late: Late) {
        let Late { life, what, answers } = late;
        let at = self.hosts.iter().position(|host| host.life == life);
        let (purpose, answer) = match what {
            Message::Swap(ticket, swap) => {
                let swapped = self.store.swap(&swap, self.truth);
                self.tell(|| format!("  a late swap of {life}: {}", swap_name(&swap)));
                self.tally.note("a swap is late");
                if let Some(at) = at.filter(|_| answers) {
                    self.answered(at, ticket, Ok(swapped), claims(&swap));
                }
                return;
            }
            Message::Answer(ticket, swapped, lease) => {
                if let Some(at) = at {
                    self.answered(at, ticket, Ok(swapped), lease);
                }
                return;
            }
            Message::Request(ticket, request) => {
                self.tally.note("a request is late");
                self.tell(|| format!("  a late {} of {life}", ticket.purpose()));
                (ticket, self.service.renew(self.truth, ticket.purpose(), &request))
            }
            Message::Reply(ticket, response) => (ticket, response),
        };
        if let Some(at) = at.filter(|_| answers) {
            self.replied(at, purpose, &answer);
        }
    }

    fn note_swap(&mut self, at: usize, swap: &Swap) {
        let has_credentials = self.hosts[at].has_credentials;
        self.tally.note(match swap.put() {
            None if has_credentials => "rule 24: a look",
            None => "rule 25: a look",
            Some(_) if swap.is_resting() => "rule 21: news, with a rest",
            Some(_) if !swap.lease().is_zero() => "rule 15: a claim",
            Some(put) if put.is_in_doubt() || put.is_empty() => "rule 21: news",
            Some(_) => "rule 20: a hand-over",
        });
    }
}

/// How long a swap is a claim, if it is done.
fn claims(swap: &Swap) -> Duration {
    if swap.is_resting() { Duration::ZERO } else { swap.lease() }
}

fn name(step: &Step) -> String {
    match step {
        Step::Ready(bearer) => format!("ready, {}", bearer.expose_token()),
        Step::Send(ticket, _) => format!("send a {}", ticket.purpose()),
        Step::Swap(..) => "swap".to_owned(),
        Step::Save(..) => "save".to_owned(),
        Step::Rest { until } => format!("rest until {}", until.as_micros()),
        Step::Busy { until } => format!("busy until {}", until.as_micros()),
        Step::Wait { until, last } => format!("wait until {}: {last}", until.as_micros()),
        Step::SignIn { .. } => "sign in".to_owned(),
    }
}

fn swap_name(swap: &Swap) -> String {
    let put = swap.put().map(|put| String::from_utf8_lossy(&put.to_json()).into_owned());
    format!("expects {}, lease {:?}, puts {put:?}", swap.expects(), swap.lease())
}

fn answer_name(answer: &Result<Swapped, ()>) -> String {
    match answer {
        Ok(Swapped::Done { moved, .. }) => format!("done, moved {moved}"),
        Ok(Swapped::Other(found)) => {
            format!("other: {}, {:?} old, held {:?}", found.stamp(), found.age(), found.held())
        }
        Err(()) => "nothing".to_owned(),
    }
}

//! What becomes of a request: the service answers, the reply comes in, or the exchange fails.

use imts_core::exchange::Purpose;
use imts_core::session::RenewalCause;
use imts_core::{Keep, TransportError};
use imts_sandbox::Delivery;

use super::node::{Open, Said as Heard, Slow};
use super::service::{Answer, Fate};
use super::weather;
use super::world::World;

impl World {
    /// A node's request reaches the service, if it is still on its way.
    pub(super) fn arrives(&mut self, open: &mut Open) {
        let Some(request) = open.request.take() else { return };
        let purpose = open.ticket.purpose();
        let answer = self.service.renew(self.truth, open.event, purpose, &request);
        weather::note(&mut self.tally, &self.service, &answer);
        open.answer = Some(answer);
    }

    /// The reply to a request comes in, if there is one.
    pub(super) fn replies(&mut self, at: usize, mut open: Open, otherwise: TransportError) {
        match open.answer.take() {
            Some(answer) if answer.response.extensions().get::<Delivery>().is_none() => {
                self.deliver(at, open, &answer);
            }
            _ => self.fails(at, open, otherwise),
        }
    }

    /// A request fails. Its reply may still come in.
    pub(super) fn fails(&mut self, at: usize, mut open: Open, failure: TransportError) {
        let node = &mut self.nodes[at];
        let not_sent = failure.is_not_sent();
        self.tally.note(if not_sent { "fault: not sent" } else { "fault: unknown" });
        let error = node.session.on_failure(open.ticket, failure, self.now);
        assert!(matches!(error.why(), RenewalCause::Failed(_)));
        let in_time = node.lands(open.ticket);
        if in_time {
            node.failed(self.now, None);
        }
        if let Some((token, before)) = &open.presented {
            if not_sent {
                self.service.refresh.insert(token.clone(), *before);
            }
            match (in_time, not_sent) {
                (true, true) => node.known.spares(token),
                (true, false) => node.known.doubts(token),
                (false, _) => {}
            }
        }
        if not_sent {
            open.request = None;
        }
        node.open.push(open);
    }

    /// Reports the answer to a request.
    pub(super) fn deliver(&mut self, at: usize, mut open: Open, answer: &Answer) {
        let node = &mut self.nodes[at];
        let in_time = node.lands(open.ticket);
        let kind = ["1xx", "reply: 2xx", "reply: 3xx", "reply: 4xx", "reply: 5xx"];
        self.tally.note(kind[usize::from(answer.status() / 100 - 1)]);
        let outcome = node.session.on_reply(open.ticket, (&answer.response).into(), self.now);
        self.tell(|_| format!("    answer: {}, {outcome:?}", answer.status()));
        match outcome {
            Ok(()) if open.stale => self.tally.note("rule 3: a stale success is dropped"),
            Ok(()) => {
                if !in_time {
                    self.tally.note("rule 3: a late success counts");
                }
                self.take_grant(at, &mut open, answer);
                self.nodes[at].granted_itself(self.now);
                self.has_refreshed |= open.ticket.purpose() == Purpose::Refresh;
                let phase = self.nodes[at].session.phase(self.now);
                let in_use = phase.usable().map(|usable| usable.bearer().expose_token());
                let taken = self.nodes[at].stores || in_use == answer.access.as_deref();
                assert!(taken, "a success is not taken");
            }
            Err(error) => match error.why() {
                RenewalCause::DeadOnArrival | RenewalCause::Rejected if !open.stale => {
                    self.tally.note(match error.why() {
                        RenewalCause::Rejected => "rule 9: a rejected token is granted again",
                        _ => "rule 9: a grant is dead on arrival",
                    });
                    self.take_grant(at, &mut open, answer);
                    self.nodes[at].came_in(self.now);
                    self.nodes[at].failed(self.now, None);
                }
                RenewalCause::Reply(_) if in_time => self.take_refusal(at, &open, answer),
                RenewalCause::Reply(_) => self.tally.note("rule 3: a late refusal changes nothing"),
                cause => panic!("a reply, and {cause:?}"),
            },
        }
    }

    fn take_grant(&mut self, at: usize, open: &mut Open, answer: &Answer) {
        let node = &mut self.nodes[at];
        node.granted();
        let token = answer.access.as_ref().zip(answer.lifetime);
        let (token, lifetime) = token.expect("a grant without a token, or without its end");
        node.known.granted(open.at, token, lifetime);
        node.refresh_slow = Slow::default();
        if open.ticket.purpose() == Purpose::SignIn {
            *node.said() = Heard { worked: true, ..Heard::default() };
            node.keep.take_if(|keep| *keep == Keep::Once);
        }
        if let Some((token, _)) = &open.presented {
            let node = &mut self.nodes[at];
            let refused = node.refused.contains(token) && answer.refresh.is_none();
            if refused {
                // It was sent twice, and the answer that came first has refused it.
                let has_it = node.has_saved(token, self.now);
                assert!(!has_it, "a refused refresh token is back");
                return;
            }
            node.refused.remove(token);
            let kept = answer.refresh.as_ref().is_none_or(|new| new == token);
            let fate = if kept { Fate::Unused } else { Fate::Spent };
            self.service.refresh.insert(token.clone(), fate);
            if kept {
                let has_it = self.nodes[at].has_saved(token, self.now);
                assert!(has_it, "the old refresh token is lost");
                self.tally.note("rule 5: the old refresh token is kept");
            }
        }
    }
}

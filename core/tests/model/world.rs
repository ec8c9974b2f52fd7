//! Time, the service, the sessions, and what must hold of every step that one of them takes.

use http::Request;
use imts_core::{
    Bearer, Keep, Mono, Now, Policy, Purpose, RenewalCause, Saved, Step, Ticket, Wall,
};

use crate::dice::Dice;
use crate::node::{Node, Open, Said as Heard, Slow};
use crate::service::{Answer, Fate, Service, plain, presented};
use crate::tally::{Tally, number};

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) tally: Tally,
    pub(crate) service: Service,
    pub(crate) nodes: Vec<Node>,
    /// What was saved last, for all nodes.
    pub(crate) store: Option<Saved>,
    /// The true time, which is the service's, in microseconds since 1970.
    pub(crate) truth: i64,
    pub(crate) now: Now,
    pub(crate) event: u64,
    /// When the local clocks last went another way than the true time.
    pub(crate) jumped: u64,
    pub(crate) suspended: u64,
    /// Whether a mark before a refresh was not saved.
    pub(crate) is_unmarked: bool,
    pub(crate) policy: Policy,
    /// What happened, for whoever reads of a failure.
    pub(crate) trace: Option<Vec<String>>,
}

/// What a session wants.
#[derive(Debug)]
pub(crate) enum Said {
    Ready(Bearer),
    /// The node's last open request is to be sent.
    Send(Request<Vec<u8>>),
    Save,
    Later(Mono),
    SignIn,
}

const START: i64 = 1_753_269_451_577_745;

impl World {
    pub(crate) fn new(seed: u64, tally: Tally) -> Self {
        let mut dice = Dice::of(seed);
        let mut policy = Policy::default();
        policy.jitter_seed = dice.roll();
        policy.secret_tries = dice.pick(&[1, 1, 2, 3]);
        let stores = dice.percent(50);
        let siblings = if stores && dice.percent(40) { 2 } else { 1 };
        let nodes = (0..siblings).map(|_| Node::new(stores, policy.clone())).collect();
        Self {
            dice,
            tally,
            service: Service::new(),
            nodes,
            store: None,
            truth: START,
            now: Now { mono: Mono::from_micros(5_000_000), wall: Wall::from_unix_micros(START) },
            event: 0,
            jumped: 0,
            suspended: 0,
            is_unmarked: false,
            policy,
            trace: None,
        }
    }

    /// Asks a session what to do, and holds its answer to the rules.
    pub(crate) fn ask(&mut self, at: usize) -> Said {
        let said = self.step(at);
        self.tell(|now| format!("    node {at} at {:?}: {said:?}", now.mono));
        said
    }

    fn step(&mut self, at: usize) -> Said {
        self.pass_deadlines(at);
        let mono = self.now.mono.as_micros();
        let node = &mut self.nodes[at];
        let (flies, saves) = (node.live.is_some(), node.save.is_some());
        let falls_back = node.falls_back.take() == Some(self.now.mono);
        // A secret that was given since may have a pace of its own.
        let is_slow = node.said().slow.until > mono;
        let at_once = node.is_due_at_once(self.now) && !is_slow;
        node.settle(self.now);
        let step = node.session.poll(self.now);
        let signs_in =
            matches!(&step, Step::Send(ticket, _) if ticket.purpose() == Purpose::SignIn);
        let bad_news = matches!(step, Step::Busy { .. } | Step::Wait { .. } | Step::SignIn { .. });
        let usable = node.session.phase(self.now).usable().is_some();
        assert!(!bad_news || !usable, "a usable token is not served: {step:?}");
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
                self.check_request(at, ticket, &request);
                Said::Send(request)
            }
            Step::Save(ticket, saved) => {
                let newer = saved.generation() > node.generation;
                assert!(newer, "a generation went back: {} to {saved:?}", node.generation);
                assert_eq!(saved.agent_id(), node.session.agent_id(), "agents crossed in a save");
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
        if node.live.take_if(|(_, deadline)| mono >= *deadline).is_some() {
            node.failed(self.now, None);
            self.tally.note("rule 2: a flight is over time");
            self.tally.note("fault: timed out");
        }
        if let Some((_, saved, _)) = node.save.take_if(|(_, _, until)| mono >= *until) {
            self.tally.note("rule 10: a save is over time");
            self.not_saved(at, &saved);
        }
    }

    /// A sibling, or the process that comes after this one, will not know of a mark.
    pub(crate) fn not_saved(&mut self, at: usize, saved: &Saved) {
        if saved.is_in_doubt() {
            self.is_unmarked = true;
            self.keep_from_others(at);
        }
    }

    /// The others do not know what this node does with its refresh token.
    fn keep_from_others(&mut self, at: usize) {
        for (other, node) in self.nodes.iter_mut().enumerate() {
            node.unmarked |= other != at;
        }
    }

    /// Notes for a reader, where there is one.
    pub(crate) fn tell(&mut self, what: impl FnOnce(&Now) -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(what(&self.now));
        }
    }

    fn check_bearer(&mut self, at: usize, bearer: &Bearer) {
        let (node, token) = (&self.nodes[at], bearer.expose_token());
        assert!(!bearer.remaining(self.now).is_zero(), "an expired bearer, by its own word");
        assert!(node.session.phase(self.now).usable().is_some(), "a bearer in no usable phase");
        assert!(!node.rejected.contains(token), "a rejected token is handed out again");
        let issued = self.service.access.get(token).expect("a token that the service gave");
        assert_eq!(node.session.agent_id(), Some(issued.agent.as_str()), "agents crossed");
        let wall_lies = self.jumped >= issued.event;
        let mono_lies = self.suspended >= issued.event || node.adopted >= issued.event;
        let expired = self.truth >= issued.ends;
        assert!(!expired || (wall_lies && mono_lies), "expired by the service's clock");
    }

    fn check_request(&mut self, at: usize, ticket: Ticket, request: &Request<Vec<u8>>) {
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
            let token = presented(request);
            let fate = self.service.refresh[&token];
            let replayed = fate != Fate::Unused;
            let excused = node.keep.is_none() || node.unmarked || node.unheard.contains(&token);
            assert!(!replayed || excused, "a refresh token of fate {fate:?} is sent again");
            // Where a mark was not saved, it may be another's use that this one does not know of.
            if replayed && is_bare && !node.unmarked {
                let first = node.replayed.insert(token.clone());
                assert!(first, "a refresh token of unknown fate is sent a third time");
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
        } else if node.open.last().is_some_and(|last| self.service.is_in_doubt(last)) {
            self.tally.note("rule 6: a token of unknown fate is not sent: signing in");
        }
        let open = Open { ticket, answer: None, stale: false, presented: sent };
        self.nodes[at].open.push(open);
        if is_bare {
            // It may use what another has marked and then not sent.
            self.keep_from_others(at);
        }
    }

    /// Reports the answer to a request.
    pub(crate) fn deliver(&mut self, at: usize, mut open: Open, answer: &Answer) {
        let node = &mut self.nodes[at];
        let in_time = node.live.is_some_and(|(ticket, _)| ticket == open.ticket);
        if in_time {
            node.live = None;
        }
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
                let phase = self.nodes[at].session.phase(self.now);
                let in_use = phase.usable().map(|usable| usable.bearer().expose_token());
                let taken = self.nodes[at].stores || in_use == answer.access.as_deref();
                assert!(taken, "a success is not taken");
            }
            Err(trouble) => match trouble.why() {
                RenewalCause::DeadOnArrival | RenewalCause::Rejected if !open.stale => {
                    self.tally.note(match trouble.why() {
                        RenewalCause::Rejected => "rule 9: a rejected token is granted again",
                        _ => "rule 9: a grant is dead on arrival",
                    });
                    self.take_grant(at, &mut open, answer);
                    self.nodes[at].came_in(self.now);
                    self.nodes[at].failed(self.now, None);
                }
                RenewalCause::Reply(_) if in_time => self.take_refusal(at, &open, answer),
                RenewalCause::Reply(_) => self.tally.note("rule 3: a late refusal changes nothing"),
                fault => panic!("a reply, and {fault:?}"),
            },
        }
    }

    fn take_grant(&mut self, at: usize, open: &mut Open, answer: &Answer) {
        let node = &mut self.nodes[at];
        node.granted();
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
            self.nodes[at].replayed.remove(token);
            if kept {
                let has_it = self.nodes[at].has_saved(token, self.now);
                assert!(has_it, "the old refresh token is lost");
                self.tally.note("rule 5: the old refresh token is kept");
            }
        }
    }

    /// Notes what an event has made of each session's phase.
    pub(crate) fn note_phases(&mut self) {
        for node in &mut self.nodes {
            let phase = number(&node.session.phase(self.now));
            self.tally.passed(node.phase, phase);
            node.phase = phase;
        }
    }
}

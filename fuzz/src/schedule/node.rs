//! One session, and what the world knows of it without asking it.

use std::collections::{BTreeMap, BTreeSet};

use http::Request;
use imts_core::exchange::Purpose;
use imts_core::session::SaveTicket;
use imts_core::time::Mono;
use imts_core::{
    Bearer, Credentials, Endpoint, Keep, Now, Policy, Saved, Session, Ticket, services,
};

use super::known::Known;
use super::service::{Answer, Fate, SECRET};

pub(super) struct Node {
    pub(super) session: Session,
    pub(super) stores: bool,
    /// Whether it holds credentials.
    pub(super) keep: Option<Keep>,
    pub(super) secret_is_right: bool,
    /// The secret that was given last: whose it is, and whether it is right.
    secret: (String, bool),
    /// What the service has said of each secret.
    said: BTreeMap<(String, bool), Said>,
    /// No refresh before this, by the monotonic clock, and how often one was forbidden in a row.
    pub(super) refresh_slow: Slow,
    /// Tickets that were handed out and may still be answered.
    pub(super) open: Vec<Open>,
    /// The one that is under way, and its deadline.
    pub(super) live: Option<(Ticket, u64)>,
    /// The refresh token that it carries.
    pub(super) carried: Option<String>,
    /// How often its time has begun anew.
    pub(super) postponed: u32,
    /// What it wants saved, and until when it waits for that.
    pub(super) save: Option<(SaveTicket, Saved, u64)>,
    /// Saves that it waits for no longer, and that may still end.
    pub(super) late_saves: Vec<(SaveTicket, Saved)>,
    /// Tokens that were handed out, latest last.
    pub(super) bearers: Vec<Bearer>,
    /// Tokens that it rejected, latest last.
    pub(super) rejected: Vec<String>,
    pub(super) known: Known,
    /// Refresh tokens that the service has refused to it.
    pub(super) refused: BTreeSet<String>,
    /// No request before this, by the monotonic clock.
    pub(super) quiet_until: u64,
    /// Failed renewals since the last grant: at least as many as the session counts.
    pub(super) failures: u32,
    /// Since when there was a grant and no failure.
    good_since: Option<u64>,
    /// When its token was granted; `None` if that is not known to the microsecond.
    granted_at: Option<u64>,
    /// Whether a state was taken over, of whose tokens others may know more.
    took_over: bool,
    /// Whether a young token was rejected, and none has settled since.
    on_probation: bool,
    /// When a first rejection made a renewal due at once.
    at_once: Option<Mono>,
    /// Requests since anything but failures happened.
    pub(super) burst: u32,
    /// The event in which it last took over a saved state.
    pub(super) adopted: u64,
    /// The generation that it saved or took over last.
    pub(super) generation: u64,
    /// Whether a mark before a refresh may be missing in the store.
    pub(super) unmarked: bool,
    /// Refresh tokens that a sibling has sent under a mark older than what this one holds.
    pub(super) unheard: BTreeSet<String>,
    /// When a refresh was refused so that a sign-in is due at once.
    pub(super) falls_back: Option<Mono>,
    /// Whether something else than its answer has a say in what follows a request.
    pub(super) disturbed: bool,
    pub(super) phase: usize,
}

/// What the service has said of one secret.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    /// Whether it ever worked, and how often in a row it was refused since.
    pub(super) worked: bool,
    pub(super) refusals: u32,
    pub(super) is_dead: bool,
    pub(super) slow: Slow,
}

/// The pace of what was forbidden.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slow {
    times: u32,
    pub(super) until: u64,
}

impl Slow {
    pub(super) fn again(&mut self, now: Now) {
        let minutes = 2_u64.pow(self.times.min(10)).min(60);
        self.times += 1;
        self.until = now.mono.as_micros() + minutes * 60_000_000;
    }
}

/// A request that was sent, and what would come back for it.
pub(super) struct Open {
    pub(super) ticket: Ticket,
    /// When it was sent, and in which event.
    pub(super) at: Now,
    pub(super) event: u64,
    /// What is on its way to the service, if it has not arrived.
    pub(super) request: Option<Request<Vec<u8>>>,
    pub(super) answer: Option<Answer>,
    /// A newer grant, or new credentials, came in since.
    pub(super) stale: bool,
    /// The refresh token that it presented, and its fate until then.
    pub(super) presented: Option<(String, Fate)>,
}

impl Node {
    pub(super) fn new(stores: bool, policy: Policy) -> Self {
        let endpoint = Endpoint::https("https://service.example").unwrap();
        let session = Session::new(endpoint, services::transfer(), policy).unwrap();
        Self {
            session: if stores { session.with_store() } else { session },
            stores,
            keep: None,
            secret_is_right: true,
            secret: Default::default(),
            said: BTreeMap::new(),
            refresh_slow: Slow::default(),
            open: Vec::new(),
            live: None,
            carried: None,
            postponed: 0,
            save: None,
            late_saves: Vec::new(),
            bearers: Vec::new(),
            rejected: Vec::new(),
            known: Known::default(),
            refused: BTreeSet::new(),
            quiet_until: 0,
            failures: 0,
            good_since: None,
            granted_at: None,
            took_over: false,
            on_probation: false,
            at_once: None,
            burst: 0,
            adopted: 0,
            generation: 0,
            unmarked: false,
            unheard: BTreeSet::new(),
            falls_back: None,
            disturbed: false,
            phase: 0,
        }
    }

    pub(super) fn sign_in(&mut self, agent: &str, right: bool, keep: Keep, now: Now) {
        if self.session.agent_id() != Some(agent) {
            self.gives_up_save();
            self.rejected.clear();
        }
        let secret = if right { SECRET } else { "wrong" };
        self.session.sign_in(Credentials::new(agent, secret).unwrap(), keep, now);
        let given = (agent.to_owned(), right);
        if self.keep.is_some() && self.secret == given {
            // Not new: at most it is kept in another way.
            let signs_in = self.live.is_some_and(|(it, _)| it.purpose() == Purpose::SignIn);
            if self.keep != Some(keep) && !self.said().is_dead {
                self.keep = Some(keep);
                if !signs_in {
                    self.abandon();
                }
            }
            return;
        }
        (self.secret, self.secret_is_right) = (given, right);
        let is_over = keep == Keep::Once && self.said().is_dead;
        self.keep = Some(keep).filter(|_| !is_over);
        self.abandon();
    }

    /// What the service has said of the secret that was given last.
    pub(super) fn said(&mut self) -> &mut Said {
        self.said.entry(self.secret.clone()).or_default()
    }

    pub(super) fn sign_out(&mut self) {
        self.session.sign_out();
        self.keep = None;
        self.gives_up_save();
        self.said.clear();
        self.refresh_slow = Slow::default();
        self.rejected.clear();
        self.abandon();
    }

    /// Nothing that is under way concerns the session any more.
    pub(super) fn abandon(&mut self) {
        (self.falls_back, self.burst) = (None, 0);
        self.gives_up_request();
        for open in &mut self.open {
            open.stale = true;
        }
    }

    /// Nobody waits for the request that is under way: its refresh token may be spent.
    pub(super) fn gives_up_request(&mut self) -> bool {
        let token = self.carried.take().filter(|_| self.live.is_some());
        if let Some(token) = token {
            self.known.doubts(&token);
        }
        self.live.take().is_some()
    }

    /// The request of this ticket has an outcome: whether it was under way.
    pub(super) fn lands(&mut self, ticket: Ticket) -> bool {
        let landed = self.live.take_if(|(live, _)| *live == ticket).is_some();
        if landed {
            self.carried = None;
        }
        landed
    }

    /// It waits no longer for what it wants saved. That save may still end.
    pub(super) fn gives_up_save(&mut self) {
        self.late_saves.extend(self.save.take().map(|(ticket, saved, _)| (ticket, saved)));
    }

    /// Whether it is at work: a sibling leaves the store to it meanwhile.
    pub(super) fn is_busy(&self, now: Now) -> bool {
        let flies = self.live.is_some_and(|(_, deadline)| now.mono.as_micros() < deadline);
        flies || self.save.as_ref().is_some_and(|(_, _, until)| now.mono.as_micros() < *until)
    }

    pub(super) fn granted(&mut self) {
        self.abandon();
        self.gives_up_save();
        (self.quiet_until, self.failures, self.granted_at) = (0, 0, None);
    }

    /// A grant of its own came in, which was good.
    pub(super) fn granted_itself(&mut self, now: Now) {
        self.good_since.get_or_insert(now.mono.as_micros());
        self.came_in(now);
    }

    /// A grant of its own came in; a token that is dead on arrival may live once a clock is set back.
    pub(super) fn came_in(&mut self, now: Now) {
        self.granted_at = (!self.stores).then_some(now.mono.as_micros());
    }

    /// The generation of what it holds, saved or not.
    pub(super) fn held_generation(&self, now: Now) -> Option<u64> {
        self.session.saved(now).map(|saved| saved.generation())
    }

    /// Whether what it would save has this token in it.
    pub(super) fn has_saved(&self, token: &str, now: Now) -> bool {
        let saved = self.session.saved(now).unwrap().to_json();
        saved.windows(token.len()).any(|part| part == token.as_bytes())
    }

    pub(super) fn takes_over(&mut self) {
        self.took_over = true;
    }

    /// Its token was rejected: if it was young, whether that was the first time.
    pub(super) fn rejected(&mut self, now: Now, all_was_well: bool) -> Option<bool> {
        self.settle(now);
        if self.took_over {
            return None;
        }
        let age = now.mono.as_micros().checked_sub(self.granted_at.take()?)?;
        if u128::from(age) >= self.session.policy().settle.as_micros() {
            return None;
        }
        let first = !std::mem::replace(&mut self.on_probation, true);
        if first {
            self.good_since = None;
            self.at_once = all_was_well.then_some(now.mono);
        } else {
            self.failed(now, None);
        }
        Some(first)
    }

    /// Whether nothing but a renewal may follow now.
    pub(super) fn is_due_at_once(&mut self, now: Now) -> bool {
        self.at_once.take() == Some(now.mono)
    }

    /// Forgives if all has been well for long enough.
    pub(super) fn settle(&mut self, now: Now) {
        let settle = self.session.policy().settle.as_micros();
        let is_over = |since| u128::from(now.mono.as_micros() - since) >= settle;
        if self.good_since.is_some_and(is_over) {
            self.on_probation = false;
        }
    }

    /// The service asked for a wait, perhaps, beside what was to be waited anyway.
    pub(super) fn is_asked_to_wait(&mut self, now: Now, retry: Option<u64>) {
        self.good_since = None;
        let cap = self.session.policy().retry_after_cap;
        let asked = std::time::Duration::from_secs(retry.unwrap_or(0)).min(cap);
        self.quiet_until = self.quiet_until.max(now.mono.after(asked).as_micros());
    }

    pub(super) fn failed(&mut self, now: Now, retry: Option<u64>) {
        self.good_since = None;
        let policy = self.session.policy();
        self.failures += 1;
        let doubled = policy.backoff_first * 2_u32.pow((self.failures - 1).min(16));
        let least = doubled.min(policy.backoff_cap) / 2;
        let asked = std::time::Duration::from_secs(retry.unwrap_or(0)).min(policy.retry_after_cap);
        let until = now.mono.after(least.max(asked)).as_micros();
        self.quiet_until = self.quiet_until.max(until);
    }
}

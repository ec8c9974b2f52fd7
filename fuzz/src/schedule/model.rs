//! What must hold of a session, kept apart from it: a few sets, numbers and moments.

use std::collections::BTreeMap;

use imts_core::{Bearer, CredentialsHealth, Keep, Now};

/// How long a token must hold: `policy.settle`.
const SETTLE: u64 = 30_000_000;

/// The shortest wait after a failed renewal: half of the policy's first back-off.
const SHORTEST_WAIT: u64 = 250_000;

#[derive(Debug, Default)]
pub(super) struct Model {
    /// When each access token ends, by either clock.
    ends: BTreeMap<String, (u64, i64)>,
    /// The token that was rejected last.
    rejected: Option<String>,
    /// The request whose outcome the session waits for, and until when.
    live: Option<(Sent, u64)>,
    /// Refresh tokens whose use has an unknown outcome, and how often they were sent since.
    doubted: BTreeMap<String, u32>,
    /// When the last renewal failed, until one succeeds.
    failed_at: Option<u64>,
    /// When its own token was granted, where that is known.
    granted_at: Option<u64>,
    /// Since when there was a grant and no failure.
    good_since: Option<u64>,
    /// Whether a young token was rejected, and none has settled since.
    on_probation: bool,
    /// Whether a grant comes into use only after it was saved.
    stores: bool,
    /// Whether credentials are held for good.
    pub(super) keeps_credentials: bool,
    /// The secret that was given last, and for how long.
    secret: Option<(String, Keep)>,
    /// How often in a row each secret was answered with a 403, and until when it is not sent.
    forbidden: BTreeMap<String, (u32, u64)>,
    /// Tickets up to this number are stale.
    stale_to: u64,
    /// The highest generation that the session has had.
    pub(super) generation: u64,
}

impl Model {
    pub(super) fn new(stores: bool) -> Self {
        Self { stores, ..Self::default() }
    }

    /// Time has passed: what was not reported in time has failed.
    pub(super) fn pass(&mut self, now: Now) {
        if self.live.as_ref().is_some_and(|(_, deadline)| now.mono.as_micros() >= *deadline)
            && let Some((sent, _)) = self.live.take()
        {
            self.doubt(sent);
            self.fail(now);
        }
        self.settle(now);
    }

    fn settle(&mut self, now: Now) {
        if self.good_since.is_some_and(|since| now.mono.as_micros() - since >= SETTLE) {
            self.on_probation = false;
        }
    }

    fn fail(&mut self, now: Now) {
        (self.failed_at, self.good_since) = (Some(now.mono.as_micros()), None);
    }

    /// A token is handed out.
    pub(super) fn ready(&mut self, bearer: &Bearer, now: Now) {
        let token = bearer.expose_token();
        let ends = self.ends.get(token);
        let (mono, wall) = ends.expect("a token that was never granted, nor restored");
        assert!(now.mono.as_micros() < *mono, "dead by the monotonic clock");
        assert!(now.wall.unix_micros() < *wall, "dead by the wall clock");
        assert!(!bearer.remaining(now).is_zero());
        assert_ne!(self.rejected.as_deref(), Some(token), "a rejected token is handed out again");
    }

    /// A request goes out.
    pub(super) fn sends(&mut self, sent: &Sent, now: Now, deadline: u64, usable: bool) {
        let mono = now.mono.as_micros();
        assert!(self.live.is_none(), "two renewals at once: {:?}", self.live);
        if let Some(failed_at) = self.failed_at {
            assert!(mono >= failed_at + SHORTEST_WAIT, "no quiet after a failure");
        }
        if let Some((_, until)) = sent.secret.as_ref().and_then(|it| self.forbidden.get(it)) {
            assert!(mono >= *until, "a secret is sent again too soon after a 403");
        }
        if let Some(token) = &sent.refresh_token
            && let Some(replays) = self.doubted.get_mut(token)
        {
            assert!(!self.keeps_credentials, "a token in doubt is sent, with credentials held");
            assert!(!usable, "a token in doubt is sent, with a usable token");
            assert_eq!(*replays, 0, "a token in doubt is sent twice");
            *replays += 1;
        }
        self.live = Some((sent.clone(), deadline));
    }

    /// A reply came in, and was taken for a grant of this token or was not.
    pub(super) fn replied(&mut self, sent: &Sent, granted: Option<Granted>, good: bool, now: Now) {
        let is_live = self.lands(sent);
        match granted {
            Some(granted) if sent.number > self.stale_to => {
                self.stale_to = sent.last;
                if let Some(secret) = &sent.secret {
                    self.forbidden.remove(secret);
                }
                self.live = None;
                self.doubted.clear();
                let mono = sent.at.mono.as_micros().saturating_add(granted.lifetime.unsigned_abs());
                let wall = sent.at.wall.unix_micros().saturating_add(granted.lifetime);
                self.ends.insert(granted.token, (mono, wall));
                self.granted_at = None;
                if good {
                    let mono = now.mono.as_micros();
                    self.failed_at = None;
                    self.good_since.get_or_insert(mono);
                    self.granted_at = Some(mono).filter(|_| !self.stores);
                } else {
                    self.fail(now);
                }
            }
            Some(_) => {}
            None if is_live => {
                // Some answers say that the token was not spent: another replay is then in order.
                if let Some(replays) =
                    sent.refresh_token.as_ref().and_then(|token| self.doubted.get_mut(token))
                {
                    *replays = 0;
                }
            }
            None => {}
        }
    }

    /// No reply came.
    pub(super) fn failed(&mut self, sent: Sent, not_sent: bool, now: Now) {
        if !self.lands(&sent) {
            return;
        }
        self.fail(now);
        if !not_sent {
            self.doubt(sent);
        } else if let Some(replays) =
            sent.refresh_token.as_ref().and_then(|token| self.doubted.get_mut(token))
        {
            *replays = 0;
        }
    }

    /// Credentials are given. The same ones again change nothing but how long they are kept, and
    /// nothing at all where they are dead.
    pub(super) fn signs_in(
        &mut self,
        secret: String,
        keep: Keep,
        before: CredentialsHealth,
        last: u64,
    ) {
        let is_held = before != CredentialsHealth::None;
        match &mut self.secret {
            Some((held, kept)) if is_held && *held == secret => {
                if *kept == keep || before == CredentialsHealth::Refused {
                    return;
                }
                *kept = keep;
                let signs_in = |(sent, _): &(Sent, u64)| sent.refresh_token.is_none();
                if !self.live.as_ref().is_some_and(signs_in) {
                    self.stale(last);
                }
            }
            _ => {
                self.secret = Some((secret, keep));
                self.stale(last);
            }
        }
        self.keeps_credentials = keep == Keep::Always;
    }

    pub(super) fn signs_out(&mut self, last: u64) {
        self.stale(last);
        self.forgets_rejected();
        self.forbidden.clear();
        (self.secret, self.keeps_credentials) = (None, false);
    }

    /// A request was answered with a 403.
    pub(super) fn is_forbidden(&mut self, sent: &Sent, now: Now) {
        let Some(secret) = &sent.secret else { return };
        let (times, until) = self.forbidden.entry(secret.clone()).or_default();
        let minutes = 2_u64.pow((*times).min(10)).min(60);
        (*times, *until) = (*times + 1, now.mono.as_micros() + minutes * 60_000_000);
    }

    pub(super) fn is_live(&self, sent: &Sent) -> bool {
        self.live.as_ref().is_some_and(|(live, _)| live.number == sent.number)
    }

    /// Requests under way are stale: newer credentials, or a sibling's state, came in.
    pub(super) fn stale(&mut self, last: u64) {
        self.stale_to = last;
        if let Some((sent, _)) = self.live.take() {
            self.doubt(sent);
        }
    }

    /// A saved state was taken: its access token, where it is believed, and its end.
    pub(super) fn adopted(&mut self, last: u64, access: Option<(String, u64, i64)>) {
        self.stale(last);
        self.doubted.clear();
        (self.failed_at, self.granted_at) = (None, None);
        if let Some((token, mono, wall)) = access {
            self.ends.insert(token, (mono, wall));
        }
    }

    /// A refresh token that may be spent came with a saved state.
    pub(super) fn doubts(&mut self, token: String) {
        self.doubted.insert(token, 0);
    }

    /// The token in use was rejected, or (`None`) one that is not. The second young one in a row is
    /// a failed renewal.
    pub(super) fn rejects(&mut self, token: Option<String>, now: Now) {
        self.settle(now);
        if token.is_some()
            && self.granted_at.take().is_some_and(|at| now.mono.as_micros() - at < SETTLE)
        {
            if self.on_probation {
                self.fail(now);
            }
            (self.on_probation, self.good_since) = (true, None);
        }
        self.rejected = token;
    }

    /// Nothing is known of a rejected token any more.
    pub(super) fn forgets_rejected(&mut self) {
        self.rejected = None;
    }

    fn lands(&mut self, sent: &Sent) -> bool {
        self.live.take_if(|(live, _)| live.number == sent.number).is_some()
    }

    fn doubt(&mut self, sent: Sent) {
        if let Some(token) = sent.refresh_token {
            self.doubted.entry(token).or_insert(0);
        }
    }
}

/// A request that went out, as the model knows it.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Counts the process's requests from 1.
    pub(super) number: u64,
    /// The number of the last one at the time of the reply.
    pub(super) last: u64,
    pub(super) at: Now,
    pub(super) refresh_token: Option<String>,
    /// Agent and secret, where it signs in.
    pub(super) secret: Option<String>,
}

/// What a reply grants, read from its bytes.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) token: String,
    pub(super) lifetime: i64,
}

//! Margins, waits and limits of a session: data, with defaults fit for production.
//!
//! Owns the numbers that are a user's to change, and the arithmetic of back-off and margin that needs
//! nothing else. Knows nothing of sessions and calls.

use std::time::Duration;

/// The choices of a session and its calls. Start from the default and change what differs.
///
/// ```
/// use std::time::Duration;
/// use imts_core::Policy;
///
/// let mut policy = Policy::default();
/// policy.margin = Duration::from_secs(60);
/// assert_eq!(policy.margin_of(Duration::from_secs(900)), Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How long before its end a token counts as Expiring, at most. Default 120 s.
    pub margin: Duration,
    /// The same as a part of the token's lifetime, in percent, 0 to 100: the smaller of the two
    /// holds, so that a token that lives two seconds is used and not refetched at every ask.
    /// Default 50.
    pub margin_percent: u8,
    /// How old a token must be before it counts as Expiring, or is renewed for one who asks for a
    /// longer life. For a token that lives less than twice as long, half its life counts instead, though
    /// never less than 100 ms: a shorter-lived one is followed by quiet until then. Default 1 s.
    pub renew_after: Duration,
    /// How long one exchange may take, of a renewal or a call. Default 30 s.
    pub time_limit: Duration,
    /// The wait after the first failed renewal, or a call's first failed attempt; it doubles with
    /// each further one. Default 500 ms.
    pub backoff_first: Duration,
    /// The longest wait between renewals, or attempts, that is chosen here. Default 60 s.
    pub backoff_cap: Duration,
    /// How much of a wait is left to chance, in percent, 0 to 100. Default 50.
    pub jitter_percent: u8,
    /// Where the chance comes from. Give each client another one. Default 0.
    pub jitter_seed: u64,
    /// The longest `Retry-After` that is obeyed in full. Default 15 min.
    pub retry_after_cap: Duration,
    /// How long a token must hold before it counts as settled. The first one that is rejected sooner
    /// is renewed at once; if its successor is rejected sooner too, that is a failed renewal.
    /// Default 30 s.
    pub settle: Duration,
    /// After how many refusals in a row credentials that once worked count as dead. Default 3.
    pub refusals: u32,
    /// After how many refusals a secret that never worked counts as dead: 1 to 3, since accounts get
    /// locked. Its tries are as far apart as those after a 403. Default 1.
    pub secret_tries: u32,
    /// The wait after a first 403, which judges no secret; it doubles with each further one. There is
    /// no chance in it. Default 1 min.
    pub forbidden_first: Duration,
    /// The longest wait after a 403 that is chosen here. Default 1 h.
    pub forbidden_cap: Duration,
    /// How long a refresh endpoint that is missing (404, 405, 501), or that something else than the
    /// service answers for (302, 403 in HTML) while credentials are held, is left alone. Default 1 h.
    pub refresh_retry: Duration,
    /// What may be done with a refresh token whose last use has an unknown outcome, where no
    /// credentials are held. Default [`Replay::Once`].
    pub replay: Replay,
    /// How long a save may hold up renewals and new tokens. Default 5 s.
    pub save_within: Duration,
    /// The longest lifetime of an access token that is believed. Default 24 h.
    pub access_lifetime_cap: Duration,
    /// The longest lifetime of a refresh token that is believed. Default 400 days.
    pub refresh_lifetime_cap: Duration,
    /// The longest body of a reply, in bytes. Default 65,536.
    pub reply_limit: usize,
    /// How often one call is sent at most, where it may be sent again at all; and after how many
    /// failed renewals a client gives up getting its token. Default 3.
    pub call_attempts: u32,
    /// Whether the service is known to answer 401 before it processes anything: a call that creates
    /// or moves money is then sent once more with a new token, and else its outcome is unknown.
    /// Default false: nothing is published about it.
    pub unauthorized_is_unprocessed: bool,
    /// Whether a sign-in or a refresh is refused by a 2xx whose body has the error shape of one of the
    /// vendor's other APIs (`{"status":"error",…}` or `{"error":{"message":…,"code":…}}`) and no
    /// `state`. Otherwise it counts as a reply that cannot be read, and is tried again. It never says
    /// what became of a call that creates or moves money. Default true (assumed: the service's own
    /// error shape and its status are not published).
    pub error_shape_refuses: bool,
}

impl Default for Policy {
    fn default() -> Self {
        const HOUR: u64 = 3_600;
        Self {
            margin: Duration::from_secs(120),
            margin_percent: 50,
            renew_after: Duration::from_secs(1),
            time_limit: Duration::from_secs(30),
            backoff_first: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(60),
            jitter_percent: 50,
            jitter_seed: 0,
            retry_after_cap: Duration::from_secs(900),
            settle: Duration::from_secs(30),
            refusals: 3,
            secret_tries: 1,
            forbidden_first: Duration::from_secs(60),
            forbidden_cap: Duration::from_secs(HOUR),
            refresh_retry: Duration::from_secs(HOUR),
            replay: Replay::Once,
            save_within: Duration::from_secs(5),
            access_lifetime_cap: Duration::from_secs(24 * HOUR),
            refresh_lifetime_cap: Duration::from_secs(400 * 24 * HOUR),
            reply_limit: 65_536,
            call_attempts: 3,
            unauthorized_is_unprocessed: false,
            error_shape_refuses: true,
        }
    }
}

impl Policy {
    /// How long before its end a token of this lifetime counts as Expiring: the smallest of
    /// `margin`, its part of the lifetime, and what leaves it its part of `renew_after` to be used.
    #[must_use]
    pub fn margin_of(&self, lifetime: Duration) -> Duration {
        let part = percent(lifetime, self.margin_percent);
        self.margin.min(part).min(lifetime.saturating_sub(self.renew_after_of(lifetime)))
    }

    /// How old a token of this lifetime must be before it is renewed.
    pub(crate) fn renew_after_of(&self, lifetime: Duration) -> Duration {
        if lifetime >= self.renew_after.saturating_add(self.renew_after) {
            return self.renew_after;
        }
        self.renew_after.min(percent(lifetime, 50).max(SOONEST))
    }

    /// The wait after the `failures`th failed renewal in a row, without what the service asks for:
    /// from `1 - jitter` to the whole of the doubling delay.
    pub(crate) fn backoff(&self, failures: u32, salt: u64) -> Duration {
        let delay = doubled(self.backoff_first, failures, self.backoff_cap);
        let chance = scramble(self.jitter_seed ^ salt) % 101;
        let jitter = percent(delay, self.jitter_percent);
        delay.saturating_sub(percent(jitter, u8::try_from(chance).unwrap_or(100)))
    }

    /// The wait after a request was forbidden so many times in a row.
    pub(crate) fn slow_retry(&self, times: u32) -> Duration {
        doubled(self.forbidden_first, times, self.forbidden_cap)
    }

    /// How long the service may make the session wait.
    pub(crate) fn obeyed(&self, retry_after: Option<Duration>) -> Duration {
        retry_after.unwrap_or_default().min(self.retry_after_cap)
    }
}

/// What may be done with a refresh token that may be spent already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replay {
    /// It is never sent again: only new credentials help. Right where the service revokes the
    /// whole family of a token that is used twice.
    Never,
    /// It is sent once more, and only once the access token is dead.
    Once,
}

/// A wait that doubles each time, up to a cap.
fn doubled(first: Duration, times: u32, cap: Duration) -> Duration {
    let doublings = times.saturating_sub(1).min(31);
    first
        .checked_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
        .map_or(cap, |delay| delay.min(cap))
}

fn percent(duration: Duration, percent: u8) -> Duration {
    let part = duration.saturating_mul(u32::from(percent.min(100)));
    part.checked_div(100).unwrap_or(duration)
}

/// Spreads neighbouring numbers far apart (the finalizer of SplitMix64).
fn scramble(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// No token is renewed sooner than this, however short it lives, unless the policy says so.
const SOONEST: Duration = Duration::from_millis(100);

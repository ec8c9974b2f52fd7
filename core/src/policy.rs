//! The margins, waits and limits of a session, with defaults for production.
//!
//! Owns the numbers that a user may change, and the arithmetic of back-off and margin that needs
//! only them. Does not know about sessions and calls.

use std::time::Duration;

/// The settings of a session and its calls. Start from the default and change what must differ.
/// Each field has a method `with_` and its name.
///
/// ```
/// use std::time::Duration;
/// use imts_core::Policy;
///
/// let policy = Policy::default().with_margin(Duration::from_secs(60)).with_call_attempts(1);
/// assert_eq!(policy.margin_of(Duration::from_secs(900)), Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// The longest time before its end at which a token counts as Expiring. Default 120 s.
    pub margin: Duration,
    /// The same as a part of the token's lifetime, in percent, 0 to 100. The smaller of the two
    /// counts. So a token that lives two seconds is used, and not fetched again at every poll.
    /// Default 50.
    pub margin_percent: u8,
    /// The age that a token must reach before it counts as Expiring, or is renewed for a caller
    /// that asks for a longer life. If the token lives less than twice as long, half its lifetime
    /// counts instead, but never less than 100 ms. If a token lives even shorter, the next renewal
    /// waits until that time has passed. Default 1 s.
    pub renew_after: Duration,
    /// How long one exchange of a renewal or a call may take. Default 30 s.
    pub time_limit: Duration,
    /// The wait after the first failed renewal, or after a call's first failed attempt. It doubles
    /// with each further failure. Default 500 ms.
    pub backoff_first: Duration,
    /// The longest back-off between renewals or attempts. Default 60 s.
    pub backoff_cap: Duration,
    /// The random part of a wait, in percent, 0 to 100. Default 50.
    pub jitter_percent: u8,
    /// The seed of the random part. Give each client another one. Default 0.
    pub jitter_seed: u64,
    /// The longest `Retry-After` that is obeyed in full. Default 15 min.
    pub retry_after_cap: Duration,
    /// How long a token must be accepted before it counts as settled. The first token that is
    /// rejected earlier is renewed at once. If its successor is rejected as early, that is a failed
    /// renewal. Default 30 s.
    pub settle: Duration,
    /// The number of refusals in a row after which credentials that once worked count as dead.
    /// Default 3.
    pub refusals: u32,
    /// The number of refusals after which a secret that never worked counts as dead: 1 to 3,
    /// because accounts get locked. Its tries are as far apart as those after a 403. Default 1.
    pub secret_tries: u32,
    /// The wait after the first 403, which does not judge the secret. It doubles with each further
    /// one, and has no random part. Default 1 min.
    pub forbidden_first: Duration,
    /// The longest wait after a 403, unless the service asks for more. Default 1 h.
    pub forbidden_cap: Duration,
    /// How long a refresh endpoint is not used if it is missing (404, 405, 501). The same holds if
    /// an intermediary answers for it (302, 403 in HTML) while credentials are held. Default 1 h.
    pub refresh_retry: Duration,
    /// What may be done with a refresh token whose last use has an unknown outcome, if no
    /// credentials are held. Default [`Replay::Once`].
    pub replay: Replay,
    /// What is done with a refresh token whose request was answered, but neither granted nor
    /// judged, if the service has no [way back](crate::service::Tokens::has_way_back). Default
    /// [`UnhandledRefresh::UsesUp`].
    pub unhandled_refresh: UnhandledRefresh,
    /// How long a save may delay renewals and new tokens. Default 5 s.
    pub save_within: Duration,
    /// How long a session that shares a store may renew alone, before another one may. One exchange
    /// takes at most what is left of it. Default 15 s.
    pub lease: Duration,
    /// How long a shared store may take to answer. Default 2 s.
    pub store_within: Duration,
    /// The longest wait before a shared store that does not answer is asked again. Default 5 s.
    pub store_backoff_cap: Duration,
    /// By how much the margin is shortened at most, in percent of it, 0 to 100, if a store is
    /// shared. The jitter seed decides. So one session renews first, and the others find its grant.
    /// Default 25.
    pub spread_percent: u8,
    /// What a session does if its shared store does not answer, and its token is about to end or
    /// has ended. Default [`Alone::SignIn`].
    pub alone: Alone,
    /// The longest lifetime that is accepted for an access token. Default 24 h.
    pub access_lifetime_cap: Duration,
    /// The longest lifetime that is accepted for a refresh token. Default 400 days.
    pub refresh_lifetime_cap: Duration,
    /// The longest accepted body of a reply, in bytes. Default 65,536.
    pub reply_limit: usize,
    /// How many times one call is sent at most, if it may be sent again at all. Also the number of
    /// failed renewals after which a client stops trying to get its token. Default 3.
    pub call_attempts: u32,
    /// Whether the service is known to answer 401 before it processes anything. If so, a call that
    /// creates or moves money is sent once more with a new token; otherwise its outcome is unknown.
    /// Default false: nothing is published about it.
    pub unauthorized_is_unprocessed: bool,
    /// Whether a 2xx without a `state` can refuse a sign-in or a refresh. Its body must then have
    /// the error shape of one of the vendor's other APIs: `{"status":"error",…}` or
    /// `{"error":{"message":…,"code":…}}`. If false, such a reply counts as unreadable, and the
    /// request is retried. It never decides the outcome of a call that creates or moves money.
    /// Default true (assumed: the service's own error shape and its status are not published).
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
            unhandled_refresh: UnhandledRefresh::UsesUp,
            save_within: Duration::from_secs(5),
            lease: Duration::from_secs(15),
            store_within: Duration::from_secs(2),
            store_backoff_cap: Duration::from_secs(5),
            spread_percent: 25,
            alone: Alone::SignIn,
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
    /// Returns how long before its end a token of this lifetime counts as Expiring. It is the
    /// smallest of three: `margin`, its part of the lifetime, and what leaves the token in use for
    /// its part of `renew_after`.
    #[must_use]
    pub fn margin_of(&self, lifetime: Duration) -> Duration {
        let part = percent(lifetime, self.margin_percent);
        self.margin.min(part).min(lifetime.saturating_sub(self.renew_after_of(lifetime)))
    }

    /// The age that a token of this lifetime must reach before it is renewed.
    pub(crate) fn renew_after_of(&self, lifetime: Duration) -> Duration {
        if lifetime >= self.renew_after.saturating_add(self.renew_after) {
            return self.renew_after;
        }
        self.renew_after.min(percent(lifetime, 50).max(SOONEST))
    }

    /// Returns the wait after the `failures`th failed renewal in a row, without what the service
    /// asks for. It is between `1 - jitter` of the doubling delay and the whole of it; `salt`
    /// chooses.
    #[must_use]
    pub fn backoff(&self, failures: u32, salt: u64) -> Duration {
        self.jittered(doubled(self.backoff_first, failures, self.backoff_cap), salt)
    }

    /// The wait after a shared store did not answer this many times in a row.
    pub(crate) fn store_backoff(&self, failures: u32, salt: u64) -> Duration {
        self.jittered(doubled(self.backoff_first, failures, self.store_backoff_cap), salt)
    }

    /// The wait before a state that a sibling holds is looked at for the `looks`th time.
    pub(crate) fn look_after(&self, looks: u32, salt: u64) -> Duration {
        self.jittered(doubled(LOOK_FIRST, looks, LOOK_CAP), salt)
    }

    /// A session's own margin, where several share a store: some begin later than others.
    pub(crate) fn spread(&self, margin: Duration) -> Duration {
        let most = percent(margin, self.spread_percent);
        margin.saturating_sub(percent(most, self.chance(SPREAD)))
    }

    /// How long before its token's end a session signs in without its store: between half and a
    /// quarter of the margin.
    pub(crate) fn alone_before(&self, margin: Duration) -> Duration {
        let quarter = percent(margin, 25);
        quarter.saturating_add(percent(quarter, self.chance(ALONE)))
    }

    /// A wait without a random part of it.
    fn jittered(&self, delay: Duration, salt: u64) -> Duration {
        let jitter = percent(delay, self.jitter_percent);
        delay.saturating_sub(percent(jitter, self.chance(salt)))
    }

    /// A number from 0 to 100 that the seed and the salt choose.
    fn chance(&self, salt: u64) -> u8 {
        u8::try_from(scramble(self.jitter_seed ^ salt) % 101).unwrap_or(100)
    }

    /// Returns the wait after a request was forbidden this many times in a row.
    #[must_use]
    pub fn slow_retry(&self, times: u32) -> Duration {
        doubled(self.forbidden_first, times, self.forbidden_cap)
    }

    /// How long the service may make the session wait.
    pub(crate) fn obeyed(&self, retry_after: Option<Duration>) -> Duration {
        retry_after.unwrap_or_default().min(self.retry_after_cap)
    }
}

/// Makes a method for each field that returns the policy with another value of it.
macro_rules! with {
    ($($with:ident: $field:ident, $type:ty;)*) => {
        impl Policy {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Policy::", stringify!($field), ").")]
                #[must_use]
                pub fn $with(self, $field: $type) -> Self {
                    Self { $field, ..self }
                }
            )*
        }
    };
}

with! {
    with_margin: margin, Duration;
    with_margin_percent: margin_percent, u8;
    with_renew_after: renew_after, Duration;
    with_time_limit: time_limit, Duration;
    with_backoff_first: backoff_first, Duration;
    with_backoff_cap: backoff_cap, Duration;
    with_jitter_percent: jitter_percent, u8;
    with_jitter_seed: jitter_seed, u64;
    with_retry_after_cap: retry_after_cap, Duration;
    with_settle: settle, Duration;
    with_refusals: refusals, u32;
    with_secret_tries: secret_tries, u32;
    with_forbidden_first: forbidden_first, Duration;
    with_forbidden_cap: forbidden_cap, Duration;
    with_refresh_retry: refresh_retry, Duration;
    with_replay: replay, Replay;
    with_unhandled_refresh: unhandled_refresh, UnhandledRefresh;
    with_save_within: save_within, Duration;
    with_lease: lease, Duration;
    with_store_within: store_within, Duration;
    with_store_backoff_cap: store_backoff_cap, Duration;
    with_spread_percent: spread_percent, u8;
    with_alone: alone, Alone;
    with_access_lifetime_cap: access_lifetime_cap, Duration;
    with_refresh_lifetime_cap: refresh_lifetime_cap, Duration;
    with_reply_limit: reply_limit, usize;
    with_call_attempts: call_attempts, u32;
    with_unauthorized_is_unprocessed: unauthorized_is_unprocessed, bool;
    with_error_shape_refuses: error_shape_refuses, bool;
}

/// What may be done with a refresh token that may already be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replay {
    /// It is never sent again; only new credentials help. Use this if the service revokes the whole
    /// family of a token that is used twice.
    Never,
    /// It is sent once more, and only after the access token is dead.
    Once,
}

/// What an answer that neither grants nor judges a refresh token does to it, if the service has no
/// way back in.
///
/// Such answers are 403, 404, 405, 425, 429, 501 and 503, redirects, and others that are not in the
/// service's own form. Whether the service has used the token up before such an answer is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnhandledRefresh {
    /// The token counts as used, and is never sent again. The access token serves to its end. Then
    /// the session needs a new code.
    UsesUp,
    /// The token is kept and sent again, after the wait that the answer asks for. The same holds if
    /// a refresh brings an access token and leaves the refresh token as it was. The risk is the
    /// integrator's: if the service has used the token up, it may take the second use for theft
    /// and revoke all tokens of the user.
    Keeps,
}

/// What a session may do while its shared store does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alone {
    /// It signs in without the store, shortly before its token ends. It never refreshes.
    SignIn,
    /// It waits for the store. Use this if a second sign-in ends the tokens of the first one.
    Wait,
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

/// The first pause before a state that a sibling holds is looked at again, and the longest.
const LOOK_FIRST: Duration = Duration::from_millis(25);
const LOOK_CAP: Duration = Duration::from_millis(500);

/// Salts of what a seed chooses once.
const SPREAD: u64 = 0x5350_5245_4144;
const ALONE: u64 = 0x41_4c4f_4e45;

/// The least age at which a token is renewed, however short its lifetime is, unless the policy
/// allows less.
const SOONEST: Duration = Duration::from_millis(100);

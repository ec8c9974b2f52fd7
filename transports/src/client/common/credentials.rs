//! Reads credentials from the caller's callback when the session needs other ones.
//!
//! Owns the call of the callback. It never runs under a lock: reading is a step of a flight. Does
//! not judge a secret: the session says whether it needs another one, and whether the one that was
//! read is new.

use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use imts_core::exchange::Purpose;
use imts_core::session::CredentialsHealth;
use imts_core::transport_error::Source;
use imts_core::{Credentials, Keep, Now, Phase, Saved};

use super::locked::Lifecycle;
use super::panicked::CallbackPanicked;
use super::reading::News;
use super::{Ask, Common, HookError, Next, State, Work};
use crate::clock::Clock;
use crate::token_error::TokenError;
use crate::transport::BoxFuture;

/// What the callback returns.
pub(crate) type Read = Result<Credentials, HookError>;

/// Where the client reads credentials.
pub(crate) enum Callback {
    /// It returns them.
    Blocks(Box<dyn Fn() -> Read + Send + Sync>),
    /// It returns a future.
    Waits(Box<dyn Fn() -> BoxFuture<'static, Read> + Send + Sync>),
}

impl<F> State<F> {
    /// Whether a sign-in needs other credentials than the session has.
    fn needs_others(&self, now: Now) -> bool {
        let health = self.session.health(now);
        let is_refused =
            matches!(health.credentials, CredentialsHealth::Doubted | CredentialsHealth::Refused);
        health.in_flight.is_none() && (is_refused || health.needs_credentials())
    }

    /// Whether the only way on is a refresh token that may be spent. Credentials come before it.
    fn is_in_doubt(&self, now: Now) -> bool {
        self.session.phase(now).usable().is_none()
            && self.session.health(now).credentials == CredentialsHealth::None
            && self.session.saved(now).as_ref().is_some_and(Saved::is_in_doubt)
    }
}

impl<F> Common<F> {
    /// Asks the session, and calls the callback if the session needs other credentials.
    pub(super) fn step_with_callback(
        &self,
        state: &mut State<F>,
        at_least: Duration,
        now: Now,
    ) -> Result<Ask, TokenError> {
        if state.reading.is_off {
            return self.step_of_session(state, at_least, now);
        }
        let may_begin = state.reading.may_begin(now);
        let left = state.reading.until.map(|until| until.since(now.mono));
        let is_in_time = left.is_some_and(|left| !left.is_zero());
        let comes_first = (is_in_time || may_begin) && state.is_in_doubt(now);
        let asked = if comes_first {
            Err(TokenError::SignIn { last: state.session.last_error().cloned() })
        } else {
            self.step_of_session(state, at_least, now)
        };
        let can_read = may_begin && (comes_first || state.needs_others(now));
        let read = |state: &mut State<F>| {
            let reading = state.reading.begin(now.mono.after(self.time_limit));
            Box::new(Work::Read(reading, self.time_limit))
        };
        match asked {
            Ok(Ask::Start(work, meanwhile)) => match *work {
                // While another secret is being read, the refused one is not sent.
                Work::Send(ticket, ..) if is_in_time && ticket.purpose() == Purpose::SignIn => {
                    state.session.withdraw(ticket);
                    Ok(meanwhile.map_or(Ask::Join(left.unwrap_or_default()), Ask::Ready))
                }
                _ => {
                    if left.is_some() {
                        // There is another way on. The waiters of the reading join it.
                        state.reading.abandon();
                        let nothing = Ok(News::Nothing);
                        state.reading.ended(&nothing, state.session.policy(), now);
                    }
                    Ok(Ask::Start(work, meanwhile))
                }
            },
            Ok(Ask::Ready(bearer))
                if can_read && !matches!(state.session.phase(now), Phase::Valid(_)) =>
            {
                Ok(Ask::Start(read(state), Some(bearer)))
            }
            Err(TokenError::SignIn { .. } | TokenError::Waiting { .. }) if left.is_some() => {
                Ok(Ask::Join(left.unwrap_or_default()))
            }
            Err(TokenError::SignIn { .. } | TokenError::Waiting { .. }) if can_read => {
                Ok(Ask::Start(read(state), None))
            }
            Err(TokenError::SignIn { last }) => Err(match &state.reading.failure {
                Some(why) => {
                    TokenError::Credentials { wait: state.reading.wait(now), why: Arc::clone(why) }
                }
                None => TokenError::SignIn { last },
            }),
            other => other,
        }
    }

    /// Calls the callback on this thread, and returns the next step.
    pub(crate) fn read_here(&self, reading: u64) -> Next {
        let read = match &self.credentials {
            Some(Callback::Blocks(read)) => catch_unwind(AssertUnwindSafe(read))
                .unwrap_or_else(|_| Err(CallbackPanicked.into())),
            // The builder of a blocking client accepts no other callback.
            Some(Callback::Waits(_)) | None => return Next::Ended(Ok(())),
        };
        self.on_read(reading, read)
    }

    /// Calls the callback, and returns the future of its result.
    pub(crate) fn reading(&self) -> BoxFuture<'static, Read> {
        let begin = || -> BoxFuture<'static, Read> {
            match &self.credentials {
                Some(Callback::Blocks(read)) => Box::pin(ready(read())),
                Some(Callback::Waits(read)) => read(),
                None => Box::pin(std::future::pending()),
            }
        };
        catch_unwind(AssertUnwindSafe(begin))
            .unwrap_or_else(|_| Box::pin(ready(Err(CallbackPanicked.into()))))
    }

    /// Reports what the callback returned, and returns the next step.
    pub(crate) fn on_read(&self, reading: u64, read: Read) -> Next {
        let report = AssertUnwindSafe(|| self.reported_reading(reading, read));
        // If the clock panics, the flight ends, and with it the reading.
        catch_unwind(report).unwrap_or(Next::Ended(Ok(())))
    }

    fn reported_reading(&self, reading: u64, read: Read) -> Next {
        let mut state = self.lock();
        if state.lifecycle != Lifecycle::Open {
            return Next::Ended(Err(TokenError::Closed));
        }
        if state.reading.serial != reading {
            return Next::Ended(Ok(()));
        }
        let now = self.clock.now();
        state.reading.until = None;
        let read = read.map_err(|why| Arc::new(Source::from(why))).map(|credentials| {
            state.session.sign_in(credentials, Keep::Always, now);
            if state.needs_others(now) { News::Nothing } else { News::NewSecret }
        });
        let State { reading, session, .. } = &mut *state;
        reading.ended(&read, session.policy(), now);
        state.mark_changed();
        self.next(&mut state, Ok(()), now)
    }

    /// Returns how long until the callback is called again, if the session needs it.
    pub(super) fn reads_in(&self, state: &State<F>) -> Option<Duration> {
        let now = self.clock.now();
        let reads = self.credentials.is_some() && !state.reading.is_off && state.needs_others(now);
        reads.then(|| state.reading.wait(now))
    }
}

//! Reports renewals to `tracing` if that feature is on; otherwise does nothing.
//!
//! Owns the events' names and fields. Fields hold names, numbers and times of this crate: never a
//! header, a body, a secret, or a text from the service. Notes are taken under the session's lock
//! and emitted after it, because a listener may ask the same client for a token.

#[cfg(feature = "tracing")]
mod stored;

#[cfg(not(feature = "tracing"))]
pub(crate) use self::off::{Note, Notes};
#[cfg(feature = "tracing")]
pub(crate) use self::on::{Note, Notes};

/// Takes no notes.
#[cfg(not(feature = "tracing"))]
mod off {
    use std::time::Duration;

    use imts_core::{Epoch, Now, Session};

    use crate::client::common::{StoreEvent, Work};
    use crate::token_error::TokenError;

    pub(crate) enum Note {}

    #[derive(Default)]
    pub(crate) struct Notes {
        pub(crate) noted: Vec<Note>,
    }

    impl Notes {
        pub(crate) fn started(&mut self, _: &Session, _: &Work, _: Duration, _: Now) {}
        pub(crate) fn went_on(&mut self, _: &Session, _: &Work, _: Now) {}
        pub(crate) fn ended(&mut self, _: &Session, _: &Result<(), TokenError>, _: Now) {}
        pub(crate) fn backed_off(&mut self, _: Duration) {}
        pub(crate) fn rejected(&mut self, _: &Session, _: Epoch, _: Now) {}
        pub(crate) fn stored(&mut self, _: StoreEvent) {}
    }
}

#[cfg(feature = "tracing")]
mod on {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Duration;

    use imts_core::error::ReplyError;
    use imts_core::exchange::Purpose;
    use imts_core::session::{RenewalCause, RenewalError};
    use imts_core::time::Mono;
    use imts_core::{Epoch, Now, Phase, Session};
    use tracing::{debug, info, warn};

    use super::stored;
    use crate::client::common::{StoreEvent, Work};
    use crate::token_error::TokenError;

    /// The events that happened under the lock.
    #[derive(Default)]
    pub(crate) struct Notes {
        pub(crate) noted: Vec<Note>,
        /// Whether the service rejected the token in use.
        rejected: bool,
        began: Option<Mono>,
        purpose: Option<Purpose>,
        /// Why a claim is asked for, until the request that follows it begins.
        claims_for: Option<&'static str>,
    }

    /// An event, emitted when this is dropped.
    pub(crate) enum Note {
        Started { reason: &'static str, purpose: Purpose, epoch: u64 },
        FellBack,
        Reads,
        Renewed { epoch: u64, took: Duration },
        Failed { outcome: &'static str, status: Option<u16>, took: Duration },
        BackedOff { wait: Duration },
        Rejected { epoch: u64 },
        Stored(StoreEvent),
    }

    impl Notes {
        /// Notes that a renewal begins.
        pub(crate) fn started(
            &mut self,
            session: &Session,
            work: &Work,
            at_least: Duration,
            now: Now,
        ) {
            let purpose = match work {
                Work::Send(ticket, ..) => Some(ticket.purpose()),
                Work::Save(_, saved) if saved.is_in_doubt() => Some(Purpose::Refresh),
                Work::Swap(..) => None,
                Work::Save(..) | Work::Rest(..) => return,
                Work::Read(..) => {
                    self.began = Some(now.mono);
                    return self.noted.push(Note::Reads);
                }
            };
            let phase = session.phase(now);
            let reason = match phase {
                _ if self.rejected => "rejected",
                Phase::Unauthenticated => "no token",
                Phase::Expired => "expired",
                Phase::Expiring(_) => "expiring",
                Phase::Valid(_) if at_least.is_zero() => "new credentials",
                Phase::Valid(_) => "longer life wanted",
            };
            (self.began, self.purpose) = (Some(now.mono), purpose);
            match purpose {
                Some(purpose) => {
                    let epoch = epoch_in_use(session, now);
                    self.noted.push(Note::Started { reason, purpose, epoch });
                }
                None => self.claims_for = Some(reason),
            }
        }

        /// Notes that a renewal continues with another request.
        pub(crate) fn went_on(&mut self, session: &Session, work: &Work, now: Now) {
            if matches!(work, Work::Read(..)) {
                self.noted.push(Note::Reads);
            }
            let Work::Send(ticket, ..) = work else { return };
            if let Some(reason) = self.claims_for.take() {
                let (purpose, epoch) = (ticket.purpose(), epoch_in_use(session, now));
                self.purpose = Some(purpose);
                return self.noted.push(Note::Started { reason, purpose, epoch });
            }
            let before = self.purpose.replace(ticket.purpose());
            if (before, ticket.purpose()) == (Some(Purpose::Refresh), Purpose::SignIn) {
                self.noted.push(Note::FellBack);
            }
        }

        /// Notes that a renewal has ended.
        pub(crate) fn ended(
            &mut self,
            session: &Session,
            outcome: &Result<(), TokenError>,
            now: Now,
        ) {
            let took = self.began.take().map(|began| now.mono.since(began)).unwrap_or_default();
            let Err(error) = outcome else {
                self.rejected = false;
                self.noted.push(Note::Renewed { epoch: epoch_in_use(session, now), took });
                return;
            };
            let (outcome, status) = error.renewal_error().map_or(("given up", None), outcome_of);
            self.noted.push(Note::Failed { outcome, status, took });
        }

        /// Notes what happened between the client and its store.
        pub(crate) fn stored(&mut self, event: StoreEvent) {
            if matches!(event, StoreEvent::Found { .. }) {
                (self.rejected, self.claims_for) = (false, None);
            }
            self.noted.push(Note::Stored(event));
        }

        /// Notes that no renewal is due for some time.
        pub(crate) fn backed_off(&mut self, wait: Duration) {
            self.noted.push(Note::BackedOff { wait });
        }

        /// Notes that the service rejected a token. Call this before the session handles the
        /// rejection.
        pub(crate) fn rejected(&mut self, session: &Session, epoch: Epoch, now: Now) {
            let usable = session.phase(now).usable();
            if usable.is_some_and(|usable| usable.bearer().epoch() == epoch) {
                self.rejected = true;
                self.noted.push(Note::Rejected { epoch: epoch.count() });
            }
        }
    }

    impl Drop for Note {
        fn drop(&mut self) {
            // A listener that panics must not leave a renewal undone.
            let _emitted = catch_unwind(AssertUnwindSafe(|| self.emit()));
        }
    }

    impl Note {
        fn emit(&self) {
            let seconds = |duration: Duration| duration.as_secs_f64();
            match *self {
                Self::Stored(ref event) => stored::emit(event),
                Self::Started { reason, purpose, epoch } => {
                    debug!(target: "imts", reason, %purpose, epoch, "renewal started");
                }
                Self::FellBack => info!(target: "imts", "refresh of no use, signing in"),
                Self::Reads => info!(target: "imts", "reading the credentials"),
                Self::Renewed { epoch, took } => {
                    info!(target: "imts", epoch, seconds = seconds(took), outcome = "granted", "renewal ended");
                }
                Self::Failed { outcome, status, took } => {
                    warn!(target: "imts", outcome, status, seconds = seconds(took), "renewal ended");
                }
                Self::BackedOff { wait } => {
                    info!(target: "imts", seconds = seconds(wait), "backing off");
                }
                Self::Rejected { epoch } => {
                    warn!(target: "imts", epoch, "token rejected by the service");
                }
            }
        }
    }

    /// Returns 0 if no token is usable.
    fn epoch_in_use(session: &Session, now: Now) -> u64 {
        session.phase(now).usable().map_or(0, |usable| usable.bearer().epoch().count())
    }

    fn outcome_of(error: &RenewalError) -> (&'static str, Option<u16>) {
        let status = match error.why() {
            RenewalCause::Reply(ReplyError::Refused(refusal)) => Some(refusal.status().as_u16()),
            RenewalCause::Reply(ReplyError::Unexpected { status, .. }) => Some(status.as_u16()),
            _ => None,
        };
        (error.kind(), status)
    }
}

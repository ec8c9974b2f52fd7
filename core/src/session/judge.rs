//! What the result of a renewal means, and what it does to the session.
//!
//! Owns the table of replies: which ones spend, keep or lose a refresh token, which ones refuse the
//! credentials, and which ones are temporary.

use std::sync::Arc;

use super::grant::{Access, Grant, Refresh};
use super::pace::{Next, Slow};
use super::token_ids::TokenIds;
use super::{Keep, Session, Ticket};
use crate::error::ReplyError;
use crate::exchange::Purpose;
use crate::policy::Policy;
use crate::renewal_error::{RenewalCause, RenewalError};
use crate::saved::RefreshUse;
use crate::secret::{BASIC, Bearer, TokenId};
use crate::time::{End, Now};
use crate::transport_error::TransportError;
use crate::wire::{self, Asked, Granted, Reply};

impl Session {
    /// Reports that the whole reply to the request of this ticket came in.
    ///
    /// A success counts even if its ticket's time limit has passed, unless a newer grant or new
    /// credentials have come in since. A refusal under such a ticket changes nothing.
    ///
    /// # Errors
    ///
    /// Returns why the reply brought no usable token. The waiting pollers get the same value.
    pub fn on_reply(
        &mut self,
        ticket: Ticket,
        reply: Reply<'_>,
        now: Now,
    ) -> Result<(), Arc<RenewalError>> {
        let now = self.observe(now);
        let granted = self.decode(ticket, reply);
        let in_flight = self.land(ticket);
        match granted {
            Ok(granted) if ticket.serial > self.stale_to => self.accept(granted, ticket, now),
            Ok(_) => Ok(()),
            Err(error) => {
                let failure =
                    Arc::new(RenewalError::of(ticket.purpose, RenewalCause::Reply(error.clone())));
                if in_flight {
                    match ticket.purpose {
                        Purpose::SignIn if self.use_up_code() => {
                            self.pace.forbidden(Arc::clone(&failure), now.mono, &self.policy);
                        }
                        Purpose::SignIn => self.judge_sign_in(&error, &failure, now),
                        Purpose::Refresh => self.judge_refresh(&error, &failure, now),
                    }
                }
                Err(failure)
            }
        }
    }

    /// Reports that no reply came to the request of this ticket, or that the driver gave up on it.
    ///
    /// Returns the error that the waiting pollers get.
    pub fn on_failure(
        &mut self,
        ticket: Ticket,
        why: TransportError,
        now: Now,
    ) -> Arc<RenewalError> {
        let now = self.observe(now);
        let not_sent = why.is_not_sent();
        let failure = Arc::new(RenewalError::of(ticket.purpose, RenewalCause::Failed(why)));
        if self.land(ticket) {
            match ticket.purpose {
                Purpose::Refresh if not_sent => self.spare_refresh(),
                Purpose::Refresh => self.doubt_refresh(),
                Purpose::SignIn if !not_sent && self.use_up_code() => {
                    self.pace.noted(Arc::clone(&failure), now.mono);
                    return failure;
                }
                Purpose::SignIn => {}
            }
            self.failed(Arc::clone(&failure), now);
        }
        failure
    }

    /// Reports that the request of this ticket was handed out and never begun: none of its bytes
    /// left, and none will. The session behaves as if it had not handed the request out. The next
    /// poll may hand out another at once.
    pub fn withdraw(&mut self, ticket: Ticket) {
        if self.land(ticket) && ticket.purpose == Purpose::Refresh {
            self.spare_refresh();
        }
    }

    pub(super) fn failed(&mut self, failure: impl Into<Arc<RenewalError>>, now: Now) {
        self.pace.failed(failure.into(), now.mono, &self.policy);
    }

    /// The time limit of the exchange has passed, and nothing was reported.
    pub(super) fn time_out_flight(&mut self, now: Now) {
        if let Some(flight) = self.flight {
            self.on_failure(flight.ticket, TransportError::unknown().timed_out(), now);
        }
    }

    /// Ends the exchange if this ticket belongs to it.
    fn land(&mut self, ticket: Ticket) -> bool {
        self.flight.take_if(|flight| flight.is_of(ticket)).is_some()
    }

    /// What the request carried is known only while it is in flight. Later it may have been
    /// replaced.
    fn decode(&self, ticket: Ticket, reply: Reply<'_>) -> Result<Granted, ReplyError> {
        let grant = self.grant.as_ref();
        let secrets = || {
            let refresh = grant.and_then(|grant| grant.refresh.as_ref());
            let access = grant.and_then(|grant| grant.access.as_ref());
            let held = self.held.as_ref();
            let basic = held.and_then(|held| held.authorization.as_ref()?.to_str().ok());
            let secrets = [
                basic.and_then(|header| header.strip_prefix(BASIC)),
                held.map(|held| held.credentials.expose_secret()),
                held.and_then(|held| held.credentials.expose_code()),
                refresh.map(|refresh| refresh.token.expose()),
                access.map(|access| access.bearer.expose_token()),
                grant.and_then(|grant| grant.ids.present()).map(TokenId::expose),
            ];
            let is_in_flight = self.flight.is_some_and(|flight| flight.is_of(ticket));
            is_in_flight.then(|| secrets.into_iter().flatten().collect())
        };
        let Policy { reply_limit: limit, error_shape_refuses, .. } = *self.policy;
        let (sent, format) = (ticket.sent.wall, self.service.format);
        let asked = Asked { sent, limit, format, secrets: &secrets };
        let Some(tokens) = self.service.tokens() else {
            // Without tokens there is no ticket: this one is of another session.
            return Err(ReplyError::Refused(wire::refusal(reply, asked)));
        };
        let mut granted = tokens.read_grant(reply, asked, error_shape_refuses)?;
        granted.access_lifetime = granted.access_lifetime.min(self.policy.access_lifetime_cap);
        if let Some(refresh) = &mut granted.refresh {
            refresh.lifetime = refresh.lifetime.min(self.policy.refresh_lifetime_cap);
        }
        Ok(granted)
    }

    fn accept(
        &mut self,
        granted: Granted,
        ticket: Ticket,
        now: Now,
    ) -> Result<(), Arc<RenewalError>> {
        self.flight = None;
        self.stale_to = self.serial;
        self.epoch = self.epoch.next();
        if self.share.is_none() {
            self.generation = self.generation.saturating_add(1);
        }
        match ticket.purpose {
            Purpose::SignIn => self.credentials_worked(),
            Purpose::Refresh => self.refresh_aside_until = None,
        }
        self.refresh_slow = Slow::default();
        let end = End::after(ticket.sent, granted.access_lifetime);
        let access = Access {
            bearer: Bearer::new(granted.access, self.epoch, end),
            lifetime: granted.access_lifetime,
            margin: self.margin_of(granted.access_lifetime),
            expire_at: granted.access_expire_at,
        };
        let renew_after = self.policy.renew_after_of(access.lifetime);
        let is_short = access.lifetime < renew_after;
        let was_rejected = self.rejected.has(&access.bearer);
        let refresh = match granted.refresh {
            Some(new) => Some(Refresh {
                token: new.token,
                end: End::after(ticket.sent, new.lifetime),
                expire_at: new.expire_at,
                usage: RefreshUse::Unspent,
                marked: RefreshUse::Unspent,
                is_carried: false,
            }),
            None if ticket.purpose == Purpose::Refresh && granted.keeps_refresh => {
                self.kept_refresh()
            }
            None => None,
        };
        let (epoch, since) = (self.epoch, Some(now.mono));
        let before = self.grant.as_ref().filter(|_| ticket.purpose == Purpose::Refresh);
        let before = before.map(|grant| (&grant.ids, grant.last_end()));
        let ids = TokenIds::of(granted.id, before, now);
        let access = Some(access).filter(|_| !was_rejected);
        let grant = Grant { epoch, since, access, refresh, ids };
        match (&mut self.store, &self.share) {
            (Some(store), _) => store.hold(grant),
            (None, Some(_)) => self.is_granted(grant, ticket),
            (None, None) => self.grant = Some(grant),
        }
        let fault = if was_rejected {
            RenewalCause::Rejected
        } else if end.is_past(now) {
            RenewalCause::DeadOnArrival
        } else {
            self.pace.succeeded(now.mono);
            if is_short {
                let failure = RenewalError::of(ticket.purpose, RenewalCause::ShortLived);
                let until = now.mono.after(renew_after);
                self.pace.rests(until, failure.into(), now.mono);
            }
            return Ok(());
        };
        let failure = Arc::new(RenewalError::of(ticket.purpose, fault));
        self.failed(Arc::clone(&failure), now);
        Err(failure)
    }

    /// The old refresh token. A refresh that brought no new one has shown that the old one is good.
    fn kept_refresh(&self) -> Option<Refresh> {
        let grant = self.grant.as_ref().filter(|_| !self.uses_up_refresh());
        let refresh = grant?.refresh.clone()?;
        let (usage, marked) = (RefreshUse::Unspent, RefreshUse::Unspent);
        Some(Refresh { usage, marked, ..refresh })
    }

    fn set_refresh_aside(&mut self, now: Now) {
        self.refresh_aside_until = Some(now.mono.after(self.policy.refresh_retry));
    }

    fn credentials_worked(&mut self) {
        let standing = self.standings.last_has_worked();
        if let Some(held) = &mut self.held {
            held.standing = standing;
        }
        self.held.take_if(|held| held.keep == Keep::Once);
        if !self.has_way_back() {
            self.standings.last_is_used_up();
        }
    }

    fn judge_sign_in(&mut self, error: &ReplyError, failure: &Arc<RenewalError>, now: Now) {
        let judgement = Judgement::of(error);
        let Some(held) = self.held.as_mut().filter(|_| judgement != Judgement::Passing) else {
            return self.failed(Arc::clone(failure), now);
        };
        let next = if judgement == Judgement::Forbidden {
            held.standing.slow.again(failure, now.mono, &self.policy);
            Next::Slow
        } else {
            held.standing.is_refused(failure, now.mono, &self.policy)
        };
        self.standings.note(held.fingerprint, held.standing.clone());
        let is_over = held.keep == Keep::Once && judgement == Judgement::Refused;
        if is_over {
            self.held = None;
        }
        match next {
            Next::BackOff if !is_over => self.failed(Arc::clone(failure), now),
            Next::Slow => self.pace.forbidden(Arc::clone(failure), now.mono, &self.policy),
            _ => self.pace.noted(Arc::clone(failure), now.mono),
        }
    }

    /// A refresh was answered, but not with a grant. A sign-in follows at once, in the same flight,
    /// if signing in is possible, the service works, and it asks for no wait.
    fn judge_refresh(&mut self, error: &ReplyError, failure: &Arc<RenewalError>, now: Now) {
        let mut meaning = Meaning::of(error);
        if meaning.spares() && self.uses_up_refresh() {
            meaning = Meaning::ServerFailed;
        }
        let fall_back = match meaning {
            Meaning::Missing => {
                self.spare_refresh();
                self.set_refresh_aside(now);
                true
            }
            Meaning::Refused => {
                if let Some(grant) = &mut self.grant {
                    grant.refresh = None;
                }
                true
            }
            Meaning::Forbidden => {
                self.spare_refresh();
                if !self.can_sign_in() {
                    self.refresh_slow.again(failure, now.mono, &self.policy);
                    return self.pace.forbidden(Arc::clone(failure), now.mono, &self.policy);
                }
                self.set_refresh_aside(now);
                matches!(error, ReplyError::Refused(refusal) if refusal.is_json())
            }
            Meaning::NotUnderstood => {
                self.doubt_refresh();
                true
            }
            Meaning::ServerFailed => {
                self.doubt_refresh();
                false
            }
            Meaning::Passing => {
                self.spare_refresh();
                false
            }
            Meaning::Foreign => {
                self.spare_refresh();
                if self.can_sign_in() {
                    self.set_refresh_aside(now);
                }
                false
            }
        };
        let asks_to_wait = failure.retry_after().is_some_and(|wait| !wait.is_zero());
        if fall_back && !asks_to_wait && self.route(now) != Some(Purpose::Refresh) {
            self.pace.noted(Arc::clone(failure), now.mono);
        } else {
            self.failed(Arc::clone(failure), now);
        }
    }
}

/// What a reply to a refresh means for the refresh token, if the reply is not a grant.
enum Meaning {
    /// The endpoint does not exist. The token stays usable.
    Missing,
    /// The token is dead.
    Refused,
    /// The service does not allow its use from here, or not now. That does not judge the token.
    Forbidden,
    /// The service processed it, and the reply cannot be read: the token may be spent.
    NotUnderstood,
    /// The service failed while it processed it: the token may be spent.
    ServerFailed,
    /// The service did not process it. It may be retried.
    Passing,
    /// An intermediary answered, or the reply says nothing about the token: the token is kept. If
    /// signing in is possible, the next renewal does that: such replies could continue until the
    /// token ends.
    Foreign,
}

impl Meaning {
    /// Whether the token counts as not used, as far as the reply says.
    fn spares(&self) -> bool {
        matches!(self, Self::Missing | Self::Forbidden | Self::Passing | Self::Foreign)
    }

    fn of(error: &ReplyError) -> Self {
        match error {
            ReplyError::Malformed(_) | ReplyError::Unbelieved { .. } => Self::NotUnderstood,
            ReplyError::UnknownPath => Self::Missing,
            ReplyError::Unexpected { status, .. } => Self::of_status(status.as_u16()),
            ReplyError::Refused(refusal) => match refusal.status().as_u16() {
                status @ (403 | 404 | 405 | 408 | 425 | 429 | 501 | 503) => Self::of_status(status),
                _ if refusal.says_no() => Self::Refused,
                // A 2xx that is a refusal is the service's own refusal.
                200..=299 | 401 => Self::Refused,
                400 | 422 if refusal.is_json() => Self::Refused,
                status => Self::of_status(status),
            },
        }
    }

    fn of_status(status: u16) -> Self {
        match status {
            403 => Self::Forbidden,
            404 | 405 | 501 => Self::Missing,
            200..=299 => Self::NotUnderstood,
            425 | 429 | 503 => Self::Passing,
            408 | 500..=599 => Self::ServerFailed,
            _ => Self::Foreign,
        }
    }
}

/// What a reply to a sign-in says about the secret, if the reply is not a grant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judgement {
    /// It is refused, in the service's own reply or by a bare 401, which has no other meaning.
    Refused,
    /// Its use is not allowed from here, or not now (a 403, also from an intermediary): that does
    /// not judge the secret.
    Forbidden,
    /// Nothing: the reply comes from an intermediary, or the failure is temporary.
    Passing,
}

impl Judgement {
    fn of(error: &ReplyError) -> Self {
        let ReplyError::Refused(refusal) = error else { return Self::Passing };
        let refuses = match refusal.status().as_u16() {
            200..=299 | 401 => true,
            403 => return Self::Forbidden,
            400 | 422 => refusal.is_json(),
            404 | 405 | 408 | 425 | 429 | 500.. => false,
            _ => refusal.says_no(),
        };
        if refuses { Self::Refused } else { Self::Passing }
    }
}

//! Whose session it is: credentials come in, and go.
//!
//! Owns the two inputs that change the agent, and what they do to the grant and to a request under
//! way. Does not know what the service says about credentials: [`judge`](super::judge) does.

use std::fmt;

use http::HeaderValue;

use super::pace::{Slow, Standing};
use super::{Keep, Session};
use crate::exchange::Purpose;
use crate::secret::Credentials;
use crate::service::Tokens;
use crate::time::Now;

/// The credentials that a session holds.
pub(super) struct Held {
    pub(super) credentials: Credentials,
    /// The header that carries them, if one does. A refusal may quote it.
    pub(super) authorization: Option<HeaderValue>,
    pub(super) keep: Keep,
    pub(super) fingerprint: u64,
    pub(super) standing: Standing,
}

impl Session {
    /// Takes credentials, to keep or for one sign-in.
    ///
    /// If the session has a grant of another agent, it drops that grant. If the secret is new,
    /// requests under way become stale. If the secret was given before, it is not new. What the
    /// service said about it then stays, and a sign-in with it that is under way continues.
    ///
    /// If the service has no [way back](Tokens::has_way_back), the credentials need a
    /// [code](Credentials::with_code), are for one sign-in whatever `keep` says, and are used up as
    /// soon as its request may have left. The session then lives by its refresh token, and yields
    /// [`Step::SignIn`](super::Step::SignIn) when that does not help.
    ///
    /// To retry a refused secret, for example after the account was unlocked,
    /// [sign out](Session::sign_out) first.
    pub fn sign_in(&mut self, credentials: Credentials, keep: Keep, now: Now) {
        self.observe(now);
        let fingerprint = credentials.fingerprint();
        if let Some(held) = self.held.as_mut().filter(|held| held.fingerprint == fingerprint) {
            let changes = held.keep != keep && !held.standing.is_dead();
            if changes {
                held.keep = keep;
            }
            // A sign-in under way is already the one that is asked for.
            let signs_in = self.flight.is_some_and(|it| it.ticket.purpose == Purpose::SignIn);
            if changes && !signs_in {
                self.abandon_flight();
            }
            return;
        }
        if self.agent_id.as_deref() != Some(credentials.agent_id()) {
            self.drop_grant();
            self.forget_store();
            self.rejected.forget();
            self.agent_id = Some(credentials.agent_id().into());
        }
        self.abandon_flight();
        let standing = self.standings.of(fingerprint);
        let keep = if self.has_way_back() { keep } else { Keep::Once };
        let sign_in = self.service.tokens().map(Tokens::sign_in);
        let is_over = keep == Keep::Once && standing.is_dead()
            || sign_in.is_some_and(|sign_in| !sign_in.can_use(&credentials));
        let authorization = sign_in.and_then(|it| it.authorization(&credentials));
        let held = Held { credentials, authorization, keep, fingerprint, standing };
        self.held = Some(held).filter(|_| !is_over);
    }

    /// Returns the agent that the session's grant or credentials belong to.
    #[must_use]
    pub fn agent_id(&self) -> Option<&str> {
        self.agent_id.as_deref()
    }

    /// Names the agent, if no credentials are given: a shared store has an entry for each agent.
    #[must_use]
    pub fn with_agent(self, agent_id: &str) -> Self {
        Self { agent_id: Some(agent_id.into()), ..self }
    }

    /// Names the user whose tokens the session has, for a service with a session for each user.
    /// States of another user are then refused, and a shared store has an entry for each. It must be
    /// a name that the integrator has for the user, not one that anybody may choose.
    #[must_use]
    pub fn with_subject(self, subject: &str) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }

    /// Returns the user whose tokens the session has, as [`with_subject`](Session::with_subject)
    /// names it.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Forgets the grant, the credentials, and what the service said about them. The caller must
    /// erase what a store holds. What a shared store holds stays there, for the siblings:
    /// [`sign_out_everywhere`](Session::sign_out_everywhere) empties it.
    pub fn sign_out(&mut self) {
        self.drop_grant();
        self.forget_store();
        self.abandon_flight();
        self.rejected.forget();
        self.standings.forget();
        self.refresh_slow = Slow::default();
        self.held = None;
        self.agent_id = None;
        self.revoked = None;
    }
}

impl fmt::Debug for Held {
    /// Leaves out the fingerprint, which would help to guess a short secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("credentials", &self.credentials)
            .field("keep", &self.keep)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

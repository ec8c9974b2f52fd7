//! What a call learns about its request, and how it ends unsent or unknown.
//!
//! Owns the two inputs after a request left. Does not know what a reply means: `judge` does.

use super::hearing::{Circumstances, Heard};
use super::judge::{self, Past};
use super::outcome::{CallError, Failed, Outcome, Permit, Unknown};
use super::question::Question;
use super::setup::Frozen;
use super::{Call, Stage};
use crate::operation::Auth;
use crate::secret::{Bearer, Body};
use crate::time::{Mono, Now};
use crate::transport_error::TransportError;
use crate::wire::{self, Asked, Reply};

impl<R> Call<R> {
    /// Reports that the whole reply came in, or that it was cut one byte past the exchange's limit.
    pub fn on_reply(&mut self, reply: Reply<'_>, now: Now) {
        let Stage::Sent { now: sent, .. } = self.stage else { return };
        let Some(frozen) = &self.frozen else { return };
        let bearer = self.bearer.take();
        let presented = || {
            let tokens = self.presented.iter().chain(&bearer).map(Bearer::expose_token);
            let signature = frozen.extras.iter().flat_map(|extras| extras.secrets());
            // A request without either carries its secrets in the body, and this code cannot know
            // which.
            (frozen.auth != Auth::None).then(|| tokens.chain(signature).collect())
        };
        let (limit, format) = (frozen.reply_limit, frozen.format);
        let may_have_arrived = self.may_have_arrived;
        let known = Circumstances {
            limit,
            is_signed: frozen.auth.is_signed(),
            #[cfg(feature = "pg-sig")]
            format,
            #[cfg(feature = "pg-sig")]
            may_have_arrived,
        };
        let heard = match &frozen.extras {
            Some(extras) => extras.hear(reply, &known),
            None => Heard::AsItCame,
        };
        let empty = Body::default();
        let (reply, limit) = match &heard {
            Heard::AsItCame => (reply, limit),
            Heard::Instead(body) => {
                (Reply { body: body.as_ref(), ..reply }, limit.max(body.as_ref().len()))
            }
            Heard::Nothing(_) => (Reply { body: empty.as_ref(), ..reply }, limit),
        };
        let asked = Asked { sent: sent.wall, limit, format, secrets: &presented };
        let outcome = match &heard {
            Heard::Nothing(error) => Err(error.clone()),
            Heard::AsItCame | Heard::Instead(_) => wire::read(reply, asked, self.decode),
        };
        let past = Past { retried_after_401: self.retried_after_401, may_have_arrived };
        let meaning = judge::reply(frozen, outcome, reply, asked, past);
        // After a 401 the session must reject the token, however the call ends.
        if reply.status == http::StatusCode::UNAUTHORIZED {
            self.refused = bearer.as_ref().map(Bearer::epoch);
        }
        self.follow(meaning, now);
        self.has_presented(bearer);
    }

    /// Reports that no reply came, or that the driver gave up on it.
    pub fn on_failure(&mut self, why: TransportError, now: Now) {
        if !matches!(self.stage, Stage::Sent { .. }) {
            return;
        }
        let Some(frozen) = &self.frozen else { return };
        let meaning = judge::failure(frozen, why);
        self.follow(meaning, now);
        let bearer = self.bearer.take();
        self.has_presented(bearer);
    }

    /// Sends nothing before this time. A driver keeps the [pace](Call::pace) with it.
    #[must_use]
    pub fn not_before(self, time: Mono) -> Self {
        Self { not_before: time, ..self }
    }

    /// Returns the least time from the last call of this merchant that moves money, if the service
    /// asks for one and this call moves money.
    #[must_use]
    pub fn pace(&self) -> Option<std::time::Duration> {
        self.frozen.as_ref()?.pace()
    }

    /// Returns whether an attempt may have arrived whose reply did not come. If such a call is
    /// dropped, its outcome is unknown, even between two attempts.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        self.may_have_arrived
    }

    pub(super) fn fail(&mut self, why: CallError) {
        if let (true, Some(sent)) = (self.may_have_arrived, self.sent) {
            return self.lose(why, sent);
        }
        let decode = self.decode;
        let permit = self.frozen.take().map(|frozen| Permit { frozen, decode });
        self.stage = Stage::End(Outcome::Failed(Failed { why, permit }));
    }

    pub(super) fn lose(&mut self, why: CallError, now: Now) {
        let Some(frozen) = self.frozen.take() else { return };
        let unknown = Unknown {
            digest: frozen.digest(),
            question: frozen.question(),
            class: frozen.class,
            sent_at: self.sent.unwrap_or(now).wall,
            operation: frozen.name.into_owned(),
            reference: frozen.reference,
            why,
        };
        self.stage = Stage::End(Outcome::Unknown(unknown));
    }
}

impl Frozen {
    /// The least time to the next attempt.
    pub(super) fn pace(&self) -> Option<std::time::Duration> {
        self.extras.as_ref()?.pace
    }

    /// What to ask the service, if its outcome is not known.
    fn question(&self) -> Option<Question> {
        let extras = self.extras.as_ref()?;
        let by = extras.conduct.asked_by.clone()?;
        let id = extras.id(self.reference.as_deref()).or(self.reference.as_deref())?;
        Some(Question::new(by, id.to_owned()))
    }
}

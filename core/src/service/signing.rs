//! How a service's requests are signed, and what else its signed operations have in common.
//!
//! Owns the facts. Has no key, and does not know how a signature is computed.

use std::time::Duration;

use super::Service;
use crate::operation::PgForm;
#[cfg(feature = "jws")]
use crate::sign::jws::JwsForm;

/// What all operations of a service have in common, unless one says otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signing {
    #[cfg(feature = "jws")]
    pub(crate) jws_form: Option<JwsForm>,
    pub(crate) pg_form: PgForm,
    pub(crate) reply_headers: &'static [&'static str],
    pub(crate) pace: Option<Duration>,
}

impl Service {
    /// Sets the form of the JWS that its requests have.
    #[cfg(feature = "jws")]
    #[must_use]
    pub fn with_jws_form(mut self, form: JwsForm) -> Self {
        self.signing.jws_form = Some(form);
        self
    }

    /// Sets how its messages are written and signed with `pg_sig`.
    #[must_use]
    pub fn with_pg_form(mut self, form: PgForm) -> Self {
        self.signing.pg_form = form;
        self
    }

    /// Names the reply headers that hold a result, in lower case. If the body of a success is `{}` or
    /// empty, the content of the reply is an object of those headers that it has.
    #[must_use]
    pub fn with_reply_headers(mut self, names: &'static [&'static str]) -> Self {
        self.signing.reply_headers = names;
        self
    }

    /// Sets the least time between two calls of one merchant that move money, as the service asks
    /// for it. A client keeps it.
    #[must_use]
    pub fn with_pace(mut self, pace: Duration) -> Self {
        self.signing.pace = Some(pace);
        self
    }

    /// Returns the form of the JWS that its requests have, if it is known.
    #[cfg(feature = "jws")]
    #[must_use]
    pub fn jws_form(&self) -> Option<&JwsForm> {
        self.signing.jws_form.as_ref()
    }

    /// Returns the least time between two calls of one merchant that move money.
    #[must_use]
    pub fn pace(&self) -> Option<Duration> {
        self.signing.pace
    }
}

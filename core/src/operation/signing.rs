//! How the messages of an operation are written and signed with `pg_sig`.
//!
//! Owns the forms as data. Does not know how a signature is computed, and has no key.

use std::borrow::Cow;

/// How an operation's request is written, and which script its reply is signed with.
///
/// By default a request is a form (published), and the script of a reply is the last part of the URL
/// that was called (assumed; integrators have seen it so).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PgForm {
    pub(crate) body: PgBody,
    pub(crate) reply_script: ReplyScript,
}

impl PgForm {
    /// Makes the default form.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how the request is written.
    #[must_use]
    pub fn with_body(self, body: PgBody) -> Self {
        Self { body, ..self }
    }

    /// Sets which script the reply is signed with.
    #[must_use]
    pub fn with_reply_script(self, reply_script: ReplyScript) -> Self {
        Self { reply_script, ..self }
    }

    /// Returns how the request is written.
    #[must_use]
    pub fn body(&self) -> PgBody {
        self.body
    }

    /// Returns which script the reply is signed with.
    #[must_use]
    pub fn reply_script(&self) -> &ReplyScript {
        &self.reply_script
    }
}

/// How a request is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PgBody {
    /// `application/x-www-form-urlencoded` (published).
    #[default]
    Form,
    /// The same with one field, `pg_xml`, which holds `<request>…</request>` (published).
    XmlField,
    /// A JSON object (known from integrators, for the newest form of create payment).
    Json,
}

/// The script that a reply's signature begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyScript {
    /// The last part of the URL that was called (assumed).
    #[default]
    Called,
    /// None. One integrator says so of `card/init` and `card/direct`.
    Absent,
    /// This name. One page prints `get_status.php` beside the URL `/get_status3.php`.
    Exactly(Cow<'static, str>),
}

//! How a call's outcome is reported, to people and to scripts.
//!
//! Owns the messages and the kinds. Never repeats the request, whose fields may be secret. The
//! reply's payload is what was asked for, and is printed unchanged.

use std::sync::OnceLock;

use imts::call::{CallError, Unknown};
use imts::error::{Malformed, Refusal, ReplyError};
use imts::journal::Digest;
use imts::journal::IntentError;
use imts::operation::Json;
use imts::time::Wall;
use imts::{Class, JournalFile, Outcome, Recovery, TokenError};
use serde_json::{Map, Value};

use crate::advice;
use crate::args::JournalAt;
use crate::failure::{Failure, Kind};
use crate::interrupt::Signal;
use crate::out;
use crate::values::date;

/// Which call it is.
pub(super) struct About {
    pub(super) operation: String,
    pub(super) class: Class,
    /// The reference: given, or found in the request once the call is made.
    pub(super) reference: OnceLock<String>,
    pub(super) digest: Digest,
    pub(super) journal: Option<JournalAt>,
    /// Where the call goes, once that is known.
    pub(super) to: OnceLock<To>,
}

/// Where a call goes.
pub(super) struct To {
    pub(super) base_url: String,
    pub(super) profile: Option<String>,
}

impl About {
    /// Records the reference of the call.
    pub(super) fn is_named(&self, reference: Option<&str>) {
        if let Some(reference) = reference {
            self.reference.get_or_init(|| reference.to_owned());
        }
    }

    /// Records where the call goes. If it creates something or moves money, a person can read it
    /// before it is sent: a wrong profile is a payment at the wrong service.
    pub(super) fn goes_to(&self, to: To) {
        if self.class != Class::Read {
            let profile = match &to.profile {
                Some(name) => format!("profile {name}"),
                None => "no profile".to_owned(),
            };
            out::note(format_args!("{}: base URL {}, {profile}", self.operation, to.base_url));
        }
        self.to.get_or_init(|| to);
    }

    /// Prints the reply if the call was done. Otherwise returns the failure.
    pub(super) fn tell(&self, outcome: Outcome<Json>, json: bool) -> Result<(), Failure> {
        let recovery = outcome.recovery().unwrap_or(Recovery::Report);
        match outcome {
            Outcome::Done(reply) => self.done(&reply, json),
            Outcome::Refused(refusal) => Err(self.refused(&refusal, recovery)),
            Outcome::Unknown(unknown) => Err(self.unknown(&unknown)),
            Outcome::Failed(failed) => {
                Err(failure(failed.why()).with_details(self.details(&Value::Null)))
            }
        }
    }

    /// Creates a failure: the journal does not admit the call, and nothing is sent now.
    pub(super) fn not_admitted(&self, error: &IntentError) -> Failure {
        let mut details = self.details(&Value::Null);
        details.insert("journal_id".to_owned(), error.id().into());
        let (kind, recovery) = match error {
            IntentError::InDoubt { .. } => (Kind::InDoubt, Recovery::Resolve),
            IntentError::AlreadyDone { .. } => (Kind::AlreadyDone, Recovery::Fix),
            IntentError::Conflict { .. } => (Kind::Conflict, Recovery::Fix),
            IntentError::InProgress { .. } => (Kind::InProgress, Recovery::Retry { after: None }),
            _ => (Kind::NoReference, Recovery::Fix),
        };
        let message: &dyn std::fmt::Display = match error {
            IntentError::NoReference { operation } => &format_args!(
                "{operation}: a call with --journal needs a reference, so nothing was sent"
            )
            .to_string(),
            error => error,
        };
        let advice = match error {
            IntentError::InDoubt { id, .. } => self.resolving(Some(*id)),
            IntentError::NoReference { .. } => {
                "Give your own id for the call: --reference ID. Or name the field of the request \
                 that holds it in the service file, such as reference_field = \"client_uuid\"."
                    .to_owned()
            }
            IntentError::InProgress { .. } => "Wait for that call's outcome.".to_owned(),
            _ => match &self.journal {
                Some(at) => format!("See: imts journal list {at} --all"),
                None => return Failure::new(kind, recovery, message).with_details(details),
            },
        };
        Failure::new(kind, recovery, message).advising(advice).with_details(details)
    }

    fn done(&self, reply: &Json, json: bool) -> Result<(), Failure> {
        let printed = if json {
            let to: String =
                self.shown_to().map(|(name, value)| format!(r#","{name}":{value}"#)).collect();
            let reply = one_line(reply.as_str());
            out::line(format_args!(r#"{{"outcome":"done","reply":{reply}{to}}}"#))
        } else {
            out::line(reply.as_str())
        };
        printed.map(drop).map_err(|_| {
            let message =
                format!("{} was done, but its reply cannot be written to stdout", self.operation);
            Failure::new(Kind::Unknown, Recovery::Resolve, message)
                .advising(
                    "Do not send it again. Ask the service for the result with status, info \
                           or search.",
                )
                .with_details(self.details(&Value::Null))
        })
    }

    fn refused(&self, refusal: &Refusal, recovery: Recovery) -> Failure {
        let advice = advice::of_call(refusal);
        let mut details = self.details(&Value::Null);
        details.insert("status".to_owned(), refusal.status().as_u16().into());
        details.insert("code".to_owned(), refusal.code().into());
        Failure::new(Kind::Refused, recovery, refusal).advising(advice).with_details(details)
    }

    fn unknown(&self, unknown: &Unknown) -> Failure {
        let failure = self.lost(unknown.sent_at(), unknown.to_string());
        if is_too_long(unknown.why()) { failure.advising_also(LONGER) } else { failure }
    }

    /// Creates a failure: a signal came while the request was on its way.
    pub(super) fn cut_off(&self, signal: Signal, sent_at: Wall) -> Failure {
        let message = format!(
            "{}: {} came before the reply. It may have been done: ask status, info or search, and \
             do not send it again unless they say that it was not done",
            self.unknown_words(),
            signal.0
        );
        self.lost(sent_at, message)
    }

    /// Creates a failure: the command's own work broke off after the request was sent.
    pub(super) fn broken_off(&self, sent_at: Wall) -> Failure {
        let message = format!(
            "{}: the command failed because of a bug. It may have been done: ask status, info or \
             search, and do not send it again unless they say that it was not done",
            self.unknown_words()
        );
        self.lost(sent_at, message)
    }

    /// Creates a failure: a signal came before anything was sent, or what was sent only reads.
    pub(super) fn interrupted(&self, signal: Signal) -> Failure {
        let name = &self.operation;
        let (message, advice) = match self.class {
            Class::Read => (
                format!("{name}: {} came before the reply", signal.0),
                "Run it again: it only reads.",
            ),
            Class::Create | Class::Money => (
                format!("{name}: {} came before it was sent", signal.0),
                "Run it again: nothing was created, and no money moved.",
            ),
        };
        let mut details = self.details(&Value::Null);
        details.insert("signal".to_owned(), signal.0.into());
        Failure::new(Kind::Interrupted, Recovery::Retry { after: None }, message)
            .advising(advice)
            .with_details(details)
    }

    fn unknown_words(&self) -> String {
        let name = &self.operation;
        match self.reference.get() {
            Some(reference) => {
                let reference = reference.escape_debug();
                format!("{name} (reference {reference}): outcome unknown")
            }
            None => format!("{name}: outcome unknown"),
        }
    }

    fn lost(&self, sent_at: Wall, message: String) -> Failure {
        let id = self.journal_id();
        let mut details = self.details(&date(sent_at).into());
        if let Some(id) = id {
            details.insert("journal_id".to_owned(), id.into());
        }
        Failure::new(Kind::Unknown, Recovery::Resolve, message)
            .advising(self.resolving(id))
            .with_details(details)
    }

    /// Returns the call's number in the journal, if the journal has it in doubt.
    fn journal_id(&self) -> Option<u64> {
        let Some(JournalAt::File(file)) = &self.journal else { return None };
        let book = JournalFile::read(file).ok()?;
        let mine = book.in_doubt().filter(|call| call.digest == self.digest);
        mine.last().map(|call| call.id)
    }

    /// Says what to do about a call in doubt.
    fn resolving(&self, id: Option<u64>) -> String {
        let ask = "Ask the service with `imts call status`, `info` or `search`";
        match (&self.journal, id) {
            (Some(at), Some(id)) => format!(
                "{ask}. Once you know: imts journal resolve {at} {id} --as done (or refused)"
            ),
            (Some(at), None) => format!("{ask}. Its number: imts journal list {at}"),
            _ => format!("{ask}. With --journal FILE, such calls are recorded."),
        }
    }

    fn details(&self, sent_at: &Value) -> Map<String, Value> {
        let fields = [
            ("operation", self.operation.as_str().into()),
            ("reference", self.reference.get().map(String::as_str).into()),
            ("sent_at", sent_at.clone()),
            ("digest", self.digest.to_string().into()),
        ];
        let fields = fields.into_iter().chain(self.shown_to());
        fields.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Returns where a call goes that creates something or moves money, for scripts.
    fn shown_to(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let to = self.to.get().filter(|_| self.class != Class::Read);
        to.into_iter().flat_map(|to| {
            [("base_url", to.base_url.as_str().into()), ("profile", to.profile.as_deref().into())]
        })
    }
}

/// Creates the failure for a call that was not done. If a sign-in failed, it has the kind of that
/// failure.
fn failure(why: &CallError) -> Failure {
    let kind = match why {
        CallError::NoToken(source, _) => match source.downcast_ref::<TokenError>() {
            Some(error) => return Failure::from(error),
            None => Kind::Unexpected,
        },
        CallError::Reply(error) => Kind::from(error),
        CallError::Failed(failure) if failure.is_timed_out() => Kind::TimedOut,
        CallError::Failed(_) => Kind::Transport,
        CallError::OutOfTime => Kind::TimedOut,
        CallError::Journal(_) => Kind::Usage,
        _ => Kind::Unexpected,
    };
    let failure = Failure::new(kind, why.recovery(), why);
    if is_too_long(why) { failure.advising_also(LONGER) } else { failure }
}

/// What to do if a reply is longer than its limit. The service may intend such a reply.
const LONGER: &str = "To permit a longer reply, use --reply-limit BYTES, or reply_limit in the \
                      service file.";

fn is_too_long(why: &CallError) -> bool {
    matches!(why, CallError::Reply(ReplyError::Malformed(Malformed::TooLarge { .. })))
}

/// Removes line breaks from JSON. They stand only between its parts, never within a string.
fn one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

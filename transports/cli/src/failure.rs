//! Why a command failed: its kind, its exit code, its message.

use std::fmt::Display;
use std::process::ExitCode;

use imts::error::ReplyError;
use imts::session::RenewalCause;
use imts::{Recovery, TokenError};
use serde_json::{Map, Value, json};

use crate::advice;
use crate::color::{self, Tone};
use crate::out::{self, NotPrinted};
use crate::values::seconds;

/// A failure as it is reported, on stderr for people or on stdout as JSON.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    recovery: Recovery,
    message: String,
    /// What to do next, if that differs from what the kind and the recovery say.
    advice: Option<String>,
    /// Further fields for scripts.
    details: Map<String, Value>,
}

/// The kinds of failure. Scripts may rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The service refused the request.
    Refused,
    /// The service's reply cannot be used.
    Malformed,
    /// The service's answer is neither a success nor a refusal.
    Unexpected,
    /// No complete reply was received.
    Transport,
    /// The machine did not provide what the command needs, such as a thread. Nothing was sent.
    Machine,
    /// No reply was received in time.
    TimedOut,
    /// A signal came before anything was sent, or while the command only read something.
    Interrupted,
    /// A request was sent, and its outcome is unknown.
    Unknown,
    /// The outcome of an earlier call is unknown, so this call was not sent.
    InDoubt,
    /// An earlier call has done this already. Nothing was sent now.
    AlreadyDone,
    /// The reference belongs to another request. Nothing was sent.
    Conflict,
    /// Another caller is sending the call now. This command sent nothing.
    InProgress,
    /// A call for a journal has no reference. Nothing was sent.
    NoReference,
    /// Another process has the journal open. Nothing was sent.
    JournalLocked,
    /// A signature does not fit.
    Signature,
    /// The base URL is not safe to send credentials to.
    Endpoint,
    /// The command was called wrongly.
    Usage,
    /// A step of the demo did not go as promised.
    Demo,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Unexpected => "unexpected",
            Self::Transport => "transport",
            Self::Machine => "machine",
            Self::TimedOut => "timed_out",
            Self::Interrupted => "interrupted",
            Self::Unknown => "unknown",
            Self::InDoubt => "in_doubt",
            Self::AlreadyDone => "already_done",
            Self::Conflict => "conflict",
            Self::InProgress => "in_progress",
            Self::NoReference => "no_reference",
            Self::JournalLocked => "journal_locked",
            Self::Signature => "signature",
            Self::Endpoint => "endpoint",
            Self::Usage => "usage",
            Self::Demo => "demo",
        }
    }

    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Demo => 1,
            Self::Usage | Self::Endpoint => 2,
            Self::Refused => 3,
            Self::Malformed | Self::Unexpected => 4,
            Self::Transport | Self::Machine | Self::TimedOut | Self::Interrupted => 5,
            Self::Unknown => 6,
            Self::InDoubt => 7,
            Self::AlreadyDone => 8,
            Self::Conflict => 9,
            Self::InProgress => 10,
            Self::NoReference => 11,
            Self::JournalLocked => 12,
            Self::Signature => 13,
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: Kind, recovery: Recovery, message: impl Display) -> Self {
        let (advice, details) = (None, Map::new());
        Self { kind, recovery, message: message.to_string(), advice, details }
    }

    /// Sets what to do next.
    pub(crate) fn advising(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    /// Adds one more thing to do.
    pub(crate) fn advising_also(mut self, more: &str) -> Self {
        let advice = self.advice.take().map_or_else(String::new, |advice| advice + "\n");
        self.advising(advice + more)
    }

    /// Sets further fields for scripts.
    pub(crate) fn with_details(self, details: Map<String, Value>) -> Self {
        Self { details, ..self }
    }

    /// Creates a failure: the command was called wrongly.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(Kind::Usage, Recovery::Fix, message)
    }

    /// Creates a failure: the machine did not provide what the command needs, and nothing was sent.
    pub(crate) fn machine(message: impl Display) -> Self {
        Self::new(Kind::Machine, Recovery::Retry { after: None }, message)
    }

    /// Creates a failure: the base URL cannot be used.
    pub(crate) fn endpoint(message: impl Display) -> Self {
        Self::new(Kind::Endpoint, Recovery::Fix, message)
    }

    /// Adds one field for scripts.
    pub(crate) fn with_detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Prints the failure and returns its exit code.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        if json && self.kind == Kind::Demo {
            // The demo's last event has reported this already.
        } else if json {
            let mut error = json!({
                "kind": self.kind.as_str(),
                "recovery": self.recovery.as_str(),
                "message": self.message,
            });
            if let Some(advice) = self.advice() {
                error["advice"] = advice.into();
            }
            if let Some(after) = self.recovery.retry_after() {
                error["retry_after_s"] = seconds(after);
            }
            for (name, value) in &self.details {
                error[name] = value.clone();
            }
            out::last(json!({ "error": error }));
        } else {
            let tone = match self.kind {
                Kind::Unknown | Kind::InDoubt => Tone::Doubt,
                _ => Tone::Bad,
            };
            out::note(format_args!("{} {}", color::err(tone, "error:"), self.message));
            for line in self.advice().unwrap_or_default().lines() {
                out::note(format_args!("  {line}"));
            }
        }
        ExitCode::from(self.kind.exit_code())
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns what failed, for people.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Returns what to do next, a sentence or two on each line.
    pub(crate) fn advice(&self) -> Option<String> {
        if self.advice.is_some() {
            return self.advice.clone();
        }
        Some(match (self.kind, self.recovery) {
            (Kind::Demo, _) => {
                "Run it again with -vv, and report what it prints to the authors of this program."
                    .to_owned()
            }
            (_, Recovery::Retry { after: Some(after) }) => format!(
                "Wait {} before you try again, as the service asks.",
                humantime::format_duration(after)
            ),
            (Kind::TimedOut, _) => {
                "Try again. If the service is slow, set a longer --timeout.".to_owned()
            }
            (Kind::Machine, _) => {
                "This machine is short of threads or of another resource. Free some, \
                                   or raise its limits, and run it again."
                    .to_owned()
            }
            (Kind::Transport, _) => {
                "Check that the service runs at this URL, and that the network reaches it."
                    .to_owned()
            }
            (_, Recovery::Retry { after: None }) => {
                "This is a fault of the service. Try again later.".to_owned()
            }
            (_, Recovery::Report) => "Check the base URL. If it is right, report this to the \
                                      service's support."
                .to_owned(),
            _ => return None,
        })
    }
}

impl From<NotPrinted> for Failure {
    fn from(error: NotPrinted) -> Self {
        Self::usage(error)
    }
}

impl From<&ReplyError> for Kind {
    fn from(error: &ReplyError) -> Self {
        match error {
            ReplyError::Refused(_) => Self::Refused,
            ReplyError::Malformed(_) => Self::Malformed,
            _ => Self::Unexpected,
        }
    }
}

impl From<&TokenError> for Failure {
    fn from(error: &TokenError) -> Self {
        let kind = match error.renewal_error().map(imts::session::RenewalError::why) {
            _ if error.is_timed_out() => Kind::TimedOut,
            Some(RenewalCause::Reply(error)) => Kind::from(error),
            Some(RenewalCause::Failed(_) | RenewalCause::Store(_) | RenewalCause::Sibling) => {
                Kind::Transport
            }
            _ => Kind::Unexpected,
        };
        let failure = match error.renewal_error() {
            Some(error) => Self::new(kind, error.recovery(), error),
            None => Self::new(kind, error.recovery(), error),
        };
        match error.renewal_error().map(imts::session::RenewalError::why) {
            Some(RenewalCause::Reply(ReplyError::Refused(refusal))) if kind == Kind::Refused => {
                failure.advising(advice::of_sign_in(refusal))
            }
            Some(RenewalCause::Store(_)) => {
                failure.advising("Check the store, or leave it out with --no-store.")
            }
            Some(RenewalCause::Sibling) => failure.advising(
                "See `imts store show` for how long all wait. To sign in apart from the others, use \
                 --no-store.",
            ),
            _ => failure,
        }
    }
}

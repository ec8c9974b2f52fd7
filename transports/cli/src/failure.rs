//! Why a command failed: its kind, its exit code, its words.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

use imts::{CallError, Fault, Recovery, ReplyError};
use serde_json::json;

use crate::out;

/// A failure as it is reported, on stderr for people or on stdout as JSON.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    recovery: Recovery,
    message: String,
}

/// The kinds that scripts may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The service said no.
    Refused,
    /// The service's reply cannot be used.
    Malformed,
    /// The service answered as its contract does not.
    Unexpected,
    /// No whole reply came.
    Transport,
    /// None came in time.
    TimedOut,
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
            Self::TimedOut => "timed_out",
            Self::Endpoint => "endpoint",
            Self::Usage => "usage",
            Self::Demo => "demo",
        }
    }

    fn exit_code(self) -> u8 {
        match self {
            Self::Demo => 1,
            Self::Usage | Self::Endpoint => 2,
            Self::Refused => 3,
            Self::Malformed | Self::Unexpected => 4,
            Self::Transport | Self::TimedOut => 5,
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: Kind, recovery: Recovery, message: impl Display) -> Self {
        Self { kind, recovery, message: message.to_string() }
    }

    /// The command was called wrongly.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(Kind::Usage, Recovery::Fix, message)
    }

    /// The base URL cannot be used.
    pub(crate) fn endpoint(message: impl Display) -> Self {
        Self::new(Kind::Endpoint, Recovery::Fix, message)
    }

    /// Prints the failure and yields the exit code that goes with it.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        if json && self.kind == Kind::Demo {
            // The demo's last event has said so already.
        } else if json {
            let mut error = json!({
                "kind": self.kind.as_str(),
                "recovery": self.recovery.as_str(),
                "message": self.message,
            });
            if let Some(after) = self.recovery.retry_after() {
                error["retry_after_s"] = seconds(after);
            }
            drop(out::line(json!({ "error": error })));
        } else {
            out::note(format_args!("error: {}", self.message));
            if let Some(advice) = self.advice() {
                out::note(format_args!("  {advice}"));
            }
        }
        ExitCode::from(self.kind.exit_code())
    }

    /// What to do next, for people.
    fn advice(&self) -> Option<String> {
        Some(match (self.kind, self.recovery) {
            (Kind::Refused, Recovery::SignIn) => {
                "Check the agent id and the secret: these are not the ones that the service knows."
                    .to_owned()
            }
            (Kind::Refused, Recovery::Fix) => {
                "Check the base URL: the service does not have this operation there.".to_owned()
            }
            (_, Recovery::Retry { after: Some(after) }) => format!(
                "The service asks to wait {} before the next try.",
                humantime::format_duration(after)
            ),
            (Kind::TimedOut, _) => {
                "Try again; a longer --timeout helps where the service is slow.".to_owned()
            }
            (Kind::Transport, _) => {
                "Check that the service is running at this URL, and the network in between."
                    .to_owned()
            }
            (_, Recovery::Retry { after: None }) => {
                "The fault is the service's and may pass: try again later.".to_owned()
            }
            (_, Recovery::Report) => "The fault is the service's. If this is its right base URL, \
                                      tell its support what happened."
                .to_owned(),
            _ => return None,
        })
    }
}

impl From<&CallError> for Failure {
    fn from(error: &CallError) -> Self {
        let kind = match error.trouble().map(imts::Trouble::fault) {
            _ if error.is_timed_out() => Kind::TimedOut,
            Some(Fault::Reply(ReplyError::Refused(_))) => Kind::Refused,
            Some(Fault::Reply(ReplyError::Malformed(_))) => Kind::Malformed,
            Some(Fault::Failed(_)) => Kind::Transport,
            _ => Kind::Unexpected,
        };
        match error.trouble() {
            Some(trouble) => Self::new(kind, trouble.recovery(), trouble),
            None => Self::new(kind, error.recovery(), error),
        }
    }
}

/// A duration as a JSON number of seconds: whole where it is.
pub(crate) fn seconds(duration: Duration) -> serde_json::Value {
    if duration.subsec_nanos() == 0 {
        duration.as_secs().into()
    } else {
        duration.as_secs_f64().into()
    }
}

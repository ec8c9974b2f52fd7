//! What a flight does, one thing after the other.

use std::time::Duration;

use http::Request;
use imts_core::{Body, SaveTicket, Saved, Ticket};

use crate::error::CallError;
use crate::progress::Progress;
use crate::transport::Bounds;

/// One thing for a flight to do.
pub(crate) enum Work {
    Send(Ticket, Request<Body>, Bounds, Progress),
    Save(SaveTicket, Saved),
}

impl Work {
    /// How long it may take, as far as that is known beforehand.
    pub(crate) fn time_limit(&self) -> Duration {
        match self {
            Self::Send(_, _, bounds, _) => bounds.time_limit,
            Self::Save(..) => Duration::ZERO,
        }
    }
}

/// What is left of a flight.
pub(crate) enum Next {
    Work(Box<Work>),
    Landed(Result<(), CallError>),
}

//! The steps of a flight, one after the other.

use std::time::Duration;

use http::Request;
use imts_core::secret::Body;
use imts_core::session::SaveTicket;
use imts_core::{Saved, Ticket};

use crate::token_error::TokenError;
use crate::transport::{Bounds, Progress};

/// One step of a flight.
pub(crate) enum Work {
    Send(Ticket, Request<Body>, Bounds, Progress),
    Save(SaveTicket, Saved),
    /// Read credentials. Has the reading's number and time limit.
    Read(u64, Duration),
}

impl Work {
    /// Returns how long the step may take, as far as that is known beforehand.
    pub(crate) fn time_limit(&self) -> Duration {
        match self {
            Self::Send(_, _, bounds, _) => bounds.time_limit,
            Self::Save(..) => Duration::ZERO,
            Self::Read(_, time_limit) => *time_limit,
        }
    }
}

/// What is left of a flight.
pub(crate) enum Next {
    Work(Box<Work>),
    Ended(Result<(), TokenError>),
}

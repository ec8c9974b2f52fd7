//! The steps of a flight, one after the other.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use imts_core::secret::Body;
use imts_core::session::{SaveTicket, SwapTicket};
use imts_core::swap::Swap;
use imts_core::{Saved, Ticket};

use super::sharing::is_claim;
use crate::client::changes::Version;
use crate::token_error::TokenError;
use crate::transport::{Bounds, Progress};

/// One step of a flight.
pub(crate) enum Work {
    Send(Ticket, Request<Body>, Bounds, Progress),
    Save(SaveTicket, Saved),
    /// Read credentials. Has the reading's number and time limit.
    Read(u64, Duration),
    /// Ask the store that the processes share.
    Swap(SwapTicket, Arc<Swap>),
    /// A sibling renews: wait for this long, or for a change since then, and ask the session again.
    Rest(Version, Duration),
}

impl Work {
    /// Returns how long the step may take, as far as that is known beforehand.
    pub(crate) fn time_limit(&self) -> Duration {
        match self {
            Self::Send(_, _, bounds, _) => bounds.time_limit,
            Self::Save(..) => Duration::ZERO,
            Self::Read(_, time_limit) => *time_limit,
            Self::Swap(_, swap) => swap.within(),
            Self::Rest(_, wait) => *wait,
        }
    }

    /// Returns whether the step only reports to siblings what has ended here: then no caller waits
    /// for it.
    pub(super) fn reports_to_siblings(&self) -> bool {
        matches!(self, Self::Swap(_, swap) if swap.put().is_some() && !is_claim(swap))
    }
}

/// What is left of a flight.
pub(crate) enum Next {
    Work(Box<Work>),
    /// The callers that wait get this outcome now. The rest is done without them.
    Landed(Result<(), TokenError>, Box<Work>),
    Ended(Result<(), TokenError>),
}

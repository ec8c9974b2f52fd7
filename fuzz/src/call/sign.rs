//! What a fault proves of a call, and what a reply proves: two readings that must agree.
//!
//! Knows nothing of the call's machine, and uses no function of the client's.

use http::Response;
use imts_core::time::Wall;

use super::faults::Fault;
use crate::oracle::envelope::{payload, says_no, unmarked};
use crate::oracle::json::{self, Kind};
use crate::reply::rules::{Told, read};

/// The longest body that is read.
pub(super) const LIMIT: usize = 700;

/// What is known after one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// The service did it, with this payload.
    Done(String),
    /// The service refused it, for good.
    No,
    /// The same in a body that was cut, which proves nothing.
    CutNo,
    /// The service refused the token.
    Unauthorized,
    /// It never left.
    NotSent,
    /// A status that may pass, and says nothing of what was done. `refuses`: it is a refusal.
    Busy { refuses: bool },
    /// A reply that says nothing, and will not pass.
    Nonsense,
    /// No reply.
    Silence,
    /// A grant or none: that rests on a header of a form that is left open.
    Open,
}

/// What is read from a reply.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) sign: Sign,
    /// Whether it says, with a status that alone would prove nothing, that nothing was done.
    pub(super) says_no: bool,
    /// Whether the service file may call it decided before processing. Where the client looks for a code, and
    /// how that may be escaped, is its own choice.
    pub(super) may_be_decided: bool,
}

impl Sign {
    /// What a fault leads to; `None` if that rests on the reply alone.
    pub(super) fn of_fault(fault: Fault, decides: bool) -> Option<Self> {
        Some(match fault {
            Fault::Sound | Fault::OtherType => Self::Done(String::new()),
            Fault::NotSent => Self::NotSent,
            Fault::Broken(_)
            | Fault::LostRequest
            | Fault::LostReply
            | Fault::Delayed
            | Fault::Late => Self::Silence,
            Fault::Revoked => Self::Unauthorized,
            Fault::Limit | Fault::Status(429) | Fault::Applied(429) if decides => Self::No,
            Fault::SaysFalse(500) => Self::Busy { refuses: true },
            Fault::SaysFalse(_) => Self::No,
            Fault::Status(408 | 425 | 429) | Fault::Applied(429) => Self::Busy { refuses: true },
            Fault::Status(500..) | Fault::Applied(_) | Fault::Limit => {
                Self::Busy { refuses: false }
            }
            Fault::Status(400..) => Self::No,
            Fault::Status(_) | Fault::Page | Fault::Garbage => Self::Nonsense,
            Fault::Reply => return None,
        })
    }

    /// Whether this is what the fault leads to.
    fn is_like(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Done(_), Self::Done(_))) || self == other
    }
}

impl Reading {
    /// What is known without a reply.
    pub(super) fn without_reply(sign: Sign) -> Self {
        Self { sign, says_no: false, may_be_decided: false }
    }

    /// Reads a reply to a call that carried a token.
    pub(super) fn of(response: &Response<Vec<u8>>, decides: bool) -> Self {
        let body = response.body();
        let fits = body.len() <= LIMIT;
        let text = std::str::from_utf8(unmarked(body)).ok().filter(|_| fits);
        let document = text.and_then(json::document).filter(|value| value.kind == Kind::Object);
        let says_no = document.is_some_and(says_no);
        let status = response.status().as_u16();
        let sign = match status {
            200..=299 if says_no => Sign::No,
            200..=299 => match document.and_then(payload) {
                Some(payload) => Sign::Done(payload.to_owned()),
                None => Sign::Nonsense,
            },
            429 if decides => Sign::No,
            401 => Sign::Unauthorized,
            408 | 425 | 429 => Sign::Busy { refuses: true },
            400..=499 if fits => Sign::No,
            400..=499 => Sign::CutNo,
            500..=599 => Sign::Busy { refuses: says_no },
            _ => Sign::Nonsense,
        };
        let has_code = says(body, b"LIMIT") || says(body, b"\\");
        let may_be_decided = decides && has_code && !response.status().is_success();
        let says_no = says_no && response.status().is_client_error();
        Self { sign, says_no, may_be_decided }
    }

    /// Reads a reply to a token exchange that was sent then: only a grant is a success.
    pub(super) fn of_exchange(response: &Response<Vec<u8>>, sent: Wall) -> Self {
        // Of what is not in the catalogue, nothing is known to be decided.
        let mut reading = Self::of(response, false);
        if let Sign::Done(_) = reading.sign {
            let status = response.status().as_u16();
            match read(status, response.headers(), response.body(), sent.unix_micros()) {
                Some(Told::Grant { .. }) => {}
                Some(_) => reading.sign = Sign::Nonsense,
                None => reading.sign = Sign::Open,
            }
        }
        reading
    }

    /// Corrects the reading by the fault, which says for certain what is decided.
    pub(super) fn after(mut self, fault: Fault, decides: bool) -> Self {
        let Some(known) = Sign::of_fault(fault, decides) else { return self };
        if self.may_be_decided && fault == Fault::Limit {
            (self.sign, self.may_be_decided) = (known, false);
        } else {
            assert!(known.is_like(&self.sign), "{fault:?} leads to {known:?}, and to {self:?}");
        }
        self
    }
}

fn says(body: &[u8], word: &[u8]) -> bool {
    body.windows(word.len()).any(|window| window == word)
}

//! What an answer proves of a call, by rules written from the documentation: the second opinion.
//!
//! Knows nothing of the call's machine.

use http::Response;
use imts_core::Class;
use imts_core::call::Ending;
use imts_core::time::Wall;

use crate::oracle::envelope::{payload, says_no, unmarked};
use crate::oracle::json::{self, Kind};
use crate::reply::rules::{Told, read};

/// The longest body that is read.
pub(super) const LIMIT: usize = 400;

/// What is known of the last attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// There was none.
    None,
    /// It is out.
    Out,
    /// It never left.
    NotSent,
    /// No answer came.
    Silence,
    /// The service did it, with this payload.
    Done(String),
    /// The service refused it, for good.
    No,
    /// The service refused the token, and is trusted to do so before all else.
    Token,
    /// The service file may say that this is decided before processing, or it says nothing.
    Perhaps,
    /// The same of a token that was refused, where that is trusted.
    PerhapsToken,
    /// The service answered, and it proves nothing.
    Nonsense,
    /// A grant or none: that rests on a header of a form that is left open.
    Open,
}

impl Sign {
    /// What a reply says.
    pub(super) fn of(response: &Response<Vec<u8>>, trusts_401: bool, decides: bool) -> Self {
        let body = response.body();
        let fits = body.len() <= LIMIT;
        let text = std::str::from_utf8(unmarked(body)).ok().filter(|_| fits);
        let document = text.and_then(json::document).filter(|value| value.kind == Kind::Object);
        let says_no = document.is_some_and(says_no);
        let status = response.status().as_u16();
        // Where a code is looked for, and how it may be escaped, is the client's own choice.
        let may_be_decided =
            decides && (status == 429 || says(body, b"LIMIT") || says(body, b"\\"));
        match status {
            200..=299 if says_no => Self::No,
            200..=299 => match document.and_then(payload) {
                Some(payload) => Self::Done(payload.to_owned()),
                None => Self::Nonsense,
            },
            400..=499 if says_no => Self::No,
            401 if may_be_decided && trusts_401 => Self::PerhapsToken,
            _ if may_be_decided => Self::Perhaps,
            401 if trusts_401 => Self::Token,
            401 | 408 | 425 | 429 => Self::Nonsense,
            400..=499 if fits => Self::No,
            _ => Self::Nonsense,
        }
    }

    /// What a reply says to one of the two token exchanges, sent then: a success is a grant.
    pub(super) fn of_exchange(response: &Response<Vec<u8>>, decides: bool, sent: Wall) -> Self {
        let sign = Self::of(response, false, decides);
        let Self::Done(_) = sign else { return sign };
        let status = response.status().as_u16();
        match read(status, response.headers(), response.body(), sent.unix_micros()) {
            Some(Told::Grant { .. }) => sign,
            Some(_) => Self::Nonsense,
            None => Self::Open,
        }
    }

    /// Whether what creates something or moves money may be sent, after this.
    pub(super) fn permits(&self) -> bool {
        matches!(self, Self::None | Self::NotSent | Self::Token | Self::PerhapsToken)
    }

    /// Whether a call of this class may end so, after this.
    pub(super) fn allows(&self, class: Class, ending: Ending) -> bool {
        match (ending, class) {
            (Ending::Done, _) => matches!(self, Self::Done(_) | Self::Open),
            (Ending::Refused, Class::Read) => {
                !matches!(self, Self::Done(_) | Self::None | Self::Out)
            }
            (Ending::Refused, _) => matches!(self, Self::No | Self::Perhaps | Self::PerhapsToken),
            (Ending::Unknown, Class::Read) => false,
            (Ending::Unknown, _) => {
                matches!(self, Self::Silence | Self::Nonsense | Self::Perhaps | Self::Open)
            }
            (Ending::NotSent, Class::Read) => !matches!(self, Self::Done(_) | Self::Out),
            (Ending::NotSent, _) => self.permits(),
        }
    }
}

fn says(body: &[u8], word: &[u8]) -> bool {
    body.windows(word.len()).any(|window| window == word)
}

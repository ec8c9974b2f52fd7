//! How a call must end, from its class and the faults that it meets, and from nothing else.
//!
//! Knows neither the call's machine nor the service: it is a second opinion.

use imts_core::Class;
use imts_core::call::Ending;

use crate::schedule::{Break, Fault, Schedule};

/// What a fault lets a client know.
enum Sign {
    /// The service said that it was done.
    Done,
    /// The service said no, and that is final.
    No,
    /// The service said that the token is bad.
    Unauthorized,
    /// It never left.
    NotSent,
    /// A word that says nothing of what was done, and may pass; `quotable` where it is a refusal.
    Busy { quotable: bool },
    /// A word that says nothing, and will not pass.
    Nonsense,
    /// Not a word.
    Silence,
}

fn sign(fault: Fault) -> Sign {
    match fault {
        Fault::Sound | Fault::OtherType => Sign::Done,
        Fault::NotSent => Sign::NotSent,
        Fault::Broken(_) | Fault::LostRequest | Fault::LostReply | Fault::Delayed | Fault::Late => {
            Sign::Silence
        }
        Fault::Revoked => Sign::Unauthorized,
        Fault::SaysFalse(500) => Sign::Busy { quotable: true },
        Fault::SaysFalse(_) | Fault::Decided => Sign::No,
        Fault::Status(408 | 425 | 429) | Fault::Applied(429) => Sign::Busy { quotable: true },
        Fault::Status(500..) | Fault::Applied(_) => Sign::Busy { quotable: false },
        Fault::Status(400..) => Sign::No,
        Fault::Status(_) | Fault::Page | Fault::Garbage => Sign::Nonsense,
    }
}

/// How a round ends that nobody cuts off.
pub(crate) fn ending(schedule: &Schedule, trusts_401: bool, round: usize) -> Ending {
    let breaks = schedule.breaks.filter(|_| round == 0);
    if breaks == Some(Break::Intent) {
        return Ending::NotSent;
    }
    let asks = schedule.class == Class::Read;
    let mut tokens = 0;
    let mut last = Ending::NotSent;
    for (attempt, fault) in schedule.faults[round].iter().enumerate() {
        if breaks == Some(Break::Sending(attempt)) {
            return Ending::NotSent;
        }
        last = match (sign(*fault), asks) {
            (Sign::Done, _) => return Ending::Done,
            (Sign::No, _) => return Ending::Refused,
            (Sign::NotSent | Sign::Silence | Sign::Busy { quotable: false }, true) => {
                Ending::NotSent
            }
            (Sign::Busy { quotable: true }, true) => Ending::Refused,
            (Sign::Nonsense, true) => return Ending::NotSent,
            (Sign::Unauthorized, true) if tokens > 0 => return Ending::Refused,
            (Sign::Unauthorized, true) => Ending::Refused,
            (Sign::NotSent, false) => Ending::NotSent,
            (Sign::Unauthorized, false) if !trusts_401 => return Ending::Unknown,
            (Sign::Unauthorized, false) if tokens > 0 => return Ending::NotSent,
            (Sign::Unauthorized, false) => Ending::NotSent,
            (Sign::Silence | Sign::Busy { .. } | Sign::Nonsense, false) => return Ending::Unknown,
        };
        tokens += usize::from(*fault == Fault::Revoked);
    }
    last
}

/// How a call ends that creates something or moves money, if this was the last that it met, and
/// whether it may be sent again. `rejected`: how often its token was refused before.
pub(crate) fn of_write(fault: Fault, trusts_401: bool, rejected: usize) -> (Ending, bool) {
    match sign(fault) {
        Sign::Done => (Ending::Done, false),
        Sign::No => (Ending::Refused, false),
        Sign::NotSent => (Ending::NotSent, true),
        Sign::Unauthorized if trusts_401 => (Ending::NotSent, rejected == 0),
        Sign::Unauthorized | Sign::Silence | Sign::Busy { .. } | Sign::Nonsense => {
            (Ending::Unknown, false)
        }
    }
}

//! One call, and whatever a service, a network, a journal, a clock and a careless driver do to it.
//!
//! An input is lines. The first has a letter for the operation (`G` Get token, `E` Refresh token, `A`
//! Get agents, `F` Fees, `C` Create person, `B` Create business, `T` Create transfer, `P` Print
//! application, `M` Confirm, `S` Search, `O` Payout, `Q` Payout confirm, `X` Cancel, `Y` Get person
//! info, `Z` Get business info, `R` Status, `I` Info, `N` one that was added, by name) and one for
//! each condition: `j` a journal, `t` a policy that trusts a 401, `d` refusals that are decided before
//! processing (429, `LIMIT`), `1` one attempt alone. Each further line is an event:
//!
//! | line | event |
//! |---|---|
//! | `rSTATUS BODY`, `f`, `u` | the driver does all that is asked until the request is sent; then this reply, a failure before sending, a failure |
//! | `RSTATUS BODY`, `F`, `U` | the same at once, in turn or not |
//! | `hNAME:VALUE` | a header for the next reply |
//! | `b`, `n` | a token, no token |
//! | `k`, `x` | recorded, not recorded |
//! | `p` | a poll of which nothing comes |
//! | `+MS`, `>MS`, `<MS` | time passes; the wall clock alone is set forward, back |
//! | `y` | the permit of a call that failed is used |
//!
//! Without a body, a reply is a success; to a token exchange only a grant is one. What each reply means is read a second time by rules of
//! their own; whether a request may be sent again follows from them and from nothing else.

mod desk;
mod ledger;
mod line;
mod rules;
mod setup;

use self::desk::Desk;
use self::line::Line;
use crate::{Ran, Target};

/// This target.
pub const TARGET: Target = Target { name: "call", goal: "a call that is done", run };

/// So many lines are played of an input.
const LONGEST: usize = 64;

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut desk = Desk::new(lines.next().unwrap_or_default());
    let mut headers = Vec::new();
    for line in lines.take(LONGEST) {
        match Line::parse(line, &mut headers) {
            Some(line) => desk.play(&line),
            None => continue,
        }
    }
    Ran { structured: true, deepest: desk.finish() }
}

//! What happens to a refresh token that is used.

use serde::{Deserialize, Serialize};

/// What happens to a refresh token that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rotation {
    /// The token stays valid, and the reply brings no new one.
    Never,
    /// The token is retired, and the reply brings a new one. A retired token is refused.
    Always,
    /// Like [`Always`](Rotation::Always). If a retired token is used again, every token of the same
    /// sign-in is also revoked.
    ReuseRevokesFamily,
    /// Like [`Always`](Rotation::Always). But a retired token that is used again within this many
    /// seconds brings the same successor again.
    GraceSeconds(u32),
}

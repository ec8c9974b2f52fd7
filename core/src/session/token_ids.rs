//! The service's own ids of a session's tokens: the present one, and those that refreshes replaced.
//!
//! Owns how long a replaced one is remembered. Does not know what a revocation does.

use std::time::Duration;

use crate::saved::{Saved, SavedTokenId};
use crate::secret::TokenId;
use crate::time::{End, Now, Wall};

/// Whether a refresh keeps a pair's id is not known. So a revocation may name an earlier one.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenIds {
    present: Option<TokenId>,
    /// Those that refreshes replaced, latest first, until the tokens end that they named.
    earlier: Vec<(TokenId, End)>,
}

/// How many earlier ones are remembered.
const MOST: usize = 16;

impl TokenIds {
    /// The ids of a grant that a refresh brought, and before it those of a grant whose last token
    /// ends then. `None` for `before` if it was a sign-in, which begins anew.
    pub(super) fn of(
        present: Option<TokenId>,
        before: Option<(&Self, Option<End>)>,
        now: Now,
    ) -> Self {
        let mut earlier = Vec::new();
        if let Some((before, ends)) = before {
            let replaced = before.present.clone().zip(ends);
            let all = replaced.into_iter().chain(before.earlier.iter().cloned());
            let others = all.filter(|(id, _)| Some(id) != present.as_ref());
            earlier.extend(others.filter(|(_, end)| !end.is_past(now)).take(MOST));
        }
        Self { present, earlier }
    }

    /// The ids of a state, each earlier one with the end that `ends` gives it.
    pub(super) fn restored(saved: &Saved, ends: impl Fn(Wall) -> End) -> Self {
        let ended = |it: &SavedTokenId| (it.id.clone(), ends(it.ends_at));
        let earlier = saved.earlier_ids.iter().take(MOST).map(ended).collect();
        Self { present: saved.token_id.clone(), earlier }
    }

    /// Whether this id names tokens that the session holds, or held and that are still alive.
    pub(super) fn has(&self, id: &TokenId, now: Now) -> bool {
        let is_earlier = |found: bool, (it, end): &(TokenId, End)| {
            let is_it = it == id;
            found | (is_it & !end.is_past(now))
        };
        let is_present = self.present.as_ref().is_some_and(|it| it == id);
        self.earlier.iter().fold(is_present, is_earlier)
    }

    pub(super) fn present(&self) -> Option<&TokenId> {
        self.present.as_ref()
    }

    /// What a state keeps of the earlier ones. `wall` shows an end by the wall clock.
    pub(super) fn saved(&self, wall: impl Fn(End) -> Wall) -> Vec<SavedTokenId> {
        let saved =
            |(id, end): &(TokenId, End)| SavedTokenId { id: id.clone(), ends_at: wall(*end) };
        self.earlier.iter().map(saved).collect()
    }
}

/// What is left of an earlier id at the time of its state, never more than a refresh token's life.
pub(super) fn left(ends_at: Wall, saved_at: Wall, cap: Duration) -> Duration {
    ends_at.since(saved_at).min(cap)
}

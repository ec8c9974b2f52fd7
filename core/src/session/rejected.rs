//! The tokens that the service refused: none of them is handed out again.
//!
//! Owns the memory of them, which is bounded. Knows nothing of what a rejection does to a session.

use std::collections::VecDeque;

use http::HeaderValue;

use super::grant::Access;
use crate::secret::Bearer;

/// The latest rejected tokens: the service may grant one of them anew, or a sibling bring it back.
#[derive(Debug, Default)]
pub(super) struct Rejected(VecDeque<HeaderValue>);

/// How many are remembered. Sessions that share a store bring back as many as there are of them.
const KEPT: usize = 16;

impl Rejected {
    pub(super) fn add(&mut self, bearer: &Bearer) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(bearer.header().clone());
    }

    pub(super) fn has(&self, access: &Access) -> bool {
        self.0.iter().any(|header| access.bearer.has_token_of(header))
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

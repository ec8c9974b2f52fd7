//! The tokens that the service refused. None of them is handed out again.
//!
//! Owns the list of them, which is bounded. Does not know what a rejection does to a session.

use std::collections::VecDeque;

use http::HeaderValue;

use super::grant::Access;
use crate::secret::Bearer;

/// The latest rejected tokens. The service may grant one of them again, or a sibling may bring it
/// back.
#[derive(Debug, Default)]
pub(super) struct Rejected(VecDeque<HeaderValue>);

/// How many are remembered. Sessions that share a store can bring back as many tokens as there are
/// sessions.
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

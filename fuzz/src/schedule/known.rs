//! What one process can know of its tokens by itself: until when each lives, and which may be spent.
//!
//! Unlike the world, it does not know what the service did. It reads a grant, and a saved state,
//! by rules that share no code with the client.

use std::collections::BTreeMap;

use imts_core::{Bearer, Now, Saved};
use serde_json::Value;

/// No token counts as alive for longer than this, whatever was said of it.
const CAP: i64 = 86_400_000_000;

#[derive(Debug, Default)]
pub(super) struct Known {
    /// When each access token ends, by either clock.
    ends: BTreeMap<String, (u64, i64)>,
    /// Refresh tokens that may be spent, and whether each was sent once more since.
    doubted: BTreeMap<String, bool>,
    /// The highest generation that the session has had.
    generation: u64,
}

impl Known {
    /// A grant came in to a request of that time, with an access token of that lifetime.
    pub(super) fn granted(&mut self, asked: Now, token: &str, lifetime: i64) {
        self.doubted.clear();
        let lifetime = lifetime.min(CAP);
        let mono = asked.mono.as_micros().saturating_add(lifetime.unsigned_abs());
        let wall = asked.wall.unix_micros().saturating_add(lifetime);
        self.ends.insert(token.to_owned(), (mono, wall));
    }

    /// A saved state was taken over.
    pub(super) fn adopted(&mut self, saved: &Saved, now: Now) {
        self.doubted.clear();
        let form: Value = serde_json::from_slice(&saved.to_json()).expect("JSON");
        let wall = now.wall.unix_micros();
        let int = |value: &Value| value.as_i64().expect("a whole number");
        let access = &form["access"];
        if let Some(token) = access["token"].as_str().filter(|_| int(&form["saved_at_us"]) <= wall)
        {
            let left = int(&access["ends_at_us"]).saturating_sub(wall);
            let left = left.clamp(0, int(&access["lifetime_us"]).min(CAP));
            let mono = now.mono.as_micros() + left.unsigned_abs();
            self.ends.insert(token.to_owned(), (mono, wall + left));
        }
        if let Some(token) = form["refresh"]["token"].as_str().filter(|_| saved.is_in_doubt()) {
            self.doubts(token);
        }
        self.generation = saved.generation();
    }

    /// A token is handed out.
    pub(super) fn serves(&self, bearer: &Bearer, now: Now) {
        let ends = self.ends.get(bearer.expose_token());
        let (mono, wall) = ends.expect("a token that was neither granted nor restored");
        assert!(now.mono.as_micros() < *mono, "dead by the monotonic clock");
        assert!(now.wall.unix_micros() < *wall, "dead by the wall clock");
        assert!(!bearer.remaining(now).is_zero(), "an expired bearer, by its own word");
    }

    /// A refresh token is sent.
    pub(super) fn sends(&mut self, token: &str, holds_credentials: bool, is_usable: bool) {
        let Some(is_replayed) = self.doubted.get_mut(token) else { return };
        assert!(!holds_credentials, "a refresh token in doubt is sent, with credentials held");
        assert!(!is_usable, "a refresh token in doubt is sent, with a usable token");
        assert!(!*is_replayed, "a refresh token in doubt is sent twice");
        *is_replayed = true;
    }

    /// A refresh token was sent, and it is not known whether it is spent.
    pub(super) fn doubts(&mut self, token: &str) {
        self.doubted.entry(token.to_owned()).or_insert(false);
    }

    /// A refresh token was sent for nothing, as far as is known: it may be sent again.
    pub(super) fn spares(&mut self, token: &str) {
        self.doubted.entry(token.to_owned()).and_modify(|is_replayed| *is_replayed = false);
    }

    /// The session has reached this generation.
    pub(super) fn reaches(&mut self, generation: u64) {
        assert!(generation >= self.generation, "generations only rise");
        self.generation = generation;
    }
}

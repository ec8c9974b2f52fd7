//! What a session must do when the service refuses its token.

use imts_core::Bearer;

use super::world::World;

impl World {
    /// A call with this token was answered with a 401, and that is reported.
    pub(super) fn rejects(&mut self, at: usize, bearer: &Bearer) {
        let (node, now) = (&mut self.nodes[at], self.now);
        let usable = node.session.phase(now).usable();
        let is_current = usable.is_some_and(|usable| usable.bearer().epoch() == bearer.epoch());
        let was_usable = usable.is_some();
        let all_was_well = node.session.last_error().is_none() && node.live.is_none();
        (node.disturbed, node.falls_back) = (true, None);
        node.session.reject(bearer.epoch(), now);
        let is_usable = node.session.phase(now).usable().is_some();
        if !is_current {
            assert_eq!(is_usable, was_usable, "an old rejection kills a newer token");
            return self.tally.note("rule 4: an old token is rejected");
        }
        self.tally.note("rule 4: the current token is rejected");
        assert!(!is_usable, "a rejected token stays usable");
        match node.rejected(now, all_was_well) {
            Some(true) => self.tally.note("rule 9: a first young token is rejected"),
            Some(false) => self.tally.note("rule 9: its young successor is rejected"),
            None => {}
        }
        node.rejected.push(bearer.expose_token().to_owned());
        node.burst = 0;
    }
}

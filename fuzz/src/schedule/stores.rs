//! What is saved, what a sibling takes over, and what a new process begins with.

use imts_core::{Keep, Saved};

use super::node::Node;
use super::world::World;

impl World {
    /// The save that a node waits for ends. The store keeps what it wrote, if it `works`.
    pub(super) fn saves(&mut self, at: usize, works: bool) {
        let node = &mut self.nodes[at];
        let Some((ticket, saved, _)) = node.save.take() else { return };
        node.session.on_saved(ticket, self.now);
        let newest = self.store.as_ref().is_none_or(|it| it.generation() < saved.generation());
        let is_saved = works && (newest || !self.is_careful);
        self.tell(|_| format!("    node {at}: {saved:?}, saved: {is_saved}"));
        if is_saved {
            self.store = Some(saved);
        } else {
            self.tally.note("rule 10: a save fails");
            self.not_saved(at, &saved);
        }
    }

    /// A save ends that nobody waits for any more.
    pub(super) fn saves_late(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        if node.late_saves.is_empty() {
            return;
        }
        let (ticket, saved) = node.late_saves.remove(0);
        let phase = |node: &Node| format!("{:?}", node.session.phase(self.now));
        let before = phase(node);
        node.session.on_saved(ticket, self.now);
        assert_eq!(before, phase(node), "a save that was given up is heeded");
        self.tally.note("rule 10: a save ends too late");
        if !self.is_careful {
            self.store = Some(saved);
        }
    }

    /// A driver looks whether a sibling has saved something, as it should before each ask.
    pub(super) fn take_over(&mut self, at: usize) {
        if self.nodes.len() > 1
            && let Some(saved) = self.store.clone()
        {
            self.adopts(at, &saved);
        }
    }

    pub(super) fn adopts(&mut self, at: usize, saved: &Saved) {
        self.is_alone = false;
        let saved = Saved::from_json(&saved.to_json()).expect("what is saved can be read");
        let (node, now) = (&mut self.nodes[at], self.now);
        let (before, new) = (node.held_generation(now), saved.generation());
        if node.session.adopt(saved.clone(), now).is_err() {
            assert_ne!(node.session.agent_id(), saved.agent_id());
            return self.tally.note("rule 11: a state of another agent is refused");
        }
        if before == Some(new) || node.held_generation(now) != Some(new) {
            return self.tally.note("rule 11: an older state changes nothing");
        }
        self.tally.note("rule 11: a sibling's state is adopted");
        self.tell(|_| format!("    node {at} adopts {saved:?}"));
        let node = &mut self.nodes[at];
        node.granted();
        node.takes_over();
        node.known.adopted(&saved, now);
        (node.generation, node.adopted) = (new, self.event);
        node.refused.clear();
        node.unmarked |= self.is_unmarked;
    }

    /// A process ends, and another takes its place.
    pub(super) fn restarts(&mut self, at: usize) {
        self.tell(|_| format!("    node {at}"));
        self.is_alone = false;
        let fresh = self.node(self.nodes[at].stores);
        let old = std::mem::replace(&mut self.nodes[at], fresh);
        self.nodes[at].phase = old.phase;
        let agent = old.session.agent_id().filter(|_| old.keep == Some(Keep::Always));
        let saved = self.left_by(at, &old);
        let first = self.choices.percent(50);
        if first && let Some(saved) = &saved {
            self.adopts(at, saved);
        }
        if let Some(agent) = agent {
            self.signs_in(at, agent, old.secret_is_right, Keep::Always);
        }
        if !first && let Some(saved) = &saved {
            self.adopts(at, saved);
        }
    }

    /// What a process that has ended leaves to the next one.
    fn left_by(&mut self, at: usize, old: &Node) -> Option<Saved> {
        if old.stores {
            if let Some((_, saved, _)) = &old.save {
                self.not_saved(at, saved);
            }
            self.tally.note("restart: from what was saved last");
            return self.store.clone();
        }
        if self.choices.percent(50) {
            self.tally.note("restart: from what was saved on leaving");
            return old.session.saved(self.now);
        }
        self.tally.note("restart: from nothing");
        None
    }
}

//! What a refusal does to what the world knows of a session: whom it judges, and how long it is quiet.

use imts_core::Keep;

use super::node::Open;
use super::service::{Answer, Verdict};
use super::world::World;

impl World {
    /// A reply in time that is not a grant.
    pub(super) fn take_refusal(&mut self, at: usize, open: &Open, answer: &Answer) {
        let node = &mut self.nodes[at];
        self.tally.note("fault: reply");
        let Some((token, before)) = &open.presented else {
            return self.take_refusal_of_sign_in(at, answer);
        };
        let verdict = answer.verdict();
        self.tally.note(match verdict {
            Verdict::Forbidden => "verdict: forbidden",
            Verdict::Missing => "verdict: missing",
            Verdict::Refused => "verdict: refused",
            Verdict::NotUnderstood => "verdict: not understood",
            Verdict::Lost => "verdict: lost",
            Verdict::Passing => "verdict: passing",
            Verdict::Foreign => "verdict: foreign",
        });
        let is_kept = [Verdict::Forbidden, Verdict::Missing, Verdict::Passing, Verdict::Foreign];
        if is_kept.contains(&verdict) {
            self.service.refresh.insert(token.clone(), *before);
            node.known.spares(token);
        }
        if [Verdict::Lost, Verdict::NotUnderstood].contains(&verdict) {
            node.known.doubts(token);
        }
        if verdict == Verdict::Refused {
            node.refused.insert(token.clone());
        }
        let can_sign_in = node.keep.is_some() && !node.said().is_dead;
        let at_once = can_sign_in && node.said().slow.until <= self.now.mono.as_micros();
        match verdict {
            Verdict::Forbidden if !can_sign_in => {
                node.refresh_slow.again(self.now);
                node.is_asked_to_wait(self.now, answer.retry);
            }
            Verdict::Forbidden if answer.retry.is_some() || !answer.is_json() => {
                node.failed(self.now, answer.retry);
            }
            Verdict::Forbidden if at_once => {
                node.falls_back = (!node.disturbed).then_some(self.now.mono);
                self.tally.note("rule 5: a forbidden refresh is followed by a sign-in");
            }
            Verdict::Lost | Verdict::Passing | Verdict::Foreign => {
                node.failed(self.now, answer.retry);
            }
            Verdict::Missing | Verdict::Refused if answer.retry.is_some() => {
                node.failed(self.now, answer.retry);
            }
            Verdict::Missing if at_once => {
                node.falls_back = (!node.disturbed).then_some(self.now.mono);
                self.tally.note("rule 5: a missing refresh is followed by a sign-in");
            }
            Verdict::Refused if at_once => {
                node.falls_back = (!node.disturbed).then_some(self.now.mono);
                self.tally.note("rule 5: a refused refresh is followed by a sign-in");
            }
            _ => {}
        }
    }

    fn take_refusal_of_sign_in(&mut self, at: usize, answer: &Answer) {
        let node = &mut self.nodes[at];
        if answer.forbids() {
            self.tally.note("rule 12: a sign-in is forbidden");
            node.said().slow.again(self.now);
            return node.is_asked_to_wait(self.now, answer.retry);
        }
        if !answer.refuses_credentials() {
            return node.failed(self.now, answer.retry);
        }
        let said = node.said();
        said.refusals += 1;
        let most = if said.worked { self.policy.refusals } else { self.policy.secret_tries };
        assert!(said.refusals <= most, "refused credentials are sent again and again");
        said.is_dead = said.refusals == most;
        let (worked, is_dead) = (said.worked, said.is_dead);
        if !worked && !is_dead {
            said.slow.again(self.now);
            self.tally.note("rule 8: a secret that never worked is tried slowly");
            node.is_asked_to_wait(self.now, answer.retry);
        }
        if node.keep.take_if(|keep| *keep == Keep::Once).is_none() && worked && !is_dead {
            node.failed(self.now, answer.retry);
        }
    }
}

//! Drivers that stood still: what they find out when they go on.

use super::node::Open;
use super::world::World;

/// How often the time of one request may begin anew.
const TIMES: u32 = 3;

/// A driver finds, once or again and again, that nobody drove its request: its time begins anew, if it
/// was over.
pub(super) fn undriven(world: &mut World) {
    let at = world.any();
    let limit = world.policy.time_limit;
    while let Some((ticket, deadline)) = world.nodes[at].live {
        let (node, now) = (&mut world.nodes[at], world.now);
        let is_over = now.mono.as_micros() >= deadline;
        let begins_anew = is_over && node.postponed < TIMES;
        assert_eq!(node.session.postpone(ticket, now), begins_anew, "after {}", node.postponed);
        if begins_anew {
            node.postponed += 1;
            node.live = Some((ticket, now.mono.after(limit).as_micros()));
            world.tally.note("rule 13: the time of a request begins anew");
        } else if is_over {
            return world.tally.note("rule 13: the time of a request begins anew no more");
        }
        if world.choices.percent(50) {
            return;
        }
        world.pass(limit);
    }
}

/// A driver takes back a request of which nothing has left.
pub(super) fn withdraw(world: &mut World) {
    let at = world.any();
    let node = &mut world.nodes[at];
    let Some((live, _)) = node.live else { return };
    let unsent = |open: &Open| open.ticket == live && open.request.is_some();
    let Some(place) = node.open.iter().position(unsent) else { return };
    let open = node.open.remove(place);
    let before = node.session.last_error().cloned();
    node.session.withdraw(open.ticket);
    let after = node.session.last_error().cloned();
    assert_eq!(before.is_some(), after.is_some(), "a withdrawn request has failed");
    node.lands(open.ticket);
    node.burst = node.burst.saturating_sub(1);
    if let Some((token, fate)) = open.presented {
        node.known.spares(&token);
        world.service.refresh.insert(token, fate);
    }
    world.tally.note("rule 13: a request is withdrawn");
}

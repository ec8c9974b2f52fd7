//! Counts the allocations of an ask. It is apart from the timings, because counting makes each allocation slower.

use imts_peers::measure::print_table;
use imts_peers::peer::{Peer, Visit};
use imts_peers::peers::visit_asking;
use imts_peers::ready::{Ready, here};
use imts_peers::service::TOKEN_BYTES;
use imts_peers::tables::{exchange_allocations, names, post_costs};

const TIMES: u32 = 1_000;

struct Rows(Vec<Vec<String>>);

impl Visit for Rows {
    fn visit<P: Peer>(&mut self) {
        let (ready, runtime) = (Ready::<P>::new(), here());
        let tokens = || runtime.block_on(ready.peer.tokens(TIMES));
        let values = || runtime.block_on(ready.peer.authorizations(TIMES));
        tokens();
        let counts = [allocations(tokens), allocations(values)];
        self.0.push([&names::<P>()[..], &counts].concat());
    }
}

/// Allocations of each of so many asks.
fn allocations(asks: impl FnOnce()) -> String {
    (allocation_counter::measure(asks).count_total / u64::from(TIMES)).to_string()
}

fn main() {
    let mut rows = Rows(Vec::new());
    visit_asking(&mut rows);
    print_table(
        "Allocations an ask",
        &format!("{TOKEN_BYTES}-byte token, valid; {TIMES} asks on one thread, divided."),
        &["crate", "asked", "a token", "to `Authorization`"],
        &rows.0,
    );
    let count = |work: &mut dyn FnMut()| allocation_counter::measure(work).count_total as f64;
    print_table(
        "Allocations of a reply and of a request",
        "Bytes in memory, nothing sent; one thread, no runtime.",
        &["crate", "input", "does", "allocations"],
        &exchange_allocations(&count),
    );
    let rows = post_costs(3, &count).into_iter().map(|(names, its, bare)| {
        let more = format!("{:+.1}", its.median() - bare.median());
        [names, vec![its.to_string(), more]].concat()
    });
    print_table(
        "Allocations of an authenticated POST",
        "One thread that asks for a token and sends a request; tokio current-thread runtime. The last column is beside the bare client that a transport is made of.",
        &["token client", "asked", "HTTP client", "allocations", "more than bare"],
        &rows.collect::<Vec<_>>(),
    );
}

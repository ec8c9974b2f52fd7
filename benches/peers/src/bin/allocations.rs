//! Counts allocations an ask. Apart from the timings, since counting costs each allocation something.

use std::hint::black_box;

use imts_peers::measure::print_table;
use imts_peers::peer::{Peer, Visit};
use imts_peers::peers::{ImtsBlocking, visit_all};
use imts_peers::ready::{Ready, here};
use imts_peers::service::TOKEN_BYTES;
use imts_peers::tables::names;

const TIMES: u64 = 1_000;

struct Rows(Vec<Vec<String>>);

impl Visit for Rows {
    fn visit<P: Peer>(&mut self) {
        let (ready, runtime) = (Ready::<P>::new(), here());
        let tokens = || {
            runtime.block_on(async {
                for _ in 0..TIMES {
                    drop(black_box(ready.peer.token().await));
                }
            });
        };
        let values = || {
            runtime.block_on(async {
                for _ in 0..TIMES {
                    drop(black_box(ready.peer.authorization().await));
                }
            });
        };
        tokens();
        let counts = [allocations(tokens), allocations(values)];
        self.0.push([&names::<P>()[..], &counts].concat());
    }
}

/// Allocations of each of so many asks.
fn allocations(asks: impl FnOnce()) -> String {
    (allocation_counter::measure(asks).count_total / TIMES).to_string()
}

fn main() {
    let mut rows = Rows(Vec::new());
    rows.visit::<ImtsBlocking>();
    visit_all(&mut rows);
    print_table(
        "Allocations an ask",
        &format!("{TOKEN_BYTES}-byte token, valid; {TIMES} asks on one thread, divided."),
        &["crate", "asked", "a token", "to `Authorization`"],
        &rows.0,
    );
}

//! The table of goals: what each path costs beside its limit, which does what no client can leave out.
//!
//! `cargo bench -p imts-benches --bench goals` prints it. Both sides of a row take turns in each round,
//! so that what the machine does meanwhile affects both. Without `--bench`, as `cargo test` runs it, each
//! row runs once and nothing is judged.

mod asking;
mod crowd;
mod journal;
mod post;
mod requests;
mod table;

use self::table::Table;

fn main() {
    let names: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let mut table = Table::new(std::env::args().any(|it| it == "--bench"), names);
    asking::calm(&mut table);
    asking::renewing(&mut table);
    crowd::threads(&mut table);
    crowd::tasks(&mut table);
    post::ureq(&mut table);
    post::hyper(&mut table);
    post::calls(&mut table);
    requests::json(&mut table);
    journal::callers(&mut table);
    journal::bystander(&mut table);
    journal::opening(&mut table);
    table.print();
}

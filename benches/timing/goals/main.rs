//! The table of goals: what each path costs beside its limit, which does what no client can leave out.
//!
//! `cargo bench -p imts-benches --bench goals` prints it. Both sides of a row take turns in each round,
//! so that what the machine does meanwhile affects both. Without `--bench`, as `cargo test` runs it, each
//! row runs once and nothing is judged. With `--run imts TIMES NAME` or `--run bare TIMES NAME`, one side of
//! the rows of that name runs so many times, for a profiler to count what it does.

mod asking;
mod crowd;
mod journal;
mod pinned;
mod post;
mod requests;
mod table;

use self::table::{Mode, Side, Table};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (mode, names) = match words.as_slice() {
        ["--run", side, times, names @ ..] => {
            let side = if *side == "imts" { Side::Ours } else { Side::Limit };
            (Mode::Run(side, times.parse().expect("TIMES is a number")), names)
        }
        names if names.contains(&"--bench") => (Mode::Timed, names),
        names => (Mode::Once, names),
    };
    let names = names.iter().filter(|it| !it.starts_with('-')).map(ToString::to_string).collect();
    let mut table = Table::new(mode, names);
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

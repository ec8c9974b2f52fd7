//! `imts-counts`: runs one operation so many times under callgrind, takes one journey under it, or
//! counts allocations.
//!
//! `.ci/counts` and `.ci/journeys` drive it and compare.

use std::cell::Cell;
use std::env;
use std::process::ExitCode;

use imts_benches::counts::{Meter, OPERATIONS};
use imts_benches::journeys::JOURNEYS;

const USAGE: &str =
    "usage: imts-counts list | allocations | OPERATION TIMES | journeys | journey NAME";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => OPERATIONS.iter().for_each(|(name, _)| println!("{name}")),
        ["allocations"] => {
            for (name, run) in OPERATIONS {
                println!("{name} {}", allocations(*run));
            }
        }
        ["journeys"] => JOURNEYS.iter().for_each(|(name, _)| println!("{name}")),
        ["journey", name] => {
            let Some((_, take)) = JOURNEYS.iter().find(|(known, _)| *known == name) else {
                eprintln!("{USAGE}");
                return ExitCode::FAILURE;
            };
            take();
        }
        [name, times] => {
            let operation = OPERATIONS.iter().find(|(known, _)| *known == name);
            let (Some((_, run)), Ok(times)) = (operation, times.parse()) else {
                eprintln!("{USAGE}");
                return ExitCode::FAILURE;
            };
            run(times, &Meter::Instructions);
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Allocations of one run, once whatever the first run alone does is done.
fn allocations(run: fn(u32, &Meter)) -> u64 {
    let of = |times| {
        let meter = Meter::Allocations(Cell::default());
        run(times, &meter);
        let Meter::Allocations(total) = meter else { unreachable!("it was made as one") };
        total.get()
    };
    of(2) - of(1)
}

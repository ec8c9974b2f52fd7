//! `imts-peers [--rounds N] [TABLE…]`: prints the tables, all of them by default.

use std::process::ExitCode;

use imts_peers::tables::TABLES;

fn main() -> ExitCode {
    let (mut rounds, mut wanted) = (15, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--rounds" {
            let Some(number) = arguments.next().and_then(|number| number.parse().ok()) else {
                return usage();
            };
            rounds = number;
        } else if TABLES.iter().any(|(name, _)| *name == argument) {
            wanted.push(argument);
        } else {
            return usage();
        }
    }
    println!("{rounds} rounds; all rows of a table take turns in each. Median (lowest–highest).");
    for (name, table) in TABLES {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            table(rounds);
        }
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    let tables: Vec<_> = TABLES.iter().map(|(name, _)| *name).collect();
    eprintln!("usage: imts-peers [--rounds N] [TABLE…], of {}", tables.join(", "));
    ExitCode::FAILURE
}

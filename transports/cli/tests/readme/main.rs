//! What the pages print in tables and lists, held to the code: each row to its value, and each value to
//! its row.

mod commands;
mod defaults;
mod examples;
mod lists;
mod settings;

use std::process::Command;

const README: &str = include_str!("../../../../README.md");
const COMMAND: &str = include_str!("../../../../core/docs/command.md");
const COSTS: &str = include_str!("../../../../core/docs/costs.md");
const DEFAULTS: &str = include_str!("../../../../core/docs/defaults.md");

/// The part of a page under this heading.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(heading).unwrap_or_else(|| panic!("no {heading:?}"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// The cells of each row of the first table in a text, without the heads.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().map(|line| line.trim_start_matches("//! "));
    let table = lines.skip_while(|line| !line.starts_with('|'));
    let table = table.take_while(|line| line.starts_with('|')).skip(2);
    // A bar that is escaped separates nothing.
    let cells = |row: &str| {
        let row = row.replace("\\|", "\u{1}");
        let cells = row.trim_matches('|').split('|').map(str::trim).map(str::to_owned);
        cells.map(|cell| cell.replace('\u{1}', "|")).collect()
    };
    table.map(cells).collect()
}

/// What stands in backticks in a text, in its order.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// What the command prints to these arguments.
fn told(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_imts")).args(args).output().unwrap();
    assert!(output.status.success(), "imts {args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The names of the commands under this one, as its help lists them.
fn subcommands(of: &[&str]) -> Vec<String> {
    let help = told(&[of, &["--help"]].concat());
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    let entries = list.lines().take_while(|line| !line.is_empty());
    let names = entries.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

//! The table of commands, and that of exit codes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{COMMAND, README, quoted, rows, section, subcommands, told};

const FAILURE: &str = include_str!("../../src/failure.rs");
const TEXTS: &str = include_str!("../command/texts/all.txt");

/// The arms of a `match` on the kinds, in a function: kinds and what they come to.
fn arms(function: &str) -> BTreeMap<String, String> {
    let (_, body) = FAILURE.split_once(&format!("fn {function}(self)")).unwrap();
    let (_, body) = body.split_once("match self {").unwrap();
    let (body, _) = body.split_once('}').unwrap();
    let mut arms = BTreeMap::new();
    // An arm's patterns may be on several lines.
    for arm in body.split(",\n").filter(|arm| arm.contains("=>")) {
        let (kinds, value) = arm.split_once("=>").unwrap();
        for kind in kinds.split('|') {
            let kind = kind.trim().trim_start_matches("Self::").to_owned();
            arms.insert(kind, value.trim().trim_matches('"').to_owned());
        }
    }
    arms
}

/// The kinds that the page has for each exit code.
fn said() -> BTreeMap<String, BTreeSet<String>> {
    let mut said = BTreeMap::new();
    for row in rows(section(COMMAND, "\n## Exit codes\n")) {
        let kinds = row[1].split(',').map(|kind| kind.trim().replace(' ', "_"));
        let kinds = kinds.filter(|kind| !kind.is_empty()).collect();
        let code = row[0].trim_matches('*').to_owned();
        assert!(said.insert(code, kinds).is_none(), "{row:?} twice");
    }
    said
}

#[test]
fn the_exit_codes_are_those_of_the_kinds_of_failure_and_name_each() {
    let (words, codes) = (arms("as_str"), arms("exit_code"));
    assert!(words.len() >= 9, "{words:?}");
    assert_eq!(words.keys().collect::<Vec<_>>(), codes.keys().collect::<Vec<_>>());
    let mut held = BTreeMap::from([("0".to_owned(), BTreeSet::new())]);
    for (kind, code) in codes {
        held.entry(code).or_default().insert(words[&kind].clone());
    }
    assert_eq!(said(), held, "left: the page's exit codes; right: those of the kinds");
}

/// Every command, with its group if it is in one.
fn commands() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for command in subcommands(&[]) {
        let below = subcommands(&[&command]);
        if below.is_empty() {
            all.insert(command);
        } else {
            all.extend(below.iter().map(|below| format!("{command} {below}")));
        }
    }
    assert!(all.len() >= 8, "{all:?}");
    all
}

#[test]
fn each_commands_help_opens_with_an_example_that_it_takes() {
    for command in commands() {
        let mut args: Vec<_> = command.split(' ').collect();
        args.push("--help");
        let help = told(&args);
        let example = help.lines().next().and_then(|line| line.strip_prefix("Example: imts "));
        let example = example.unwrap_or_else(|| panic!("imts {command}: {help}"));
        assert!(example.starts_with(&command), "{example}");
        // Every second part is quoted; what is not is split.
        let parts = example.split('\'').enumerate();
        let mut args: Vec<_> = parts
            .flat_map(|(at, part)| match at % 2 {
                0 => part.split_whitespace().collect(),
                _ => vec![part],
            })
            .collect();
        // After two dashes, it would be an option of another command.
        let end = args.iter().position(|arg| *arg == "--").unwrap_or(args.len());
        args.insert(end, "--help");
        told(&args);
    }
}

#[test]
fn each_command_has_its_row_and_no_row_is_of_another() {
    let all = commands();
    let table = rows(COMMAND);
    let rows: BTreeSet<_> = table.iter().flat_map(|row| quoted(&row[0])).collect();
    for command in &all {
        let begins = format!("imts {command}");
        let has = |row: &&&str| {
            row.strip_prefix(&begins).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        assert!(rows.iter().any(|row| has(&row)), "{begins} has no row on the page");
    }
    for row in rows {
        let words: Vec<_> = row.split(' ').skip(1).collect();
        let is_one = (1..=2.min(words.len())).any(|count| all.contains(&words[..count].join(" ")));
        assert!(row.starts_with("imts ") && is_one, "{row} is no command");
    }
}

/// A line of the demo's output as the file of texts has it: without times and the phase.
fn as_in_texts(line: &str) -> String {
    let step = line.trim_start().split_once(" s  ").and_then(|(time, rest)| {
        time.parse::<f64>().ok()?;
        let (_phase, rest) = rest.split_once(' ')?;
        Some(format!("    N s  PHASE  {}", rest.trim_start()))
    });
    let end = || line.rsplit_once(", in ").map(|(steps, _)| format!("{steps}, in N s."));
    step.or_else(end).unwrap_or_else(|| line.to_owned())
}

#[test]
fn the_readme_quotes_what_the_demo_prints() {
    let (_, quote) = README.split_once("\n```text\n").unwrap();
    let (quote, _) = quote.split_once("\n```").unwrap();
    assert_eq!(quote.lines().count(), 3, "{quote}");
    for line in quote.lines().map(as_in_texts) {
        assert!(TEXTS.lines().any(|text| text == line), "the demo does not print: {line}");
    }
}

//! The table of variables, and the settings of a profile.

use std::collections::{BTreeMap, BTreeSet};

use crate::{COMMAND, quoted, rows, section, subcommands, told};

const KEYS: &str = include_str!("../../src/config/profile.rs");
const LIBRARY: &str = include_str!("../../../src/builder/env.rs");

/// The options with a variable, as the helps of all commands have them: the variable, and its options.
fn of_helps() -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::<_, BTreeSet<_>>::new();
    for command in subcommands(&[]) {
        let below = subcommands(&[&command]);
        let below = if below.is_empty() { vec![String::new()] } else { below };
        for below in below {
            let args = [command.as_str(), below.as_str(), "--help"];
            let help = told(&args.into_iter().filter(|arg| !arg.is_empty()).collect::<Vec<_>>());
            let mut option = "";
            for line in help.lines() {
                let begins = line.trim_start().split("--").nth(1);
                let is_option = line.trim_start().starts_with('-');
                if let Some(begins) = begins.filter(|_| is_option) {
                    option = begins.split([' ', '=', '[', '.']).next().unwrap_or_default();
                }
                if let Some(variable) = line.trim().strip_prefix("[env: ") {
                    let variable = variable.trim_end_matches([']', '=']).to_owned();
                    all.entry(variable).or_default().insert(format!("--{option}"));
                }
            }
        }
    }
    assert!(all.len() >= 20, "{all:?}");
    all
}

#[test]
fn the_table_of_variables_is_that_of_the_options() {
    let section = section(COMMAND, "\n## Settings\n");
    let mut listed = BTreeMap::<_, BTreeSet<_>>::new();
    for row in rows(section) {
        let option = quoted(&row[1])[0].to_owned();
        listed.entry(quoted(&row[0])[0].to_owned()).or_default().insert(option);
    }
    assert_eq!(listed, of_helps(), "left: the page; right: the helps");
    let (_, without) = section.split_once("has no variable: ").unwrap();
    for option in quoted(without) {
        let has = listed.values().any(|options| options.contains(option));
        assert!(!has, "{option} has a variable");
    }
}

#[test]
fn the_table_of_variables_has_the_keys_of_a_profile() {
    let listed = rows(section(COMMAND, "\n## Settings\n"));
    let listed: BTreeSet<_> = listed.iter().flat_map(|row| quoted(&row[2])).collect();
    let (_, keys) = KEYS.split_once("KEYS: ").unwrap();
    let (keys, _) = keys.split_once("\n];").unwrap();
    let keys = keys.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next());
    let keys: BTreeSet<_> = keys.chain(["secret"]).collect();
    assert!(keys.len() >= 12, "{keys:?}");
    assert_eq!(listed, keys, "left: the page; right: the source");
}

#[test]
fn the_variables_of_the_library_are_variables_of_the_command() {
    let names = LIBRARY.split('"').filter(|text| text.starts_with("IMTS_"));
    let names: BTreeSet<_> =
        names.filter(|name| !name.contains(' ') && !name.ends_with('_')).collect();
    assert!(names.len() >= 3, "{names:?}");
    let helps = of_helps();
    for name in names {
        // The secret has no option.
        assert!(helps.contains_key(name) || name == "IMTS_AGENT_SECRET", "{name}");
        assert!(section(COMMAND, "\n## Settings\n").contains(&format!("`{name}`")), "{name}");
    }
}

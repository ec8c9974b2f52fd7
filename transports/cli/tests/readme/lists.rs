//! The features of `imts`, and how many crates a build takes on.

use std::collections::BTreeSet;

use crate::{COSTS, README, quoted, rows};

const LIBRARY: &str = include_str!("../../../src/lib.rs");
const COOKBOOK: &str = include_str!("../../../docs/cookbook/README.md");
const MANIFEST: &str = include_str!("../../../Cargo.toml");
const CRATES: &str = include_str!("../../../tests/dependencies.rs");

#[test]
fn both_tables_of_features_have_each_that_may_be_asked_for() {
    let (_, features) = MANIFEST.split_once("\n[features]\n").unwrap();
    let features = features.split("\n[").next().unwrap();
    let names = features.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    // Those are for this project's own tests.
    let names = names.filter(|name| !name.starts_with(['_', '#']) && !name.starts_with("test-"));
    let names: BTreeSet<_> = names.collect();
    assert!(names.len() >= 6, "{names:?}");
    let (_, library) = LIBRARY.split_once("//! # Features\n").unwrap();
    for (page, table) in [("transports/src/lib.rs", library), ("README.md", README)] {
        let rows = rows(table);
        let listed: BTreeSet<_> = rows.iter().flat_map(|row| quoted(&row[0])).collect();
        assert_eq!(listed, names, "left: the table in {page}; right: Cargo.toml");
    }
}

#[test]
fn each_page_of_the_cookbook_is_in_its_index_and_its_examples_run() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cookbook");
    let names = std::fs::read_dir(folder).unwrap().map(|page| page.unwrap().file_name());
    let mut pages: BTreeSet<_> = names.map(|name| name.into_string().unwrap()).collect();
    assert!(pages.remove("README.md"));
    assert!(pages.len() >= 9, "{pages:?}");
    for page in pages {
        assert!(COOKBOOK.contains(&format!("]({page}) |")), "{page} is not in the index");
        // In the list of pages, or by itself with its feature.
        let runs = [format!("= \"{page}\";"), format!("cookbook/{page}\")")];
        let runs = runs.iter().any(|line| LIBRARY.contains(line));
        assert!(runs, "the examples of {page} do not run");
    }
}

#[test]
fn the_counts_of_crates_are_those_that_are_held() {
    let text = COSTS.replace('\n', " ");
    let (_, said) = text.split_once("macros included: ").expect("the counts of crates");
    let words: Vec<_> = said.split_whitespace().collect();
    // A number is of what was quoted last before it.
    let mut listed = BTreeSet::new();
    let mut of = "";
    for word in words {
        if let [name] = quoted(word)[..] {
            of = name;
        } else if let Ok(count) = word.trim_end_matches([',', ';', '.']).parse::<usize>() {
            listed.insert((of, count));
        }
    }
    let mut held = BTreeSet::new();
    for line in CRATES.lines().filter_map(|line| line.trim().strip_prefix("at_most(")) {
        let (count, of) = line.split_once(", ").unwrap();
        let names: Vec<_> = of.split('"').skip(1).step_by(2).collect();
        let [package, feature] = names[..] else { panic!("{line}") };
        let of = if feature == "persist" { package } else { feature };
        held.insert((of, count.parse().unwrap()));
    }
    assert!(held.len() >= 4, "{held:?}");
    // The page has no count for a build without a transport.
    held.retain(|(of, _)| !of.is_empty());
    assert_eq!(listed, held, "left: the page; right: transports/tests/dependencies.rs");
}

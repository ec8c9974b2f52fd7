//! How many crates a user's build takes on, and that each one we chose has its reason written down.
//! Counted on Linux: other platforms bring verifiers and system calls of their own.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

fn cargo(args: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    // Flags for this build, of a coverage run say, are not a user's.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let output =
        cargo.args(args).args(["--offline", "--manifest-path", MANIFEST]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The crates in a build of this one, itself and what expands its macros included.
fn crates(package: &str, features: &str) -> BTreeSet<String> {
    let tree = ["tree", "--edges", "normal", "--prefix", "none", "--no-dedupe", "--format", "{p}"];
    let which = ["--package", package, "--features", features];
    let crates = cargo(&[&tree[..], &which].concat());
    crates.lines().map(|line| line.split(" (").next().unwrap_or(line).to_owned()).collect()
}

#[track_caller]
fn at_most(most: usize, package: &str, features: &str) {
    let crates = crates(package, features);
    let itself = format!("{package} v{}", env!("CARGO_PKG_VERSION"));
    assert!(crates.contains(&itself), "{crates:?}");
    let (count, list) = (crates.len(), Vec::from_iter(crates).join("\n  "));
    assert!(
        count <= most,
        "{count} crates; {package} with {features:?} may have {most}:\n  {list}"
    );
}

#[test]
fn the_core_takes_at_most_19_crates() {
    at_most(19, "imts-core", "persist");
}

#[test]
fn signatures_take_crates_only_if_they_are_asked_for() {
    at_most(31, "imts-core", "jws");
    at_most(29, "imts-core", "pg-sig");
    at_most(33, "imts-core", "jws,pg-sig");
    let without = crates("imts", "journal,service-file");
    for name in ["base64", "hmac", "sha2", "md-5", "ctutils", "quick-xml"] {
        let is_there = without.iter().any(|known| known.split(' ').next() == Some(name));
        assert!(!is_there, "{name} is in a build without signatures");
    }
}

#[test]
fn a_client_over_a_transport_of_ones_own_takes_at_most_25_crates() {
    at_most(25, "imts", "");
}

#[test]
fn a_client_over_ureq_with_tls_takes_at_most_45_crates() {
    at_most(45, "imts", "ureq");
}

#[test]
fn a_client_over_hyper_util_with_tls_takes_at_most_59_crates() {
    at_most(59, "imts", "hyper-util");
}

#[test]
fn a_client_over_ureq_with_a_journal_or_a_store_in_postgresql_takes_at_most_93_crates() {
    at_most(93, "imts", "journal-postgres,ureq");
    at_most(93, "imts", "store-postgres,ureq");
}

#[test]
fn a_client_over_reqwest_takes_at_most_84_crates_and_with_tls_97() {
    at_most(84, "imts", "reqwest");
    at_most(97, "imts", "reqwest-rustls");
}

#[test]
fn a_layer_for_tower_takes_two_crates_more() {
    at_most(27, "imts", "tower");
}

#[test]
fn callbacks_take_at_most_37_crates_and_their_service_three_more() {
    at_most(31, "imts-core", "callback");
    at_most(37, "imts", "callback");
    at_most(40, "imts", "callback-tower");
}

#[test]
fn stores_take_at_most_8_crates_more_and_a_file_takes_none() {
    at_most(25, "imts", "store-file");
    at_most(53, "imts", "store-file,store-redis,store-seal,ureq");
}

#[test]
fn a_dependency_has_its_reason_in_the_design() {
    let design = include_str!("../../core/docs/design.md");
    let (_, reasons) = design.split_once("Dependencies\n").expect("a section on dependencies");
    let rows = || reasons.lines().filter(|line| line.starts_with("| `"));
    let named: BTreeSet<_> =
        rows().filter_map(|row| row.split('|').nth(1)).flat_map(|names| names.split('`')).collect();
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let (of, all) = (&package["name"], package["dependencies"].as_array().unwrap());
        for name in all.iter().map(|dependency| dependency["name"].as_str().unwrap()) {
            let ours = name == "imts" || name.starts_with("imts-");
            assert!(
                ours || named.contains(name),
                "{name}, which {of} uses, has no line in 'Dependencies'"
            );
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen} are not all");
}

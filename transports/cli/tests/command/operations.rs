//! `imts operations`: the list is the library's, and an integrator's file adds to it.

use imts::endpoint::ServicePath;
use imts::services;
use serde_json::{Value, json};

use crate::{Folder, imts, run};

const OPERATIONS: &str = include_str!("../../../../core/tests/fixtures/operations.json");

#[test]
fn the_list_is_the_vendors_and_the_librarys() {
    let ran = run(&mut imts(&["operations", "--json"]));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let listed: Value = serde_json::from_str(OPERATIONS).unwrap();
    assert_eq!(ran.json(), listed);
    let catalogue = services::transfer::catalogue();
    let library: Vec<_> = catalogue
        .iter()
        .map(|it| {
            json!({
                "name": it.name(),
                "class": it.class().as_str(),
                "evidence": it.evidence().as_str(),
                "path": it.path().map(ServicePath::as_str),
            })
        })
        .collect();
    assert_eq!(ran.json().as_array().unwrap()[2..], library, "after the two token exchanges");
}

#[test]
fn people_read_a_table_with_a_line_for_each() {
    let ran = run(&mut imts(&["operations"]));
    let lines: Vec<Vec<_>> =
        ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    let listed: Value = serde_json::from_str(OPERATIONS).unwrap();
    let listed = listed.as_array().unwrap();
    assert_eq!(lines.len(), listed.len() + 1, "{}", ran.out);
    for (line, entry) in lines[1..].iter().zip(listed) {
        assert_eq!(
            [line[0], line[1], line[2]],
            [
                entry["name"].as_str().unwrap(),
                entry["class"].as_str().unwrap(),
                entry["evidence"].as_str().unwrap()
            ]
        );
        let path = entry["path"].as_str();
        assert_eq!(path.unwrap_or("(unknown)"), line[3..].join(" "));
    }
}

#[test]
fn a_service_file_adds_paths_and_operations() {
    let folder = Folder::new("operations");
    let ran = run(&mut imts(&["operations", "--json", "--service-file", &folder.service_file()]));
    let list = ran.json();
    let entry = |name: &str| {
        let mut all = list.as_array().unwrap().iter();
        all.find(|entry| entry["name"] == name).unwrap().clone()
    };
    assert_eq!(list.as_array().unwrap().len(), 18);
    assert_eq!(
        entry("confirm"),
        json!({
            "name": "confirm", "class": "money", "evidence": "assumed",
            "path": "/v5/partner/transfer/confirm-example",
        })
    );
    assert_eq!(
        (&entry("daily-report")["class"], &entry("cancel")["path"]),
        (&"read".into(), &Value::Null)
    );
}

#[test]
fn a_service_file_that_cannot_be_used_is_usage_and_the_message_says_where() {
    let folder = Folder::new("operations-mistakes");
    let cases = [
        ("version = 2\n", "version 1"),
        ("version = 1\n\n[operation.confirm]\npth = \"/x\"\n", "line 4"),
        ("version = 1\n[operation.confirm]\npath = \"/x\"\nclass = \"read\"\n", "is money"),
        ("version = 1\n[operation.mine]\npath = \"/x\"\n", "give it a class"),
        ("version = 1\n[operation.confirm]\npath = \"x\"\n", "operation.confirm"),
        ("no toml", "line 1"),
    ];
    for (file, words) in cases {
        let path = folder.write("wrong.toml", file);
        for command in ["operations", "sandbox"] {
            let ran = run(&mut imts(&[command, "--service-file", &path]));
            assert_eq!(ran.code, 2, "{file}: {ran:?}");
            assert!(ran.err.contains(words) && ran.err.contains(&path), "{file}: {ran:?}");
        }
        let ran = run(&mut imts(&["operations", "--json", "--service-file", &path]));
        assert_eq!(ran.error(), ("usage".into(), "fix".into()), "{file}");
    }
    let missing = folder.path("missing.toml");
    for path in [missing.as_str(), "/"] {
        let ran = run(&mut imts(&["operations", "--json", "--service-file", path]));
        assert_eq!(ran.error().0, "usage");
        assert!(ran.out.contains(path), "{ran:?}");
    }
}

//! Every input of the committed corpora, once, on stable.

use std::fs;
use std::path::{Path, PathBuf};

use imts_fuzz::{Ran, TARGETS, Target};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The inputs of a target, by name.
fn corpus(target: Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = folder("corpus").join(target.name);
    let mut inputs: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    inputs.sort();
    inputs
}

/// Runs a corpus; the inputs' names come before what they break.
fn replay(target: Target) {
    let inputs = corpus(target);
    assert!(inputs.len() >= 10, "{}: only {} inputs", target.name, inputs.len());
    let ran = inputs.iter().map(|(path, data)| {
        println!("{}", path.display());
        (target.run)(data)
    });
    let ran: Vec<Ran> = ran.collect();
    let structured: Vec<_> = ran.iter().filter(|ran| ran.structured).collect();
    let deepest = structured.iter().filter(|ran| ran.deepest).count();
    let Target { name, goal, .. } = target;
    println!(
        "{name}: {deepest} of {} structured inputs (of {}) reached {goal}",
        structured.len(),
        ran.len()
    );
    assert!(deepest > 0 && deepest * 20 >= structured.len(), "fewer than 5 % reached {goal}");
}

#[test]
fn the_corpora_hold_and_reach_their_goals() {
    for target in TARGETS {
        replay(target);
    }
}

#[test]
fn each_target_has_a_binary_a_dictionary_and_a_small_corpus() {
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for target in TARGETS {
        let name = target.name;
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        assert!(folder("fuzz_targets").join(name).with_extension("rs").is_file(), "{name}");
        assert!(folder("dictionaries").join(name).is_file(), "{name} has no dictionary");
        let inputs = corpus(target);
        let bytes: usize = inputs.iter().map(|(_, data)| data.len()).sum();
        assert!(inputs.len() < 300 && bytes < 300_000, "{name}: {} inputs, {bytes}", inputs.len());
    }
    let targets = fs::read_dir(folder("fuzz_targets")).unwrap().count();
    assert_eq!(targets, TARGETS.len(), "a target that the list does not have");
}

/// A bug that cannot be planted any more shows nothing about its target.
#[test]
fn each_target_has_bugs_that_can_be_planted() {
    let bugs = fs::read_dir(folder("planted")).unwrap().map(|bug| bug.unwrap().path());
    let bugs: Vec<_> = bugs.collect();
    let name = |bug: &PathBuf| bug.file_stem().unwrap().to_str().unwrap().to_owned();
    for Target { name: target, .. } in TARGETS {
        assert!(bugs.iter().any(|bug| name(bug) == target), "{target}");
    }
    for bug in bugs {
        let name = name(&bug);
        let target = name.split('-').next().unwrap_or_default();
        assert!(TARGETS.iter().any(|known| known.name == target), "{name}: no such target");
        can_be_planted(&name, &fs::read_to_string(&bug).unwrap());
    }
}

/// The bugs of `find-planted-share`.
#[test]
fn each_bug_of_the_shared_session_can_be_planted() {
    let bugs = fs::read_dir(folder("planted-share")).unwrap().map(|bug| bug.unwrap().path());
    let bugs: Vec<_> = bugs.collect();
    assert_eq!(bugs.len(), 8, "{bugs:?}");
    for bug in bugs {
        can_be_planted(&bug.display().to_string(), &fs::read_to_string(&bug).unwrap());
    }
}

fn can_be_planted(name: &str, patch: &str) {
    let (file, hunk) = patch.split_once("@@").expect("one hunk");
    let (_, file) = file.trim_end().split_once("+++ b/").expect("a file");
    let (_, lines) = hunk.split_once('\n').expect("lines");
    let before: Vec<_> = lines.lines().filter(|line| !line.starts_with('+')).collect();
    let before: String =
        before.iter().map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect();
    assert!(lines.contains("\n-") || lines.contains("\n+"), "{name} changes nothing");
    let source = fs::read_to_string(folder("..").join(file)).unwrap();
    assert_eq!(source.matches(&before).count(), 1, "{name}: {file} has moved: mend the patch");
}

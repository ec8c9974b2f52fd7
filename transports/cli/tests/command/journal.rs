//! `imts journal`: what is in doubt, and what was found out of it.

use std::fs;

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::{Digest, Entry, Intent, Journal};
use imts::time::Wall;
use serde_json::Value;

use crate::{Folder, Ran, imts, run};

/// A journal with a call of each state: one is in doubt, the second.
pub(crate) fn journal(folder: &Folder) -> String {
    journal_of(folder, &[Some(Ending::Done), None, Some(Ending::Refused), Some(Ending::NotSent)])
}

/// A journal with calls that ended like this, or that are in doubt.
pub(crate) fn journal_of(folder: &Folder, endings: &[Option<Ending>]) -> String {
    let path = folder.path("journal");
    let mut journal = JournalFile::open(&path).unwrap();
    for (place, ending) in endings.iter().copied().enumerate() {
        let at = Wall::from_unix_micros(1_753_269_451_577_745);
        let intent = Intent {
            operation: "confirm".to_owned(),
            scope: None,
            reference: Some(format!("ref-{place}")),
            digest: Digest(place as u64),
            meaning: None,
            at,
            despite: None,
        };
        let id = journal.record(&Entry::Intent(intent)).unwrap();
        journal.record(&Entry::Sending { id, at, until: None }).unwrap();
        if let Some(ending) = ending {
            journal.record(&Entry::Ended { id, at, ending }).unwrap();
        }
    }
    path
}

fn assert_usage(ran: &Ran, words: &str) {
    assert_eq!(ran.error(), ("usage".into(), "fix".into()), "{words}: {ran:?}");
    assert_eq!(ran.code, 2, "{words}");
    assert!(ran.out.contains(words), "{words}: {ran:?}");
}

pub(crate) fn states(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|call| call["state"].as_str().unwrap()).collect()
}

#[test]
fn what_is_in_doubt_is_listed_and_all_where_asked_for() {
    let folder = Folder::new("journal-list");
    let path = journal(&folder);
    let ran = run(&mut imts(&["journal", "list", &path]));
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ran.out);
    for words in ["2", "in_doubt", "confirm", "ref-1", "2025-07-23T11:17:31.577745+00:00"] {
        assert!(lines[0].contains(words), "{words}: {}", ran.out);
    }
    assert!(
        lines[1].contains("1 in doubt; the journal has had 4 calls")
            && lines[1].contains("resolve"),
        "{}",
        ran.out
    );
    let all = run(&mut imts(&["journal", "list", &path, "--all"]));
    assert_eq!(all.out.lines().count(), 5, "{}", all.out);

    let json = run(&mut imts(&["journal", "list", &path, "--json"])).json();
    assert_eq!(json.as_array().unwrap().len(), 1);
    let call = json[0].as_object().unwrap();
    assert_eq!((&call["id"], &call["reference"]), (&2.into(), &"ref-1".into()));
    assert_eq!(call["digest"], "0000000000000001");
    assert_eq!((call.len(), &call["ended_at"]), (11, &Value::Null));
    let json = run(&mut imts(&["journal", "list", &path, "--all", "--json"])).json();
    assert_eq!(states(&json), ["done", "in_doubt", "refused", "not_sent"]);
}

#[test]
fn what_was_found_out_is_written_down_once() {
    for what in ["done", "refused"] {
        let folder = Folder::new(&format!("journal-resolve-{what}"));
        let path = journal(&folder);
        let resolve = ["journal", "resolve", &path, "2", "--as", what];
        let ran = run(imts(&resolve).arg("--json"));
        assert_eq!((ran.code, &ran.json()["state"]), (0, &what.into()), "{ran:?}");
        let list = run(&mut imts(&["journal", "list", &path]));
        assert_eq!(list.out, "No call is in doubt; the journal has had 4.\n");
        assert_usage(&run(imts(&resolve).arg("--json")), "already known");
    }
    let folder = Folder::new("journal-resolve");
    let path = journal(&folder);
    let ran = run(&mut imts(&["journal", "resolve", &path, "2", "--as", "done"]));
    assert_eq!(ran.out, "call 2 (confirm) is recorded as done\n");
}

#[test]
fn a_call_that_is_not_there_is_usage_and_so_is_any_other_end() {
    let folder = Folder::new("journal-mistakes");
    let path = journal(&folder);
    let resolve = |id: &str, what: &str| {
        run(&mut imts(&["journal", "resolve", &path, id, "--as", what, "--json"]))
    };
    assert_usage(&resolve("9", "done"), "no call 9");
    assert_usage(&resolve("9", "done"), "--all");
    assert_usage(&resolve("two", "done"), "<ID>");
    assert_usage(&resolve("2", "unknown"), "refused");
    assert_usage(&run(&mut imts(&["journal", "resolve", &path, "2", "--json"])), "--as");
    let list = run(&mut imts(&["journal", "list", &path, "--json", "--all"])).json();
    assert_eq!(states(&list), ["done", "in_doubt", "refused", "not_sent"]);
}

#[test]
fn a_journal_that_another_process_keeps_open_is_read_and_not_changed() {
    let folder = Folder::new("journal-locked");
    let path = journal(&folder);
    let open = JournalFile::open(&path).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(run(&mut imts(&["journal", "list", &path])).code, 0);
    let limit = ["--timeout", "200ms", "--json"];
    let resolve = ["journal", "resolve", &path, "2", "--as", "done"];
    let reconcile = ["journal", "reconcile", &path, "--with", "echo done"];
    let mut call =
        crate::call("http://127.0.0.1:1", "confirm", &["--path", "/x", "--journal", &path]);
    for command in [&mut imts(&resolve), &mut imts(&reconcile), &mut call] {
        let ran = run(command.args(limit));
        assert_eq!(ran.error(), ("journal_locked".into(), "retry".into()), "{ran:?}");
        assert_eq!(ran.code, 12, "{ran:?}");
        assert!(ran.out.contains("another process had it open"), "{ran:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    drop(open);
}

#[test]
fn what_is_damaged_missing_or_no_journal_is_usage_and_left_as_it_is() {
    let folder = Folder::new("journal-damaged");
    let path = journal(&folder);
    let mut bytes = fs::read(&path).unwrap();
    bytes[60] ^= 1;
    let damaged = folder.write("damaged", &bytes);
    let (missing, other) = (folder.path("missing"), folder.service_file());
    for (path, words) in
        [(&damaged, "damaged at byte"), (&missing, "cannot open"), (&other, "not a journal")]
    {
        let before = fs::read(path).ok();
        let call = ["--json", "--path", "/x", "--journal", path];
        let mut runs = vec![
            run(&mut imts(&["journal", "list", path, "--json"])),
            run(&mut imts(&["journal", "resolve", path, "1", "--as", "done", "--json"])),
        ];
        if path != &missing {
            runs.push(run(&mut crate::call("http://127.0.0.1:1", "confirm", &call)));
        }
        for ran in runs {
            assert_usage(&ran, words);
            assert!(ran.out.contains(path.as_str()), "{ran:?}");
        }
        assert_eq!(fs::read(path).ok(), before, "{path}");
    }
}

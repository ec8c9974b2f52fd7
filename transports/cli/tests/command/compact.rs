//! `imts journal compact`: what it says, what stays, and what it leaves alone.

use std::fs;

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::{Digest, Entry, Intent, Journal, Scope};
use imts::time::Wall;
use imts_sandbox::{Front, Sandbox};

use crate::{Folder, SERVICE_FILE, call, imts, run};

fn intent(reference: &str) -> Intent {
    Intent {
        operation: "confirm".to_owned(),
        scope: Some(Scope { url: "https://service.example/x".to_owned(), agent: "a".to_owned() }),
        reference: Some(reference.to_owned()),
        digest: Digest(1),
        meaning: Some(Digest(1)),
        at: Wall::from_unix_micros(1),
        despite: None,
    }
}

/// A journal with calls that were done in 1970, one that was refused and one in doubt.
pub(crate) fn journal(folder: &Folder) -> String {
    let path = folder.path("journal");
    let mut journal = JournalFile::open(&path).unwrap();
    let done = (0..20).map(|number| (format!("done-{number}"), Some(Ending::Done)));
    let others = [("refused".to_owned(), Some(Ending::Refused)), ("doubt".to_owned(), None)];
    for (reference, ending) in done.chain(others) {
        let at = Wall::from_unix_micros(2);
        let id = journal.record(&Entry::Intent(intent(&reference))).unwrap();
        journal.record(&Entry::Sending { id, at, until: None }).unwrap();
        if let Some(ending) = ending {
            journal.record(&Entry::Ended { id, at, ending }).unwrap();
        }
    }
    path
}

fn is_known(path: &str, reference: &str) -> bool {
    JournalFile::read(path).unwrap().admit(&intent(reference)).is_err()
}

#[test]
fn it_says_how_large_the_journal_was_and_is_and_the_guard_knows_what_it_knew() {
    let folder = Folder::new("compact");
    let path = journal(&folder);
    let before = fs::metadata(&path).unwrap().len();
    let ran = run(&mut imts(&["journal", "compact", &path, "--json"]));
    let after = fs::metadata(&path).unwrap().len();
    let size = |bytes, calls, hashes| serde_json::json!({ "bytes": bytes, "calls": calls, "hashes": hashes });
    assert_eq!(ran.code, 0, "{ran:?}");
    let expected = serde_json::json!({
        "compacted": true, "before": size(before, 22, 0), "after": size(after, 1, 20),
    });
    assert_eq!(ran.json(), expected);
    assert!(after < before / 3, "{after} of {before}");
    assert!(is_known(&path, "done-7") && is_known(&path, "doubt") && !is_known(&path, "refused"));
    let listed = run(&mut imts(&["journal", "list", &path, "--all"]));
    assert!(listed.out.contains("Only hashes are kept of 20 calls that were done."), "{listed:?}");
    assert!(listed.out.contains("1 in doubt; the journal has had 22 calls"), "{listed:?}");
    let people = run(&mut imts(&["journal", "compact", &path]));
    let words = format!(
        "now, {} bytes, 1 calls and the hashes of 20 more",
        fs::metadata(&path).unwrap().len()
    );
    assert!(people.code == 0 && people.out.contains(&words), "{people:?}");
    let resolve = ["journal", "resolve", &path, "22", "--as", "done"];
    assert_eq!(run(&mut imts(&resolve)).code, 0);
}

#[test]
fn done_calls_are_forgotten_only_on_request_and_never_for_a_time_of_no_days() {
    let folder = Folder::new("compact-keep");
    let path = journal(&folder);
    for days in ["0", "-1", "x"] {
        let ran = run(&mut imts(&["journal", "compact", &path, "--json", "--keep-done", days]));
        assert_eq!(ran.code, 2, "{ran:?}");
    }
    assert_eq!(run(&mut imts(&["journal", "compact", &path, "--keep-done", "36500"])).code, 0);
    assert!(is_known(&path, "done-7"), "100 years");
    let ran = run(&mut imts(&["journal", "compact", &path, "--json", "--keep-done", "30"]));
    assert_eq!((ran.code, &ran.json()["after"]["hashes"]), (0, &0.into()), "{ran:?}");
    assert!(!is_known(&path, "done-7") && is_known(&path, "doubt"));
}

#[test]
fn a_journal_that_cannot_be_compacted_is_left_as_it_is() {
    let folder = Folder::new("compact-not");
    let path = journal(&folder);
    let fails = |words: &str, code: i32| {
        let before = fs::read(&path).unwrap();
        let ran = run(&mut imts(&["journal", "compact", &path, "--json", "--timeout", "5s"]));
        assert!(ran.code == code && ran.out.contains(words), "{words}: {ran:?}");
        assert_eq!(fs::read(&path).unwrap(), before, "{words}");
    };
    let open = JournalFile::open(&path).unwrap();
    fails("another process had it open", 12);
    drop(open);
    fs::hard_link(&path, folder.path("other")).unwrap();
    fails("hard link", 2);
    fs::remove_file(folder.path("other")).unwrap();
    fs::create_dir(folder.path("journal.compacting")).unwrap();
    fails("was not compacted", 2);
    let missing = ["journal", "compact", &folder.path("missing"), "--json"];
    assert!(run(&mut imts(&missing)).out.contains("cannot open"));
    assert!(!fs::exists(folder.path("missing")).unwrap(), "none is begun");
}

#[test]
fn a_call_compacts_a_long_journal_and_says_so_and_is_made_also_if_that_fails() {
    let (folder, front) =
        (Folder::new("compact-call"), Sandbox::with_service_file(SERVICE_FILE).unwrap());
    let (front, path) = (Front::start(front).unwrap(), folder.path("journal"));
    let mut journal = JournalFile::open(&path).unwrap();
    // Few calls with long references make it as long as it must be.
    for number in 0..290 {
        let reference = format!("{number}-{}", "x".repeat(60_000));
        let id = journal.record(&Entry::Intent(intent(&reference))).unwrap();
        let at = Wall::from_unix_micros(2);
        journal.record(&Entry::Ended { id, at, ending: Ending::NotSent }).unwrap();
    }
    drop(journal);
    let pays = |reference: &str| {
        let service = folder.service_file();
        let flags = ["-v", "--service-file", &service, "-d", "{}", "--journal", &path];
        let mut command = call(&front.url(), "confirm", &flags);
        let ran = run(command.args(["--reference", reference]));
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.err
    };
    let beside = folder.path("journal.compacting");
    fs::create_dir(&beside).unwrap();
    let told = pays("one");
    assert!(told.contains("the journal was not compacted"), "{told}");
    fs::remove_dir(&beside).unwrap();
    let told = pays("two");
    assert!(told.contains("the journal was compacted: before, 17"), "{told}");
    assert!(fs::metadata(&path).unwrap().len() < 10_000);
    let told = pays("three");
    assert!(!told.contains("compact"), "{told}");
}

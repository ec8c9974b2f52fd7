//! Decisions of an operator's: a call sent in spite of a record, a call resolved, a copy accepted. Each is
//! written down with who and why, and none is made by accident.

use std::fs;
use std::time::Duration;

use imts::JournalFile;
use imts::clock::{Clock, SystemClock};
use imts::journal::CallState;
use imts::journal::{Digest, Entry, Intent, Journal};
use imts_sandbox::{Front, Sandbox};
use serde_json::Value;

use crate::journal::journal;
use crate::{Folder, Ran, SERVICE_FILE, TRANSPORTS, call, imts, run};

fn all(path: &str) -> Value {
    run(&mut imts(&["journal", "list", path, "--all", "--json"])).json()
}

fn assert_usage(ran: &Ran, words: &str) {
    assert_eq!((ran.code, ran.error().0.as_str()), (2, "usage"), "{words}: {ran:?}");
    assert!(ran.out.contains(words), "{words}: {ran:?}");
}

#[test]
fn only_the_record_that_is_named_with_a_reason_is_overridden_and_that_is_written_down() {
    let folder = Folder::new("decide-despite");
    let service = folder.service_file();
    for transport in TRANSPORTS {
        let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
        let path = folder.path(transport);
        let send_as = |reference: &str, more: &[&str]| {
            let flags = ["--service-file", &service, "--transport", transport, "--journal", &path];
            let mut command = call(&front.url(), "confirm", &flags);
            command.args(["-d", r#"{"client_uuid":"17"}"#, "--reference", reference, "--json"]);
            run(command.args(more).env("USER", "night-shift"))
        };
        let send = |more: &[&str]| send_as("17", more);
        let elsewhere = |id| send_as("18", &["--resend-despite", id, "--reason", "mistyped"]);
        assert_eq!(send(&[]).code, 0);
        let applied = || front.sandbox().ledger().applied("confirm".parse().unwrap(), "17");
        // Each mistake sends nothing.
        assert_usage(&send(&["--resend-despite", "1"]), "--reason");
        assert_usage(&send(&["--resend-despite", "1", "--reason", " "]), "--reason");
        assert_usage(&send(&["--reason", "it was lost"]), "--resend-despite");
        assert_usage(&send(&["--resend-despite", "one", "--reason", "x"]), "--resend-despite");
        assert_eq!(send(&["--resend-despite", "2", "--reason", "another number"]).code, 8);
        assert_usage(&elsewhere("1"), "call 1 of the journal has another reference");
        assert_usage(&elsewhere("9"), "the journal has no call 9");
        assert_eq!(applied(), 1, "{transport}");
        let ran = send(&["--resend-despite", "1", "--reason", "support said it was reversed"]);
        assert_eq!((ran.code, applied()), (0, 2), "{ran:?}");
        let despite = &all(&path)[1]["despite"];
        let written = (&despite["id"], &despite["reason"], &despite["by"]);
        let reason = "support said it was reversed".into();
        assert_eq!(written, (&1.into(), &reason, &"night-shift".into()));
        assert_eq!(send(&[]).code, 8, "it holds for one call");
        let people = run(&mut imts(&["journal", "list", &path, "--all"]));
        assert!(people.out.contains("despite call 1, by night-shift: support said"), "{people:?}");
    }
    let no_journal = ["--resend-despite", "1", "--reason", "x", "--json", "--path", "/x"];
    assert_usage(&run(&mut call("http://127.0.0.1:1", "confirm", &no_journal)), "--journal");
}

#[test]
fn who_resolved_a_call_and_why_is_written_down() {
    let folder = Folder::new("decide-resolve");
    let path = journal(&folder);
    let resolve = ["journal", "resolve", &path, "2", "--as", "refused"];
    assert_usage(&run(imts(&resolve).args(["--json", "--reason", ""])), "--reason");
    let reason = ["--reason", "status says: unknown transfer"];
    assert_eq!(run(imts(&resolve).args(reason).env("USER", "night-shift")).code, 0);
    let call = &all(&path)[1];
    assert_eq!(call["state"], CallState::Refused.as_str());
    let resolution = &call["resolution"];
    let reason = "status says: unknown transfer".into();
    let written = (&resolution["finding"], &resolution["reason"], &resolution["by"]);
    assert_eq!(written, (&"refused".into(), &reason, &"night-shift".into()));

    let other = Folder::new("decide-reconcile");
    let path = journal(&other);
    let reconcile = ["journal", "reconcile", &path, "--with", "echo done"];
    assert_eq!(run(imts(&reconcile).env("USER", "night-shift")).code, 0);
    let resolution = &all(&path)[1]["resolution"];
    assert_eq!(
        (&resolution["finding"], &resolution["by"]),
        (&"done".into(), &"night-shift".into())
    );
}

#[test]
fn who_decides_is_the_first_user_that_has_a_name_of_128_characters_at_most() {
    for (user, name, by) in
        [("", "day-shift", "day-shift".to_owned()), (&*"ж".repeat(200), "x", "ж".repeat(128))]
    {
        let folder = Folder::new("decide-user");
        let path = journal(&folder);
        let resolve = ["journal", "resolve", &path, "2", "--as", "refused", "--reason", "asked"];
        assert_eq!(run(imts(&resolve).env("USER", user).env("LOGNAME", name)).code, 0);
        assert_eq!(all(&path)[1]["resolution"]["by"], by);
    }
}

#[test]
fn a_copy_is_refused_until_it_is_accepted_with_a_reason() {
    let folder = Folder::new("decide-accept");
    let path = journal(&folder);
    let copy = folder.path("copy");
    fs::copy(&path, &copy).unwrap();
    let before = fs::read(&copy).unwrap();
    let money = ["--json", "--path", "/x", "--reference", "1", "--journal", &copy];
    let sent = run(&mut call("http://127.0.0.1:1", "confirm", &money));
    assert_usage(&sent, "copy");
    let resolve = ["journal", "resolve", &copy, "2", "--as", "done"];
    assert_usage(&run(imts(&resolve).arg("--json")), "copy");
    let people = run(&mut imts(&resolve));
    assert!(people.err.contains("imts journal accept"), "{people:?}");
    let accept = ["journal", "accept", &copy];
    assert_usage(&run(imts(&accept).arg("--json")), "--reason");
    assert_usage(&run(imts(&accept).args(["--json", "--reason", "  "])), "--reason");
    assert_eq!(fs::read(&copy).unwrap(), before, "nothing is written so far");
    let missing = ["journal", "accept", &folder.path("missing"), "--reason", "x", "--json"];
    assert_usage(&run(&mut imts(&missing)), "cannot open");
    let ran = run(imts(&accept).args(["--json", "--reason", "disk was replaced"]));
    assert_eq!((ran.code, &ran.json()["in_doubt"]), (0, &1.into()), "{ran:?}");
    assert_eq!(run(&mut imts(&resolve)).code, 0);
}

/// Writes down that a call was sent, which may be under way for an hour. Nobody has the journal open.
fn left_behind(path: &str) {
    let mut journal = JournalFile::open(path).unwrap();
    let at = SystemClock.now().wall;
    let intent = Intent {
        operation: "confirm".to_owned(),
        scope: None,
        reference: Some("17".to_owned()),
        digest: Digest(1),
        meaning: None,
        at,
        despite: None,
    };
    let id = journal.record(&Entry::Intent(intent)).unwrap();
    let until = Some(at.after(Duration::from_secs(3_600)));
    journal.record(&Entry::Sending { id, at, until }).unwrap();
}

#[test]
fn a_call_is_resolved_at_once_where_its_sender_is_gone_and_not_while_it_may_be_alive() {
    let folder = Folder::new("decide-alive");
    let (path, copy) = (folder.path("journal"), folder.path("copy"));
    left_behind(&path);
    fs::copy(&path, &copy).unwrap();
    let listed = run(&mut imts(&["journal", "list", &path]));
    assert!(listed.out.contains("may be under way until "), "{listed:?}");
    // The lock is free: the process that had the journal open has died.
    assert_eq!(run(&mut imts(&["journal", "resolve", &path, "1", "--as", "refused"])).code, 0);
    // The process that had the original of a copy open may be at work.
    assert_eq!(run(&mut imts(&["journal", "accept", &copy, "--reason", "restored"])).code, 0);
    let ran = run(&mut imts(&["journal", "resolve", &copy, "1", "--as", "refused", "--json"]));
    assert_eq!((ran.code, ran.error()), (10, ("in_progress".into(), "retry".into())), "{ran:?}");
    assert!(ran.out.contains(" until 20") && ran.out.contains("nothing was recorded"));
    assert_eq!(all(&copy)[0]["state"], "in_doubt");
}

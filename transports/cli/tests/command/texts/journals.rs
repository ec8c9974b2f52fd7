//! What a journal holds, and why it cannot be used.

use std::fs;
use std::process::Command;

use imts::JournalFile;
use imts::clock::{Clock, SystemClock};
use imts::journal::{Digest, Entry, Intent, Journal};
use imts::time::Wall;

use super::scenes::Scenes;
use crate::journal::journal;
use crate::{call, imts, run};

pub(super) fn shoot(scenes: &mut Scenes) {
    held(scenes);
    asked(scenes);
    unusable(scenes);
    under_way(scenes);
}

/// A journal with a call of each state; the second is in doubt.
fn fresh(scenes: &Scenes) -> String {
    drop(fs::remove_file(scenes.folder.path("journal")));
    journal(&scenes.folder)
}

fn held(scenes: &mut Scenes) {
    let path = fresh(scenes);
    let path = path.as_str();
    scenes.both("what is in doubt", || imts(&["journal", "list", path]));
    scenes.run("every call", &mut imts(&["journal", "list", path, "--all"]));
    let resolve = |id| {
        let mut command = imts(&["journal", "resolve", path, id, "--as", "refused"]);
        command.env("USER", "someone");
        command
    };
    scenes.run("a call that is not there", &mut resolve("99"));
    scenes.run("a call whose outcome is known", &mut resolve("1"));
    let open = JournalFile::open(path).unwrap();
    scenes.both("another process has it open", || {
        let mut command = resolve("2");
        command.args(["--timeout", "1s"]);
        command
    });
    scenes.run("the same, with a log", resolve("2").args(["--timeout", "1s", "-v"]));
    drop(open);
    let mut nobody = resolve("2");
    nobody.env_remove("USER").env_remove("LOGNAME").env_remove("USERNAME");
    let ran = run(&mut nobody);
    scenes.add("a call is resolved by nobody known", &nobody, &ran);
    scenes.run("it is listed", &mut imts(&["journal", "list", path, "--all"]));
    fresh(scenes);
    scenes.run("a call is resolved", &mut resolve("2"));
    scenes.run("it is listed", &mut imts(&["journal", "list", path, "--all"]));
    scenes.both("it is compacted", || imts(&["journal", "compact", path]));
    scenes.run("and listed", &mut imts(&["journal", "list", path]));
    drop(fs::remove_file(path));
    let path = &crate::compact::journal(&scenes.folder);
    let compact = || imts(&["journal", "compact", path]);
    scenes.run("a journal with many calls is compacted", &mut compact());
    scenes.run("and listed", &mut imts(&["journal", "list", path]));
    scenes.run("calls that are forgotten", compact().args(["--keep-done", "30"]));
}

fn asked(scenes: &mut Scenes) {
    let reconcile = |path: &str, with: &str| -> Command {
        imts(&["journal", "reconcile", path, "--pause", "0s", "--with", with])
    };
    let path = fresh(scenes);
    for (situation, with) in [
        ("the command answers unknown", "echo unknown"),
        ("the command answers something else", "echo perhaps"),
        ("the command fails", "exit 1"),
        ("the command prints no text", "printf '\\377'"),
    ] {
        scenes.both(situation, || reconcile(&path, with));
    }
    scenes
        .run("the command takes too long", reconcile(&path, "sleep 99").args(["--each", "200ms"]));
    scenes.run("there is no shell", reconcile(&path, "true").env("PATH", "/no/such/folder"));
    scenes.run("the command answers done", &mut reconcile(&path, "echo done"));
    let path = fresh(scenes);
    scenes.run("the command answers refused", &mut reconcile(&path, "echo refused"));
    scenes.run("no call is in doubt", &mut reconcile(&path, "echo done"));
}

fn unusable(scenes: &mut Scenes) {
    let missing = scenes.folder.path("missing");
    scenes.both("a journal that is missing", || imts(&["journal", "list", &missing]));
    let folder = scenes.folder.path("no/journal");
    let at = ["--journal", folder.as_str(), "--reference", "1", "--path", "/x"];
    let url = "https://host.invalid";
    scenes.run("a journal in a folder that is missing", &mut call(url, "confirm", &at));
    let other = scenes.folder.write("other", "something else\n");
    scenes.run("a file that is not a journal", &mut imts(&["journal", "list", &other]));
    let path = fresh(scenes);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let damaged = scenes.folder.write("damaged", &bytes);
    scenes.run("a journal that was changed", &mut imts(&["journal", "list", &damaged]));
    let copy = scenes.folder.path("copy");
    fs::copy(&path, &copy).unwrap();
    scenes.run("a copy", &mut imts(&["journal", "resolve", &copy, "2", "--as", "done"]));
    let accept = ["journal", "accept", &copy, "--reason", "restored on Monday"];
    scenes.both("a copy is accepted", || imts(&accept));
    let linked = scenes.folder.path("linked");
    fs::hard_link(&path, &linked).unwrap();
    scenes.run("a journal that has two names", &mut imts(&["journal", "compact", &path]));
}

/// Calls that may still be under way, and one whose date the calendar does not have.
fn under_way(scenes: &mut Scenes) {
    let path = scenes.folder.path("under-way");
    let mut journal = JournalFile::open(&path).unwrap();
    let now = SystemClock.now().wall;
    let hour = Wall::from_unix_micros(now.unix_micros() + 3_600_000_000);
    for (number, until) in [(1, Some(hour)), (2, None)] {
        let at = if number == 1 { now } else { Wall::from_unix_micros(i64::MAX) };
        let intent = Intent {
            operation: "confirm".to_owned(),
            scope: None,
            reference: Some(format!("ref-{number}")),
            digest: Digest(number),
            meaning: None,
            at,
            despite: None,
        };
        let id = journal.record(&Entry::Intent(intent)).unwrap();
        if number == 1 {
            journal.record(&Entry::Sending { id, at, until }).unwrap();
        }
    }
    drop(journal);
    let copy = scenes.folder.path("copy-under-way");
    fs::copy(&path, &copy).unwrap();
    let accept = ["journal", "accept", &copy, "--reason", "restored"];
    scenes.run("a copy with a call that may be under way", &mut imts(&accept));
    scenes.run("it is listed", &mut imts(&["journal", "list", &copy, "--all"]));
    scenes.both("its call is resolved too early", || {
        imts(&["journal", "resolve", &copy, "1", "--as", "done"])
    });
    let with = ["journal", "reconcile", &copy, "--pause", "0s", "--with", "echo done"];
    scenes.run("a command is asked about it", &mut imts(&with));
}

//! `imts journal reconcile`: a command's answers are written down, and nothing else is.

use std::fs;

use imts::JournalFile;

use crate::journal::{journal, states};
use crate::{Folder, Ran, imts, run};

fn reconcile(path: &str, command: &str, more: &[&str]) -> Ran {
    let args = ["journal", "reconcile", path, "--pause", "0s", "--with", command];
    run(imts(&args).args(more))
}

fn state(path: &str) -> String {
    let list = run(&mut imts(&["journal", "list", path, "--json", "--all"])).json();
    states(&list)[1].to_owned()
}

#[test]
fn an_answer_of_one_word_is_written_down() {
    for (word, state_then) in [("done", "done"), ("refused", "refused")] {
        let folder = Folder::new(&format!("reconcile-{word}"));
        let path = journal(&folder);
        let ran = reconcile(&path, &format!("echo {word}"), &[]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains("call 2 (confirm, reference ref-1): ") && ran.out.contains(word));
        assert_eq!(state(&path), state_then);
        let again = reconcile(&path, "echo refused; echo >&2 asked", &[]);
        assert_eq!((again.code, again.err.as_str()), (0, ""), "nothing is left to ask about");
        assert_eq!(state(&path), state_then);
    }
}

#[test]
fn the_command_gets_the_call_as_it_is_listed() {
    let folder = Folder::new("reconcile-stdin");
    let path = journal(&folder);
    let copy = folder.path("copy");
    let listed = run(&mut imts(&["journal", "list", &path, "--json"])).json()[0].clone();
    let ran = reconcile(&path, &format!("cat > '{copy}'; echo done"), &["--json"]);
    let told: serde_json::Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!((&told["id"], &told["answer"]), (&2.into(), &"done".into()), "{ran:?}");
    let got: serde_json::Value = serde_json::from_str(&fs::read_to_string(copy).unwrap()).unwrap();
    assert_eq!(got, listed);
}

#[test]
fn whatever_else_it_says_leaves_the_call_in_doubt() {
    let folder = Folder::new("reconcile-unknown");
    let path = journal(&folder);
    let before = fs::read(&path).unwrap();
    for command in [
        "echo unknown",
        "true",
        "echo done; exit 1",
        "echo Done",
        "echo done; echo done",
        "echo not done",
        "printf 'done\\0'",
        "printf '\\377'",
        "/no/such/command",
        "kill -9 $$",
    ] {
        let ran = reconcile(&path, command, &["--json"]);
        let (kind, recovery) = ran.error();
        assert_eq!((kind.as_str(), recovery.as_str(), ran.code), ("in_doubt", "resolve", 7));
        assert_eq!(ran.json()["error"]["in_doubt"], 1, "{ran:?}");
        assert_eq!(fs::read(&path).unwrap(), before, "{command}");
    }
}

#[test]
fn a_command_that_does_not_end_is_ended_and_the_call_stays_in_doubt() {
    let folder = Folder::new("reconcile-long");
    let path = journal(&folder);
    // The first says too little in time, the second says it and stays.
    for command in ["exec sleep 1000", "echo done; exec >&-; exec sleep 1000"] {
        let ran = reconcile(&path, command, &["--each", "300ms"]);
        assert_eq!(ran.code, 7, "{ran:?}");
        assert!(ran.out.contains("--each"), "{ran:?}");
        assert_eq!(state(&path), "in_doubt");
    }
}

#[test]
fn the_journal_is_locked_while_the_command_asks() {
    let folder = Folder::new("reconcile-lock");
    let path = journal(&folder);
    let (imts_path, found) = (env!("CARGO_BIN_EXE_imts"), folder.path("found"));
    let resolve = format!(
        "'{imts_path}' journal resolve '{path}' 2 --as refused --timeout 100ms; echo $? > '{found}'; \
         echo done"
    );
    let ran = reconcile(&path, &resolve, &[]);
    // What the inner command prints is no answer.
    assert_eq!((ran.code, state(&path).as_str()), (0, "done"), "{ran:?}");
    assert_eq!(fs::read_to_string(found).unwrap(), "12\n");
    assert_eq!(JournalFile::read(&path).unwrap().in_doubt().count(), 0);
}

#[test]
fn mistakes_are_usage_and_ask_nobody() {
    let folder = Folder::new("reconcile-mistakes");
    let path = journal(&folder);
    let missing = folder.path("missing");
    for args in [
        &["journal", "reconcile", &path][..],
        &["journal", "reconcile", &missing, "--with", "echo done"],
        &["journal", "reconcile", &path, "--with", "echo done", "--each", "0s"],
        &["journal", "reconcile", &path, "--with", "echo done", "--pause", "soon"],
    ] {
        let ran = run(imts(args).arg("--json"));
        assert_eq!((ran.code, ran.error().0.as_str()), (2, "usage"), "{ran:?}");
    }
    assert_eq!(state(&path), "in_doubt");
    assert!(fs::metadata(missing).is_err());
}

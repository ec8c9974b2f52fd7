//! What is wrong on the command line, in each form that the parser of arguments has.

use super::scenes::Scenes;
use crate::imts;

pub(super) fn shoot(scenes: &mut Scenes) {
    scenes.run("no command", &mut imts(&[]));
    scenes.run("no command of the journal", &mut imts(&["journal"]));
    let cases: [(&str, &[&str]); 33] = [
        ("no command, for a script", &["--json"]),
        ("a command that does not exist", &["tokn"]),
        ("an option that does not exist", &["token", "--agent-secret", "x"]),
        ("an option that does not exist and is like no other", &["token", "--qqq"]),
        ("an argument without its option", &["token", "x"]),
        ("an argument that is missing", &["call"]),
        ("two arguments that are missing", &["journal", "resolve"]),
        ("an option that is missing", &["journal", "accept", "journal"]),
        ("an option without its value", &["token", "--timeout"]),
        ("an option twice", &["token", "--base-url", "a", "--base-url", "b"]),
        ("an option that needs another", &["call", "confirm", "--resend-despite", "1"]),
        ("a reason without what it is for", &["call", "confirm", "--reason", "x"]),
        ("a value that is not one of the list", &["token", "--transport", "curl"]),
        ("a time that is not one", &["token", "--timeout", "soon"]),
        ("a time without a unit", &["token", "--timeout", "10"]),
        ("no time at all", &["token", "--timeout", "0s"]),
        ("a number that is not one", &["journal", "resolve", "journal", "x", "--as", "done"]),
        ("a limit of nothing", &["call", "fees", "--reply-limit", "0"]),
        ("a blank reason", &["journal", "accept", "journal", "--reason", " "]),
        (
            "a pause that is not one",
            &["journal", "reconcile", "j", "--with", "x", "--pause", "soon"],
        ),
        ("no days", &["journal", "compact", "journal", "--keep-done", "0"]),
        ("days below zero", &["journal", "compact", "journal", "--keep-done", "-1"]),
        ("no command to ask with", &["journal", "reconcile", "journal", "--with", ""]),
        ("a password in a journal's address", &["journal", "list", "postgres://a:b@host/x"]),
        ("a journal's address that cannot be read", &["journal", "list", "postgres://host:x"]),
        ("tables for a file", &["journal", "migrate", "journal"]),
        ("a database that does not answer", &["journal", "list", "postgres://a@127.0.0.1:1/x"]),
        ("a folder that is a file", &["man", "Cargo.toml"]),
        ("days with a unit", &["journal", "compact", "journal", "--keep-done", "30d"]),
        ("a host with a port", &["sandbox", "--host", "127.0.0.1:80"]),
        ("a port that is not one", &["sandbox", "--port", "99999"]),
        ("a lifetime that is too short", &["sandbox", "--lifetime", "100ms"]),
        ("a lifetime that is too long", &["sandbox", "--lifetime", "200years"]),
    ];
    for (situation, args) in cases {
        scenes.run(situation, &mut imts(args));
    }
    let not_text = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff\xfe");
    let not_text: &std::ffi::OsStr = not_text;
    scenes.run("a value that is not UTF-8", imts(&["token", "--base-url"]).arg(not_text));
    scenes.run("an argument that is not UTF-8", imts(&["token"]).arg(not_text));
    scenes.run("a command that is not UTF-8", imts(&[]).arg(not_text));
    scenes.run("for a script", &mut imts(&["token", "--json", "--no-such-flag"]));
}

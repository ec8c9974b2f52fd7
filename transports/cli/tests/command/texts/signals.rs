//! A signal to each command, while it waits for something.

use std::fs::OpenOptions;
use std::process::Command;

use imts_sandbox::GET_TOKEN_PATH;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::scenes::{Scenes, plain};
use crate::journal::journal;
use crate::journal_lock::waiting;
use crate::running::{Holding, Running};
use crate::{AGENT, SECRET, call, imts, token};

const HTTPS: &str = "https://host.invalid";

pub(super) fn shoot(scenes: &mut Scenes) {
    at_a_pipe(scenes);
    at_the_service(scenes);
    at_the_journal(scenes);
}

/// Ends a running command by SIGTERM, and keeps what it said.
fn end(scenes: &mut Scenes, situation: &str, running: Running) {
    running.signal(Signal::SIGTERM);
    let mut command = Command::new("imts");
    command.args(running.command.get_args());
    let ran = running.end();
    scenes.add(situation, &command, &ran);
}

fn start(command: &mut Command) -> Running {
    let mut owned = Command::new(command.get_program());
    owned.args(command.get_args());
    for (name, value) in plain(command).get_envs() {
        match value {
            Some(value) => owned.env(name, value),
            None => owned.env_remove(name),
        };
    }
    Running::start(owned)
}

fn at_a_pipe(scenes: &mut Scenes) {
    let pipe = scenes.folder.path("pipe");
    mkfifo(pipe.as_str(), Mode::S_IRWXU).unwrap();
    let file = ["--service-file", pipe.as_str()];
    let mut commands = [
        ("before a token", token(HTTPS, &file)),
        ("before a watch", imts(&["watch", "--base-url", HTTPS, file[0], file[1]])),
        ("before the operations", imts(&["operations", file[0], file[1]])),
        ("before a sandbox", imts(&["sandbox", file[0], file[1]])),
        ("before a call is known", call(HTTPS, "confirm", &file)),
    ];
    for (situation, command) in &mut commands {
        let running = start(command);
        // It has the pipe open once this is through.
        let held = OpenOptions::new().write(true).open(&pipe).unwrap();
        end(scenes, situation, running);
        drop(held);
    }
    let running = start(imts(&["operations", "--json"]).args(file));
    let held = OpenOptions::new().write(true).open(&pipe).unwrap();
    end(scenes, "for a script", running);
    drop(held);
}

fn at_the_service(scenes: &mut Scenes) {
    let service = scenes.folder.service_file();
    let flags = ["--service-file", service.as_str()];
    for (situation, path, operation, more) in [
        ("during the sign-in of a call that moves money", GET_TOKEN_PATH, "confirm", &[][..]),
        ("a call that moves money is on its way", "/confirm-example", "confirm", &[]),
        ("one with a reference", "/confirm-example", "confirm", &["--reference", "17"]),
        ("one for a script", "/confirm-example", "confirm", &["--json"]),
        ("a call that reads is on its way", "/report", "daily-report", &[]),
    ] {
        let holding = Holding::new(path);
        let running = start(call(&holding.front.url(), operation, &flags).args(more));
        holding.wait();
        end(scenes, situation, running);
    }
    let holding = Holding::new(GET_TOKEN_PATH);
    let exec = ["exec", "--plain-http", "--base-url", &holding.front.url(), "--", "true"];
    let mut exec = imts(&exec);
    let running = start(exec.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET));
    holding.wait();
    end(scenes, "before a command begins", running);
    let demo = super::sessions::Going::start(&mut imts(&["demo"]));
    demo.line_with("sandbox at");
    demo.signal(Signal::SIGTERM);
    let err = demo.end().1;
    scenes.note("a demo", &format!("$ imts demo\n! {err}"));
}

fn at_the_journal(scenes: &mut Scenes) {
    let path = journal(&scenes.folder);
    let held = imts::JournalFile::open(&path).unwrap();
    for (situation, args) in [
        ("a call is to be resolved", &["journal", "resolve", &path, "2", "--as", "done"][..]),
        ("a journal is to be compacted", &["journal", "compact", &path]),
        ("calls are to be asked about", &["journal", "reconcile", &path, "--with", "echo done"]),
    ] {
        let mut command = imts(args);
        command.args(["--timeout", "60s", "--json"]);
        end(scenes, situation, waiting(command));
    }
    drop(held);
}

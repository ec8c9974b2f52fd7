//! Commands that get a token, what `--quiet` leaves, completion and man pages.

use std::process::Command;

use imts_sandbox::{Front, Sandbox};

use super::scenes::Scenes;
use crate::{AGENT, SECRET, imts, token};

pub(super) fn shoot(scenes: &mut Scenes) {
    let front = Front::start(Sandbox::default()).unwrap();
    let url = front.url();
    let exec = |options: &[&str], command: &[&str]| -> Command {
        let mut imts = imts(&["exec", "--plain-http", "--base-url", &url]);
        imts.args(options).args(command);
        imts.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
        imts
    };
    scenes.run("the header line for curl", &mut token(&url, &["--header"]));
    scenes.run(
        "a command that has its own exit code",
        &mut exec(&[], &["--", "sh", "-c", "exit 33"]),
    );
    scenes.run("its header line", &mut exec(&[], &["--", "sed", "s/[^ ]*$/TOKEN/", "/dev/fd/3"]));
    scenes.run("a program that is not there", &mut exec(&[], &["--", "imts-no-such-program"]));
    scenes.run("a folder as a program", &mut exec(&[], &["--", "/etc"]));
    scenes.run("no command", &mut exec(&[], &[]));
    scenes.run("a command without --", &mut exec(&[], &["curl"]));
    scenes.run("a variable with its value", &mut exec(&["--env", "TOKEN=x"], &["--", "true"]));
    scenes.run("the variable PATH", &mut exec(&["--env", "PATH"], &["--", "true"]));
    scenes.run("a descriptor of stderr", &mut exec(&["--fd", "2"], &["--", "true"]));
    let both = ["--env", "TOKEN", "--fd", "4"];
    scenes.run("a variable and a descriptor", &mut exec(&both, &["--", "true"]));
    let wrong = &mut exec(&[], &["--", "true"]);
    scenes.run("a secret that is refused", wrong.env("IMTS_AGENT_SECRET", "another"));
    let mut taken = Command::new("sh");
    taken.args(["-c", "exec 3</dev/null; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_imts")]);
    taken.args(["exec", "--plain-http", "--base-url", &url, "--", "true"]);
    let ran = crate::run(taken.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET));
    scenes.note(
        "a descriptor that is in use",
        &format!("$ imts exec -- true\n! {}exit {}\n", ran.err, ran.code),
    );
    scenes.run("a token, quietly", &mut token(&url, &["--quiet"]));
    scenes.run("quiet and verbose", &mut token(&url, &["--quiet", "-v"]));
    scenes.run("a shell that there is no script for", &mut imts(&["completions", "tcsh"]));
    let mut asked = imts(&["--", "imts", "call", "conf"]);
    scenes.run("an answer to fish", asked.env("IMTS_COMPLETE", "fish"));
    let (folder, nowhere) = (scenes.folder.path(""), scenes.folder.path("nowhere"));
    scenes.run("man pages", &mut imts(&["man", &folder]));
    scenes.run("man pages into no folder", &mut imts(&["man", &nowhere]));
}

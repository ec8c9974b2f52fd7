//! Colors: on a terminal alone, unless it was said otherwise, and never in JSON.

use std::process::Command;

use imts_sandbox::{Front, Sandbox};

use crate::{Folder, Ran, imts, run, token};

const ESCAPE: char = '\u{1b}';

/// The command without what says whether to color, however these tests are run.
fn bare(mut command: Command) -> Command {
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "CI"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm");
    command
}

fn is_colored(ran: &Ran) -> bool {
    ran.out.contains(ESCAPE) || ran.err.contains(ESCAPE)
}

#[test]
fn what_is_no_terminal_gets_colors_only_when_they_are_asked_for() {
    let front = Front::start(Sandbox::default()).unwrap();
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], bool);
    let cases: [Case<'_>; 11] = [
        (&[], &[], false),
        (&["--color", "auto"], &[], false),
        (&["--color", "always"], &[], true),
        (&["--color=always"], &[], true),
        (&["--color", "never"], &[], false),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("CLICOLOR_FORCE", "")], false),
        (&[], &[("NO_COLOR", "1")], false),
        (&[], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&["--color", "always"], &[("NO_COLOR", "1")], true),
    ];
    for (flags, variables, colored) in cases {
        let good = || token(&front.url(), flags);
        let wrong = || {
            let mut command = token(&front.url(), flags);
            command.env("IMTS_AGENT_SECRET", "another");
            command
        };
        let mistake = || {
            let mut command = imts(&["token", "--qqq"]);
            command.args(flags);
            command
        };
        let help = || {
            let mut command = imts(&["token"]);
            command.args(flags).arg("--help");
            command
        };
        for (make, code) in
            [(&good as &dyn Fn() -> Command, 0), (&wrong, 3), (&mistake, 2), (&help, 0)]
        {
            let mut command = bare(make());
            let ran = run(command.envs(variables.iter().copied()));
            assert_eq!(ran.code, code, "{ran:?}");
            assert_eq!(is_colored(&ran), colored, "{flags:?} {variables:?}: {ran:?}");
        }
    }
}

#[test]
fn json_and_what_a_program_reads_are_never_colored() {
    let front = Front::start(Sandbox::default()).unwrap();
    let url = front.url();
    let always = ["--color", "always"];
    let folder = Folder::new("color-json");
    let fees = r#"{"originator_type":"person","target_country":"UZB","amount_source":15.4,"currency_source":"KZT","currency_target":"UZS"}"#;
    let mut refused = token(&url, &["--json"]);
    refused.env("IMTS_AGENT_SECRET", "another");
    for command in [
        token(&url, &["--json"]),
        token(&url, &["--header"]),
        token(&url, &["--show"]),
        refused,
        crate::call(&url, "fees", &["-d", fees]),
        crate::call(&url, "fees", &["-d", fees, "--json"]),
        imts(&["operations", "--json"]),
        imts(&["demo", "--json"]),
        imts(&["token", "--json", "--qqq"]),
        imts(&["completions", "bash"]),
        imts(&["man", &folder.path("")]),
    ] {
        let mut command = bare(command);
        let ran = run(command.args(always).env("CLICOLOR_FORCE", "1"));
        assert!(!is_colored(&ran), "{command:?}: {ran:?}");
    }
}

#[test]
fn after_two_dashes_color_is_of_the_command() {
    let ran = run(&mut bare(imts(&["exec", "--", "ls", "--color", "always"])));
    assert_eq!(ran.code, 125);
    assert!(!is_colored(&ran), "{ran:?}");
}

#[test]
fn an_unknown_outcome_has_another_color_than_a_failure() {
    let front = crate::faulty("confirm", crate::lost(imts_sandbox::Position::AfterApply));
    let folder = Folder::new("color-unknown");
    let service = folder.service_file();
    let flags = ["--service-file", &service, "-d", "client_uuid=17", "--color", "always"];
    let unknown = run(&mut crate::call(&front.url(), "confirm", &flags));
    let failed = run(&mut crate::call(&front.url(), "confrim", &flags));
    assert_eq!((unknown.code, failed.code), (6, 2));
    let paint = |ran: &Ran| ran.err.split_once("error:").unwrap().0.to_owned();
    assert!(
        paint(&unknown).contains("33m") && paint(&failed).contains("31m"),
        "{unknown:?} {failed:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_terminal_gets_colors_and_a_pipe_beside_it_none() {
    use std::fs::File;
    use std::io::Read;
    use std::process::Stdio;

    let front = Front::start(Sandbox::default()).unwrap();
    let shown = |no_color: bool, secret: &str| {
        let terminal = nix::pty::openpty(None, None).unwrap();
        let mut command = bare(token(&front.url(), &[]));
        if no_color {
            command.env("NO_COLOR", "1");
        }
        command.env("IMTS_AGENT_SECRET", secret);
        let child = command.stdout(Stdio::from(terminal.slave)).stderr(Stdio::piped());
        let child = child.spawn().unwrap();
        drop(command);
        let (mut screen, mut seen, mut piece) =
            (File::from(terminal.master), String::new(), [0; 4_096]);
        // A terminal whose other end is closed is an error on Linux.
        while let Ok(length @ 1..) = screen.read(&mut piece) {
            seen.push_str(std::str::from_utf8(&piece[..length]).unwrap());
        }
        let output = child.wait_with_output().unwrap();
        (seen, String::from_utf8(output.stderr).unwrap())
    };
    let (seen, _) = shown(false, crate::SECRET);
    assert!(seen.contains("\u{1b}[1m\u{1b}[32msigned in\u{1b}[0m"), "{seen:?}");
    let (seen, _) = shown(true, crate::SECRET);
    assert!(seen.contains("signed in") && !seen.contains(ESCAPE), "{seen:?}");
    let (_, err) = shown(false, "another");
    assert!(err.starts_with("error: "), "stderr is a pipe: {err:?}");
}

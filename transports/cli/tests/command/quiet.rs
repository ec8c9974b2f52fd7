//! `--quiet`: results and errors stay, progress and notes go.

use imts_sandbox::{Front, Position, Sandbox};

use crate::{Folder, call, faulty, imts, lost, run, token};

#[test]
fn the_demo_prints_its_last_line_alone() {
    let ran = run(&mut imts(&["demo", "--quiet"]));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
    assert!(ran.out.starts_with("All 12 steps as promised"), "{ran:?}");
}

#[test]
fn a_token_is_reported_without_the_note_and_json_does_not_change() {
    let front = Front::start(Sandbox::default()).unwrap();
    let (loud, quiet) =
        (run(&mut token(&front.url(), &[])), run(&mut token(&front.url(), &["-q"])));
    assert!(quiet.out.starts_with("signed in") && !quiet.out.contains("--show"), "{quiet:?}");
    assert_eq!(quiet.out.lines().count() + 1, loud.out.lines().count());
    let json = run(&mut token(&front.url(), &["-q", "--json"])).json();
    assert_eq!(json.as_object().unwrap().len(), 4, "{json}");
    let shown = run(&mut token(&front.url(), &["-q", "--header"]));
    assert!(shown.out.starts_with("Authorization: Bearer "), "{shown:?}");
}

#[test]
fn an_error_an_outcome_and_what_to_do_next_stay() {
    let folder = Folder::new("quiet");
    let (service, journal) = (folder.service_file(), folder.path("journal"));
    let front = faulty("confirm", lost(Position::AfterApply));
    let send = |more: &[&str]| {
        let mut command = call(&front.url(), "confirm", &["--service-file", &service]);
        command.args(["-d", "client_uuid=17", "--reference", "17"]).args(more);
        run(&mut command)
    };
    let (loud, quiet) = (send(&[]), send(&["--quiet"]));
    assert_eq!((loud.code, &loud.out, &loud.err), (quiet.code, &quiet.out, &quiet.err));
    assert_eq!(quiet.code, 6);
    assert_eq!(send(&["--journal", &journal, "-q"]).code, 6);
    let listed = run(&mut imts(&["journal", "list", &journal, "-q"]));
    assert_eq!(listed.out, run(&mut imts(&["journal", "list", &journal])).out);
    front.sandbox().set_faults(Vec::new());
    let done = run(&mut call(&front.url(), "confirm", &["--service-file", &service, "-q"]));
    assert_eq!((done.code, done.out.as_str()), (0, "{}\n"), "the reply is the result: {done:?}");
}

#[test]
fn quiet_and_verbose_together_are_a_mistake() {
    let ran = run(&mut imts(&["operations", "-q", "-v"]));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--quiet") && ran.err.contains("--verbose"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_sandbox_prints_its_url_and_a_watch_only_failures_and_the_end() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Child, Command, Stdio};

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    fn start(command: &mut Command) -> (Child, BufReader<std::process::ChildStdout>) {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        (child, out)
    }
    let next = |out: &mut BufReader<_>| {
        let mut line = String::new();
        BufReader::<std::process::ChildStdout>::read_line(out, &mut line).unwrap();
        line.trim_end().to_owned()
    };
    let end = |child: &mut Child, out: &mut BufReader<std::process::ChildStdout>| {
        kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        rest
    };
    let (mut sandbox, mut served) = start(&mut imts(&["sandbox", "-q", "--lifetime", "2s"]));
    let url = next(&mut served);
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    let watch = ["watch", "-q", "--plain-http", "--base-url", &url];
    let mut watch = imts(&watch);
    watch.env("IMTS_AGENT_ID", crate::AGENT).env("IMTS_AGENT_SECRET", crate::SECRET);
    let (mut watching, mut watched) = start(&mut watch);
    // A sign-in and a renewal come before the service is gone.
    let signed = run(&mut token(&url, &[]));
    assert_eq!(signed.code, 0, "{signed:?}");
    assert_eq!(end(&mut sandbox, &mut served), "");
    let failure = next(&mut watched);
    assert!(failure.contains("could not be reached"), "{failure}");
    let rest = end(&mut watching, &mut watched);
    let last = rest.lines().last().unwrap();
    assert!(last.contains("interrupted; tokens in all: "), "{rest}");
    let words = ["signed in", "renewed", "watching", "expiring", "expired"];
    assert!(words.iter().all(|word| !rest.contains(word)), "{rest}");
}

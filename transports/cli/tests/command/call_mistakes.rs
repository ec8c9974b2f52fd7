//! What a person gets wrong in `imts call`: told as usage, and nothing is sent.

use imts_sandbox::{Front, Sandbox};

use crate::{Folder, Ran, call, imts, run, run_with_stdin};

fn assert_usage(ran: &Ran, words: &str) {
    assert_eq!(ran.error(), ("usage".into(), "fix".into()), "{words}: {ran:?}");
    assert_eq!(ran.code, 2, "{words}");
    assert!(ran.json()["error"]["message"].as_str().unwrap().contains(words), "{words}: {ran:?}");
}

#[test]
fn a_mistake_is_usage_its_message_says_what_to_do_and_nothing_is_sent() {
    let front = Front::start(Sandbox::default()).unwrap();
    let folder = Folder::new("call-mistakes");
    let missing = format!("@{}", folder.path("missing.json"));
    let text = format!("@{}", folder.service_file());
    let long = format!("@{}", folder.write("long.json", vec![b' '; 1_048_577]));
    let no_text = format!("@{}", folder.write("no-text.json", b"\xff"));
    let wrong = folder.write("wrong.toml", "version = 1\n[operation.confirm]\npth = 1\n");
    let path = ["--path", "/x"];
    let cases: [(&str, &[&str], &str); 21] = [
        ("confrim", &[], "Did you mean `confirm`?"),
        ("Create_Transfer", &[], "Did you mean `create-transfer`?"),
        ("transfer", &[], "Did you mean `create-transfer`?"),
        ("person", &[], "`create-person` or `get-person-info`?"),
        ("weather", &path, "imts operations"),
        ("weather", &path, "--service-file FILE"),
        ("confirm", &[], "the path of `confirm` is unknown"),
        ("confirm", &[], "--path"),
        ("confirm", &[], "[operation.confirm]"),
        ("confirm", &["--path", "x"], "--path cannot be used"),
        ("confirm", &["--path", "/x/../y"], "--path cannot be used"),
        ("fees", &["-d", "{\n  \"a\": }"], "line 2, column 8"),
        ("fees", &["-d", "service.toml"], "@FILE"),
        ("fees", &["-d", ""], "it is blank"),
        ("fees", &["-d", &missing], "missing.json"),
        ("fees", &["-d", &text], "not JSON"),
        ("fees", &["-d", &long], "longer than 1048576 bytes"),
        ("fees", &["-d", &no_text], "not UTF-8"),
        ("fees", &["-d", "-", "--secret-file", "-"], "stdin"),
        ("fees", &["--service-file", &wrong], "line 3"),
        ("fees", &["--service-file", "/no/such"], "/no/such"),
    ];
    for (operation, flags, words) in cases {
        let ran = run(call(&front.url(), operation, flags).arg("--json"));
        assert_usage(&ran, words);
    }
    let ran = run_with_stdin(&mut call(&front.url(), "fees", &["--json", "-d", "-"]), "{,}");
    assert_usage(&ran, "line 1, column 2");
    assert!(front.log().is_empty());
}

#[test]
fn an_operation_is_looked_at_before_anything_else_is_asked_for() {
    assert_usage(&run(&mut imts(&["call", "confrim", "--json"])), "`confirm`");
    assert_usage(&run(&mut imts(&["call", "fees", "--json"])), "--base-url");
    assert_usage(&run(&mut imts(&["call", "--json"])), "<OPERATION>");
}

#[test]
fn what_yields_tokens_is_not_called_whatever_its_name() {
    let front = Front::start(Sandbox::default()).unwrap();
    for operation in ["get-token", "refresh-token"] {
        assert_usage(&run(&mut call(&front.url(), operation, &["--json"])), "imts token");
    }
    for path in [imts_sandbox::GET_TOKEN_PATH, imts_sandbox::REFRESH_PATH] {
        let ran = run(&mut call(&front.url(), "status", &["--json", "--path", path]));
        assert_usage(&ran, "tokens");
    }
    assert!(front.log().is_empty());
}

#[test]
fn what_was_typed_is_not_repeated() {
    let front = Front::start(Sandbox::default()).unwrap();
    for args in [
        &["4400430012345678"][..],
        &["fees", "4400430012345678"],
        &["fees", "-d", "4400430012345678 "],
        &["fees", "-d", "{\"pan\":4400430012345678"],
        &["confirm", "--path", "4400430012345678"],
    ] {
        for json in [&["--json"][..], &[]] {
            let ran = run(call(&front.url(), args[0], &args[1..]).args(json));
            let told = format!("{}{}", ran.out, ran.err);
            assert!(ran.code > 0 && !told.contains("4400430012345678"), "{args:?}: {ran:?}");
        }
    }
}

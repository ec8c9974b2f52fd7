//! What a person is advised to do stands below the error on stderr, and in the field `advice` with
//! `--json`.

use std::process::Command;

use imts_sandbox::{Front, Position, Sandbox};

use crate::{Folder, SERVICE_FILE, call, faulty, lost, run, token};

/// Runs a command both ways, and returns the advice of its error.
#[track_caller]
fn advice(command: impl Fn() -> Command) -> Option<String> {
    let plain = run(&mut command());
    let json = run(command().arg("--json"));
    assert_eq!(plain.code, json.code, "{plain:?} {json:?}");
    let lines: Vec<_> = plain.err.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    let shown = (!lines.is_empty()).then(|| lines.join("\n"));
    let error = &json.json()["error"];
    let field = error.get("advice").map(|advice| advice.as_str().unwrap().to_owned());
    assert_eq!(field, shown, "{plain:?} {json:?}");
    field
}

/// A service that answers a sign-in so.
fn answering(status: u16, body: &'static str) -> Front {
    let front = Front::builder(Sandbox::default());
    front
        .handler(move |_, _, _| {
            let response = http::Response::builder().status(status);
            response.header("content-type", "application/json").body(body.into()).unwrap()
        })
        .start()
        .unwrap()
}

#[test]
fn a_refusal_of_a_sign_in_has_the_same_advice_in_json_and_it_is_by_what_was_said() {
    for (status, body, words) in [
        (403, r#"{"message":"IP 10.0.0.1 not allowed"}"#, "this machine's address"),
        (429, "{}", "Send requests less often"),
        (401, "{}", "Check the agent id and the secret"),
        (503, "{}", "Try again later"),
    ] {
        let front = answering(status, body);
        let advice = advice(|| token(&front.url(), &[])).unwrap();
        assert!(advice.contains(words), "{status}: {advice}");
    }
}

#[test]
fn each_end_of_a_call_has_the_same_advice_in_json() {
    let folder = Folder::new("advice");
    let service = folder.service_file();
    let flags = |more: &[&str]| -> Vec<String> {
        let own = ["--service-file", service.as_str(), "-d", r#"{"client_uuid":"17"}"#];
        own.iter().chain(more).map(|&flag| flag.to_owned()).collect()
    };
    let confirm = |front: &Front, more: &[&str]| {
        let (url, flags) = (front.url(), flags(more));
        move || {
            let mut command = call(&url, "confirm", &[]);
            command.args(&flags);
            command
        }
    };
    let front = faulty("confirm", lost(Position::AfterApply));
    let unknown = advice(confirm(&front, &[])).unwrap();
    assert!(unknown.contains("--journal FILE"), "{unknown}");
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    let long = advice(confirm(&front, &["--reply-limit", "5"])).unwrap();
    assert_eq!(long.lines().count(), 2, "{long}");
    assert!(long.contains("--reply-limit"), "{long}");
    let journal = folder.path("journal");
    let named = ["--journal", &journal, "--reference", "17"];
    let front = faulty("confirm", lost(Position::AfterApply));
    let mut first = confirm(&front, &named)();
    assert_eq!(run(&mut first).code, 6);
    let in_doubt = advice(confirm(&front, &named)).unwrap();
    assert!(in_doubt.contains("imts journal resolve"), "{in_doubt}");
    let reference = advice(confirm(&front, &["--journal", &journal])).unwrap();
    assert!(reference.contains("--reference ID"), "{reference}");
}

#[test]
fn an_error_without_advice_has_no_such_field() {
    assert_eq!(advice(|| token("http://host.example", &[])), None);
    let nobody = advice(|| token("http://127.0.0.1:1", &[])).unwrap();
    assert!(nobody.contains("Check that the service runs"), "{nobody}");
}

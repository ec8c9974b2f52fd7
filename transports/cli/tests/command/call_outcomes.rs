//! `imts call`: kinds, exit codes and what to do next, for each outcome.

use std::time::Duration;

use imts_sandbox::{Delivery, Fault, Front, Outage, Position, Rule, Sandbox, Verdict};
use serde_json::Value;

use crate::{Folder, Ran, SERVICE_FILE, TRANSPORTS, call, faulty, lost, run, token};

/// How many requests for this reached the service.
fn seen(front: &Front, operation: &str) -> usize {
    front.sandbox().count(operation.parse().unwrap())
}

fn assert_error(ran: &Ran, kind: &str, recovery: &str, code: i32) {
    assert_eq!(ran.error(), (kind.into(), recovery.into()), "{ran:?}");
    assert_eq!(ran.code, code, "{ran:?}");
}

#[test]
fn what_an_answer_means_is_told_by_kind_and_exit_code() {
    let folder = Folder::new("call-kinds");
    let service = folder.service_file();
    let status = |status| Fault::Status { status, retry_after_s: None };
    let text = |text: &str| Fault::Body { text: text.to_owned() };
    // The outcome of a money call, then of a read. The service gets the money call once.
    let table = [
        (status(422), ("refused", "fix", 3), ("refused", "fix", 3)),
        (status(404), ("refused", "fix", 3), ("refused", "fix", 3)),
        (status(403), ("refused", "sign_in", 3), ("refused", "sign_in", 3)),
        (text(r#"{"state":false}"#), ("refused", "fix", 3), ("refused", "fix", 3)),
        (status(503), ("unknown", "resolve", 6), ("unexpected", "retry", 4)),
        (status(302), ("unknown", "resolve", 6), ("unexpected", "report", 4)),
        (status(401), ("unknown", "resolve", 6), ("refused", "sign_in", 3)),
        (Fault::Html { status: 200 }, ("unknown", "resolve", 6), ("unexpected", "report", 4)),
        (text("{"), ("unknown", "resolve", 6), ("malformed", "report", 4)),
        (lost(Position::BeforeApply), ("unknown", "resolve", 6), ("transport", "retry", 5)),
        (lost(Position::MidBody), ("unknown", "resolve", 6), ("transport", "retry", 5)),
    ];
    for (place, (fault, money, read)) in table.into_iter().enumerate() {
        let transport = TRANSPORTS[place % 2];
        for (operation, (kind, recovery, code)) in [("confirm", money), ("daily-report", read)] {
            let front = faulty(operation, fault.clone());
            let flags = ["--service-file", &service, "--json", "--transport", transport];
            let ran = run(&mut call(&front.url(), operation, &flags));
            assert_error(&ran, kind, recovery, code);
            if operation == "confirm" {
                assert_eq!(seen(&front, operation), 1, "{fault:?}");
            }
        }
    }
}

#[test]
fn a_path_of_ones_own_leaves_the_class_as_it_is() {
    let front = faulty("confirm", Fault::Status { status: 503, retry_after_s: None });
    let flags = ["--path", "/v5/partner/transfer/confirm-example", "--json"];
    assert_error(&run(&mut call(&front.url(), "confirm", &flags)), "unknown", "resolve", 6);
    assert_eq!(seen(&front, "confirm"), 1);
    assert_eq!(run(&mut call(&front.url(), "status", &flags)).error().0, "unexpected");
}

#[test]
fn an_unknown_outcome_says_what_to_ask_and_for_what_and_money_left_once() {
    let folder = Folder::new("call-unknown");
    let service = folder.service_file();
    for transport in TRANSPORTS {
        let front = faulty("confirm", lost(Position::AfterApply));
        let flags = ["--service-file", &service, "--transport", transport, "--reference", "ref 17"];
        let flags = [&flags[..], &["-d", r#"{"client_uuid":"17"}"#]].concat();
        let ran = run(call(&front.url(), "confirm", &flags).arg("--json"));
        assert_error(&ran, "unknown", "resolve", 6);
        let error = &ran.json()["error"];
        assert_eq!(
            (&error["operation"], &error["reference"]),
            (&"confirm".into(), &"ref 17".into())
        );
        assert!(error["sent_at"].as_str().unwrap().ends_with("+00:00"), "{error}");
        assert_eq!(error["digest"].as_str().unwrap().len(), 16, "{error}");
        let words = error["message"].as_str().unwrap();
        assert!(words.contains("status, info or search") && words.contains("ref 17"), "{words}");
        assert_eq!((seen(&front, "confirm"), seen(&front, "get_token")), (1, 1));
        let applied = front.sandbox().ledger().applied("confirm".parse().unwrap(), "17");
        assert_eq!(applied, 1);
        let people = run(&mut call(&front.url(), "confirm", &flags));
        assert!(people.err.contains("status, info or search"), "{people:?}");
        assert!(people.err.contains("do not send it again"), "{people:?}");
        assert_eq!((people.code, people.out.as_str()), (6, ""));
    }
}

#[test]
fn what_is_in_doubt_in_the_journal_is_not_sent_again_until_it_is_resolved() {
    let folder = Folder::new("call-doubt");
    let service = folder.service_file();
    for transport in TRANSPORTS {
        let journal = folder.path(transport);
        let front = faulty("create-transfer", lost(Position::BeforeApply));
        let uuid = "6f1a2b3c-0d4e-4f5a-8b6c-7d8e9f0a1b2c";
        let of = |uuid: &str| format!(r#"{{"client_uuid":"{uuid}"}}"#);
        let send = |data: &str| {
            let flags =
                ["--service-file", &service, "--transport", transport, "--journal", &journal];
            run(call(&front.url(), "create-transfer", &flags).args(["--json", "-d", data]))
        };
        let first = send(&of(uuid));
        assert_error(&first, "unknown", "resolve", 6);
        let error = &first.json()["error"];
        assert_eq!((&error["journal_id"], &error["reference"]), (&1.into(), &uuid.into()));
        // The same transfer, written in another way.
        let second = send(&format!(r#"{{"client_uuid": "{uuid}"}}"#));
        assert_error(&second, "in_doubt", "resolve", 7);
        assert_eq!(second.json()["error"]["journal_id"], 1);
        assert!(second.out.contains("nothing was sent"), "{second:?}");
        assert_eq!(seen(&front, "create-transfer"), 1);
        // Another one is another one.
        send(&of("6f1a2b3c-0d4e-4f5a-8b6c-7d8e9f0a1b2d"));
        assert_eq!(seen(&front, "create-transfer"), 2);
        let resolve = ["journal", "resolve", &journal, "1", "--as", "refused"];
        assert_eq!(run(&mut crate::imts(&resolve)).code, 0);
        front.sandbox().set_faults(Vec::new());
        let third = send(&of(uuid));
        assert_eq!((third.code, &third.json()["outcome"]), (0, &"done".into()), "{third:?}");
        assert_eq!(front.sandbox().ledger().applied_twice().count(), 0);
    }
}

#[test]
fn what_is_kept_in_a_journal_needs_a_reference_and_bytes_are_none() {
    let folder = Folder::new("call-bytes");
    let (service, journal) = (folder.service_file(), folder.path("journal"));
    let front = faulty("confirm", lost(Position::AfterApply));
    let send = |data: &str, more: &[&str]| {
        let flags = ["--service-file", &service, "--journal", &journal, "-d", data];
        run(call(&front.url(), "confirm", &flags).args(more))
    };
    let unnamed = send(r#"{"id":1}"#, &["--json"]);
    assert_error(&unnamed, "no_reference", "fix", 11);
    assert!(unnamed.out.contains("nothing was sent"), "{unnamed:?}");
    assert!(send(r#"{"id":1}"#, &[]).err.contains("--reference"));
    assert_eq!(seen(&front, "confirm"), 0);
    let reference = ["--reference", "a"];
    assert_eq!((send(r#"{"id":1,"b":2}"#, &reference).code, seen(&front, "confirm")), (6, 1));
    // The same in other bytes, and another request under its name.
    assert_eq!(send(r#"{"b": 2, "id": 1}"#, &reference).code, 7);
    assert_eq!(send(r#"{"id":2,"b":2}"#, &reference).code, 9);
    assert_eq!(seen(&front, "confirm"), 1);
    let resolve = ["journal", "resolve", &journal, "1", "--as", "done"];
    assert_eq!(run(&mut crate::imts(&resolve)).code, 0);
    assert_eq!(send(r#"{"id":1,"b":2}"#, &reference).code, 8);
    assert_eq!(send(r#"{"id":2,"b":2}"#, &reference).code, 9);
    assert_eq!(seen(&front, "confirm"), 1);
}

#[test]
fn the_timeout_bounds_the_whole_command() {
    let folder = Folder::new("call-timeout");
    let service = folder.service_file();
    for transport in TRANSPORTS {
        for (operation, kind, code) in [("confirm", "unknown", 6), ("daily-report", "timed_out", 5)]
        {
            // Longer, where the machine is too busy to bring the call to the service in that.
            let heard = ["2s", "15s", "60s"].into_iter().any(|timeout| {
                let front = faulty(operation, Fault::Delivery(Delivery::Stalled));
                let flags = ["--service-file", &service, "--timeout", timeout, "--json"];
                let by = ["--transport", transport];
                let ran = run(call(&front.url(), operation, &flags).args(by));
                assert!(ran.took < Duration::from_secs(110), "{ran:?}");
                if seen(&front, operation) == 0 {
                    return false;
                }
                assert_eq!((ran.error().0.as_str(), ran.code), (kind, code), "{ran:?}");
                // One try takes all the time that there is.
                assert_eq!(seen(&front, operation), 1, "{operation}");
                true
            });
            assert!(heard, "{transport}: {operation} never comes");
        }
    }
}

#[test]
fn without_a_token_it_fails_as_a_sign_in_does_and_nothing_is_sent() {
    let folder = Folder::new("call-no-token");
    let service = folder.service_file();
    let outage = |sandbox: &mut Sandbox| sandbox.settings_mut().outage = Some(Outage::default());
    let body = |text: &str| Fault::Body { text: text.to_owned() };
    let sign_in = |sandbox: &mut Sandbox, fault| {
        sandbox.set_faults(vec![Rule::always("get_token".parse().unwrap(), fault)]);
    };
    let breaks: [&dyn Fn(&mut Sandbox); 5] = [
        &outage,
        &|sandbox| sandbox.settings_mut().agents.clear(),
        &|sandbox| sign_in(sandbox, body("{")),
        &|sandbox| sign_in(sandbox, lost(Position::MidBody)),
        &|sandbox| sign_in(sandbox, Fault::Html { status: 200 }),
    ];
    for (place, breaks) in breaks.into_iter().enumerate() {
        let mut sandbox = Sandbox::with_service_file(SERVICE_FILE).unwrap();
        breaks(&mut sandbox);
        let front = Front::start(sandbox).unwrap();
        let flags = ["--json", "--transport", TRANSPORTS[place % 2]];
        let signing_in = run(&mut token(&front.url(), &flags));
        let calling = run(call(&front.url(), "confirm", &flags).args(["--service-file", &service]));
        assert_eq!((calling.code, calling.error()), (signing_in.code, signing_in.error()));
        assert_eq!(calling.json()["error"]["operation"], "confirm");
        assert_eq!(calling.json()["error"]["sent_at"], Value::Null);
        assert_eq!(seen(&front, "confirm"), 0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_was_done_is_never_told_as_a_mistake_though_its_reply_cannot_be_written() {
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    let folder = Folder::new("call-full");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = call(&front.url(), "confirm", &["--service-file", &folder.service_file()]);
    let output = command.stdout(full).stderr(std::process::Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("confirm was done"), "{told}");
    assert_eq!(front.log().last().unwrap().verdict, Verdict::Applied);
}

#[test]
fn of_two_calls_with_the_same_bytes_the_one_that_was_sent_now_is_named() {
    let folder = Folder::new("call-twice");
    let (service, journal) = (folder.service_file(), folder.path("journal"));
    let front = faulty("confirm", lost(Position::AfterApply));
    for (reference, id) in [("one", 1), ("two", 2)] {
        let flags = ["--service-file", &service, "--journal", &journal, "--reference", reference];
        let ran = run(call(&front.url(), "confirm", &flags).args(["-d", "{}", "--json"]));
        assert_error(&ran, "unknown", "resolve", 6);
        assert_eq!(ran.json()["error"]["journal_id"], id, "{ran:?}");
    }
}

#[test]
fn a_refusal_tells_the_services_status_and_code() {
    let folder = Folder::new("call-code");
    let text = r#"{"state":false,"payload":{"code":17,"message":"no"}}"#;
    let front = faulty("confirm", Fault::Body { text: text.to_owned() });
    let service = folder.service_file();
    let ran = run(&mut call(&front.url(), "confirm", &["--service-file", &service, "--json"]));
    assert_error(&ran, "refused", "fix", 3);
    let error = &ran.json()["error"];
    assert_eq!((&error["status"], &error["code"]), (&200.into(), &"17".into()), "{error}");
}

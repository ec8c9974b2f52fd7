//! `imts call`: what goes out and what is printed, both exactly.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use http::Response;
use imts_sandbox::{Front, Sandbox};

use crate::{Folder, TRANSPORTS, call, run, run_with_stdin};

const EXAMPLE: &str = "/v5/partner/transfer/example";

type Bodies = Arc<Mutex<Vec<Vec<u8>>>>;

/// A service that answers whatever is sent to one path with this body, and keeps what was sent.
fn answering(body: &'static str) -> (Front, Bodies) {
    let bodies = Bodies::default();
    let kept = Arc::clone(&bodies);
    let front = Front::builder(Sandbox::default())
        .handler(move |sandbox, now, request| {
            if request.uri().path() != EXAMPLE {
                return sandbox.handle(now, request);
            }
            kept.lock().unwrap().push(request.body().clone());
            let mut response = Response::new(body.as_bytes().to_vec());
            response.headers_mut().insert("content-type", "application/json".parse().unwrap());
            response
        })
        .start()
        .unwrap();
    (front, bodies)
}

#[test]
fn a_payload_is_printed_as_it_came() {
    const PAYLOAD: &str = "{\"amount\": 12345678901234567.1000,\n \"more\": [1e2, \"\\u043f\\n\"]}";
    let (front, _) = answering(
        "{\"state\":true,\"payload\":{\"amount\": 12345678901234567.1000,\n \
         \"more\": [1e2, \"\\u043f\\n\"]}}",
    );
    for transport in TRANSPORTS {
        for operation in ["status", "confirm"] {
            let flags = ["--path", EXAMPLE, "--transport", transport];
            let ran = run(&mut call(&front.url(), operation, &flags));
            let to = format!("{operation}: base URL {}, no profile\n", front.url());
            let noted = if operation == "confirm" { to.as_str() } else { "" };
            assert_eq!((ran.code, ran.err.as_str()), (0, noted), "{ran:?}");
            assert_eq!(ran.out, format!("{PAYLOAD}\n"));
            let ran = run(call(&front.url(), operation, &flags).arg("--json"));
            let expected = PAYLOAD.replace('\n', " ");
            let end = if operation == "confirm" { "," } else { "}\n" };
            let begins = format!("{{\"outcome\":\"done\",\"reply\":{expected}{end}");
            assert!(ran.out.starts_with(&begins), "{ran:?}");
            assert_eq!(ran.json()["outcome"], "done");
        }
    }
}

#[test]
fn a_reply_without_a_payload_is_null() {
    let (front, _) = answering(r#"{"state":true}"#);
    let ran = run(&mut call(&front.url(), "confirm", &["--path", EXAMPLE]));
    assert_eq!((ran.code, ran.out.as_str()), (0, "null\n"));
}

#[test]
fn a_request_goes_out_as_it_was_given_from_argument_file_or_stdin() {
    const DATA: &str = "{\"amount\": 15.40,  \"id\": 10000000000000000001}";
    let (front, bodies) = answering(r#"{"state":true}"#);
    let folder = Folder::new("call-data");
    let file = format!("@{}", folder.write("data.json", format!("{DATA}\n")));
    for transport in TRANSPORTS {
        let flags = |data| ["--path", EXAMPLE, "--transport", transport, "-d", data];
        let by_argument = run(&mut call(&front.url(), "confirm", &flags(DATA)));
        let by_file = run(&mut call(&front.url(), "confirm", &flags(&file)));
        let by_stdin = run_with_stdin(&mut call(&front.url(), "confirm", &flags("-")), DATA);
        for ran in [by_argument, by_file, by_stdin] {
            assert_eq!(ran.code, 0, "{ran:?}");
        }
        let sent = std::mem::take(&mut *bodies.lock().unwrap());
        assert_eq!(sent, vec![DATA.as_bytes().to_vec(); 3], "by {transport}");
    }
    run(&mut call(&front.url(), "get-agents", &["--path", EXAMPLE]));
    assert_eq!(*bodies.lock().unwrap(), [b"{}"]);
}

#[test]
fn a_service_file_says_where_operations_are_and_a_path_overrides_it() {
    let (front, bodies) = answering(r#"{"state":true}"#);
    let folder = Folder::new("call-path");
    let service = folder.service_file();
    let mut sandbox = front.sandbox();
    sandbox.settings_mut().add_service_file(crate::SERVICE_FILE).unwrap();
    drop(sandbox);
    for operation in ["confirm", "daily-report"] {
        let by = |more: &[&str]| {
            run(call(&front.url(), operation, &["--service-file", &service]).args(more)).code
        };
        assert_eq!((by(&[]), bodies.lock().unwrap().len()), (0, 0), "{operation}");
        assert_eq!((by(&["--path", EXAMPLE]), bodies.lock().unwrap().len()), (0, 1), "{operation}");
        bodies.lock().unwrap().clear();
    }
}

#[test]
fn data_that_never_comes_does_not_outlast_the_timeout() {
    let (front, bodies) = answering("{}");
    let flags = ["--path", EXAMPLE, "-d", "-", "--json", "--timeout", "300ms"];
    let mut command = call(&front.url(), "confirm", &flags);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let silent = child.stdin.take();
    thread::spawn(move || {
        // Far too late, and only so that this test has an end.
        thread::sleep(Duration::from_secs(60));
        drop(silent);
    });
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains(r#""kind":"timed_out""#) && told.contains("the data"), "{told}");
    assert!(front.log().is_empty() && bodies.lock().unwrap().is_empty());
}

#[test]
fn neither_token_nor_card_number_is_told_though_the_service_quotes_both() {
    const CARD: &str = "4400430012345678";
    let front = Front::builder(Sandbox::default())
        .handler(|sandbox, now, request| {
            if request.uri().path() != EXAMPLE {
                return sandbox.handle(now, request);
            }
            let token = request.headers()["authorization"].to_str().unwrap();
            let sent = String::from_utf8_lossy(request.body());
            let error =
                serde_json::json!({ "error_code": CARD, "message": format!("{token} {sent}") });
            let mut response = Response::new(error.to_string().into_bytes());
            *response.status_mut() = http::StatusCode::UNPROCESSABLE_ENTITY;
            response.headers_mut().insert("content-type", "application/json".parse().unwrap());
            response
        })
        .start()
        .unwrap();
    let folder = Folder::new("call-canary");
    let journal = folder.path("journal");
    let data = format!(r#"{{"destination_identifier":"{CARD}"}}"#);
    for transport in TRANSPORTS {
        for json in [&["--json"][..], &[]] {
            let flags = ["--path", EXAMPLE, "-vv", "--transport", transport, "-d", &data];
            let flags = [&flags[..], &["--reference", "17"]].concat();
            let ran =
                run(call(&front.url(), "confirm", &flags).args(["--journal", &journal]).args(json));
            assert_eq!(ran.code, 3, "{ran:?}");
            let written = std::fs::read_to_string(&journal).unwrap();
            for output in [&ran.out, &ran.err, &written] {
                assert!(!output.contains(CARD) && !output.contains("eyJ"), "{output}");
            }
            assert!(format!("{}{}", ran.out, ran.err).contains("[redacted]"), "{ran:?}");
        }
    }
}

#[test]
fn a_longer_reply_is_read_where_the_flag_allows_it_and_the_files_limit_gives_way() {
    static LONG: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        format!(r#"{{"state":true,"payload":"{}"}}"#, "x".repeat(70_000))
    });
    let (front, _) = answering(&LONG);
    let folder = Folder::new("call-reply-limit");
    let small = folder.write(
        "small.toml",
        format!("version = 1\n[operation.status]\npath = \"{EXAMPLE}\"\nreply_limit = 100\n"),
    );
    for transport in TRANSPORTS {
        let send = |more: &[&str]| {
            run(call(&front.url(), "status", &["--transport", transport]).args(more)).code
        };
        let path = ["--path", EXAMPLE];
        assert_eq!(send(&path), 4, "65,536 bytes are the most that is read");
        assert_eq!(send(&[&path[..], &["--reply-limit", "80000"]].concat()), 0);
        assert_eq!(send(&[&path[..], &["--reply-limit", "69999"]].concat()), 4);
        assert_eq!(send(&["--service-file", &small]), 4);
        assert_eq!(send(&["--service-file", &small, "--reply-limit", "80000"]), 0);
        for wrong in ["0", "67108865", "-1", "1k", ""] {
            assert_eq!(send(&[&path[..], &["--reply-limit", wrong]].concat()), 2, "{wrong}");
        }
    }
}

#[test]
fn a_reply_that_is_too_long_is_told_with_how_to_permit_a_longer_one() {
    static LONG: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        format!(r#"{{"state":true,"payload":"{}"}}"#, "x".repeat(70_000))
    });
    let (front, _) = answering(&LONG);
    for (operation, code) in [("status", 4), ("confirm", 6)] {
        let ran = run(&mut call(&front.url(), operation, &["--path", EXAMPLE]));
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.err.contains("--reply-limit") && ran.err.contains("reply_limit"), "{ran:?}");
        assert!(!ran.err.contains("fault is the service's"), "{ran:?}");
    }
}

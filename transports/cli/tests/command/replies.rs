//! `imts token` against any answer at all: kind, recovery and exit code of each.

use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use http::Response;
use imts_sandbox::{Front, Sandbox};
use serde_json::json;

use crate::{Ran, TRANSPORTS, run, token};

/// Reads a request, or a reply, with its body, as far as it comes. A connection that is closed over what
/// was not read is reset, and the other side may lose what was sent to it.
pub(crate) fn message(stream: &mut impl Read) -> String {
    let mut bytes = BufReader::new(stream).bytes().map_while(Result::ok);
    let mut message = Vec::new();
    while !message.ends_with(b"\r\n\r\n")
        && let Some(byte) = bytes.next()
    {
        message.push(byte);
    }
    let head = String::from_utf8_lossy(&message).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.parse().unwrap());
    message.extend(bytes.take(length));
    String::from_utf8(message).unwrap()
}

/// Runs `imts token --json`, by each transport, against a service that always answers so.
fn answered(status: u16, content_type: &str, body: &[u8]) -> [Ran; 2] {
    answered_with(status, &[("content-type", content_type)], body)
}

fn answered_with(status: u16, headers: &[(&str, &str)], body: &[u8]) -> [Ran; 2] {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let response = response.body(body.to_vec()).unwrap();
    let front = Front::builder(Sandbox::default())
        .handler(move |_, _, _| response.clone())
        .start()
        .unwrap();
    let (url, limit) = (front.url(), ["--json", "--timeout", "20s", "--transport"]);
    TRANSPORTS.map(|transport| run(token(&url, &limit).arg(transport)))
}

/// Runs it against a socket that takes the request and then does this.
fn on_socket(timeout: &str, act: impl Fn(TcpStream) + Copy + Send + 'static) -> [Ran; 2] {
    TRANSPORTS.map(|transport| on_socket_by(transport, timeout, act))
}

fn on_socket_by(
    transport: &str,
    timeout: &str,
    act: impl FnOnce(TcpStream) + Send + 'static,
) -> Ran {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        message(&mut stream);
        act(stream);
    });
    let ran = run(&mut token(&url, &["--json", "--timeout", timeout, "--transport", transport]));
    server.join().unwrap();
    ran
}

fn expect(runs: &[Ran], kind: &str, recovery: &str) {
    let code = match kind {
        "refused" => 3,
        "malformed" | "unexpected" => 4,
        _ => 5,
    };
    for (ran, transport) in runs.iter().zip(TRANSPORTS) {
        assert_eq!(ran.error(), (kind.to_owned(), recovery.to_owned()), "{transport}: {ran:?}");
        assert_eq!(ran.code, code, "{transport}: {ran:?}");
    }
}

#[test]
fn any_4xx_is_refused() {
    let json = br#"{"status":"error","error_code":7,"error_description":"no"}"#;
    for (status, recovery) in [
        (400, "sign_in"),
        (401, "sign_in"),
        (403, "sign_in"),
        (404, "fix"),
        (405, "fix"),
        (408, "retry"),
        (409, "sign_in"),
        (415, "sign_in"),
        (422, "sign_in"),
        (425, "retry"),
        (429, "retry"),
    ] {
        expect(&answered(status, "application/json", json), "refused", recovery);
        expect(&answered(status, "text/html", b"<html>no</html>"), "refused", recovery);
        expect(&answered(status, "application/json", b""), "refused", recovery);
    }
}

#[test]
fn state_false_is_refused_whatever_the_status() {
    let body = br#"{"state":false,"message":"no such agent","code":"E7"}"#;
    for (status, recovery) in [(200, "sign_in"), (400, "sign_in"), (500, "retry")] {
        let runs = answered(status, "application/json", body);
        expect(&runs, "refused", recovery);
        for ran in runs {
            let message = ran.json()["error"]["message"].as_str().unwrap().to_owned();
            assert!(message.contains("E7") && message.contains("no such agent"), "{message}");
        }
    }
}

#[test]
fn a_status_that_the_service_does_not_document_is_unexpected() {
    for status in [301, 302, 303, 307, 308, 304] {
        let elsewhere = [("location", "http://127.0.0.1:9/"), ("content-type", "text/html")];
        expect(&answered_with(status, &elsewhere, b""), "unexpected", "report");
    }
    for status in [500, 501, 502, 503, 504] {
        expect(&answered(status, "text/html", b"<html>"), "unexpected", "retry");
    }
    expect(&answered(200, "text/html", b"<html>"), "unexpected", "report");
    expect(&answered_with(200, &[], b"no JSON"), "unexpected", "report");
}

#[test]
fn retry_after_is_told() {
    let headers = [("content-type", "application/json"), ("retry-after", "7")];
    for (status, kind) in [(503, "unexpected"), (429, "refused")] {
        let runs = answered_with(status, &headers, b"{}");
        expect(&runs, kind, "retry");
        assert!(runs.iter().all(|ran| ran.json()["error"]["retry_after_s"] == 7), "{runs:?}");
    }
}

#[test]
fn what_cannot_be_read_is_malformed() {
    let grant = json!({
        "state": true, "response_time": "2025-07-23T11:17:31.577745Z",
        "payload": {
            "access_token": "a.b.c", "refresh_token": "d.e.f",
            "access_expire_at": "2025-07-23T11:32:31+00:00",
            "refresh_expire_at": "2025-08-22T11:17:31+00:00",
        },
    });
    let with = |field: &str, value: serde_json::Value| {
        let mut grant = grant.clone();
        grant["payload"][field] = value;
        grant.to_string().into_bytes()
    };
    // The type is not what decides, and a bad end of the refresh token costs that token alone.
    for (field, value) in [("extra", json!(1)), ("refresh_expire_at", json!(null))] {
        let good = answered(200, "text/html", &with(field, value));
        assert!(good.iter().all(|ran| ran.code == 0), "{field}: {good:?}");
    }
    let bodies: [Vec<u8>; 11] = [
        b"".to_vec(),
        b"{".to_vec(),
        b"[]".to_vec(),
        br#"{"state":true}"#.to_vec(),
        b"\xff\xfe".to_vec(),
        vec![b' '; 70_000],
        with("access_token", json!("")),
        with("access_token", json!("a\r\nb")),
        with("access_token", json!("x".repeat(8_193))),
        with("access_expire_at", json!("soon")),
        with("access_expire_at", json!("2025-07-23T11:17:31+00:00")),
    ];
    for body in bodies {
        expect(&answered(200, "application/json", &body), "malformed", "report");
    }
}

#[test]
fn a_reply_that_breaks_off_is_a_transport_error() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{";
    expect(
        &on_socket("60s", move |mut s| s.write_all(head.as_bytes()).unwrap()),
        "transport",
        "retry",
    );
    expect(&on_socket("60s", drop), "transport", "retry");
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                   transfer-encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n";
    expect(
        &on_socket("60s", move |mut s| s.write_all(chunked.as_bytes()).unwrap()),
        "transport",
        "retry",
    );
}

#[test]
fn a_service_that_does_not_answer_in_time_is_timed_out() {
    let runs = on_socket("400ms", |mut stream| {
        // Until the command has given up.
        while stream.read(&mut [0; 1_024]).is_ok_and(|length| length > 0) {}
    });
    expect(&runs, "timed_out", "retry");
    assert!(runs.iter().all(|ran| ran.took < Duration::from_secs(50)), "{runs:?}");
}

#[test]
fn a_reply_of_one_byte_at_a_time_does_not_outlast_the_timeout() {
    let runs = on_socket("500ms", |mut stream| {
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n".iter().cycle() {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    expect(&runs, "timed_out", "retry");
    assert!(runs.iter().all(|ran| ran.took < Duration::from_secs(50)), "{runs:?}");
}

#[test]
fn the_advice_is_by_what_the_service_said() {
    let cases = [
        (403, "", r#"{"message":"IP 10.0.0.1 not allowed"}"#, "this machine's address"),
        (401, "", r#"{"message":"IP not in whitelist"}"#, "this machine's address"),
        (403, "", "{}", "this machine's address"),
        (429, "", "{}", "Send requests less often"),
        (429, "7", "{}", "Wait 7s"),
        (400, "", r#"{"message":"Too many requests"}"#, "Send requests less often"),
        (400, "", r#"{"message":"agent_id is required"}"#, "missing or empty"),
        (422, "", r#"{"message":"agent_id must be a string"}"#, "a wrong type or form"),
        (401, "", r#"{"message":"agent is blocked"}"#, "locked or disabled"),
        (401, "", "{}", "Check the agent id and the secret"),
    ];
    for (status, wait, body, words) in cases {
        let mut response = Response::builder().status(status);
        response = response.header("content-type", "application/json");
        if !wait.is_empty() {
            response = response.header("retry-after", wait);
        }
        let response = response.body(body.as_bytes().to_vec()).unwrap();
        let front = Front::builder(Sandbox::default())
            .handler(move |_, _, _| response.clone())
            .start()
            .unwrap();
        for transport in TRANSPORTS {
            let ran = run(&mut token(&front.url(), &["--transport", transport]));
            assert_eq!(ran.code, 3, "{ran:?}");
            let advice = ran.err.lines().nth(1).unwrap_or_default();
            assert!(advice.contains(words), "{status} {body}: {}", ran.err);
        }
    }
}

#[test]
fn a_field_that_is_missing_is_named() {
    for (body, words) in [
        (&b"{}"[..], "its field `state` is missing"),
        (br#"{"state":true}"#, "its field `payload` is missing"),
        (br#"{"state":1}"#, "its JSON has a wrong type"),
        (br#"{"state":true,"state":true}"#, "its JSON has a repeated field"),
    ] {
        for ran in answered(200, "application/json", body) {
            let message = ran.json()["error"]["message"].as_str().unwrap().to_owned();
            assert!(message.contains(words), "{message}");
        }
    }
}

//! A sign-in, and each answer to it that is not a grant.

use std::fs::OpenOptions;
use std::process::Stdio;
use std::time::Instant;

use http::Response;
use imts_sandbox::{Break, Delivery, Fault, Front, Position, Rule, Sandbox};

use super::scenes::{Scenes, plain};
use crate::{TRANSPORTS, ran, token};

/// A service that always answers so.
fn answering(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Front {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let response = response.body(body.to_vec()).unwrap();
    Front::builder(Sandbox::default()).handler(move |_, _, _| response.clone()).start().unwrap()
}

pub(super) fn shoot(scenes: &mut Scenes) {
    granted(scenes);
    refused(scenes);
    malformed(scenes);
    broken(scenes);
}

fn granted(scenes: &mut Scenes) {
    let front = Front::start(Sandbox::default()).unwrap();
    let url = front.url();
    scenes.both("a sign-in", || token(&url, &[]));
    scenes.run("the token itself", &mut token(&url, &["--show"]));
    scenes.run("for a script", &mut token(&url, &["--show", "--json"]));
    for transport in TRANSPORTS {
        scenes.run("requests are logged", &mut token(&url, &["-v", "--transport", transport]));
        scenes.run("in detail", &mut token(&url, &["-vv", "--transport", transport]));
    }
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = token(&url, &[]);
    let output = plain(&mut command).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let ran = ran(&command, output, Instant::now());
    scenes.add("stdout cannot be written to", &command, &ran);
}

fn refused(scenes: &mut Scenes) {
    let front = Front::start(Sandbox::default()).unwrap();
    scenes.both("a wrong secret", || {
        let mut command = token(&front.url(), &[]);
        command.env("IMTS_AGENT_SECRET", "another");
        command
    });
    let json = ("content-type", "application/json");
    let html = ("content-type", "text/html");
    let message = br#"{"message":"IP 10.0.0.1 not allowed"}"#;
    let coded = br#"{"state":false,"message":"no such agent","code":"E7"}"#;
    let wait = ("retry-after", "7");
    let moved = ("location", "http://127.0.0.1:9/");
    for (situation, front) in [
        ("403 with a message", answering(403, &[json], message)),
        ("state false and a code", answering(200, &[json], coded)),
        ("404", answering(404, &[html], b"<html>")),
        ("429", answering(429, &[json], b"{}")),
        (
            "a message about many requests",
            answering(400, &[json], br#"{"message":"Too many requests"}"#),
        ),
        ("a message about a lock", answering(401, &[json], br#"{"message":"agent is blocked"}"#)),
        (
            "a message about a missing field",
            answering(400, &[json], br#"{"message":"agent_id is required"}"#),
        ),
        (
            "a message about a type",
            answering(422, &[json], br#"{"message":"agent_id must be a string"}"#),
        ),
        ("400 without a message", answering(400, &[json], b"{}")),
        ("408", answering(408, &[json], b"{}")),
        ("408 and a time to wait", answering(408, &[json, wait], b"{}")),
        ("429 and a time to wait", answering(429, &[json, wait], b"{}")),
        ("500", answering(500, &[html], b"<html>")),
        ("503 and a time to wait", answering(503, &[json, wait], b"{}")),
        ("a redirect", answering(302, &[moved], b"")),
        ("a page of HTML", answering(200, &[html], b"<html>")),
        ("a status that is neither a success nor a refusal", answering(304, &[], b"")),
    ] {
        let url = front.url();
        scenes.both(situation, || token(&url, &[]));
    }
}

fn malformed(scenes: &mut Scenes) {
    let json = ("content-type", "application/json");
    let grant = |access: &str, until: &str| {
        format!(
            r#"{{"state":true,"response_time":"2025-07-23T11:17:31.577745Z","payload":{{"access_token":"{access}","refresh_token":"r.e.f","access_expire_at":"{until}","refresh_expire_at":"2025-08-22T11:17:31+00:00"}}}}"#
        )
        .into_bytes()
    };
    let good = "2025-07-23T11:32:31+00:00";
    let cases: [(&str, Vec<u8>); 11] = [
        ("a body that ends too early", b"{".to_vec()),
        ("a body that is not JSON", b"{x".to_vec()),
        ("JSON of another form", b"[]".to_vec()),
        ("a field that is missing", br#"{"state":true}"#.to_vec()),
        ("no field at all", b"{}".to_vec()),
        ("a field twice", br#"{"state":true,"state":true}"#.to_vec()),
        ("a body that is not UTF-8", b"\xff\xfe".to_vec()),
        ("a body that is too long", vec![b' '; 70_000]),
        ("a token with a line break", grant("a\\r\\nb", good)),
        ("a date that is not one", grant("a.b.c", "soon")),
        ("a token that has expired", grant("a.b.c", "2025-07-23T11:17:31+00:00")),
    ];
    for (situation, body) in cases {
        let front = answering(200, &[json], &body);
        scenes.run(situation, &mut token(&front.url(), &[]));
    }
    let mut sandbox = Sandbox::default();
    sandbox.settings_mut().access_lifetime = std::time::Duration::from_secs(1);
    sandbox.settings_mut().latency = std::time::Duration::from_millis(1_500);
    let front = Front::start(sandbox).unwrap();
    scenes.run("a token that expired on its way", &mut token(&front.url(), &[]));
}

fn broken(scenes: &mut Scenes) {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    for transport in TRANSPORTS {
        let by = ["--transport", transport];
        scenes.both("nobody listens", || token(&closed, &by));
        scenes.run("the same, in detail", token(&closed, &by).arg("-vv"));
        let https = closed.replace("http:", "https:");
        scenes.run("nobody listens, over https", &mut token(&https, &by));
        let front = Front::start(Sandbox::default()).unwrap();
        let https = front.url().replace("http:", "https:");
        scenes.run("https to a port for http", &mut token(&https, &by));
        let deliveries = [
            ("closed without a reply", Delivery::Closed),
            ("reset without a reply", Delivery::Reset),
            ("closed in the head", Delivery::CutAfter(20)),
            ("reset in the body", Delivery::Broken { at: Position::MidBody, by: Break::Reset }),
            ("a chunk without a size", Delivery::BadChunk),
            ("headers without end", Delivery::HeaderFlood),
            ("a body without end", Delivery::EndlessUntilClose),
            ("no reply in time", Delivery::Stalled),
        ];
        for (situation, delivery) in deliveries {
            let mut sandbox = Sandbox::default();
            let fault = Fault::Delivery(delivery);
            sandbox.set_faults(vec![Rule::always("get_token".parse().unwrap(), fault)]);
            let front = Front::start(sandbox).unwrap();
            let limit = if delivery == Delivery::Stalled { "1s" } else { "60s" };
            scenes.run(situation, token(&front.url(), &by).args(["--timeout", limit]));
        }
        let proxied = token("https://host.invalid", &["--proxy", &front.url()]).args(by).output();
        let said = String::from_utf8(proxied.unwrap().stderr).unwrap();
        scenes.note(
            "a proxy that answers with an error",
            &format!("$ imts token --proxy URL\n{said}"),
        );
    }
}

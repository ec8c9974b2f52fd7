//! The demo: as it goes, and what it says if the service breaks its promise.

use std::thread;

use http::{Request, Response};
use imts_sandbox::{ECHO_PATH, Front, GET_TOKEN_PATH, REFRESH_PATH, Sandbox, Time};

use super::scenes::{Scenes, plain};
use crate::{TRANSPORTS, imts, run};

type Break = fn(&mut Sandbox, Time, &Request<Vec<u8>>) -> Response<Vec<u8>>;

pub(super) fn shoot(scenes: &mut Scenes) {
    let (well, broken) = thread::scope(|scope| {
        let well = TRANSPORTS.map(|transport| scope.spawn(move || goes_well(transport)));
        let broken = BROKEN.map(|(step, handler)| scope.spawn(move || breaks(step, handler)));
        (well.map(|one| one.join().unwrap()), broken.map(|one| one.join().unwrap()))
    });
    for (transport, shown) in TRANSPORTS.iter().zip(well) {
        scenes.note("the demo", &format!("$ imts demo --transport {transport}\n{shown}"));
    }
    for shown in broken {
        scenes.note("a service that breaks a promise", &shown);
    }
    scenes.note("the same, for people", &says("money", BROKEN[5].1));
    mistakes(scenes);
}

/// What the demo prints. That it went slowly, on a busy machine, is left out, as is the phase of the session.
fn goes_well(transport: &str) -> String {
    let json = transport == "hyper-util";
    let mut command = imts(&["demo", "--transport", transport]);
    let ran = run(plain(&mut command).args(json.then_some("--json")));
    assert_eq!(ran.code, 0, "{ran:?}");
    let is_pace = |line: &&str| !line.contains("busy") && !line.contains("\"pace\"");
    let lines = ran.out.lines().filter(is_pace).map(|line| {
        let mut line = line.to_owned();
        for phase in ["unauthenticated", "refreshing", "expiring", "expired", "valid"] {
            line = line.replace(&format!(" {phase:<15} "), " PHASE ");
            line = line.replace(&format!(r#""phase":"{phase}""#), r#""phase":"PHASE""#);
        }
        measured(&line)
    });
    lines.map(|line| line + "\n").collect()
}

/// Replaces what the demo measures and what is not followed by a unit.
fn measured(line: &str) -> String {
    let line = match line.split_once(" s  PHASE ") {
        Some((_, text)) => &format!("    1.0 s  PHASE {text}"),
        None => line,
    };
    let Some(end) = line.find(" bytes that") else { return line.to_owned() };
    let (before, after) = line.split_at(end);
    format!("{}N{after}", before.trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// A service that breaks the promise of one step.
const BROKEN: [(&str, Break); 6] = [
    ("sign_in", |sandbox, now, request| {
        if request.uri().path() == GET_TOKEN_PATH {
            sandbox.settings_mut().agents.clear();
        }
        sandbox.handle(now, request)
    }),
    ("valid", |sandbox, now, request| {
        if request.uri().path() == ECHO_PATH {
            sandbox.settings_mut().reject_access = true;
        }
        sandbox.handle(now, request)
    }),
    ("expiring", |sandbox, now, request| {
        if request.uri().path() == REFRESH_PATH {
            sandbox.settings_mut().refresh_endpoint = false;
        }
        sandbox.handle(now, request)
    }),
    ("outage", |sandbox, now, request| {
        let response = sandbox.handle(now, request);
        sandbox.settings_mut().outage = None;
        response
    }),
    ("refused_refresh", |sandbox, now, request| {
        let response = sandbox.handle(now, request);
        sandbox.settings_mut().refuse_refresh = false;
        response
    }),
    ("money", |sandbox, now, request| {
        if request.uri().path().contains("/pay-late") {
            sandbox.handle(now, request);
        }
        sandbox.handle(now, request)
    }),
];

/// What the demo says of the step, and at its end.
fn breaks(step: &str, handler: Break) -> String {
    let front = Front::builder(Sandbox::default()).handler(handler).start().unwrap();
    let ran = run(&mut imts(&["demo", "--json", "--base-url", &front.url()]));
    let line = ran
        .out
        .lines()
        .find(|line| line.contains("\"step_done\"") && line.contains(&format!("\"{step}\"")));
    format!("$ imts demo --json\n{}\n", line.unwrap())
}

/// What the demo prints for people from this step on.
fn says(step: &str, handler: Break) -> String {
    let front = Front::builder(Sandbox::default()).handler(handler).start().unwrap();
    let ran = run(&mut imts(&["demo", "--base-url", &front.url()]));
    let lines = ran.out.lines().filter(|line| line.to_lowercase().contains("not as promised"));
    let shown: String = lines.map(|line| format!("{line}\n")).collect();
    assert!(!shown.is_empty(), "{step}: {ran:?}");
    format!("$ imts demo\n{shown}! {}\nexit {}\n", ran.err, ran.code)
}

fn mistakes(scenes: &mut Scenes) {
    let nowhere = "http://127.0.0.1:1";
    scenes.run("no sandbox there", &mut imts(&["demo", "--base-url", nowhere]));
    scenes.run("another machine", &mut imts(&["demo", "--base-url", "http://host.invalid"]));
    scenes.run("https", &mut imts(&["demo", "--base-url", "https://127.0.0.1:1"]));
    let mut sandbox = Sandbox::default();
    sandbox.settings_mut().agents.clear();
    let without = Front::start(sandbox).unwrap();
    scenes.run("another agent", &mut imts(&["demo", "--base-url", &without.url()]));
    let replies: [(&str, u16, &[u8]); 4] = [
        ("something else", 200, b"{}"),
        ("something that refuses", 404, b"{}"),
        ("something that says why", 404, br#"{"error":"no such path"}"#),
        ("something like a sandbox", 200, br#"{"sandbox":"imts","agents":["sandbox-agent"]}"#),
    ];
    for (situation, status, body) in replies {
        let mut response = Response::new(body.to_vec());
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        let front = Front::builder(Sandbox::default()).handler(move |_, _, _| response.clone());
        let front = front.start().unwrap();
        scenes.run(situation, &mut imts(&["demo", "--base-url", &front.url()]));
    }
}

//! `imts demo`: each step is as promised, and where the service breaks one, the demo says so.

use std::thread;
use std::time::Duration;

use http::{Method, Request, Response};
use imts_sandbox::{ECHO_PATH, Front, REFRESH_PATH, Rotation, Sandbox, Time};
use serde_json::Value;

use crate::{Ran, TRANSPORTS, imts, run};

type Break = fn(&mut Sandbox, Time, &Request<Vec<u8>>) -> Response<Vec<u8>>;

fn demo(transport: &str, base_url: Option<&str>) -> Ran {
    let mut command = imts(&["demo", "--json", "--transport", transport]);
    if let Some(url) = base_url {
        command.args(["--base-url", url]);
    }
    run(&mut command)
}

/// Runs the demo against a service that misbehaves; yields the names of the steps that failed.
fn broken(transport: &str, handler: Break) -> Vec<String> {
    let front = Front::builder(Sandbox::default()).handler(handler).start().unwrap();
    let ran = demo(transport, Some(&front.url()));
    let done = done(&ran);
    assert_eq!((ran.code, &done["ok"]), (1, &Value::Bool(false)), "{ran:?}");
    let steps = done["steps"].as_array().unwrap();
    let failed = steps.iter().filter(|step| step["ok"] == false);
    failed.map(|step| step["name"].as_str().unwrap().to_owned()).collect()
}

/// The event that ends a demo.
fn done(ran: &Ran) -> Value {
    let last = ran.json();
    assert_eq!(last["event"], "done", "{ran:?}");
    last
}

/// By each transport, at the same time: a demo mostly waits.
fn assert_fails(step: &str, handler: Break) {
    thread::scope(|scope| {
        for transport in TRANSPORTS {
            scope.spawn(move || {
                let failed = broken(transport, handler);
                let named = failed.iter().any(|name| name == step);
                assert!(named, "{step} is not among {failed:?}, by {transport}");
            });
        }
    });
}

fn is_control(request: &Request<Vec<u8>>, path: &str) -> bool {
    request.method() == Method::POST && request.uri().path() == path
}

fn assert_goes_well(transport: &str) {
    let ran = demo(transport, None);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let last = ran.json();
    assert_eq!((&last["event"], &last["ok"]), (&"done".into(), &true.into()), "{last}");
    let steps = last["steps"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
    let expected = [
        "sign_in",
        "valid",
        "expiring",
        "expired_rotation",
        "refused_refresh",
        "outage",
        "rejected",
        "restart",
        "crowd",
        "cancelled_leader",
        "siblings",
        "money",
    ];
    assert_eq!(names, expected);
    assert!(steps.iter().all(|step| step["calls_expected"] == step["calls_seen"]), "{last}");
    assert!(ran.out.contains("1000 asked at once: each got number "), "{ran:?}");
    assert!(ran.out.contains("the first caller gave up after 1 ms"), "{ran:?}");
    assert_eq!(steps.last().unwrap()["calls_seen"], 200, "{last}");
    assert!(ran.out.contains("200 calls, 20 at a time: "), "{ran:?}");
    let first: Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!(first["transport"], transport);
}

#[test]
fn every_step_is_as_promised_on_threads_and_the_last_line_says_so() {
    assert_goes_well("ureq");
}

#[test]
fn every_step_is_as_promised_on_tasks_and_the_last_line_says_so() {
    assert_goes_well("hyper-util");
}

#[test]
fn it_runs_against_a_sandbox_in_another_process() {
    let front = Front::start(Sandbox::default()).unwrap();
    let ran = demo("hyper-util", Some(&front.url()));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(front.log().len() > 5);
}

#[test]
fn what_is_no_sandbox_is_not_touched() {
    let front = Front::builder(Sandbox::default())
        .handler(|_, _, _| Response::new(b"{}".to_vec()))
        .start()
        .unwrap();
    let ran = demo("ureq", Some(&front.url()));
    assert_eq!(ran.error().0, "endpoint");
    assert_eq!(ran.code, 2);
}

#[test]
fn a_sign_in_that_is_refused_is_seen() {
    assert_fails("sign_in", |sandbox, now, request| {
        if request.uri().path() == imts_sandbox::GET_TOKEN_PATH {
            sandbox.settings_mut().agents.clear();
        }
        sandbox.handle(now, request)
    });
}

#[test]
fn a_valid_token_that_is_not_accepted_is_seen() {
    assert_fails("valid", |sandbox, now, request| {
        if request.uri().path() == ECHO_PATH {
            sandbox.settings_mut().reject_access = true;
        }
        sandbox.handle(now, request)
    });
}

#[test]
fn a_refresh_that_is_not_there_is_seen() {
    assert_fails("expiring", |sandbox, now, request| {
        if request.uri().path() == REFRESH_PATH {
            sandbox.settings_mut().refresh_endpoint = false;
        }
        sandbox.handle(now, request)
    });
}

#[test]
fn a_rotation_that_retires_the_new_token_too_is_seen() {
    assert_fails("expired_rotation", |sandbox, now, request| {
        let response = sandbox.handle(now, request);
        let rotates = sandbox.settings().rotation == Rotation::Always;
        if rotates && request.uri().path() == REFRESH_PATH {
            sandbox.revoke_refresh_tokens();
        }
        response
    });
}

#[test]
fn a_refresh_that_is_not_refused_is_seen() {
    assert_fails("refused_refresh", |sandbox, now, request| {
        let response = sandbox.handle(now, request);
        sandbox.settings_mut().refuse_refresh = false;
        response
    });
}

#[test]
fn an_outage_that_does_not_happen_is_seen() {
    assert_fails("outage", |sandbox, now, request| {
        let response = sandbox.handle(now, request);
        sandbox.settings_mut().outage = None;
        response
    });
}

#[test]
fn a_revoked_token_that_is_accepted_is_seen() {
    assert_fails("rejected", |sandbox, now, request| {
        if is_control(request, "/_sandbox/revoke") {
            return Response::new(b"{}".to_vec());
        }
        sandbox.handle(now, request)
    });
}

#[test]
fn a_restored_token_that_is_refused_is_seen() {
    assert_fails("restart", |sandbox, now, request| {
        let echoes = sandbox.log().iter().filter(|e| e.operation == imts_sandbox::Operation::Echo);
        // The fourth protected call is the restored client's.
        if request.uri().path() == ECHO_PATH && echoes.count() >= 3 {
            sandbox.settings_mut().reject_access = true;
        }
        sandbox.handle(now, request)
    });
}

/// Whether replies are held as the step with the crowd has them held.
fn is_crowded(sandbox: &Sandbox) -> bool {
    sandbox.settings().latency == Duration::from_millis(50)
}

/// Whether replies are held as the step with the leader has them held: longer on a busy machine.
fn is_led(sandbox: &Sandbox) -> bool {
    sandbox.settings().latency >= Duration::from_millis(300)
}

/// Refreshes twice where the service was asked once, in one of these steps.
fn twice(
    sandbox: &mut Sandbox,
    now: Time,
    request: &Request<Vec<u8>>,
    is_in: fn(&Sandbox) -> bool,
) -> Response<Vec<u8>> {
    let response = sandbox.handle(now, request);
    if request.uri().path() == REFRESH_PATH && is_in(sandbox) {
        sandbox.handle(now, request);
    }
    response
}

#[test]
fn a_crowd_that_costs_two_refreshes_is_seen() {
    assert_fails("crowd", |sandbox, now, request| twice(sandbox, now, request, is_crowded));
}

#[test]
fn a_crowd_that_is_not_served_is_seen() {
    assert_fails("crowd", |sandbox, now, request| {
        if is_crowded(sandbox) && request.uri().path() == REFRESH_PATH {
            sandbox.settings_mut().outage = Some(imts_sandbox::Outage::default());
        }
        sandbox.handle(now, request)
    });
}

#[test]
fn a_refresh_token_that_is_used_twice_after_its_leader_left_is_seen() {
    assert_fails("cancelled_leader", |sandbox, now, request| twice(sandbox, now, request, is_led));
}

#[test]
fn followers_who_are_not_served_once_their_leader_left_are_seen() {
    assert_fails("cancelled_leader", |sandbox, now, request| {
        if is_led(sandbox) && request.uri().path() == REFRESH_PATH {
            sandbox.settings_mut().outage = Some(imts_sandbox::Outage::default());
        }
        sandbox.handle(now, request)
    });
}

fn pays(request: &Request<Vec<u8>>, way: &str) -> bool {
    request.uri().path().starts_with(&format!("/v5/partner/transfer/demo/pay-{way}"))
}

#[test]
fn money_that_moves_twice_is_seen() {
    assert_fails("money", |sandbox, now, request| {
        if pays(request, "late") {
            sandbox.handle(now, request);
        }
        sandbox.handle(now, request)
    });
}

#[test]
fn money_that_does_not_move_though_its_call_was_told_done_is_seen() {
    assert_fails("money", |sandbox, now, request| {
        if !pays(request, "late") {
            return sandbox.handle(now, request);
        }
        let mut response = Response::new(br#"{"state":true,"payload":{}}"#.to_vec());
        response.headers_mut().insert("content-type", "application/json".parse().unwrap());
        response
    });
}

#[test]
fn a_call_that_is_told_otherwise_than_its_fault_decides_is_seen() {
    assert_fails("money", |sandbox, now, request| {
        let mut response = sandbox.handle(now, request);
        if pays(request, "busy") {
            *response.status_mut() = http::StatusCode::UNPROCESSABLE_ENTITY;
        }
        response
    });
    assert_fails("money", |sandbox, now, request| {
        if pays(request, "before-apply") {
            sandbox.set_faults(Vec::new());
        }
        sandbox.handle(now, request)
    });
}

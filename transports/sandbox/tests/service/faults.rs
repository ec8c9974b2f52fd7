//! Faults by rule.

use imts_sandbox::{
    Delay, Delivery, Fault, GET_TOKEN_PATH, Operation, Rule, Sandbox, Verdict, When,
};
use serde_json::json;

use crate::{NOON, credentials, json_of, post};

fn with(rules: Vec<Rule>) -> Sandbox {
    let mut service = Sandbox::default();
    service.settings_mut().faults = rules;
    service
}

fn statuses(service: &mut Sandbox, count: usize) -> Vec<u16> {
    let request = post(GET_TOKEN_PATH, &credentials());
    (0..count).map(|_| service.handle(NOON, &request).status().as_u16()).collect()
}

const OUT: Fault = Fault::Status { status: 500, retry_after_s: None };

#[test]
fn a_rule_picks_its_requests_by_number() {
    let rule = |when| Rule { operation: Some(Operation::GetToken), when, fault: OUT };
    assert_eq!(statuses(&mut with(vec![rule(When::Nth(2))]), 4), [200, 500, 200, 200]);
    assert_eq!(statuses(&mut with(vec![rule(When::Every(2))]), 4), [200, 500, 200, 500]);
    assert_eq!(statuses(&mut with(vec![rule(When::Always)]), 2), [500, 500]);
}

#[test]
fn chance_comes_from_the_seed_alone() {
    let rule = Rule { operation: None, when: When::Percent(30), fault: OUT };
    let (mut one, mut two) = (with(vec![rule.clone()]), with(vec![rule]));
    let first = statuses(&mut one, 400);
    assert_eq!(first, statuses(&mut two, 400));
    let faults = first.iter().filter(|status| **status == 500).count();
    assert!((80..160).contains(&faults), "{faults} of 400");
    two.settings_mut().fault_seed = 1;
    assert_ne!(first, statuses(&mut two, 400));
}

#[test]
fn a_rule_for_another_operation_is_not_met() {
    assert_eq!(statuses(&mut with(vec![Rule::always(Operation::Refresh, OUT)]), 1), [200]);
}

#[test]
fn a_fault_before_is_not_applied_and_a_fault_of_delivery_is() {
    let mut dropped = with(vec![Rule::always(Operation::GetToken, Fault::Dropped)]);
    let response = dropped.handle(NOON, &post(GET_TOKEN_PATH, &credentials()));
    assert_eq!(response.extensions().get(), Some(&Delivery::Closed));
    assert_eq!((dropped.counters().grants, dropped.log()[0].verdict), (0, Verdict::Faulted));
    let lost = Fault::Delivery(Delivery::Reset);
    let mut lost = with(vec![Rule::always(Operation::GetToken, lost)]);
    let response = lost.handle(NOON, &post(GET_TOKEN_PATH, &credentials()));
    assert_eq!(response.extensions().get(), Some(&Delivery::Reset));
    assert_eq!((lost.counters().grants, lost.log()[0].verdict), (1, Verdict::Granted));
}

#[test]
fn a_field_of_the_payload_can_be_changed_or_taken_out() {
    let field = |value| Fault::Field { name: "access_expire_at".into(), value };
    let mut service = with(vec![Rule::always(Operation::GetToken, field(json!("soon")))]);
    let request = post(GET_TOKEN_PATH, &credentials());
    assert_eq!(json_of(&service.handle(NOON, &request))["payload"]["access_expire_at"], "soon");
    service.settings_mut().faults = vec![Rule::always(Operation::GetToken, field(json!(null)))];
    let reply = json_of(&service.handle(NOON, &request));
    assert!(reply["payload"].get("access_expire_at").is_none());
}

#[test]
fn rules_come_through_the_control_door_too() {
    let mut service = Sandbox::default();
    let change = json!({ "faults": [
        { "operation": "get_token", "when": { "nth": 1 }, "fault": { "latency": { "ms": 50 } } },
        { "fault": { "redirect": { "status": 307, "location": "https://elsewhere.example/" } } },
    ] });
    assert_eq!(service.handle(NOON, &post("/_sandbox/settings", &change)).status(), 200);
    let request = post(GET_TOKEN_PATH, &credentials());
    let held = service.handle(NOON, &request);
    assert_eq!(held.extensions().get::<Delay>().unwrap().0.as_millis(), 50);
    let redirected = service.handle(NOON, &request);
    assert_eq!(redirected.status(), 307);
    assert_eq!(redirected.headers()["location"], "https://elsewhere.example/");
}

#[test]
fn a_chance_of_none_in_a_hundred_never_comes_and_of_a_hundred_always() {
    for (percent, expected) in [(0, 0), (100, 10_000)] {
        let rule = Rule { operation: None, when: When::Percent(percent), fault: OUT };
        let mut service = with(vec![rule]);
        let request = post(GET_TOKEN_PATH, &json!({}));
        let met = (0..10_000).filter(|_| service.handle(NOON, &request).status() == 500).count();
        assert_eq!(met, expected, "{percent} %");
    }
}

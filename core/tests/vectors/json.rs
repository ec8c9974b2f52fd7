//! Each case of JSON, in each place of a reply.

use http::Response;
use imts_core::error::{Malformed, ReplyError};
use imts_core::session::RenewalCause;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::files::{POSITIONS, bytes, json, list, text};
use crate::replies::{sign_in, told};

/// Each case with its group.
fn cases() -> Vec<(&'static str, Value)> {
    let of = |(group, file)| list(file, "cases").into_iter().map(move |case| (group, case));
    json().into_iter().flat_map(of).collect()
}

fn names<'a>(case: &'a Value, field: &str) -> Vec<&'a str> {
    case[field].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn each_case_has_its_verdict_in_each_place_of_a_reply() {
    let positions = list(POSITIONS, "positions");
    let mut replies = 0;
    let mut wrong = Vec::new();
    for (group, case) in cases() {
        let (granted, refused) = (names(&case, "granted_in"), names(&case, "refused_in"));
        for position in &positions {
            let place = text(position, "name");
            let [before, after] = ["before", "after"].map(|field| text(position, field).as_bytes());
            let body = [before, &bytes(&case), after].concat();
            assert!(body.len() <= 65_536, "{group} {}: too large to be read", text(&case, "id"));
            let expected = match (granted.contains(&place), refused.contains(&place)) {
                (true, false) => "granted",
                (false, true) => "refused",
                (false, false) => "malformed",
                (true, true) => panic!("{group} {case}: both"),
            };
            let found = verdict(body, &case, place);
            replies += 1;
            if found != expected {
                wrong.push(format!("{group} {} in {place}: {found}", text(&case, "id")));
            }
        }
    }
    assert!(replies >= 2_500, "only {replies} replies");
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

fn verdict(body: Vec<u8>, case: &Value, place: &str) -> &'static str {
    let response = Response::builder().header("content-type", "application/json");
    match told(&mut sign_in(), &response.body(body).unwrap()) {
        Ok(grant) => {
            if place == "access_token" {
                assert_eq!(grant.token, text(case, "says"), "{case}");
            }
            "granted"
        }
        Err(error) => match error.why() {
            RenewalCause::Reply(ReplyError::Refused(_)) => "refused",
            RenewalCause::Reply(ReplyError::Malformed(Malformed::TooLarge { .. })) => "too large",
            RenewalCause::Reply(ReplyError::Malformed(_)) => "malformed",
            _ => "something else",
        },
    }
}

#[test]
fn what_a_case_says_of_itself_is_so() {
    let mut cases = cases();
    let mut ids: Vec<_> =
        cases.iter().map(|(group, case)| format!("{group} {}", text(case, "id"))).collect();
    for (group, case) in &cases {
        let valid = match text(case, "json") {
            "valid" => true,
            "invalid" => false,
            word => panic!("{group} {case}: {word}"),
        };
        let text = String::from_utf8(bytes(case)).ok();
        let parsed = text.is_some_and(|text| serde_json::from_str::<IgnoredAny>(&text).is_ok());
        assert_eq!(parsed, valid, "{group} {case}");
        let ignored = names(case, "granted_in").iter().filter(|n| n.starts_with("extra")).count();
        assert_eq!(ignored, if valid { 2 } else { 0 }, "JSON is ignored, and nothing else is");
        assert!(!case["why"].as_str().unwrap().is_empty());
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "two cases of one name");
    assert!(count >= 250, "only {count} cases");
    cases.retain(|(_, case)| text(case, "json") == "invalid");
    assert!(cases.len() >= 150, "only {} known-bad cases", cases.len());
}

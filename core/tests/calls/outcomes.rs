//! What each answer means, by class: the table, whole.

use std::error::Error;
use std::io;

use imts_core::call::{CallError, Unsuccessful};
use imts_core::catalogue::Decided;
use imts_core::services::transfer::Confirm;
use imts_core::{Outcome, Recovery, TransportError, services};
use serde_json::json;

use crate::support::{Act, Desk, answer, catalogue, done, lost, not_sent, policy, typed, word};

/// One answer, and what it is to a question, to a creation, and to money. `again` is sent again.
const TABLE: &[(&str, &str, &str)] = &[
    // answer, to a read, to a creation or to money
    ("200 done", "done", "done"),
    ("201 done", "done", "done"),
    ("200 state false", "refused", "refused"),
    ("200 no state", "not_sent", "unknown"),
    ("200 html", "not_sent", "unknown"),
    ("200 cut json", "not_sent", "unknown"),
    ("200 oversized", "not_sent", "unknown"),
    ("204 empty", "not_sent", "unknown"),
    ("302", "not_sent", "unknown"),
    ("400", "refused", "refused"),
    ("400 html", "refused", "refused"),
    ("400 oversized", "refused", "unknown"),
    ("401", "again", "unknown"),
    ("401 state false", "again", "refused"),
    ("403", "refused", "refused"),
    ("404", "refused", "refused"),
    ("408", "again", "unknown"),
    ("409", "refused", "refused"),
    ("422", "refused", "refused"),
    ("425", "again", "unknown"),
    ("429", "again", "unknown"),
    ("429 state false", "again", "refused"),
    ("500", "again", "unknown"),
    ("500 state false", "again", "unknown"),
    ("503", "again", "unknown"),
    ("lost", "again", "unknown"),
    ("silence", "again", "unknown"),
    ("not sent", "again", "again"),
];

fn act(name: &str) -> Act {
    let error = json!({ "error": { "message": "no", "code": 1 } });
    let says_false = json!({ "state": false, "message": "no" });
    let (status, kind) = name.split_once(' ').unwrap_or((name, ""));
    let status = status.parse().unwrap_or(0);
    match (name, kind) {
        ("lost", _) => lost(),
        ("silence", _) => Act::Silence,
        ("not sent", _) => not_sent(),
        (_, "done") => answer(status, &json!({ "state": true, "payload": null })),
        (_, "state false") => answer(status, &says_false),
        (_, "no state") => answer(status, &json!({ "payload": {} })),
        (_, "html") => typed(status, "text/html", b"<html>"),
        (_, "cut json") => typed(status, "application/json", b"{\"state\":tr"),
        (_, "oversized") => typed(status, "application/json", &vec![b' '; 65_537]),
        (_, "empty") => typed(status, "application/json", b""),
        _ => answer(status, &error),
    }
}

#[test]
fn every_answer_means_what_the_table_says() {
    for (name, read, write) in TABLE {
        for (class, expected) in [("read", read), ("create", write), ("money", write)] {
            let mut desk = Desk::new();
            let again = *expected == "again";
            let mut script = vec![act(name)];
            script.extend(again.then(done));
            let outcome = match class {
                "read" => desk.reads(script),
                "create" => desk.creates(script),
                _ => desk.pays(script),
            };
            let expected = if again { "done" } else { expected };
            assert_eq!(word(&outcome), expected, "{name} to {class}: {outcome:?}");
            assert_eq!(desk.requests.len(), if again { 2 } else { 1 }, "{name} to {class}");
        }
    }
}

#[test]
fn an_outcome_as_a_result_keeps_its_three_other_ends_apart() {
    let refused = || vec![act("400")];
    let cases = [
        (vec![done()], "done"),
        (refused(), "refused"),
        (vec![lost()], "unknown"),
        (vec![not_sent(), not_sent(), not_sent()], "not_sent"),
    ];
    for (script, expected) in cases {
        let outcome = Desk::new().pays(script);
        let recovery = outcome.recovery();
        let end = match outcome.into_result() {
            Ok(reply) => {
                assert_eq!(reply.as_str(), r#"{"id":17}"#);
                "done"
            }
            Err(end) => {
                assert_eq!(Some(end.recovery()), recovery, "{expected}");
                match end {
                    Unsuccessful::Refused(_) => "refused",
                    Unsuccessful::Unknown(_) => "unknown",
                    Unsuccessful::Failed(_) => "not_sent",
                }
            }
        };
        assert_eq!(end, expected);
    }
    // A failed call still has its permit.
    let failed = Desk::new().pays(vec![not_sent(), not_sent(), not_sent()]).into_result();
    let Err(Unsuccessful::Failed(failed)) = failed else { panic!("{failed:?}") };
    assert!(failed.into_permit().is_some());
}

#[test]
fn each_end_by_itself_is_an_error_that_says_each_cause_once() {
    /// An error with a cause of its own.
    #[derive(Debug, thiserror::Error)]
    #[error("it broke")]
    struct Broken(#[source] io::Error);

    let broken = || {
        let error = Broken(io::Error::other("a cable"));
        Act::Fail(TransportError::unknown().because(error))
    };
    let Outcome::Unknown(unknown) = Desk::new().pays(vec![broken()]) else { panic!("it was lost") };
    let failed = Desk::new().reads(vec![broken(), broken(), broken()]);
    let Outcome::Failed(failed) = failed else { panic!("it only reads") };
    assert!(failed.to_string().starts_with("the call was not done: "), "{failed}");
    let Outcome::Refused(refusal) = Desk::new().pays(vec![act("400")]) else { panic!("a 400") };
    let errors: [(Box<dyn Error + Send + Sync>, Option<&str>); 3] = [
        (unknown.into(), Some("a cable")),
        (failed.into(), Some("a cable")),
        (refusal.into(), None),
    ];
    for (error, expected) in errors {
        let cause = error.source().map(ToString::to_string);
        assert_eq!(cause.as_deref(), expected, "{error}");
        assert_eq!(error.to_string().matches("it broke").count(), usize::from(expected.is_some()));
        assert!(!error.to_string().contains("a cable"), "{error}");
    }
}

#[test]
fn an_unknown_outcome_says_what_to_ask_and_for_what() {
    let mut desk = Desk::new();
    let Outcome::Unknown(unknown) = desk.pays(vec![lost()]) else { panic!("it was lost") };
    assert_eq!((unknown.operation(), unknown.reference()), ("confirm", Some("ref-17")));
    assert_eq!(unknown.sent_at(), desk.now.wall);
    let body = desk.requests[0].body().as_ref();
    assert_eq!(unknown.digest(), imts_core::journal::Digest::of(body));
    let text = unknown.to_string();
    for words in ["confirm", "ref-17", "status, info or search", "do not send it again"] {
        assert!(text.contains(words), "{text}");
    }
    assert_eq!(Outcome::<()>::Unknown(unknown).recovery(), Some(Recovery::Resolve));
}

#[test]
fn a_refusal_of_the_request_is_the_callers_to_mend_and_no_matter_of_credentials() {
    for (answer, recovery) in [
        ("422", Recovery::Fix),
        ("200 state false", Recovery::Fix),
        ("404", Recovery::Fix),
        ("403", Recovery::SignIn),
        ("401 state false", Recovery::SignIn),
        ("429 state false", Recovery::Retry { after: None }),
    ] {
        let outcome = Desk::new().pays(vec![act(answer)]);
        assert_eq!((word(&outcome), outcome.recovery()), ("refused", Some(recovery)), "{answer}");
    }
}

#[test]
fn a_question_that_is_refused_to_the_last_attempt_ends_with_the_services_own_words() {
    let busy = || answer(429, &json!({ "error": { "message": "busy" } }));
    let outcome = Desk::new().reads(vec![busy(), busy(), busy()]);
    let Outcome::Refused(refusal) = outcome else { panic!("{outcome:?}") };
    assert_eq!((refusal.status().as_u16(), refusal.message()), (429, Some("busy")));
}

#[test]
fn a_refusal_that_the_service_file_calls_decided_is_one_whatever_its_status() {
    let decided = Decided {
        statuses: [429, 503].into(),
        codes: ["1001".to_owned(), "LIMIT".to_owned()].into(),
    };
    let mut catalogue = catalogue();
    catalogue.set_decided("confirm", decided).unwrap();
    let of = |act| word(&Desk::with(policy(), catalogue.clone()).pays(vec![act]));
    assert_eq!(of(answer(429, &json!({}))), "refused");
    assert_eq!(of(typed(503, "text/html", b"busy")), "refused");
    assert_eq!(of(answer(500, &json!({ "error_code": 1001 }))), "refused");
    assert_eq!(of(answer(500, &json!({ "error": { "code": "LIMIT" } }))), "refused");
    assert_eq!(of(answer(500, &json!({ "error_code": 1002 }))), "unknown");
    assert_eq!(of(answer(408, &json!({}))), "unknown");
    // What is decided of one operation says nothing of another.
    let mut desk = Desk::with(policy(), catalogue.clone());
    assert_eq!(word(&desk.creates(vec![answer(429, &json!({}))])), "unknown");
    assert!(
        services::transfer::catalogue().entry("confirm").unwrap().decided().statuses.is_empty()
    );
}

#[test]
fn a_success_that_says_state_false_is_a_refusal_however_it_is_decoded() {
    // This type reads any JSON at all, and would take a refusal for a reply.
    struct Any;
    impl imts_core::Operation for Any {
        const NAME: &'static str = "confirm";
        const PATH: Option<&'static str> = None;
        const AUTH: imts_core::operation::Auth = imts_core::operation::Auth::Bearer;
        const CLASS: imts_core::Class = imts_core::Class::Money;
        const EVIDENCE: imts_core::Evidence = imts_core::Evidence::Unknown;
        type Reply = imts_core::operation::Json;
        fn encode(&self) -> Result<imts_core::secret::Body, imts_core::error::EncodeError> {
            imts_core::secret::Body::json(&json!({}))
        }
        fn decode(
            it: imts_core::operation::Success<'_>,
        ) -> Result<Self::Reply, imts_core::error::Malformed> {
            it.json()
        }
    }
    let mut desk = Desk::new();
    let call = desk.session.call(&Any, desk.now.mono.after(crate::support::TIME)).unwrap();
    let outcome = desk.drive(call, vec![answer(200, &json!({ "state": false }))]);
    assert_eq!(word(&outcome), "refused");
}

#[test]
fn a_payload_comes_as_it_was_written_and_one_that_is_not_there_is_null() {
    let rows = [
        (r#" {"payload" : [1, 2.50 ]	, "state": true} "#, "[1, 2.50 ]"),
        (r#"{"state": true, "payload": "a\u0062"}"#, r#""a\u0062""#),
        (r#"{"state": true, "payload": null}"#, "null"),
        (r#"{"state": true}"#, "null"),
    ];
    for (body, payload) in rows {
        let mut desk = Desk::new();
        let deadline = desk.now.mono.after(crate::support::TIME);
        let request = imts_core::operation::Json::parse("{}").unwrap();
        let call = desk.session.call_named("status", &request, deadline).unwrap();
        let outcome = desk.drive(call, vec![typed(200, "application/json", body.as_bytes())]);
        let Outcome::Done(json) = outcome else { panic!("{body}: {outcome:?}") };
        assert_eq!(json.as_str(), payload);
    }
}

#[test]
fn why_it_is_not_known_holds_its_cause() {
    let broke =
        Act::Fail(TransportError::unknown().because(std::io::Error::other("the cable is cut")));
    let Outcome::Unknown(unknown) = Desk::new().pays(vec![broke]) else { panic!("it was lost") };
    let CallError::Failed(failure) = unknown.why() else { panic!("{unknown:?}") };
    assert_eq!(failure.cause().unwrap().to_string(), "the cable is cut");
    assert!(unknown.why().to_string().ends_with("(the cable is cut)"));
    assert!(unknown.why().source().is_none(), "it was printed already");
    let mut desk = Desk::new();
    desk.journal_breaks_at = Some(0);
    let call = desk.call::<Confirm>().with_journal();
    let Outcome::Failed(failed) = desk.drive(call, Vec::new()) else { panic!("it was not sent") };
    assert!(failed.why().to_string().ends_with(": full") && failed.why().source().is_none());
    assert!(CallError::OutOfTime.source().is_none());
}

//! Grants, refusals and outcomes that a service sends in another form: what they are stays the same,
//! whichever transport brings them.

use std::time::{Duration, Instant};

use imts::endpoint::ServicePath;
use imts::error::ReplyError;
use imts::operation::Custom;
use imts::services::transfer::{Confirm, CreatePerson, Status};
use imts::session::RenewalCause;
use imts::{Builder, Evidence, Outcome, Policy, Recovery, TokenError, services};
use imts_sandbox::{
    Class, ErrorShape, Fault, Form, Front, Operation, Rule, Sandbox, Scripted, Served, Settings,
};
use serde_json::{Value, json};

use crate::{Carrier, plain};

const PATH: &str = "/v5/partner/transfer";

/// The operations whose calls are tried, in the client's words and in the service's.
const CALLS: [(&str, Class); 3] =
    [("confirm", Class::Money), ("create-person", Class::Create), ("status", Class::Read)];

fn operation(name: &str) -> Operation {
    name.parse().unwrap()
}

/// A service that answers such an operation in this form and with this status.
fn service(shape: ErrorShape, on: Operation, form: Form, status: Option<u16>) -> Front {
    let mut settings = Settings::default();
    settings.error_shape = shape;
    for (name, class) in CALLS {
        let path = format!("{PATH}/{name}");
        let served = Served::new(path, class, imts_sandbox::Evidence::Assumed);
        settings.operations.insert(operation(name), served);
    }
    settings.faults = vec![Rule::always(on, Fault::Form { form, status })];
    Front::start(Sandbox::new(settings)).unwrap()
}

fn client_of(front: &Front) -> Builder {
    let mut operations = services::transfer::catalogue();
    for (name, _) in CALLS {
        let path = ServicePath::new(format!("{PATH}/{name}")).unwrap();
        operations.set_path(name, path, Evidence::Assumed).unwrap();
    }
    let mut policy = Policy::default();
    // One attempt after the other would soon be seen.
    (policy.backoff_first, policy.backoff_cap) =
        (Duration::from_millis(1), Duration::from_millis(1));
    policy.call_attempts = 1;
    let service = services::transfer().with_operations(operations);
    plain(&front.url()).service(service).policy(policy)
}

#[test]
fn a_refused_secret_is_sent_once_in_whatever_form_the_refusal_comes() {
    let shapes = [ErrorShape::State, ErrorShape::V5, ErrorShape::Nested, ErrorShape::Fields];
    for form in Form::EACH {
        for (shape, status) in shapes.into_iter().flat_map(|shape| [(shape, 200), (shape, 400)]) {
            let front = service(shape, Operation::GetToken, form, Some(status));
            front.sandbox().settings_mut().agents.clear();
            for carrier in Carrier::each() {
                let before = front.sandbox().count(Operation::GetToken);
                let client = carrier.client(client_of(&front));
                let what = format!("{carrier:?}, {form:?}, {shape:?}, {status}");
                let first = client.token().unwrap_err();
                assert_eq!(first.recovery(), Recovery::SignIn, "{what}: {first}");
                let until = Instant::now() + Duration::from_millis(5);
                while Instant::now() < until {
                    let again = client.token().unwrap_err();
                    assert!(matches!(again, TokenError::SignIn { .. }), "{what}: {again}");
                }
                let paid = client.call(&Custom::<Confirm, _>::new(json!({ "client_uuid": "17" })));
                assert!(matches!(paid, Outcome::Failed(_)), "{what}: {paid:?}");
                let sign_ins = front.sandbox().count(Operation::GetToken) - before;
                assert_eq!(sign_ins, 1, "{what}");
            }
        }
    }
}

#[test]
fn a_refused_refresh_token_is_sent_once_in_whatever_form_the_refusal_comes() {
    for form in Form::EACH {
        for (shape, status) in [ErrorShape::State, ErrorShape::V5]
            .into_iter()
            .flat_map(|shape| [(shape, Some(200)), (shape, None)])
        {
            let front = service(shape, Operation::Refresh, form, status);
            front.sandbox().settings_mut().refuse_refresh = true;
            for carrier in Carrier::each() {
                let count = |operation| front.sandbox().count(operation);
                let before = (count(Operation::Refresh), count(Operation::GetToken));
                let client = carrier.client(client_of(&front));
                let what = format!("{carrier:?}, {form:?}, {shape:?}, {status:?}");
                let first = client.token().unwrap();
                client.reject(first.epoch());
                let second = client.token().unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_ne!(second.expose_token(), first.expose_token(), "{what}");
                let refreshes = count(Operation::Refresh) - before.0;
                let sign_ins = count(Operation::GetToken) - before.1;
                assert_eq!((refreshes, sign_ins), (1, 2), "{what}: the secret follows at once");
            }
        }
    }
}

#[test]
fn a_good_grant_is_taken_in_each_form_in_which_it_is_whole() {
    for form in Form::EACH {
        for carrier in Carrier::each() {
            let front = service(ErrorShape::V5, Operation::GetToken, form, None);
            let client = carrier.client(client_of(&front));
            let what = format!("{carrier:?}, {form:?}");
            match client.token() {
                Ok(bearer) => {
                    assert!(form.is_whole() && !bearer.expose_token().is_empty(), "{what}");
                }
                Err(error) => {
                    assert!(!form.is_whole(), "{what}: {error}");
                    let fault = error.renewal_error().expect("a reply came").why();
                    let is_reply = matches!(fault, RenewalCause::Reply(ReplyError::Malformed(_)));
                    assert!(is_reply, "{what}: {error}");
                }
            }
            assert_eq!(front.sandbox().count(Operation::GetToken), 1, "{what}");
        }
    }
}

/// How a call ends, in a word.
fn end<R>(outcome: &Outcome<R>) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::Refused(_) => "refused",
        Outcome::Unknown(_) => "unknown",
        Outcome::Failed(_) => "failed",
    }
}

/// How each call ends whose service answers so, over each transport; and that it was sent once.
fn ends(form: Form, status: u16, body: Option<&Value>) -> Vec<(String, &'static str)> {
    let mut ends = Vec::new();
    for (name, class) in CALLS {
        for carrier in Carrier::each() {
            let front = service(ErrorShape::State, operation(name), form, None);
            let mut scripted = Scripted::status(status);
            scripted.body = body.cloned();
            let replies = [scripted].into();
            let mut sandbox = front.sandbox();
            let served = sandbox.settings_mut().operations.get_mut(&operation(name));
            served.unwrap().replies = replies;
            drop(sandbox);
            let client = carrier.client(client_of(&front));
            let body = json!({ "client_uuid": "17" });
            let word = match class {
                Class::Money => end(&client.call(&Custom::<Confirm, _>::new(body))),
                Class::Create => end(&client.call(&Custom::<CreatePerson, _>::new(body))),
                _ => end(&client.call(&Custom::<Status, _>::new(body))),
            };
            assert_eq!(front.sandbox().count(operation(name)), 1, "{carrier:?} {form:?} {name}");
            let is_applied = front.sandbox().ledger().intents().any(|it| it.applied > 0);
            assert!(word != "refused" || !is_applied, "{carrier:?} {form:?} {name}: it was done");
            ends.push((format!("{carrier:?}, {form:?}, {status}, {name}"), word));
        }
    }
    ends
}

#[test]
fn under_2xx_a_call_is_done_or_refused_only_by_a_whole_object_and_else_unknown() {
    let no = json!({ "state": false, "message": "no", "code": 7 });
    for form in Form::EACH {
        for (body, word) in [(None, "done"), (Some(&no), "refused")] {
            for (what, end) in ends(form, 200, body) {
                let else_word = if what.ends_with("status") { "failed" } else { "unknown" };
                assert_eq!(end, if form.is_whole() { word } else { else_word }, "{what}");
            }
        }
    }
}

#[test]
fn a_whole_4xx_refuses_a_call_in_any_form_and_a_5xx_never_does() {
    let no = json!({ "state": false, "message": "no", "code": 7 });
    for form in Form::EACH {
        for (what, end) in ends(form, 422, Some(&no)) {
            assert_eq!(end, "refused", "{what}");
        }
        for (what, end) in
            ends(form, 500, Some(&no)).into_iter().filter(|it| !it.0.ends_with("status"))
        {
            assert_eq!(end, "unknown", "{what}");
        }
    }
}

//! How long a reply may be: by the policy, by the operation, by the call.

use imts_core::call::CallError;
use imts_core::catalogue::{CatalogueError, Decided, MAX_REPLY_LIMIT};
use imts_core::error::{Malformed, ReplyError};
use imts_core::operation::Json;
use imts_core::services::transfer::{Confirm, PrintApplication, Status};
use imts_core::{Call, CallStep, Outcome};

use crate::support::{Act, Desk, catalogue, policy, typed, word};

/// A success of exactly so many bytes: what fills it is text, or white space after the object.
fn success_of(bytes: usize, is_text: bool) -> Act {
    let (head, tail) = (r#"{"state":true,"payload":""#, r#""}"#);
    let filling = bytes - head.len() - tail.len();
    let body = match is_text {
        true => [head, &"x".repeat(filling), tail].concat(),
        false => [head, tail, &" ".repeat(filling)].concat(),
    };
    assert_eq!(body.len(), bytes);
    typed(200, "application/json", body.as_bytes())
}

fn limit_of(desk: &mut Desk, mut call: Call<Json>) -> usize {
    call.on_bearer(desk.bearer());
    let CallStep::Send(exchange) = call.poll(desk.now) else { panic!("it is sent") };
    exchange.reply_limit()
}

fn is_too_large(outcome: &Outcome<Json>, limit: usize) -> bool {
    let why = match outcome {
        Outcome::Unknown(unknown) => unknown.why(),
        Outcome::Failed(failed) => failed.why(),
        other => panic!("{other:?}"),
    };
    let CallError::Reply(ReplyError::Malformed(malformed)) = why else { panic!("{why:?}") };
    *malformed == Malformed::TooLarge { limit }
}

#[test]
fn a_reply_may_be_as_long_as_its_limit_and_not_a_byte_longer_white_space_included() {
    for limit in [1_024, 65_536] {
        let mut policy = policy();
        policy.reply_limit = limit;
        for is_text in [true, false] {
            let mut desk = Desk::with(policy.clone(), catalogue());
            assert_eq!(word(&desk.reads(vec![success_of(limit, is_text)])), "done", "{limit}");
            let longer = desk.reads(vec![success_of(limit + 1, is_text)]);
            assert!(is_too_large(&longer, limit), "{limit} {is_text}: {longer:?}");
            let longer = desk.pays(vec![success_of(limit + 1, is_text)]);
            assert_eq!(word(&longer), "unknown");
            assert!(is_too_large(&longer, limit), "{limit} {is_text}: {longer:?}");
        }
    }
}

#[test]
fn a_refusal_longer_than_the_limit_proves_nothing_white_space_included() {
    let mut catalogue = catalogue();
    let decided = Decided { statuses: [].into(), codes: ["E7".to_owned()].into() };
    catalogue.set_decided("confirm", decided).unwrap();
    for (status, body) in
        [(401, r#"{"state":false}"#), (429, r#"{"state":false}"#), (500, r#"{"code":"E7"}"#)]
    {
        for (longer, then) in [(0, "refused"), (1, "unknown")] {
            let body = [body, &" ".repeat(65_536 - body.len() + longer)].concat();
            let mut desk = Desk::with(policy(), catalogue.clone());
            let outcome = desk.pays(vec![typed(status, "application/json", body.as_bytes())]);
            assert_eq!(word(&outcome), then, "{status}, {} bytes", body.len());
        }
    }
}

#[test]
fn an_operation_has_a_reply_limit_of_its_own_and_a_call_another() {
    let mut catalogue = catalogue();
    catalogue.set_reply_limit("print-application", 1_048_576).unwrap();
    let mut desk = Desk::with(policy(), catalogue);
    let print = desk.call::<PrintApplication>();
    assert_eq!(limit_of(&mut desk, print), 1_048_576);
    let others = [desk.call::<Status>(), desk.call::<Confirm>()];
    for other in others {
        assert_eq!(limit_of(&mut desk, other), 65_536);
    }
    let until = desk.now.mono.after(crate::support::TIME);
    let named = |desk: &Desk, name| {
        desk.session.call_named(name, &Json::parse("{}").unwrap(), until).unwrap()
    };
    let print = named(&desk, "print-application");
    assert_eq!(limit_of(&mut desk, print), 1_048_576);
    for (asked, holds) in [(70_000, 70_000), (0, 1), (usize::MAX, MAX_REPLY_LIMIT)] {
        for name in ["status", "print-application"] {
            let call = named(&desk, name).with_reply_limit(asked);
            assert_eq!(limit_of(&mut desk, call), holds, "{name}");
        }
    }
    let print = desk.call::<PrintApplication>();
    assert_eq!(word(&desk.drive(print, vec![success_of(70_000, true)])), "done");
    let print = desk.call::<PrintApplication>().with_reply_limit(69_999);
    let too_long = desk.drive(print, vec![success_of(70_000, true)]);
    assert!(is_too_large(&too_long, 69_999));
}

#[test]
fn a_reply_limit_out_of_range_is_refused() {
    let mut catalogue = catalogue();
    for limit in [1, MAX_REPLY_LIMIT] {
        catalogue.set_reply_limit("status", limit).unwrap();
        assert_eq!(catalogue.entry("status").unwrap().reply_limit(), Some(limit));
    }
    for limit in [0, MAX_REPLY_LIMIT + 1] {
        let error = catalogue.set_reply_limit("status", limit).unwrap_err();
        assert_eq!(error, CatalogueError::ReplyLimit { limit });
        assert!(error.to_string().contains("from 1 to 67108864"), "{error}");
    }
    assert_eq!(catalogue.entry("status").unwrap().reply_limit(), Some(MAX_REPLY_LIMIT));
    let error = catalogue.set_reply_limit("no-such", 70_000).unwrap_err();
    assert_eq!(error, CatalogueError::NoSuchOperation { name: "no-such".to_owned() });
}

#[test]
fn a_500_longer_than_the_limit_says_nothing_though_what_was_read_of_it_does() {
    let mut policy = policy();
    (policy.reply_limit, policy.call_attempts) = (1_024, 1);
    for (bytes, end) in [(1_024, "refused"), (1_025, "not_sent")] {
        let no = format!("{:bytes$}", r#"{"state":false}"#);
        let mut desk = Desk::with(policy.clone(), catalogue());
        let outcome = desk.reads(vec![typed(500, "application/json", no.as_bytes())]);
        assert_eq!(word(&outcome), end, "{bytes}: {outcome:?}");
    }
}

//! Who may send: the table of what is recorded against what is asked for.

use imts_core::CallStep;
use imts_core::call::{Ending, NotCallable};
use imts_core::journal::{
    Book, Despite, Digest, Entry, EntryError, Finding, Intent, IntentError, Resolution, Scope,
    UnderWay,
};
use imts_core::operation::Custom;
use imts_core::services::transfer::Confirm;
use imts_core::time::Wall;
use serde_json::json;

use crate::support::{Desk, TIME, catalogue, policy};

const URL: &str = "https://service.example/confirm";

fn at(micros: i64) -> Wall {
    Wall::from_unix_micros(micros)
}

fn intent(reference: &str, body: &str) -> Intent {
    Intent {
        operation: "confirm".to_owned(),
        scope: Some(Scope { url: URL.to_owned(), agent: "agent-1".to_owned() }),
        reference: Some(reference.to_owned()),
        digest: Digest::of(body.as_bytes()),
        meaning: Some(Digest::of_meaning(body.as_bytes())),
        at: at(0),
        despite: None,
    }
}

fn put(book: &mut Book, entry: &Entry) -> u64 {
    let id = book.check(entry).unwrap();
    book.apply(id, entry);
    id
}

/// A book with one call in this state.
fn holding(state: &str) -> Book {
    let mut book = Book::default();
    let id = put(&mut book, &Entry::Intent(intent("17", r#"{"a":1,"b":2}"#)));
    let mut then = |entry| {
        put(&mut book, &entry);
    };
    let ended = |ending| Entry::Ended { id, at: at(7), ending };
    let resolved = |finding| {
        let resolution = Resolution { finding, reason: "asked".to_owned(), by: None };
        Entry::Resolved { id, at: at(8), resolution }
    };
    if state != "intended" {
        then(Entry::Sending { id, at: at(1), until: None });
    }
    match state {
        "intended" | "sending" => {}
        "unknown" => then(ended(Ending::Unknown)),
        "done" => then(ended(Ending::Done)),
        "refused" => then(ended(Ending::Refused)),
        "not sent" => then(ended(Ending::NotSent)),
        "found done" => then(resolved(Finding::Done)),
        "found refused" => then(resolved(Finding::Refused)),
        other => panic!("{other}"),
    }
    book
}

fn admitted(book: &Book, intent: &Intent) -> &'static str {
    match book.admit(intent) {
        Ok(()) => "admitted",
        Err(error) => {
            assert_eq!(error.id(), Some(1), "{error}");
            let words = error.to_string();
            assert!(words.contains("nothing was sent") && words.contains("call 1"), "{words}");
            error.as_str()
        }
    }
}

#[test]
fn what_is_recorded_decides_whether_the_same_or_another_body_is_admitted() {
    for (state, same, other) in [
        ("intended", "admitted", "admitted"),
        ("sending", "in_doubt", "conflict"),
        ("unknown", "in_doubt", "conflict"),
        ("done", "already_done", "conflict"),
        ("refused", "admitted", "admitted"),
        ("not sent", "admitted", "admitted"),
        ("found done", "already_done", "conflict"),
        ("found refused", "admitted", "admitted"),
    ] {
        let book = holding(state);
        for body in [r#"{"a":1,"b":2}"#, r#"{ "b" : 2, "a" : 1 }"#] {
            assert_eq!(admitted(&book, &intent("17", body)), same, "{state}: {body}");
        }
        for body in [r#"{"a":1,"b":2.0}"#, r#"{"a":1,"b":2,"b":2}"#, r#"{"a":1}"#, "{}"] {
            assert_eq!(admitted(&book, &intent("17", body)), other, "{state}: {body}");
        }
        assert_eq!(admitted(&book, &intent("18", r#"{"a":1,"b":2}"#)), "admitted", "{state}");
    }
    let Err(IntentError::AlreadyDone { at: done_at, .. }) =
        holding("found done").admit(&intent("17", r#"{"a":1,"b":2}"#))
    else {
        panic!("it was found done")
    };
    assert_eq!(done_at, at(8));
}

#[test]
fn an_intent_is_url_agent_and_reference_whatever_the_operation_is_called() {
    let book = holding("done");
    let of = |change: fn(&mut Intent)| {
        let mut intent = intent("17", r#"{"a":1,"b":2}"#);
        change(&mut intent);
        admitted(&book, &intent)
    };
    assert_eq!(of(|intent| intent.operation = "another-name".to_owned()), "already_done");
    assert_eq!(of(|intent| intent.scope.as_mut().unwrap().agent.push('2')), "admitted");
    assert_eq!(of(|intent| intent.scope.as_mut().unwrap().url.push('2')), "admitted");
}

#[test]
fn a_record_of_the_first_version_stands_by_its_reference_or_else_by_its_bytes() {
    let old = |reference: Option<&str>, ending| {
        let mut intent = intent("17", r#"{"a":1,"b":2}"#);
        (intent.scope, intent.meaning) = (None, None);
        intent.reference = reference.map(str::to_owned);
        let mut book = Book::default();
        assert!(book.takes(1, &Entry::Intent(intent.clone())));
        book.apply(1, &Entry::Intent(intent));
        put(&mut book, &Entry::Sending { id: 1, at: at(1), until: None });
        put(&mut book, &Entry::Ended { id: 1, at: at(2), ending });
        book
    };
    let same = |book: &Book, reference| admitted(book, &intent(reference, r#"{"a":1,"b":2}"#));
    for (ending, word) in [(Ending::Unknown, "in_doubt"), (Ending::Done, "already_done")] {
        let named = old(Some("17"), ending);
        assert_eq!((same(&named, "17"), same(&named, "18")), (word, "admitted"));
        assert_eq!(admitted(&named, &intent("17", "{}")), "conflict");
    }
    let nameless = old(None, Ending::Unknown);
    assert_eq!(same(&nameless, "17"), "in_doubt", "whatever it is called now");
    assert_eq!(admitted(&nameless, &intent("17", "{}")), "admitted");
    assert_eq!(same(&old(None, Ending::Done), "17"), "admitted", "bytes are no identity");
}

#[test]
fn a_decision_to_send_in_spite_of_a_record_is_for_that_record_alone_and_is_kept() {
    let despite = |id| Despite { id, reason: "the service lost it".to_owned(), by: None };
    for state in ["unknown", "done"] {
        let mut book = holding(state);
        let mut again = intent("17", r#"{"a":1,"b":2}"#);
        again.despite = Some(despite(2));
        assert!(book.admit(&again).is_err(), "a record that is not there");
        again.despite = Some(despite(1));
        let second = put(&mut book, &Entry::Intent(again.clone()));
        assert_eq!(book.call(second).unwrap().despite, again.despite);
        // The next one is not covered by it, whatever becomes of this one.
        put(&mut book, &Entry::Sending { id: second, at: at(9), until: None });
        assert!(matches!(book.admit(&again), Err(IntentError::InDoubt { id: 2, .. })), "{state}");
        put(&mut book, &Entry::Ended { id: second, at: at(9), ending: Ending::Refused });
        let plain = intent("17", r#"{"a":1,"b":2}"#);
        assert_eq!(book.admit(&plain).unwrap_err().id(), Some(1), "{state}");
    }
    // A call to another intent's record does not open the way.
    let mut book = holding("unknown");
    put(&mut book, &Entry::Intent(intent("18", "{}")));
    let mut again = intent("17", r#"{"a":1,"b":2}"#);
    again.despite = Some(despite(2));
    assert!(matches!(book.admit(&again), Err(IntentError::InDoubt { id: 1, .. })));
}

#[test]
fn an_accepted_copy_has_everything_without_an_end_in_doubt() {
    for (state, word) in
        [("intended", "in_doubt"), ("sending", "in_doubt"), ("refused", "admitted")]
    {
        let mut book = holding(state);
        book.doubt_all();
        assert_eq!(admitted(&book, &intent("17", r#"{"a":1,"b":2}"#)), word, "{state}");
    }
}

#[test]
fn two_bodies_mean_the_same_only_if_no_reader_could_tell_them_apart() {
    let meaning = |body: &str| Digest::of_meaning(body.as_bytes());
    let body = r#"{"id":"41","list":[1,{"x":null,"y":true}]}"#;
    for same in [
        r#"{"list":[1,{"y":true,"x":null}],"id":"41"}"#,
        "{ \"id\" : \"\\u0034\\u0031\",\n\t\"list\" : [ 1, { \"x\": null, \"y\": true } ] }",
    ] {
        assert_eq!(meaning(body), meaning(same), "{same}");
    }
    for other in [
        r#"{"id":41,"list":[1,{"x":null,"y":true}]}"#,
        r#"{"id":"41","list":[{"x":null,"y":true},1]}"#,
        r#"{"id":"41","list":[1.0,{"x":null,"y":true}]}"#,
        r#"{"id":"41","list":[1,{"x":null,"y":true}],"id":"41"}"#,
        r#"{"id":"41","list":[1,{"x":false,"y":true}]}"#,
        r#"{"id":"41","list":[1,null,{"y":true}]}"#,
        r#"{"id":"41","lis":"t","x":[1]}"#,
        r#"{"Id":"41","list":[1,{"x":null,"y":true}]}"#,
    ] {
        assert_ne!(meaning(body), meaning(other), "{other}");
    }
    // No text can hold the end of another.
    assert_ne!(meaning(r#"{"x":["a","b"]}"#), meaning(r#"{"x":["a\"\u0000\"b"]}"#));
    // Which of two equal names a reader takes is its own choice: their order counts.
    assert_ne!(meaning(r#"{"a":1,"a":2}"#), meaning(r#"{"a":2,"a":1}"#));
    // Digits count as they are written: a binary fraction would lose some.
    assert_ne!(meaning(r#"{"a":15.4000000000000000001}"#), meaning(r#"{"a":15.4}"#));
    // Bodies that are not JSON, or too deep to be read, are compared by their bytes.
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(meaning(&deep), Digest::of(deep.as_bytes()));
    assert_eq!(meaning("no JSON"), Digest::of(b"no JSON"));
}

#[test]
fn a_call_for_a_journal_without_a_reference_ends_before_anything_is_recorded_or_sent() {
    for reference in [None, Some(""), Some(" ")] {
        let desk = Desk::new();
        let mut operation = Custom::<Confirm, _>::new(json!({ "id": 17 }));
        if let Some(reference) = reference {
            operation = operation.with_reference(reference);
        }
        let until = desk.now.mono.after(TIME);
        let mut call = desk.session.call(&operation, until).unwrap().with_journal();
        let step = call.poll(desk.now);
        let CallStep::NotAdmitted(error) = step else { panic!("{step:?}") };
        assert!(matches!(error, IntentError::NoReference { .. }), "{error}");
        assert!(error.to_string().contains("with_reference"), "{error}");
        assert!(matches!(call.poll(desk.now), CallStep::Wait { .. }), "said once");
    }
}

#[test]
fn a_reference_is_given_or_stands_in_the_field_that_the_operation_names() {
    let mut operations = catalogue();
    operations.set_reference_field("confirm", "client_uuid").unwrap();
    let desk = Desk::with(policy(), operations);
    let reference = |request: serde_json::Value| {
        let operation = Custom::<Confirm, _>::new(request);
        let call = desk.session.call(&operation, desk.now.mono.after(TIME)).unwrap();
        call.reference().map(str::to_owned)
    };
    assert_eq!(reference(json!({ "client_uuid": "41" })).as_deref(), Some("41"));
    assert_eq!(reference(json!({ "client_uuid": 41 })).as_deref(), Some("41"));
    for nothing in [
        json!({}),
        json!({ "client_uuid": "" }),
        json!({ "client_uuid": null }),
        json!({ "client_uuid": ["41"] }),
        json!({ "x": { "client_uuid": "41" } }),
    ] {
        assert_eq!(reference(nothing.clone()), None, "{nothing}");
    }
    let named = |text: &str| {
        let json = imts_core::operation::Json::parse(text).unwrap();
        let call = desk.session.call_named("confirm", &json, desk.now.mono.after(TIME)).unwrap();
        call.reference().map(str::to_owned)
    };
    assert_eq!(named(r#"{"client_uuid":"41"}"#).as_deref(), Some("41"));
    assert_eq!(named(r#"{"client_uuid":"41","client_uuid":"42"}"#), None, "which is it?");
}

#[test]
fn a_request_that_is_not_an_object_is_refused_before_it_is_sent() {
    let desk = Desk::new();
    let until = desk.now.mono.after(TIME);
    for request in [json!([["client_uuid", "17"]]), json!("17"), json!(17), json!(null)] {
        let error =
            desk.session.call(&Custom::<Confirm, _>::new(request.clone()), until).unwrap_err();
        assert!(matches!(error, NotCallable::NotAnObject { .. }), "{request}");
        let json = imts_core::operation::Json::of(&request).unwrap();
        assert_eq!(desk.session.call_named("confirm", &json, until).unwrap_err(), error);
    }
}

#[test]
fn while_one_caller_sends_an_intent_another_one_is_told_so_and_nobody_else_is() {
    let mut under_way = UnderWay::default();
    let first = intent("17", r#"{"a":1,"b":2}"#);
    under_way.begin(4, &first);
    assert!(under_way.has(4) && !under_way.has(5));
    let told = |under_way: &UnderWay, intent: &Intent| {
        let error = under_way.admit(intent).err()?;
        assert_eq!(error.id(), Some(4), "{error}");
        Some(error.as_str())
    };
    let same = intent("17", r#"{ "b": 2, "a": 1 }"#);
    let mut alias = first.clone();
    alias.operation = "another-name".to_owned();
    for same in [&first, &same, &alias] {
        assert_eq!(told(&under_way, same), Some("in_progress"));
    }
    assert_eq!(told(&under_way, &intent("17", "{}")), Some("conflict"));
    let mut agent = first.clone();
    agent.scope.as_mut().unwrap().agent.push('2');
    for other in [&intent("1", r#"{"a":1,"b":2}"#), &intent("170", r#"{"a":1,"b":2}"#), &agent] {
        assert_eq!(told(&under_way, other), None);
    }
    under_way.end(&first.key());
    assert_eq!(told(&under_way, &first), None);
    assert!(!under_way.has(4));
}

#[test]
fn an_error_shows_the_beginning_of_a_reference_and_moves_no_cursor() {
    let error = |reference: &str| IntentError::AlreadyDone {
        id: 7,
        at: at(0),
        operation: "confirm".to_owned(),
        reference: reference.to_owned(),
    };
    for odd in ["a\nb", "a\u{1b}[2Jb", "a\rb", "a\u{202e}b", "a\u{7f}b"] {
        let shown = error(odd).to_string();
        assert!(shown.starts_with("confirm a "), "{shown:?}");
        assert!(!shown.contains(|it: char| it.is_control() || it == '\u{202e}'), "{shown:?}");
    }
    let shown = error(&"x".repeat(10_000)).to_string();
    assert!(shown.contains("x\u{2026}: nothing was sent") && shown.len() < 300, "{shown}");
}

#[test]
fn of_two_calls_that_were_both_admitted_the_one_that_leaves_first_is_sent_alone() {
    let body = r#"{"a":1,"b":2}"#;
    for (first, second) in [(1, 2), (2, 1)] {
        for (other_body, ending, word) in [
            (body, None, "in_progress"),
            (body, Some(Ending::Unknown), "in_progress"),
            (body, Some(Ending::Done), "already_done"),
            ("{}", None, "conflict"),
        ] {
            let mut book = Book::default();
            put(&mut book, &Entry::Intent(intent("17", body)));
            put(&mut book, &Entry::Intent(intent("17", other_body)));
            put(&mut book, &Entry::Sending { id: first, at: at(1), until: None });
            put(&mut book, &Entry::Sending { id: first, at: at(2), until: None });
            if let Some(ending) = ending {
                put(&mut book, &Entry::Ended { id: first, at: at(3), ending });
            }
            let late = Entry::Sending { id: second, at: at(4), until: None };
            let Err(EntryError::Intent(error)) = book.check(&late) else { panic!("it may leave") };
            assert_eq!((error.as_str(), error.id()), (word, Some(first)));
        }
    }
    // One that was refused or did not leave is not in the way, nor is one that was decided upon.
    for ending in [Ending::Refused, Ending::NotSent] {
        let mut book = Book::default();
        put(&mut book, &Entry::Intent(intent("17", body)));
        put(&mut book, &Entry::Intent(intent("17", body)));
        put(&mut book, &Entry::Sending { id: 1, at: at(1), until: None });
        put(&mut book, &Entry::Ended { id: 1, at: at(2), ending });
        put(&mut book, &Entry::Sending { id: 2, at: at(3), until: None });
    }
}

#[test]
fn a_decision_lets_a_call_leave_beside_the_record_that_it_names_and_no_other() {
    let body = r#"{"a":1,"b":2}"#;
    for (named, leaves) in [(1, true), (7, false)] {
        let mut book = Book::default();
        put(&mut book, &Entry::Intent(intent("17", body)));
        let mut again = intent("17", body);
        again.despite = Some(Despite { id: named, reason: "it is lost".to_owned(), by: None });
        put(&mut book, &Entry::Intent(again));
        put(&mut book, &Entry::Sending { id: 1, at: at(1), until: None });
        let late = Entry::Sending { id: 2, at: at(2), until: None };
        assert_eq!(book.check(&late).is_ok(), leaves, "in spite of {named}");
    }
}

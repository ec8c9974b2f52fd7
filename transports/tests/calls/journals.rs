//! A journal that fails, or panics, at any entry.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Request;
use imts::call::{CallError, Ending};
use imts::journal::Entry;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{Outcome, Recovery};

use crate::{Breaking, Notes, World, confirm, run};

#[test]
fn where_a_journal_breaks_before_the_request_nothing_is_sent_and_after_it_the_end_is_told() {
    for how in [Breaking::ByError, Breaking::ByPanic] {
        for (entry, ends, sent) in [(0, "not_sent", 0), (1, "not_sent", 0), (2, "done", 1)] {
            for waits in [true, false] {
                let (world, notes) = (World::new(), Notes::breaking_at(entry, how));
                let builder = world.builder().journal(notes.clone());
                let outcome = if waits {
                    builder.blocking(world.transport()).unwrap().call(&confirm("a")).unwrap()
                } else {
                    let client = builder.nonblocking(world.task_transport()).unwrap();
                    run(client.call(&confirm("a"))).unwrap()
                };
                assert_eq!(outcome.ending().as_str(), ends, "{entry}");
                assert_eq!((world.sent().len(), world.applied("a")), (sent, sent as u64));
                let lines = notes.lines();
                match entry {
                    0 => assert!(lines.is_empty()),
                    1 => assert_eq!(lines, ["intent a", "ended 1 not_sent"]),
                    _ => assert_eq!(lines, ["intent a", "sending 1"], "in doubt after a restart"),
                }
                if let Outcome::Failed(failed) = outcome {
                    assert!(matches!(failed.why(), CallError::Journal(_)), "{failed:?}");
                    assert_eq!(failed.why().recovery(), Recovery::Fix);
                    let text = failed.why().to_string();
                    assert!(text.contains("nothing was sent"), "{text}");
                }
            }
        }
    }
}

#[test]
fn a_journal_that_broke_once_takes_the_next_call() {
    for how in [Breaking::ByError, Breaking::ByPanic] {
        let (world, notes) = (World::new(), Notes::breaking_at(0, how));
        let client = world.builder().journal(notes.clone());
        let client = client.blocking(world.transport()).unwrap();
        assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::NotSent);
        assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::Done);
        assert_eq!(notes.lines(), ["intent a", "sending 1", "ended 1 done"]);
    }
}

#[test]
fn the_request_leaves_after_its_record_and_at_no_other_time() {
    let (world, notes) = (World::new(), Notes::default());
    let (service, journal) = (world.clone(), notes.clone());
    let early = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&early);
    let client = world
        .builder()
        .journal(notes.clone())
        .blocking(move |request: Request<Body>, _: Bounds| {
            let is_call = !request.uri().path().contains("/agent/");
            let is_marked = journal.lines().last().is_some_and(|line| line == "sending 1");
            if is_call && !is_marked {
                seen.fetch_add(1, Ordering::SeqCst);
            }
            service.exchange(request)
        })
        .unwrap();
    assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::Done);
    assert_eq!(early.load(Ordering::SeqCst), 0);
}

#[test]
fn no_entry_holds_a_token_a_secret_or_a_card_number() {
    let (world, notes) = (World::new(), Notes::default());
    let client = world.builder().journal(notes.clone());
    let client = client.blocking(world.transport()).unwrap();
    let token = client.token().unwrap();
    let json = r#"{"client_uuid": "a", "destination_identifier": "4111111111111111"}"#;
    let json = imts::operation::Json::parse(json).unwrap();
    let call = client.call_named("confirm", &json).unwrap().with_reference("a");
    assert!(!format!("{call:?} {json:?} {client:?}").contains("4111"));
    let outcome = client.perform(call).unwrap();
    assert_eq!(outcome.ending(), Ending::Done);
    let written: Vec<Entry> = notes.entries();
    let texts = format!("{written:?} {outcome:?}");
    for secret in [token.expose_token(), "4111", imts_sandbox::DEFAULT_SECRET] {
        assert!(!texts.contains(secret), "{texts}");
    }
}

//! A task that leaves in the midst of its call, at each of its polls.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Request;
use imts::call::Ending;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::transport_error::NotSent;
use imts::{AsyncClient, TransportError};

use crate::{Notes, World, confirm, policy, timer};

/// Gives way once: its future is ready at its second poll.
async fn gives_way() {
    let mut polls = 0;
    std::future::poll_fn(|cx| {
        polls += 1;
        cx.waker().wake_by_ref();
        if polls > 1 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// A client whose exchanges give way before and after the service handles them.
fn client(world: &World, notes: &Notes) -> AsyncClient {
    let service = world.clone();
    let send = move |request: Request<Body>, _: Bounds| {
        let service = service.clone();
        async move {
            gives_way().await;
            let outcome = service.exchange(request);
            gives_way().await;
            outcome
        }
    };
    world.builder().journal(notes.clone()).nonblocking((send, timer)).unwrap()
}

#[test]
fn a_call_that_is_dropped_at_any_poll_is_in_doubt_if_it_was_sent_and_is_never_sent_twice() {
    let (mut dropped_unsent, mut dropped_sent, mut dropped_applied) = (0, 0, 0);
    for polls in 0.. {
        let (world, notes) = (World::new(), Notes::default());
        let client = client(&world, &notes);
        let operation = confirm("a");
        let outcome = {
            let mut call = pin!(client.call(&operation));
            let mut cx = Context::from_waker(Waker::noop());
            (0..polls).find_map(|_| match call.as_mut().poll(&mut cx) {
                Poll::Ready(outcome) => Some(outcome.unwrap()),
                Poll::Pending => None,
            })
        };
        let (applied, lines) = (world.applied("a"), notes.lines());
        if let Some(outcome) = outcome {
            assert_eq!((outcome.ending(), applied), (Ending::Done, 1));
            assert_eq!(lines, ["intent a", "sending 1", "ended 1 done"]);
            break;
        }
        assert!(lines.len() < 3, "after {polls} polls: {lines:?}");
        match (applied, lines.len()) {
            (0, 0) => dropped_unsent += 1,
            (0, _) if lines[1] == "ended 1 not_sent" => dropped_unsent += 1,
            (0, _) => dropped_sent += 1,
            _ => {
                dropped_applied += 1;
                assert_eq!(lines, ["intent a", "sending 1"], "after {polls} polls");
            }
        }
        // The client goes on; so may a caller that asks again, once the journal says that nothing left.
        if applied == 0 && lines != ["intent a", "sending 1"] {
            assert_eq!(crate::run(client.call(&operation)).unwrap().ending(), Ending::Done);
            assert_eq!(world.applied("a"), 1, "after {polls} polls");
        }
    }
    assert!(dropped_unsent > 1 && dropped_sent > 0 && dropped_applied > 0);
}

#[test]
fn a_call_that_is_dropped_before_it_is_sent_again_is_not_sent() {
    let (world, notes) = (World::new(), Notes::default());
    let service = world.clone();
    let send = move |request: Request<Body>, _: Bounds| {
        let is_call = !request.uri().path().contains("/agent/");
        let unsent = || Err(TransportError::not_sent(NotSent::vouch()));
        std::future::ready(if is_call { unsent() } else { service.exchange(request) })
    };
    let mut slow = policy();
    slow.backoff_first = Duration::from_secs(10);
    let builder = world.builder().policy(slow).journal(notes.clone());
    let client = builder.nonblocking((send, timer)).unwrap();
    {
        let operation = confirm("a");
        let mut call = pin!(client.call(&operation));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(notes.lines(), ["intent a", "sending 1"], "it waits for its next attempt");
    }
    assert_eq!(notes.lines(), ["intent a", "sending 1", "ended 1 not_sent"]);
}

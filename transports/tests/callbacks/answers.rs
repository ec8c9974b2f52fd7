//! One suite for each place of answers.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use http::Request;
use imts::callback::{
    AnswerKey, Answers, AnswersError, Claim, Claimed, Event, FileAnswers, Incoming, Kept,
    MemoryAnswers,
};
use imts::sign::pg_sig::OwnUrl;

use crate::folder::Folder;
use crate::message::paid;
use crate::shop::receiver;

/// Runs a test over each kind: a place, and that place again as another process opens it.
fn each(test: impl Fn(&str, Arc<dyn Answers>, Arc<dyn Answers>)) {
    let memory = Arc::new(MemoryAnswers::new());
    test("memory", memory.clone(), memory);
    let folder = Folder::new();
    let open = || Arc::new(FileAnswers::open(folder.answers()).unwrap());
    test("file", open(), open());
}

pub(crate) fn key(payment: &str) -> AnswerKey {
    let body = paid(payment, "20", "x");
    let request = Request::post("/pay/result").body(body).unwrap();
    let event = receiver().receive(OwnUrl::Result, Incoming::of(&request));
    let Ok(Event::Result(result)) = event else { panic!("{event:?}") };
    result.key().clone()
}

pub(crate) fn claim(payment: &str, holder: u64) -> Claim {
    Claim::new(key(payment), holder, "f0")
        .with_times(Duration::from_secs(20), Duration::from_secs(60))
}

fn impatient(payment: &str, holder: u64) -> Claim {
    claim(payment, holder).with_times(Duration::ZERO, Duration::from_secs(60))
}

#[test]
fn the_first_claim_is_first_and_its_answer_is_given_again_byte_for_byte() {
    each(|kind, one, other| {
        let mine = claim("1", 1);
        assert_eq!(one.claim(&mine).unwrap(), Claimed::First, "{kind}");
        let kept = Kept { fingerprint: "f0".to_owned(), answer: b"<a>\n\0\xff;".to_vec() };
        assert_eq!(one.settle(&mine, &kept.answer).unwrap(), kept);
        for place in [&one, &other] {
            let again = place.claim(&claim("1", 2)).unwrap();
            assert_eq!(again, Claimed::Answered(kept.clone()), "{kind}");
        }
        assert_eq!(other.claim(&claim("2", 3)).unwrap(), Claimed::First, "{kind}: another key");
    });
}

#[test]
fn a_claim_that_was_released_is_not_the_first_again() {
    each(|kind, one, other| {
        assert_eq!(one.claim(&claim("1", 1)).unwrap(), Claimed::First);
        one.release(&claim("1", 1));
        assert_eq!(other.claim(&claim("1", 2)).unwrap(), Claimed::Again, "{kind}");
        other.release(&claim("1", 2));
        assert_eq!(one.claim(&claim("1", 3)).unwrap(), Claimed::Again, "{kind}");
    });
}

#[test]
fn an_open_claim_keeps_others_out_and_only_its_holder_closes_it() {
    each(|kind, one, other| {
        assert_eq!(one.claim(&claim("1", 1)).unwrap(), Claimed::First);
        for place in [&one, &other] {
            let busy = place.claim(&impatient("1", 2)).unwrap_err();
            assert!(matches!(busy, AnswersError::Busy), "{kind}: {busy}");
            place.release(&claim("1", 2));
            assert!(place.claim(&impatient("1", 3)).is_err(), "{kind}: another closed it");
        }
    });
}

#[test]
fn who_waits_for_a_claim_gets_its_answer() {
    each(|kind, one, other| {
        let mine = claim("1", 1);
        one.claim(&mine).unwrap();
        let waits = thread::spawn(move || other.claim(&claim("1", 2)));
        let kept = one.settle(&mine, b"first").unwrap();
        assert_eq!(waits.join().unwrap().unwrap(), Claimed::Answered(kept), "{kind}");
    });
}

#[test]
fn a_second_answer_does_not_replace_the_first() {
    each(|kind, one, other| {
        one.claim(&claim("1", 1)).unwrap();
        let first = one.settle(&claim("1", 1), b"first").unwrap();
        let late = other.settle(&claim("1", 2), b"second").unwrap();
        assert_eq!(late, first, "{kind}");
        assert_eq!(one.claim(&claim("1", 3)).unwrap(), Claimed::Answered(first));
    });
}

#[test]
fn of_claims_at_the_same_time_one_is_first() {
    each(|kind, one, other| {
        let start = Barrier::new(8);
        let claimed: Vec<_> = thread::scope(|scope| {
            let all: Vec<_> = (1..=8)
                .map(|holder| {
                    let place = if holder % 2 == 0 { &one } else { &other };
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        let mine = claim("1", holder);
                        let claimed = place.claim(&mine).unwrap();
                        if !matches!(claimed, Claimed::Answered(_)) {
                            place.settle(&mine, holder.to_string().as_bytes()).unwrap();
                        }
                        claimed
                    })
                })
                .collect();
            all.into_iter().map(|it| it.join().unwrap()).collect()
        });
        let firsts = claimed.iter().filter(|it| **it == Claimed::First).count();
        assert_eq!(firsts, 1, "{kind}");
        let mut answers: Vec<_> = claimed.into_iter().filter(|it| *it != Claimed::First).collect();
        answers.dedup();
        assert_eq!(answers.len(), 1, "{kind}: {answers:?}");
    });
}

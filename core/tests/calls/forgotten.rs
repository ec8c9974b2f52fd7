//! What a book still knows of calls that ended long ago: as much as the guard needs, and no more.

use imts_core::call::Ending;
use imts_core::journal::{
    Book, CallState, Despite, Digest, Entry, EntryError, Finding, Intent, IntentError, Resolution,
    Scope,
};
use imts_core::time::Wall;

pub(crate) fn intent(reference: &str, body: u64) -> Intent {
    Intent {
        operation: "confirm".to_owned(),
        scope: Some(Scope { url: "https://service.example/x".to_owned(), agent: "a".to_owned() }),
        reference: Some(reference.to_owned()),
        digest: Digest(body),
        meaning: Some(Digest(body)),
        at: Wall::from_unix_micros(1),
        despite: None,
    }
}

pub(crate) fn put(book: &mut Book, entry: &Entry) -> u64 {
    let id = book.check(entry).unwrap();
    book.apply(id, entry);
    id
}

/// A call that is sent, and ends so.
pub(crate) fn call(book: &mut Book, intent: Intent, ending: Ending) -> u64 {
    let id = put(book, &Entry::Intent(intent));
    put(book, &Entry::Sending { id, at: Wall::from_unix_micros(2), until: None });
    put(
        book,
        &Entry::Ended {
            id,
            at: Wall::from_unix_micros(1_000 + i64::try_from(id).unwrap()),
            ending,
        },
    );
    id
}

#[test]
fn what_was_done_is_never_admitted_again_however_long_ago() {
    let mut book = Book::keeping(2);
    for number in 0..500 {
        call(&mut book, intent(&number.to_string(), number), Ending::Done);
    }
    assert_eq!(book.calls().count(), 2);
    for number in 0..500 {
        let reference = number.to_string();
        let id = number + 1;
        let at = Wall::from_unix_micros(1_001 + i64::try_from(number).unwrap());
        match book.admit(&intent(&reference, number)).unwrap_err() {
            IntentError::AlreadyDone { id: it, at: then, .. } => assert_eq!((it, then), (id, at)),
            other => panic!("{other:?}"),
        }
        let other = book.admit(&intent(&reference, number + 1)).unwrap_err();
        assert!(matches!(other, IntentError::Conflict { id: it, .. } if it == id), "{other:?}");
        let despite = Despite { id, reason: "asked".to_owned(), by: None };
        let again = Intent { despite: Some(despite), ..intent(&reference, number) };
        assert_eq!(book.admit(&again), Ok(()), "the record that stands against it is named");
        let mut other_agent = intent(&reference, number);
        other_agent.scope.as_mut().unwrap().agent = "b".to_owned();
        assert_eq!(book.admit(&other_agent), Ok(()));
    }
    assert_eq!(book.admit(&intent("500", 0)), Ok(()));
    assert_eq!(book.next_id(), 501);
}

#[test]
fn what_has_no_end_or_was_resolved_is_kept_whole() {
    let mut book = Book::keeping(0);
    let open = put(&mut book, &Entry::Intent(intent("open", 0)));
    let doubt = call(&mut book, intent("doubt", 0), Ending::Unknown);
    let resolved = call(&mut book, intent("resolved", 0), Ending::Unknown);
    let resolution = Resolution { finding: Finding::Done, reason: "asked".to_owned(), by: None };
    put(&mut book, &Entry::Resolved { id: resolved, at: Wall::from_unix_micros(9), resolution });
    for number in 0..50 {
        let ending = [Ending::Refused, Ending::NotSent][number % 2];
        call(&mut book, intent(&number.to_string(), 0), ending);
    }
    let states: Vec<_> = book.calls().map(|call| (call.id, call.state)).collect();
    let kept =
        [(open, CallState::Intended), (doubt, CallState::InDoubt), (resolved, CallState::Done)];
    assert_eq!(states, kept);
    for number in 0..50 {
        assert_eq!(book.admit(&intent(&number.to_string(), 1)), Ok(()), "it may be sent again");
    }
    let late = Entry::Sending { id: 10, at: Wall::from_unix_micros(9), until: None };
    assert_eq!(book.check(&late), Err(EntryError::Ended { id: 10 }));
    let never = Entry::Sending { id: 99, at: Wall::from_unix_micros(9), until: None };
    assert_eq!(book.check(&never), Err(EntryError::NoSuchCall { id: 99 }));
}

#[test]
fn an_end_that_could_not_be_written_is_taken_back_from_what_was_forgotten_too() {
    for ending in [Ending::Done, Ending::Refused] {
        let mut book = Book::keeping(0);
        let id = put(&mut book, &Entry::Intent(intent("17", 0)));
        put(&mut book, &Entry::Sending { id, at: Wall::from_unix_micros(2), until: None });
        let before = book.clone();
        put(&mut book, &Entry::Ended { id, at: Wall::from_unix_micros(3), ending });
        assert!(book.call(id).is_none(), "it is forgotten");
        book.take_back(id, before.call(id).cloned());
        let error = book.admit(&intent("17", 0)).unwrap_err();
        assert!(matches!(error, IntentError::InDoubt { .. }), "{error}");
        book.take_back(id, None);
        assert_eq!((book.admit(&intent("17", 0)), book.next_id()), (Ok(()), 2));
    }
}

#[test]
fn a_book_that_forgets_admits_what_one_that_keeps_everything_admits() {
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = move |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    let (mut short, mut whole) = (Book::keeping(3), Book::keeping(usize::MAX));
    let mut refused = 0;
    for _ in 0..3_000 {
        let mut wanted = intent(&roll(200).to_string(), roll(3));
        if roll(4) == 0 {
            let id = roll(whole.next_id()) + 1;
            wanted.despite = Some(Despite { id, reason: String::new(), by: None });
        }
        let admitted = whole.admit(&wanted);
        assert_eq!(short.admit(&wanted), admitted, "{wanted:?}");
        if admitted.is_err() {
            refused += 1;
            continue;
        }
        let all = [Ending::Done, Ending::Refused, Ending::NotSent, Ending::Unknown];
        let ending = all[usize::try_from(roll(4)).unwrap()];
        for book in [&mut short, &mut whole] {
            call(book, wanted.clone(), ending);
        }
    }
    assert!(refused > 500 && short.calls().count() < whole.calls().count() / 2, "{refused}");
}

#[test]
fn of_two_calls_of_one_intent_the_later_is_not_sent_though_the_first_was_done_long_ago() {
    let mut book = Book::keeping(0);
    let first = put(&mut book, &Entry::Intent(intent("17", 0)));
    let second = put(&mut book, &Entry::Intent(intent("17", 0)));
    let at = Wall::from_unix_micros(2);
    put(&mut book, &Entry::Sending { id: first, at, until: None });
    put(&mut book, &Entry::Ended { id: first, at, ending: Ending::Done });
    assert!(book.call(first).is_none(), "it is forgotten");
    let error = book.check(&Entry::Sending { id: second, at, until: None }).unwrap_err();
    assert!(matches!(error, EntryError::Intent(IntentError::AlreadyDone { .. })), "{error}");
}

//! A book that was compacted, taken to pieces and made again permits what it permitted before.

use imts_core::call::Ending;
use imts_core::journal::{
    Book, CallRecord, CallState, Despite, Entry, EntryError, Finding, Intent, IntentError, Kept,
    Resolution,
};
use imts_core::time::Wall;

use crate::forgotten::{call, intent, put};

fn at(micros: i64) -> Wall {
    Wall::from_unix_micros(micros)
}

/// The book as it is read of what another keeps.
fn again(book: &Book) -> Book {
    let mut again = Book::default();
    for kept in book.kept() {
        assert!(again.restore(kept.clone()), "{kept:?}");
    }
    again
}

/// A call of each kind that is kept whole, and some that are not.
fn book() -> Book {
    let mut book = Book::default();
    put(&mut book, &Entry::Intent(intent("intended", 0)));
    let sending = put(&mut book, &Entry::Intent(intent("sending", 0)));
    put(&mut book, &Entry::Sending { id: sending, at: at(2), until: Some(at(9)) });
    call(&mut book, intent("unknown", 0), Ending::Unknown);
    for (finding, own) in [(Finding::Done, None), (Finding::Refused, Some(Ending::Done))] {
        let id = call(&mut book, intent(finding.as_str(), 0), Ending::Unknown);
        let by = Some("ops".to_owned());
        let resolution = Resolution { finding, reason: "asked".to_owned(), by };
        put(&mut book, &Entry::Resolved { id, at: at(20), resolution });
        if let Some(ending) = own {
            put(&mut book, &Entry::Ended { id, at: at(21), ending });
        }
    }
    for (number, ending) in [Ending::Done, Ending::Refused, Ending::NotSent].iter().enumerate() {
        call(&mut book, intent(&number.to_string(), 0), *ending);
    }
    book
}

#[test]
fn what_has_ended_leaves_a_compact_book_and_what_has_not_never_does() {
    let mut book = book();
    let before: Vec<CallRecord> = book.calls().cloned().collect();
    book.compact(None);
    let is_kept = |call: &&CallRecord| {
        let is_open = matches!(call.state, CallState::Intended | CallState::InDoubt);
        is_open || call.resolution.is_some()
    };
    assert!(book.calls().eq(before.iter().filter(is_kept)), "{book:?}");
    assert_eq!((book.calls().count(), book.hashed(), book.next_id()), (5, 1, 9));
}

#[test]
fn a_compact_book_that_is_read_again_is_the_same_book() {
    let mut book = book();
    book.compact(None);
    assert_eq!(again(&book), book);
    book.doubt_all();
    assert_eq!(again(&book), book, "also what a copy leaves in doubt, and was never sent");
    assert_eq!(again(&Book::default()), Book::default());
}

#[test]
fn a_book_that_is_read_again_is_the_same_though_the_later_call_ended_first() {
    let mut book = Book::default();
    let ids = [0, 1].map(|_| put(&mut book, &Entry::Intent(intent("a", 0))));
    put(&mut book, &Entry::Sending { id: ids[0], at: at(2), until: None });
    let despite = Despite { id: ids[0], reason: "it was lost".to_owned(), by: None };
    let newest = Intent { despite: Some(despite), ..intent("a", 0) };
    call(&mut book, newest, Ending::Done);
    put(&mut book, &Entry::Ended { id: ids[0], at: at(9), ending: Ending::Done });
    book.compact(None);
    assert_eq!(book.hashed(), 2);
    assert_eq!(again(&book), book);
}

#[test]
fn a_compact_book_goes_on_like_one_that_keeps_everything() {
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut roll = move |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    let (mut compact, mut whole) = (Book::default(), Book::keeping(usize::MAX));
    let (mut refused, mut overridden) = (0, 0);
    for _ in 0..4_000 {
        let mut wanted = intent(&roll(60).to_string(), roll(3));
        if let Err(error) = whole.admit(&wanted)
            && roll(2) == 0
        {
            // One of its own calls, whatever became of that.
            let own = |call: &&CallRecord| call.reference == wanted.reference;
            let own: Vec<_> = whole.calls().filter(own).map(|call| call.id).collect();
            let id = own[usize::try_from(roll(own.len() as u64)).unwrap()];
            wanted.despite = Some(Despite { id, reason: error.to_string(), by: None });
        }
        let admitted = whole.admit(&wanted);
        assert_eq!(compact.admit(&wanted), admitted, "{wanted:?}");
        if roll(50) == 0 {
            compact.compact(None);
            compact = again(&compact);
        }
        if admitted.is_err() {
            refused += 1;
            continue;
        }
        overridden += u64::from(wanted.despite.is_some());
        let all = [Ending::Done, Ending::Refused, Ending::NotSent, Ending::Unknown];
        let ending = all[usize::try_from(roll(4)).unwrap()];
        for book in [&mut compact, &mut whole] {
            call(book, wanted.clone(), ending);
        }
    }
    assert!(refused > 500 && overridden > 100, "{refused} {overridden}");
    assert!(whole.in_doubt().eq(compact.in_doubt()));
    assert!(compact.hashed() > 50);
}

#[test]
fn no_number_is_given_twice_though_its_call_was_forgotten() {
    let mut book = Book::default();
    let id = call(&mut book, intent("17", 0), Ending::Refused);
    book.compact(None);
    let mut book = again(&book);
    let late = Entry::Ended { id, at: at(3), ending: Ending::Done };
    assert_eq!(book.check(&late), Err(EntryError::Ended { id }));
    assert_eq!(put(&mut book, &Entry::Intent(intent("17", 0))), id + 1);
}

#[test]
fn of_two_calls_of_one_intent_the_later_is_not_sent_though_the_first_is_a_hash_in_a_compact_book() {
    let mut book = Book::default();
    let first = put(&mut book, &Entry::Intent(intent("17", 0)));
    let second = put(&mut book, &Entry::Intent(intent("17", 0)));
    put(&mut book, &Entry::Sending { id: first, at: at(2), until: None });
    put(&mut book, &Entry::Ended { id: first, at: at(3), ending: Ending::Done });
    book.compact(None);
    for book in [again(&book), book] {
        let sending = Entry::Sending { id: second, at: at(4), until: None };
        let error = book.check(&sending).unwrap_err();
        let is_done = matches!(error, EntryError::Intent(IntentError::AlreadyDone { .. }));
        assert!(is_done, "{error}");
    }
}

#[test]
fn a_call_that_others_have_outrun_is_told_of_the_newest_of_them_whether_or_not_it_is_a_hash() {
    let mut book = Book::default();
    let late = put(&mut book, &Entry::Intent(intent("a", 0)));
    let first = call(&mut book, intent("a", 0), Ending::Done);
    let by = Some("ops".to_owned());
    let despite = Despite { id: first, reason: "it was lost".to_owned(), by };
    let newest = call(&mut book, Intent { despite: Some(despite), ..intent("a", 0) }, Ending::Done);
    let mut compact = book.clone();
    compact.compact(None);
    for book in [book, compact] {
        let refused = book.check(&Entry::Sending { id: late, at: at(30), until: None });
        let Err(EntryError::Intent(IntentError::AlreadyDone { id, .. })) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(id, newest);
    }
}

#[test]
fn pieces_that_do_not_fit_are_refused() {
    let mut book = book();
    book.compact(None);
    let piece = |of: fn(&Kept) -> bool| book.kept().find(of).unwrap();
    let Kept::Done(mut done) = piece(|it| matches!(it, Kept::Done(_))) else { unreachable!() };
    let Kept::Call(mut call) = piece(|it| matches!(it, Kept::Call(_))) else { unreachable!() };
    let mut again = again(&book);
    assert!(!again.restore(Kept::Call(call.clone())), "it is there");
    assert!(!again.restore(Kept::Last(7)), "a call has a higher number");
    (done.id, call.id) = (0, 0);
    assert!(!Book::default().restore(Kept::Done(done)));
    assert!(!Book::default().restore(Kept::Call(call)));
}

/// Which of the calls 1, 2, … that were done at these times are kept, if those before 100 may go.
fn kept_since_100(times: &[i64]) -> Vec<u64> {
    let mut book = Book::default();
    for (id, micros) in (1..).zip(times) {
        put(&mut book, &Entry::Intent(intent(&id.to_string(), 0)));
        put(&mut book, &Entry::Sending { id, at: at(*micros), until: None });
        put(&mut book, &Entry::Ended { id, at: at(*micros), ending: Ending::Done });
    }
    book.compact(Some(at(100)));
    let is_known = |id: &u64| book.admit(&intent(&id.to_string(), 0)).is_err();
    (1..=times.len() as u64).filter(is_known).collect()
}

#[test]
fn what_was_done_before_a_time_is_forgotten_on_request_and_may_be_sent_again() {
    assert_eq!(kept_since_100(&[97, 98, 99, 100, 101]), [4, 5]);
    assert_eq!(kept_since_100(&[99, 99]), Vec::<u64>::new());
}

#[test]
fn a_clock_that_was_set_back_keeps_more_and_never_less() {
    // The third call was done after the second, whatever its clock said.
    assert_eq!(kept_since_100(&[50, 120, 60, 130]), [2, 3, 4]);
    assert_eq!(kept_since_100(&[50, 3, 130]), [2, 3], "when it was done is not known");
    assert_eq!(kept_since_100(&[50, 3, 60, 130]), [4], "it was before the third");
}

#[test]
fn what_is_in_doubt_or_was_resolved_is_kept_however_old_it_is() {
    let mut book = book();
    let whole = |book: &Book| book.calls().map(|call| call.id).collect::<Vec<_>>();
    book.compact(None);
    let before = whole(&book);
    book.compact(Some(at(i64::MAX)));
    assert_eq!((whole(&book), book.hashed()), (before, 0));
    let error = book.admit(&intent("unknown", 0)).unwrap_err();
    assert!(matches!(error, IntentError::InDoubt { .. }), "{error}");
    let done = Intent { meaning: None, ..intent("done", 1) };
    assert!(book.admit(&done).is_err(), "it was resolved as done");
}

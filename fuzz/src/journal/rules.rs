//! What a journal's records add up to, by rules written from its documentation.

use std::collections::BTreeMap;

use imts::call::Ending;
use imts::journal::{Book, CallState};

/// What a record says.
#[derive(Clone, Debug)]
pub(super) enum Record {
    Intent {
        id: u64,
        reference: Option<String>,
    },
    Sending {
        id: u64,
    },
    Ended {
        id: u64,
        ending: Ending,
    },
    /// Whatever this JSON says.
    Other(Vec<u8>),
}

/// What a compaction has kept: so many calls that were done as hashes, and then so many whole.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    pub(super) hashes: u64,
    pub(super) calls: u64,
}

/// The states of the whole calls, in turn.
pub(super) const STATES: [CallState; 3] =
    [CallState::InDoubt, CallState::Intended, CallState::Done];

/// Each call's state and reference, by its number.
pub(super) type Calls = BTreeMap<u64, (CallState, Option<String>)>;

/// The whole calls that a compaction has kept.
fn kept(kept: Option<Kept>) -> Calls {
    let Kept { hashes, calls } = kept.unwrap_or_default();
    let states = STATES.into_iter().cycle();
    let calls = (hashes + 1..=hashes + calls).zip(states);
    calls.map(|(id, state)| (id, (state, Some(format!("kept-{id}"))))).collect()
}

/// What plain records add up to, after what was kept.
pub(super) fn calls(before: Option<Kept>, records: &[Record]) -> Calls {
    let mut calls = kept(before);
    for record in records {
        let (id, state) = match record {
            Record::Intent { id, reference } => {
                calls.insert(*id, (CallState::Intended, reference.clone()));
                continue;
            }
            Record::Sending { id } => (id, CallState::InDoubt),
            Record::Ended { id, ending } => (
                id,
                match ending {
                    Ending::Done => CallState::Done,
                    Ending::Refused => CallState::Refused,
                    Ending::NotSent => CallState::NotSent,
                    Ending::Unknown => CallState::InDoubt,
                },
            ),
            Record::Other(_) => unreachable!("not plain"),
        };
        calls.get_mut(id).expect("plain").0 = state;
    }
    calls
}

/// How many records could have been written where they stand: of a call that was intended, and of
/// which it is not known what became.
pub(super) fn plain(before: Option<Kept>, records: &[Record]) -> usize {
    let kept = kept(before).into_iter();
    let mut open: BTreeMap<_, _> =
        kept.map(|(id, (state, _))| (id, state != CallState::Done)).collect();
    let is_plain = |record: &&Record| match record {
        Record::Intent { id, .. } => open.insert(*id, true).is_none(),
        Record::Sending { id } => open.get(id) == Some(&true),
        Record::Ended { id, ending } => open
            .get_mut(id)
            .is_some_and(|is_open| std::mem::replace(is_open, *ending == Ending::Unknown)),
        Record::Other(_) => false,
    };
    records.iter().take_while(is_plain).count()
}

/// What a book reports.
pub(super) fn told(book: &Book) -> Calls {
    book.calls().map(|call| (call.id, (call.state, call.reference.clone()))).collect()
}

/// No call that was sent, or that ended, is another one later, gone, or only intended.
pub(super) fn assert_follows(earlier: &Book, later: &Book) {
    for call in earlier.calls() {
        let then = later.call(call.id).expect("no call is lost");
        let same = (&call.operation, &call.reference, call.digest, call.intended_at);
        assert_eq!(same, (&then.operation, &then.reference, then.digest, then.intended_at));
        match call.state {
            CallState::Intended => {}
            CallState::InDoubt => assert_ne!(then.state, CallState::Intended, "{then:?}"),
            _ => assert_eq!(then, call, "an end is final"),
        }
    }
}

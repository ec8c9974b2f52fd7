//! The rules that every journal keeps. The tests of each kind of journal include this file.

use std::time::Duration;

use imts::call::Ending;
use imts::journal::{
    CLOCK_MARGIN, CallRecord, CallState, Despite, Digest, Entry, Finding, Intent, IntentError,
    Journal, RecordError, Resolution, Scope,
};
use imts::time::Wall;

/// A place for one journal.
pub(crate) trait Place {
    /// Opens the journal. The one that was opened before was dropped.
    fn open(&mut self) -> Box<dyn Journal>;

    /// Reads a call.
    fn call(&mut self, id: u64) -> Option<CallRecord>;
}

type Rule = fn(&mut dyn Place);

/// The rules by name. Each needs an empty place.
pub(crate) const RULES: [(&str, Rule); 10] = [
    ("a call that was done is not sent again, nor is another body under its reference", done),
    ("a call that was refused or not sent may be sent again", sent_again),
    ("a call without an end is in doubt, also after the journal was opened again", in_doubt),
    ("another agent and another URL are other intents", other_intents),
    ("other spellings of a host or of a UUID are the same intent", spellings),
    ("of two calls that were admitted, the first that leaves is sent", first_to_leave),
    ("a finding ends the doubt, and only once", resolved),
    ("a call that may be under way is not resolved", under_way),
    ("a decision passes the call that it names, which stands again if that is refused", decided),
    ("every part of a call is read as it was recorded", read_again),
];

pub(crate) fn intent(reference: &str) -> Intent {
    Intent {
        operation: "confirm".to_owned(),
        scope: Some(Scope { url: "https://service.example/x".to_owned(), agent: "a".to_owned() }),
        reference: Some(reference.to_owned()),
        digest: Digest::of(reference.as_bytes()),
        meaning: Some(Digest::of_meaning(reference.as_bytes())),
        at: time(1),
        despite: None,
    }
}

fn time(seconds: i64) -> Wall {
    Wall::from_unix_micros(seconds * 1_000_000)
}

fn intends(journal: &mut dyn Journal, intent: &Intent) -> u64 {
    journal.record(&Entry::Intent(intent.clone())).unwrap()
}

/// Sends a call that nobody ends.
fn leaves(journal: &mut dyn Journal, intent: &Intent) -> u64 {
    let id = intends(journal, intent);
    journal.record(&Entry::Sending { id, at: time(2), until: None }).unwrap()
}

fn ends(journal: &mut dyn Journal, id: u64, ending: Ending) {
    journal.record(&Entry::Ended { id, at: time(3), ending }).unwrap();
}

fn resolves(journal: &mut dyn Journal, id: u64, finding: Finding) -> Result<u64, RecordError> {
    let (reason, by) = ("asked".to_owned(), Some("ops".to_owned()));
    let resolution = Resolution { finding, reason, by };
    journal.record(&Entry::Resolved { id, at: time(4), resolution })
}

fn why_not(journal: &mut dyn Journal, intent: &Intent) -> IntentError {
    match journal.record(&Entry::Intent(intent.clone())) {
        Err(RecordError::Intent(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn done(place: &mut dyn Place) {
    let mut journal = place.open();
    let id = leaves(&mut *journal, &intent("17"));
    ends(&mut *journal, id, Ending::Done);
    for _ in 0..2 {
        let error = why_not(&mut *journal, &intent("17"));
        let IntentError::AlreadyDone { id: first, at, .. } = error else { panic!("{error:?}") };
        assert_eq!((first, at), (id, time(3)));
        let other = Intent { meaning: Some(Digest(9)), ..intent("17") };
        let error = why_not(&mut *journal, &other);
        assert!(matches!(error, IntentError::Conflict { id: it, .. } if it == id), "{error:?}");
        drop(journal);
        journal = place.open();
    }
    assert_eq!(journal.in_doubt().unwrap(), []);
}

fn sent_again(place: &mut dyn Place) {
    let mut journal = place.open();
    let first = leaves(&mut *journal, &intent("17"));
    ends(&mut *journal, first, Ending::Refused);
    let second = leaves(&mut *journal, &intent("17"));
    ends(&mut *journal, second, Ending::NotSent);
    // Nothing of this one leaves.
    let third = intends(&mut *journal, &intent("17"));
    ends(&mut *journal, third, Ending::NotSent);
    drop(journal);
    let mut journal = place.open();
    let fourth = leaves(&mut *journal, &intent("17"));
    let error = why_not(&mut *journal, &intent("17"));
    assert!(matches!(error, IntentError::InDoubt { id, .. } if id == fourth), "{error:?}");
    drop(journal);
    assert_eq!(place.call(second).unwrap().state, CallState::NotSent);
}

fn in_doubt(place: &mut dyn Place) {
    let mut journal = place.open();
    let open = leaves(&mut *journal, &intent("17"));
    let unknown = leaves(&mut *journal, &intent("18"));
    ends(&mut *journal, unknown, Ending::Unknown);
    intends(&mut *journal, &intent("19"));
    for _ in 0..2 {
        let calls = journal.in_doubt().unwrap();
        let ids: Vec<_> = calls.iter().map(|call| call.id).collect();
        assert_eq!(ids, [open, unknown]);
        for reference in ["17", "18"] {
            let error = why_not(&mut *journal, &intent(reference));
            assert!(matches!(error, IntentError::InDoubt { .. }), "{error:?}");
            let other = Intent { meaning: Some(Digest(9)), ..intent(reference) };
            let error = why_not(&mut *journal, &other);
            assert!(matches!(error, IntentError::Conflict { .. }), "{error:?}");
        }
        drop(journal);
        journal = place.open();
    }
    leaves(&mut *journal, &intent("19"));
    let nameless = Intent { reference: None, ..intent("") };
    let error = why_not(&mut *journal, &nameless);
    assert!(matches!(error, IntentError::NoReference { .. }), "{error:?}");
}

fn with_scope(change: impl FnOnce(&mut Scope)) -> Intent {
    let mut intent = intent("17");
    change(intent.scope.as_mut().unwrap());
    intent
}

fn other_intents(place: &mut dyn Place) {
    let mut journal = place.open();
    leaves(&mut *journal, &intent("17"));
    leaves(&mut *journal, &intent("18"));
    leaves(&mut *journal, &with_scope(|scope| scope.agent.push('b')));
    leaves(&mut *journal, &with_scope(|scope| scope.url.push('y')));
    // The parts of a key do not run into one another.
    leaves(&mut *journal, &with_scope(|scope| scope.agent = "a1".to_owned()));
    let mut shifted = intent("7");
    shifted.scope.as_mut().unwrap().agent = "a11".to_owned();
    leaves(&mut *journal, &shifted);
    assert_eq!(journal.in_doubt().unwrap().len(), 6);
}

fn spellings(place: &mut dyn Place) {
    const UUID: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    let mut journal = place.open();
    leaves(&mut *journal, &intent(UUID));
    let mut other = intent(&format!(" {} ", UUID.to_uppercase()));
    other.scope.as_mut().unwrap().url = "https://SERVICE.example./x".to_owned();
    other.meaning = intent(UUID).meaning;
    let error = why_not(&mut *journal, &other);
    assert!(matches!(error, IntentError::InDoubt { .. }), "{error:?}");
}

fn first_to_leave(place: &mut dyn Place) {
    let mut journal = place.open();
    let (one, other) =
        (intends(&mut *journal, &intent("17")), intends(&mut *journal, &intent("17")));
    assert_ne!(one, other);
    let sending = |id| Entry::Sending { id, at: time(2), until: None };
    journal.record(&sending(other)).unwrap();
    let late = journal.record(&sending(one)).unwrap_err();
    assert!(matches!(late, RecordError::Intent(_)), "{late:?}");
    // The same call may be sent again, with proof that it was not processed.
    journal.record(&sending(other)).unwrap();
    assert_eq!(journal.in_doubt().unwrap().len(), 1);
}

fn resolved(place: &mut dyn Place) {
    let mut journal = place.open();
    let (one, other) = (leaves(&mut *journal, &intent("17")), leaves(&mut *journal, &intent("18")));
    resolves(&mut *journal, one, Finding::Done).unwrap();
    resolves(&mut *journal, other, Finding::Refused).unwrap();
    for id in [one, other, other + 1_000] {
        let error = resolves(&mut *journal, id, Finding::Done).unwrap_err();
        assert!(matches!(error, RecordError::Failed(_)), "{error:?}");
    }
    let error = why_not(&mut *journal, &intent("17"));
    assert!(matches!(error, IntentError::AlreadyDone { .. }), "{error:?}");
    let again = leaves(&mut *journal, &intent("18"));
    // The finding came too early: the sender itself says now that it was done.
    ends(&mut *journal, other, Ending::Done);
    ends(&mut *journal, again, Ending::Refused);
    let error = why_not(&mut *journal, &intent("18"));
    assert!(matches!(error, IntentError::AlreadyDone { id, .. } if id == other), "{error:?}");
    drop(journal);
    let call = place.call(one).unwrap();
    let resolution = call.resolution.unwrap();
    assert_eq!((resolution.reason.as_str(), resolution.by.as_deref()), ("asked", Some("ops")));
}

fn under_way(place: &mut dyn Place) {
    let mut journal = place.open();
    let id = intends(&mut *journal, &intent("17"));
    let until = time(4);
    journal.record(&Entry::Sending { id, at: time(2), until: Some(until) }).unwrap();
    let error = resolves(&mut *journal, id, Finding::Done).unwrap_err();
    let free = until.after(CLOCK_MARGIN);
    let is_right = matches!(error, RecordError::UnderWay { id: it, until: Some(at) } if (it, at) == (id, free));
    assert!(is_right, "{error:?}");
    ends(&mut *journal, id, Ending::Unknown);
    resolves(&mut *journal, id, Finding::Done).unwrap();
}

fn decided(place: &mut dyn Place) {
    let mut journal = place.open();
    let first = leaves(&mut *journal, &intent("17"));
    let elsewhere = leaves(&mut *journal, &intent("18"));
    let despite = |id| {
        let (reason, by) = ("lost".to_owned(), Some("ops".to_owned()));
        Intent { despite: Some(Despite { id, reason, by }), ..intent("17") }
    };
    let error = why_not(&mut *journal, &despite(elsewhere));
    assert!(matches!(error, IntentError::InDoubt { id, .. } if id == first), "{error:?}");
    let second = leaves(&mut *journal, &despite(first));
    let error = why_not(&mut *journal, &despite(first));
    assert!(matches!(error, IntentError::InDoubt { id, .. } if id == second), "{error:?}");
    ends(&mut *journal, second, Ending::Refused);
    let error = why_not(&mut *journal, &intent("17"));
    assert!(matches!(error, IntentError::InDoubt { id, .. } if id == first), "{error:?}");
}

fn read_again(place: &mut dyn Place) {
    let mut journal = place.open();
    let first = leaves(&mut *journal, &intent("x"));
    let mut odd = intent(" Ünïcode; \"quoted\" \\ {17,NULL} ' ");
    let despite = Despite { id: first, reason: "r'\n".to_owned(), by: None };
    (odd.digest, odd.meaning, odd.despite) = (Digest(u64::MAX), Some(Digest(0)), Some(despite));
    odd.at = Wall::from_unix_micros(-1);
    let id = intends(&mut *journal, &odd);
    let until = Some(time(5).after(Duration::from_micros(7)));
    journal.record(&Entry::Sending { id, at: time(2), until }).unwrap();
    drop(journal);
    let call = place.call(id).unwrap();
    assert_eq!((call.id, call.intent(), call.state), (id, odd, CallState::InDoubt));
    assert_eq!((call.sent_at, call.sending_until, call.ended_at), (Some(time(2)), until, None));
}

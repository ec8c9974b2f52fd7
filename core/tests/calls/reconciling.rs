//! One pass over the calls in doubt: which is asked about, when, and what is written down.

use std::time::Duration;

use imts_core::Now;
use imts_core::journal::{
    Answer, Book, CallRecord, Digest, Entry, EntryError, Finding, Intent, Reconcile, ReconcileStep,
    Reconciling, RecordError, Unresolved,
};
use imts_core::time::Mono;

use crate::support::START;

const SECOND: Duration = Duration::from_secs(1);

/// So many calls in doubt.
fn calls(count: u64) -> Vec<CallRecord> {
    let mut book = Book::default();
    for id in 1..=count {
        let intent = Intent {
            operation: "confirm".to_owned(),
            scope: None,
            reference: Some(id.to_string()),
            digest: Digest(id),
            meaning: None,
            at: START.wall,
            despite: None,
        };
        book.apply(id, &Entry::Intent(intent));
        book.apply(id, &Entry::Sending { id, at: START.wall, until: None });
    }
    book.in_doubt().cloned().collect()
}

fn pass(count: u64) -> Reconciling {
    Reconciling::new(calls(count), Reconcile::default(), START.mono.after(60 * SECOND))
}

fn asked(pass: &mut Reconciling, now: Now) -> u64 {
    match pass.poll(now) {
        ReconcileStep::Ask(call) => call.id,
        step => panic!("{step:?}"),
    }
}

fn done() -> Answer {
    Answer::Done("status says so".to_owned())
}

fn unknown() -> Answer {
    Answer::Unknown("status is down".to_owned())
}

/// What stays in doubt, in words.
fn left(pass: &mut Reconciling, now: Now) -> Vec<(u64, &'static str)> {
    let ReconcileStep::Over(report) = pass.poll(now) else { panic!("it goes on") };
    let word = |why: &Unresolved| match why {
        Unresolved::Unknown(_) => "unknown",
        Unresolved::NoAnswer(_) => "no answer",
        Unresolved::UnderWay { .. } => "under way",
        Unresolved::Journal(_) => "journal",
        Unresolved::NotAsked => "not asked",
        other => panic!("{other:?}"),
    };
    report.in_doubt.iter().map(|(id, why)| (*id, word(why))).collect()
}

#[test]
fn the_oldest_comes_first_and_after_each_question_there_is_a_pause() {
    let (mut pass, mut now) = (pass(3), START);
    for id in 1..=3 {
        assert_eq!(asked(&mut pass, now), id);
        now = now.advanced_by(5 * SECOND);
        match id {
            1 => {
                pass.on_answer(done(), now);
                let ReconcileStep::Record { id: 1, resolution } = pass.poll(now) else { panic!() };
                assert_eq!(resolution.reason, "status says so");
                assert_eq!((resolution.finding, resolution.by), (Finding::Done, None));
                pass.on_recorded(Ok(()));
            }
            2 => pass.on_answer(unknown(), now),
            _ => pass.on_known(now),
        }
        if id < 3 {
            let due = now.mono.after(2 * SECOND);
            assert!(matches!(pass.poll(now), ReconcileStep::Wait { until } if until == due));
            now = now.advanced_by(2 * SECOND);
        }
    }
    let ReconcileStep::Over(report) = pass.poll(now) else { panic!("it goes on") };
    assert_eq!(report.resolved, [(1, Finding::Done)]);
    assert!(
        matches!(&report.in_doubt[..], [(2, Unresolved::Unknown(why))] if why == "status is down")
    );
}

#[test]
fn what_is_not_asked_about_is_not_paused_after() {
    let mut pass = pass(3);
    assert_eq!(asked(&mut pass, START), 1);
    pass.skip(None);
    assert_eq!(asked(&mut pass, START), 2);
    pass.skip(Some(Unresolved::UnderWay { until: None }));
    assert_eq!(asked(&mut pass, START), 3);
    pass.skip(None);
    assert_eq!(left(&mut pass, START), [(2, "under way")]);
}

#[test]
fn after_the_deadline_nothing_is_asked_and_what_was_answered_is_written_down_all_the_same() {
    let mut pass = pass(3);
    assert_eq!(asked(&mut pass, START), 1);
    let late = START.advanced_by(61 * SECOND);
    pass.on_answer(Answer::Refused("x".repeat(5_000)), late);
    let ReconcileStep::Record { id: 1, resolution } = pass.poll(late) else { panic!() };
    assert_eq!(resolution.reason.len(), 1_024, "a reason is a few words");
    pass.on_recorded(Ok(()));
    assert_eq!(left(&mut pass, late), [(2, "not asked"), (3, "not asked")]);
}

#[test]
fn a_pause_that_would_last_until_the_deadline_is_not_waited_for() {
    let mut pass = pass(2);
    let now = START.advanced_by(58 * SECOND);
    assert_eq!(asked(&mut pass, now), 1);
    pass.on_answer(unknown(), now);
    assert_eq!(left(&mut pass, now), [(1, "unknown"), (2, "not asked")]);
}

#[test]
fn a_journal_that_breaks_ends_the_pass_and_a_call_under_way_does_not() {
    let mut one = pass(3);
    assert_eq!(asked(&mut one, START), 1);
    one.on_answer(done(), START);
    assert!(matches!(one.poll(START), ReconcileStep::Record { id: 1, .. }));
    one.on_recorded(Err(EntryError::NoSuchCall { id: 1 }.into()));
    assert_eq!(left(&mut one, START), [(1, "journal"), (2, "not asked"), (3, "not asked")]);

    let (mut two, later) = (pass(2), START.advanced_by(2 * SECOND));
    assert_eq!(asked(&mut two, START), 1);
    two.on_answer(done(), START);
    assert!(matches!(two.poll(START), ReconcileStep::Record { id: 1, .. }));
    two.on_recorded(Err(RecordError::UnderWay { id: 1, until: None }));
    assert_eq!(asked(&mut two, later), 2);
    two.on_broken(EntryError::NoSuchCall { id: 2 }.into());
    assert_eq!(left(&mut two, later), [(1, "under way"), (2, "journal")]);
}

#[test]
fn an_answer_that_nobody_asked_for_changes_nothing() {
    let mut pass = pass(1);
    pass.on_answer(done(), START);
    pass.on_recorded(Ok(()));
    pass.skip(None);
    pass.on_known(START);
    assert_eq!(asked(&mut pass, START), 1);
    assert!(matches!(pass.poll(START), ReconcileStep::Wait { until } if until > Mono::default()));
    pass.on_recorded(Ok(()));
    pass.on_answer(done(), START);
    pass.on_answer(unknown(), START);
    assert!(matches!(pass.poll(START), ReconcileStep::Record { id: 1, .. }));
    pass.on_recorded(Ok(()));
    assert_eq!(left(&mut pass, START), []);
}

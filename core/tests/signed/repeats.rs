//! The three rules of a repeated request, under every fault of up to three deliveries: what is asked
//! for is applied at most once, and the call ends as the rule allows.

use std::collections::BTreeMap;

use http::{HeaderMap, StatusCode};
use imts_core::call::{CallError, Signatory};
use imts_core::operation::{Auth, Json, Repeat};
use imts_core::transport_error::NotSent;
use imts_core::{CallStep, Outcome, Recovery, Reply, TransportError};

use crate::support::{RANDOM, at, catalogue, deadline, json, outcome_of, service, signatory};

/// What happens to one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Sound,
    /// The service refuses what is asked for, and keeps that as its reply.
    Declined,
    NotSent,
    LostRequest,
    LostReply,
    /// An intermediary delivers it twice, and returns the second reply.
    Doubled,
    /// It arrives after the call is over.
    Delayed,
    /// A status from in front of the service: nothing was processed.
    Before(u16),
    /// A status from behind it: it was processed.
    After(u16),
    /// The reply is not of the service's form.
    Garbage,
}

const FAULTS: [Fault; 16] = [
    Fault::Sound,
    Fault::Declined,
    Fault::NotSent,
    Fault::LostRequest,
    Fault::LostReply,
    Fault::Doubled,
    Fault::Delayed,
    Fault::Before(401),
    Fault::Before(403),
    Fault::Before(404),
    Fault::Before(429),
    Fault::Before(503),
    Fault::After(429),
    Fault::After(500),
    Fault::After(504),
    Fault::Garbage,
];

/// A service that knows the ids of its requests, with one rule for repeated ones.
#[derive(Default)]
struct Shop {
    /// The reply to each id.
    replies: BTreeMap<String, (u16, String)>,
    applied: u32,
}

impl Shop {
    fn deliver(&mut self, rule: &Repeat, id: &str, declines: bool) -> (u16, String) {
        if let Some(known) = self.replies.get(id) {
            match rule {
                Repeat::Replayed => return known.clone(),
                Repeat::Refused { .. } => {
                    return (200, r#"{"status":"error","error_code":1002}"#.to_owned());
                }
                _ => {}
            }
        }
        let reply = if declines {
            (200, r#"{"status":"error","error_code":"7"}"#.to_owned())
        } else {
            self.applied += 1;
            (200, r#"{"status":"ok"}"#.to_owned())
        };
        self.replies.insert(id.to_owned(), reply.clone());
        reply
    }
}

/// How a schedule ended.
struct Played {
    outcome: Outcome<Json>,
    shop: Shop,
    attempts: usize,
}

/// Plays one call, each attempt with the next fault.
fn play(rule: &Repeat, name: &str, faults: &[Fault], arrived_before: bool) -> Played {
    play_of(&signatory(service(catalogue(Auth::Jws, rule))), rule, name, faults, arrived_before)
}

fn play_of(
    signatory: &Signatory,
    rule: &Repeat,
    name: &str,
    faults: &[Fault],
    arrived_before: bool,
) -> Played {
    let body = json(r#"{"request_id":"r-1"}"#);
    let mut call = signatory.call_named(name, &body, RANDOM, deadline()).unwrap();
    let mut shop = Shop::default();
    if arrived_before {
        shop.deliver(rule, "r-1", false);
    }
    let (mut now, mut attempts, mut delayed) = (at(0), 0, 0);
    let outcome = loop {
        match call.poll(now) {
            CallStep::Send(_) => {
                let fault = faults.get(attempts).copied().unwrap_or(Fault::Sound);
                attempts += 1;
                let reply = match fault {
                    Fault::NotSent => {
                        call.on_failure(TransportError::not_sent(NotSent::vouch()), now);
                        continue;
                    }
                    Fault::LostRequest => None,
                    Fault::Delayed => {
                        delayed += 1;
                        None
                    }
                    Fault::LostReply => {
                        shop.deliver(rule, "r-1", false);
                        None
                    }
                    Fault::Sound => Some(shop.deliver(rule, "r-1", false)),
                    Fault::Declined => Some(shop.deliver(rule, "r-1", true)),
                    Fault::Doubled => {
                        // Two copies of a request whose id is not looked at would be applied twice
                        // whatever the client does.
                        if *rule != Repeat::Unknown {
                            shop.deliver(rule, "r-1", false);
                        }
                        Some(shop.deliver(rule, "r-1", false))
                    }
                    Fault::Before(status) => Some((status, "<html>".to_owned())),
                    Fault::After(status) => {
                        shop.deliver(rule, "r-1", false);
                        Some((status, "<html>".to_owned()))
                    }
                    Fault::Garbage => {
                        shop.deliver(rule, "r-1", false);
                        Some((200, "{\"status\":".to_owned()))
                    }
                };
                match reply {
                    Some((status, body)) => {
                        let status = StatusCode::from_u16(status).unwrap();
                        let headers = HeaderMap::new();
                        call.on_reply(Reply::new(status, &headers, body.as_bytes()), now);
                    }
                    None => call.on_failure(TransportError::unknown(), now),
                }
            }
            CallStep::Wait { until } => now.mono = until,
            CallStep::Over(outcome) => break outcome,
            other => panic!("{other:?}"),
        }
    };
    for _ in 0..delayed {
        shop.deliver(rule, "r-1", false);
    }
    Played { outcome, shop, attempts }
}

/// All schedules of three faults.
fn schedules() -> impl Iterator<Item = [Fault; 3]> {
    FAULTS.into_iter().flat_map(|one| {
        FAULTS
            .into_iter()
            .flat_map(move |two| FAULTS.into_iter().map(move |three| [one, two, three]))
    })
}

fn rules() -> [Repeat; 4] {
    [
        Repeat::Unknown,
        Repeat::Replayed,
        Repeat::refused(["1002"]),
        Repeat::refused(std::iter::empty()),
    ]
}

#[test]
fn what_is_asked_for_is_applied_at_most_once_and_no_end_says_otherwise() {
    let (mut played, mut ends) = (0_u32, [0_u32; 4]);
    for rule in rules() {
        let signatory = signatory(service(catalogue(Auth::Jws, &rule)));
        for faults in schedules() {
            for (name, arrived) in [("pay", false), ("create", false), ("pay", true)] {
                if arrived && rule == Repeat::Unknown {
                    continue;
                }
                let Played { outcome, shop, attempts } =
                    play_of(&signatory, &rule, name, &faults, arrived);
                let applied = shop.applied;
                let told = || format!("{rule:?} {name} {arrived} {faults:?}: {outcome:?}");
                assert!(applied <= 1, "applied {applied} times: {}", told());
                // What an earlier call of the same id did, this one cannot know from a reply in
                // front of the service.
                let last = faults.get(attempts.saturating_sub(1));
                let is_of_service = !matches!(last, Some(Fault::Before(_) | Fault::NotSent));
                let may_not_know = arrived && !is_of_service;
                let end = match &outcome {
                    Outcome::Done(_) => (0, applied == 1),
                    Outcome::Refused(_) | Outcome::Failed(_) => (1, applied == 0 || may_not_know),
                    Outcome::Unknown(unknown) => {
                        let question = unknown.question().expect("it is known whom to ask");
                        assert_eq!(question.request().as_str(), r#"{"request_id":"r-1"}"#);
                        (2, true)
                    }
                };
                assert!(end.1, "applied {applied} times: {}", told());
                ends[end.0] += 1;
                played += 1;
                if rule != Repeat::Replayed {
                    let lost = faults[..attempts].iter().position(|it| *it != Fault::NotSent);
                    assert!(lost.is_none_or(|at| at + 1 == attempts), "sent again: {}", told());
                }
            }
        }
    }
    assert_eq!(played, 4_096 * (2 + 3 + 3 + 3));
    assert!(ends[..3].iter().all(|count| *count > 1_000), "{ends:?}");
}

#[test]
fn what_may_have_been_lost_is_done_if_the_service_replays_its_reply() {
    let may_be_lost = |fault: &Fault| {
        matches!(
            fault,
            Fault::NotSent
                | Fault::LostRequest
                | Fault::LostReply
                | Fault::Delayed
                | Fault::Before(429 | 503)
                | Fault::After(_)
        )
    };
    for faults in schedules().filter(|it| it[..2].iter().all(may_be_lost) && it[2] == Fault::Sound)
    {
        let Played { outcome, attempts, .. } = play(&Repeat::Replayed, "pay", &faults, false);
        assert!(matches!(outcome, Outcome::Done(_)), "{faults:?}: {outcome:?}");
        assert_eq!(attempts, 3, "{faults:?}");
    }
}

#[test]
fn a_replayed_call_that_stays_without_a_reply_is_unknown_and_has_no_permit() {
    for last in [Fault::NotSent, Fault::LostReply, Fault::Before(401), Fault::Before(404)] {
        let faults = [Fault::LostReply, Fault::NotSent, last];
        let Played { outcome, attempts, .. } = play(&Repeat::Replayed, "pay", &faults, false);
        assert!(matches!(outcome, Outcome::Unknown(_)), "{last:?}: {outcome:?}");
        assert_eq!((outcome.recovery(), attempts), (Some(Recovery::Resolve), 3));
    }
}

#[test]
fn a_refusal_that_says_duplicate_proves_that_the_first_one_arrived() {
    let rule = Repeat::refused(["1002"]);
    for faults in [[Fault::Doubled; 3], [Fault::Sound; 3]] {
        let before = faults[0] == Fault::Sound;
        let Played { outcome, attempts, .. } = play(&rule, "pay", &faults, before);
        let Outcome::Unknown(unknown) = outcome else { panic!("{faults:?}: {outcome:?}") };
        assert!(matches!(unknown.why(), CallError::Duplicate(_)), "{unknown}");
        assert_eq!(attempts, 1);
        let text = unknown.to_string();
        assert!(text.contains("ask request-status by request_id r-1"), "{text}");
    }
    let Played { outcome, .. } = play(&rule, "pay", &[Fault::Declined; 3], false);
    assert!(matches!(outcome, Outcome::Refused(_)), "another code: {outcome:?}");
    let Played { outcome, .. } = play(&rule, "read", &[Fault::Doubled; 3], false);
    let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
    assert!(matches!(failed.why(), CallError::Duplicate(_)), "{failed:?}");
}

#[test]
fn a_read_whose_repeat_is_refused_is_not_repeated() {
    for fault in [Fault::LostReply, Fault::After(500), Fault::Before(503)] {
        let rule = Repeat::refused(["1002"]);
        let Played { outcome, attempts, .. } = play(&rule, "read", &[fault; 3], false);
        assert!(matches!(outcome, Outcome::Failed(_)), "{fault:?}: {outcome:?}");
        assert_eq!(attempts, 1, "{fault:?}");
        let Played { attempts, .. } = play(&Repeat::Unknown, "read", &[fault; 3], false);
        assert_eq!(attempts, 3, "{fault:?}");
    }
}

#[test]
fn if_the_code_of_a_duplicate_is_not_known_a_refusal_proves_nothing() {
    let signatory = signatory(service(catalogue(Auth::Jws, &Repeat::refused(std::iter::empty()))));
    let body = br#"{"status":"error","error_code":"7"}"#;
    assert!(matches!(outcome_of(&signatory, "pay", 200, &[], body), Outcome::Unknown(_)));
    assert!(matches!(outcome_of(&signatory, "read", 200, &[], body), Outcome::Refused(_)));
}

#[test]
fn a_call_that_may_have_arrived_says_so_between_two_attempts() {
    let signatory = signatory(service(catalogue(Auth::Jws, &Repeat::Replayed)));
    let body = json(r#"{"request_id":"r-1"}"#);
    let mut call = signatory.call_named("pay", &body, RANDOM, deadline()).unwrap();
    assert!(matches!(call.poll(at(0)), CallStep::Send(_)));
    assert!(!call.may_have_arrived());
    call.on_failure(TransportError::unknown(), at(0));
    assert!(matches!(call.poll(at(0)), CallStep::Wait { .. }));
    assert!(call.may_have_arrived());
}

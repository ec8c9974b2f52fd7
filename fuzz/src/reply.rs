//! Any status, headers and body, as the reply to a sign-in or to a refresh.
//!
//! An input is text: a first line `sign-in STATUS` or `refresh STATUS`, then headers, a line each,
//! then an empty line and the body. What has no such head is the body of a 200 with JSON.
//!
//! An input that begins with `=` changes a valid reply, one change a line. A line has a letter for
//! the field and its text: `s` state, `t` response time, `a` and `r` the two tokens, `e` and `f`
//! their ends. With `!` before the letter, the text is JSON; with `-`, the field is removed. `x`
//! and `X` add a member to the payload and at the top, `h` a header, `S` is the status, `p` makes
//! it the reply to a refresh.
//!
//! Each reply is read a second time by rules that share nothing with the client's: the two must
//! agree, field by field.

mod input;
pub(crate) mod rules;

use std::error::Error;
use std::time::Duration;

use imts_core::error::ReplyError;
use imts_core::exchange::Purpose;
use imts_core::session::{RenewalCause, RenewalError};
use imts_core::time::{Mono, Wall};
use imts_core::{
    Credentials, Endpoint, Keep, Now, Phase, Policy, Reply, Session, Step, Ticket, TransportError,
    services,
};

use self::input::Input;
use self::rules::Told;
use crate::{Ran, Target};

/// This target.
pub const TARGET: Target = Target { name: "reply", goal: "a grant in use", run };

/// The published reply to Get token.
const GRANT: &[u8] = include_bytes!("../../core/tests/fixtures/get-token.reply.json");
/// When that reply's refresh token ends.
const GRANT_REFRESH_ENDS: i64 = 1_755_861_451_000_000;

/// A moment near the published example's.
const START: Now =
    Now { mono: Mono::from_micros(0), wall: Wall::from_unix_micros(1_753_269_451_577_745) };
/// How long an exchange takes.
const LATENCY: Duration = Duration::from_millis(3);

const SECRET: &str = "fuzz-secret-0";

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    let Input { purpose, response, structured } = Input::parse(data);
    let mut session = session();
    let mut now = START;
    let mut ticket = sent(&mut session, now);
    if purpose == Purpose::Refresh {
        let example = input::json(GRANT.to_vec());
        session.on_reply(ticket, Reply::from(&example), now).expect("the example");
        now = now.advanced_by(Duration::from_secs(1_000));
        ticket = sent(&mut session, now);
        assert_eq!(ticket.purpose(), Purpose::Refresh);
    }
    let sent = now.wall.unix_micros();
    now = now.advanced_by(LATENCY);
    let outcome = session.on_reply(ticket, Reply::from(&response), now);
    if let Err(error) = &outcome {
        check_error(error);
    }
    let told = rules::read(response.status().as_u16(), response.headers(), response.body(), sent);
    if let Some(told) = told {
        check_agreement(&session, purpose, now, outcome.as_ref().err().map(|e| e.why()), &told);
    }
    let asked = outcome.as_ref().err().filter(|error| {
        matches!(
            error.why(),
            RenewalCause::Reply(ReplyError::Refused(_) | ReplyError::Unexpected { .. })
        )
    });
    if let (Some(error), Some(wait)) = (asked, rules::retry_after(response.headers(), sent)) {
        assert_eq!(error.retry_after().map(|wait| wait.as_micros()), wait, "Retry-After");
    }
    check_phase(&session, now, outcome.is_ok());
    check_pace(&mut session, now);
    Ran { structured, deepest: outcome.is_ok() }
}

/// The client and the rules say the same of a reply.
fn check_agreement(
    session: &Session,
    purpose: Purpose,
    now: Now,
    fault: Option<&RenewalCause>,
    told: &Told,
) {
    let found = match fault {
        None => {
            let usable = session.phase(now).usable().expect("a grant is usable");
            Told::Grant {
                token: usable.bearer().expose_token().to_owned(),
                lifetime: i64::try_from(usable.lifetime().as_micros()).expect("within the cap"),
                access_ends: usable.access_expire_at().unix_micros(),
                refresh_ends: usable.refresh_expire_at().map(Wall::unix_micros),
                brings_refresh: matches!(told, Told::Grant { brings_refresh: true, .. }),
            }
        }
        Some(RenewalCause::DeadOnArrival) => {
            let Told::Grant { lifetime, .. } = told else {
                panic!("dead on arrival, and not a grant by the rules: {told:?}");
            };
            let latency = i64::try_from(LATENCY.as_micros()).expect("short");
            assert!(*lifetime <= latency, "dead on arrival with {lifetime} us to live");
            return;
        }
        Some(RenewalCause::Reply(ReplyError::Refused(_))) => Told::Refused,
        Some(RenewalCause::Reply(ReplyError::Malformed(_))) => Told::Malformed,
        Some(RenewalCause::Reply(ReplyError::Unexpected { .. })) => Told::Unexpected,
        Some(fault) => panic!("no fault of a reply: {fault:?}"),
    };
    let mut told = told.clone();
    if let Told::Grant { refresh_ends, brings_refresh: false, .. } = &mut told
        && purpose == Purpose::Refresh
    {
        refresh_ends.get_or_insert(GRANT_REFRESH_ENDS);
    }
    assert_eq!(found, told, "the client, and the rules");
}

/// The text of a failure is short, and has no foreign words and no secret.
fn check_error(error: &RenewalError) {
    let texts = [error.to_string(), format!("{error:?}")];
    assert!(texts.iter().all(|text| text.len() < 4_096), "an error of boundless length");
    assert!(!texts.iter().any(|text| text.contains(SECRET)), "an error with a secret");
    assert!(!texts[0].contains(char::is_control), "an error that moves the cursor");
    assert!(error.source().is_none(), "an error with someone else's words");
    let _ = error.recovery();
}

/// What a grant yields must be fit for a header and end within the caps.
fn check_phase(session: &Session, now: Now, granted: bool) {
    let phase = session.phase(now);
    assert_eq!(granted, phase.usable().is_some(), "a grant is usable, a failure is not");
    let (Phase::Valid(usable) | Phase::Expiring(usable)) = phase else { return };
    let token = usable.bearer().expose_token();
    assert!((1..=8_192).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic()));
    assert!(usable.bearer().header().is_sensitive());
    assert!(!usable.remaining().is_zero() && usable.remaining() <= usable.lifetime());
    assert!(usable.lifetime() <= session.policy().access_lifetime_cap);
    let saved = session.saved(now).expect("a grant can be saved").to_json();
    let restored = imts_core::Saved::from_json(&saved).expect("what is saved can be read");
    let mut again = self::session();
    again.adopt(restored, now).expect("the same endpoint and agent");
    let again = again.phase(now).usable().expect("as usable as it was");
    assert_eq!(again.bearer().expose_token(), token);
    assert!(again.remaining() <= usable.remaining());
}

/// Whatever came back, the next steps are few, and a failure is followed by quiet.
fn check_pace(session: &mut Session, now: Now) {
    let mut sends = 0;
    for _ in 0..4 {
        match session.poll(now) {
            Step::Send(ticket, _) => {
                sends += 1;
                session.on_failure(ticket, TransportError::unknown(), now);
            }
            Step::Ready(_) | Step::Wait { .. } | Step::SignIn { .. } => break,
            step => panic!("no one else is renewing, and nothing is saved: {step:?}"),
        }
    }
    assert!(sends <= 1, "{sends} requests at one moment");
}

fn session() -> Session {
    let endpoint = Endpoint::https("https://fuzz.example").expect("a good URL");
    let mut session =
        Session::new(endpoint, services::transfer(), Policy::default()).expect("a good service");
    let credentials = Credentials::new("agent", SECRET).expect("good credentials");
    session.sign_in(credentials, Keep::Always, START);
    session
}

fn sent(session: &mut Session, now: Now) -> Ticket {
    match session.poll(now) {
        Step::Send(ticket, _) => ticket,
        step => panic!("a renewal is due: {step:?}"),
    }
}

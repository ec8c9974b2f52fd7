//! Any status, headers and body, as the reply to a sign-in or to a refresh.
//!
//! An input is text: a first line `sign-in STATUS` or `refresh STATUS`, then headers, a line each,
//! then an empty line and the body. What has no such head is the body of a 200 with JSON.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use imts_core::{
    Contract, Credentials, Endpoint, Keep, Mono, Now, Phase, Policy, Purpose, Reply, Session, Step,
    Ticket, Wall,
};

/// The published reply to Get token.
pub const GRANT: &[u8] = include_bytes!("../../core/tests/fixtures/get-token.reply.json");

/// How far an input got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// No reply that a grant was read from.
    Refused,
    /// A grant, and a session that uses it.
    Granted,
}

/// A moment near the published example's.
const START: Now =
    Now { mono: Mono::from_micros(0), wall: Wall::from_unix_micros(1_753_269_451_577_745) };

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Depth {
    let input = Input::parse(data);
    let reply = Reply::new(input.status, &input.headers, input.body);
    let mut session = session();
    let mut now = START;
    let mut ticket = sent(&mut session, now);
    if input.purpose == Purpose::Refresh {
        let (status, headers) = (StatusCode::OK, json_headers());
        session.on_reply(ticket, Reply::new(status, &headers, GRANT), now).expect("the example");
        now = now.advanced_by(Duration::from_secs(1_000));
        ticket = sent(&mut session, now);
        assert_eq!(ticket.purpose(), Purpose::Refresh);
    }
    now = now.advanced_by(Duration::from_millis(3));
    let outcome = session.on_reply(ticket, reply, now);
    if let Err(trouble) = &outcome {
        let texts = [trouble.to_string(), format!("{trouble:?}")];
        assert!(texts.iter().all(|text| text.len() < 4_096), "an error of boundless length");
        assert!(trouble.source().is_none(), "an error with someone else's words");
        let _ = (trouble.recovery(), trouble.retry_after());
    }
    check_phase(&session, now, outcome.is_ok());
    check_pace(&mut session, now);
    if outcome.is_ok() { Depth::Granted } else { Depth::Refused }
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
                session.on_failure(ticket, imts_core::Failure::unknown(), now);
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
        Session::new(endpoint, Contract::imts(), Policy::default()).expect("a good contract");
    let credentials = Credentials::new("agent", "secret").expect("good credentials");
    session.sign_in(credentials, Keep::Held, START);
    session
}

fn sent(session: &mut Session, now: Now) -> Ticket {
    match session.poll(now) {
        Step::Send(ticket, _) => ticket,
        step => panic!("a renewal is due: {step:?}"),
    }
}

fn json_headers() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

struct Input<'a> {
    purpose: Purpose,
    status: StatusCode,
    headers: HeaderMap,
    body: &'a [u8],
}

impl<'a> Input<'a> {
    fn parse(data: &'a [u8]) -> Self {
        Self::with_head(data).unwrap_or_else(|| Self {
            purpose: Purpose::SignIn,
            status: StatusCode::OK,
            headers: json_headers(),
            body: data,
        })
    }

    fn with_head(data: &'a [u8]) -> Option<Self> {
        let end = data.windows(2).position(|pair| pair == b"\n\n")?;
        let (head, body) = (data.get(..end)?, data.get(end + 2..)?);
        let mut lines = head.split(|byte| *byte == b'\n');
        let first = std::str::from_utf8(lines.next()?).ok()?;
        let (purpose, status) = first.split_once(' ')?;
        let purpose = match purpose {
            "sign-in" => Purpose::SignIn,
            "refresh" => Purpose::Refresh,
            _ => return None,
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(line.get(..colon)?).ok()?;
            let value = line.get(colon + 1..)?.trim_ascii();
            headers.append(name, HeaderValue::from_bytes(value).ok()?);
        }
        Some(Self {
            purpose,
            status: StatusCode::from_bytes(status.as_bytes()).ok()?,
            headers,
            body,
        })
    }
}

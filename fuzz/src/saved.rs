//! Any bytes as a saved state: read, restored, and gone on from.
//!
//! An input is the saved form. An input that begins with `=` changes a valid one, one change a
//! line: a letter for the field and its text (see [`reply`](crate::reply) for the signs before it):
//! `v` version, `g` generation, `h` holder, `n` serial, `f` failures, `E` endpoint, `A` agent, `s`
//! when it was saved; `a i l x` the access token, its end, its lifetime and its end by the server's
//! clock; `r j y d` the refresh token, its ends, its use. `X` adds a member; `1` and `2` leave out
//! the one token or the other.

use std::time::Duration;

use http::Response;
use imts_core::exchange::Purpose;
use imts_core::session::AdoptError;
use imts_core::time::{Mono, Wall};
use imts_core::{
    Credentials, Endpoint, Keep, Now, Policy, Reply, Saved, Session, Step, TransportError, services,
};
use serde_json::Value;

use crate::changes::{apply, changes, field, object, raw};
use crate::{Ran, Target};

/// This target.
pub const TARGET: Target =
    Target { name: "saved", goal: "a restored token that is handed out", run };

const URL: &str = "https://fuzz.example";
const AGENT: &str = "agent";
const SAVED_AT: i64 = 1_753_269_451_577_745;

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    let (structured, bytes) = match data.strip_prefix(b"=") {
        Some(lines) => (true, changed(lines)),
        None => (false, data.to_vec()),
    };
    let saved = match Saved::from_json(&bytes) {
        Ok(saved) => saved,
        Err(error) => {
            assert!(error.to_string().len() < 128, "an error that quotes: {error}");
            return Ran { structured, deepest: false };
        }
    };
    let form = saved.to_json();
    let again = Saved::from_json(&form).expect("what is saved can be read");
    assert_eq!(again.to_json(), form, "a fixed point");
    let form: Value = serde_json::from_slice(&form).expect("JSON");
    let mut read: Value = serde_json::from_slice(&bytes).expect("what is read is JSON");
    for optional in ["agent_id", "access", "refresh"] {
        // To index is to insert a null where there is nothing.
        let _ = &mut read[optional];
    }
    upgrade(&mut read);
    leave_out_defaults(&mut read);
    assert_eq!(read, form, "nothing is lost, and nothing invented");
    check_silence(&saved, &form);
    let mut deepest = false;
    for now in moments(&form) {
        for keeps in [true, false] {
            deepest |= go_on(&saved, &form, now, keeps);
        }
    }
    Ran { structured, deepest }
}

/// The second version says more of a refresh token in doubt.
fn upgrade(read: &mut Value) {
    if read["version"] == 1 {
        read["version"] = 2.into();
        if let Some(refresh) = read["refresh"].as_object_mut() {
            let in_doubt = refresh.remove("in_doubt") == Some(true.into());
            refresh.insert("use".into(), if in_doubt { "in_doubt" } else { "unspent" }.into());
        }
    }
}

/// What is meant where nothing stands need not stand there.
fn leave_out_defaults(read: &mut Value) {
    let read = read.as_object_mut().expect("an object");
    for (name, default) in [
        ("after_rejection", Value::Bool(false)),
        ("holder", 0.into()),
        ("serial", 0.into()),
        ("failures", 0.into()),
        ("service", Value::Null),
        ("subject", Value::Null),
        ("token_id", Value::Null),
        ("earlier_ids", Value::Array(Vec::new())),
    ] {
        if read.get(name) == Some(&default) {
            read.remove(name);
        }
    }
}

fn changed(lines: &[u8]) -> Vec<u8> {
    let mut outer = [
        raw(b'v', "version", &2),
        raw(b'g', "generation", &3),
        field(b'E', "endpoint", URL),
        field(b'A', "agent_id", AGENT),
        raw(b's', "saved_at_us", &SAVED_AT),
        raw(b'h', "holder", &77),
        raw(b'n', "serial", &5),
        raw(b'f', "failures", &1),
    ];
    let mut access = [
        field(b'a', "token", "a.b.c"),
        raw(b'i', "ends_at_us", &(SAVED_AT + 900_000_000)),
        raw(b'l', "lifetime_us", &900_000_000),
        raw(b'x', "expire_at_us", &(SAVED_AT + 900_000_000)),
    ];
    let mut refresh = [
        field(b'r', "token", "d.e.f"),
        raw(b'j', "ends_at_us", &(SAVED_AT + 2_592_000_000_000)),
        raw(b'y', "expire_at_us", &(SAVED_AT + 2_592_000_000_000)),
        field(b'd', "use", "unspent"),
    ];
    let (mut more, mut with) = (Vec::new(), [true, true]);
    for change in changes(lines) {
        match change.letter {
            b'1' => with[0] = false,
            b'2' => with[1] = false,
            b'X' => more.push(change.rest.to_vec()),
            _ => {
                apply(&mut outer, &change);
                apply(&mut access, &change);
                apply(&mut refresh, &change);
            }
        }
    }
    for (name, fields, with) in [("access", access, with[0]), ("refresh", refresh, with[1])] {
        let value = if with { object(&fields, &[]) } else { b"null".to_vec() };
        more.push([b"\"", name.as_bytes(), b"\":", value.as_slice()].concat());
    }
    object(&outer, &more)
}

/// No token in `Debug`, unless endpoint or agent spell it, perhaps by their escapes.
fn check_silence(saved: &Saved, form: &Value) {
    let shown = format!("{saved:?}");
    let public = format!("{:?} {:?}", saved.endpoint(), saved.agent_id());
    for token in [&form["access"]["token"], &form["refresh"]["token"]] {
        let Some(token) = token.as_str().filter(|token| token.len() > 40) else { continue };
        assert!(public.contains(token) || !shown.contains(token), "a token in Debug");
    }
}

/// Before it was saved, when it was, a second later, and around the tokens' ends.
fn moments(form: &Value) -> impl Iterator<Item = Now> {
    let at = |value: &Value| value.as_i64().unwrap_or(SAVED_AT);
    let saved = at(&form["saved_at_us"]);
    let ends = [at(&form["access"]["ends_at_us"]), at(&form["refresh"]["ends_at_us"])];
    let around = [saved.saturating_sub(1), saved, saved.saturating_add(1_000_000)];
    let near = ends.map(|end| [end.saturating_sub(1), end]);
    around.into_iter().chain(near.into_iter().flatten()).map(|micros| Now {
        mono: Mono::from_micros(7_000_000),
        wall: Wall::from_unix_micros(micros),
    })
}

/// Restores the state at this moment and drives the session until it rests; whether it handed out
/// the restored token.
fn go_on(saved: &Saved, form: &Value, mut now: Now, keeps: bool) -> bool {
    let endpoint = Endpoint::https(URL).expect("a good URL");
    let session = Session::new(endpoint, services::transfer(), Policy::default());
    let mut session = session.expect("a good service").with_store();
    if keeps {
        let credentials = Credentials::new(AGENT, "secret").expect("good credentials");
        session.sign_in(credentials, Keep::Always, now);
    }
    let adopted = session.adopt(saved.clone(), now);
    if saved.endpoint() != URL {
        assert_eq!(adopted, Err(AdoptError::OtherEndpoint));
    } else if saved.service().is_some() {
        assert_eq!(adopted, Err(AdoptError::OtherService));
    } else if keeps && saved.agent_id() != Some(AGENT) || saved.subject().is_some() {
        assert_eq!(adopted, Err(AdoptError::OtherAgent));
    } else {
        assert_eq!(adopted, Ok(()));
    }
    if adopted.is_err() {
        assert!(session.saved(now).is_none() && session.phase(now).usable().is_none());
        return false;
    }
    let (mut handed_out, mut refreshes, mut generation) = (false, 0, saved.generation());
    for step in 0..16 {
        match session.poll(now) {
            Step::Ready(bearer) => {
                handed_out = true;
                check_restored(&bearer, form, now, &session);
                break;
            }
            Step::Send(ticket, exchange) => {
                if ticket.purpose() == Purpose::Refresh {
                    refreshes += 1;
                    let body: Value = serde_json::from_slice(exchange.request().body().as_ref())
                        .expect("a JSON body");
                    assert_eq!(body["refresh_token"], form["refresh"]["token"]);
                    assert!(!(saved.is_in_doubt() && keeps), "sent again, with credentials held");
                    assert!(!saved.is_in_doubt() || refreshes == 1, "replayed twice");
                    assert_ne!(form["refresh"]["use"], "replayed", "replayed before");
                }
                if step % 2 == 0 || saved.is_in_doubt() {
                    session.on_failure(ticket, TransportError::unknown(), now);
                } else {
                    let refused = Response::builder().status(401).body(Vec::new()).expect("valid");
                    let _ = session.on_reply(ticket, Reply::from(&refused), now);
                }
            }
            Step::Save(ticket, state) => {
                assert!(state.generation() > generation, "each save is newer");
                assert!(state.is_in_doubt(), "a mark, since nothing was granted");
                generation = state.generation();
                session.on_saved(ticket, now);
            }
            Step::Busy { until } | Step::Wait { until, .. } => {
                now = now.advanced_by(until.since(now.mono));
            }
            Step::SignIn { .. } => break,
            Step::Swap(..) | Step::Rest { .. } => panic!("no store is shared"),
        }
    }
    handed_out
}

fn check_restored(bearer: &imts_core::Bearer, form: &Value, now: Now, session: &Session) {
    let access = &form["access"];
    assert_eq!(Some(bearer.expose_token()), access["token"].as_str());
    let at = |value: &Value| value.as_i64().expect("a whole number");
    let left = at(&access["ends_at_us"]).saturating_sub(now.wall.unix_micros());
    let left = Duration::from_micros(u64::try_from(left).expect("not after its end"));
    let lifetime = Duration::from_micros(access["lifetime_us"].as_u64().expect("a lifetime"));
    let remaining = bearer.remaining(now);
    assert!(!remaining.is_zero(), "a dead token");
    assert!(remaining <= left.min(lifetime).min(session.policy().access_lifetime_cap));
    assert!(at(&form["saved_at_us"]) <= now.wall.unix_micros(), "saved in the future");
}

//! Whole replies: status, headers and body in, an outcome out.

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use imts_core::error::{Malformed, ReplyError};
use imts_core::exchange::Purpose;
use imts_core::session::{RenewalCause, RenewalError};
use imts_core::time::{Mono, Wall};
use imts_core::{Credentials, Endpoint, Keep, Now, Policy, Reply, Session, Step, services};
use serde_json::{Value, json};

use crate::files::{bytes, list, replies, text};

/// When each request is sent, by both clocks.
const SENT: Now =
    Now { mono: Mono::from_micros(0), wall: Wall::from_unix_micros(1_753_269_451_577_745) };

/// A grant from two weeks before, whose refresh token is the example's, and ends with it.
const BEFORE: &str = r#"{"state":true,"response_time":"2025-07-09T11:17:31Z","payload":{
    "access_token":"before","refresh_token":"before-too",
    "access_expire_at":"2025-07-09T11:32:31Z","refresh_expire_at":"2025-08-22T11:17:31Z"}}"#;

/// What a grant granted.
pub(crate) struct Grant {
    pub(crate) token: String,
    lifetime: Duration,
    access_expire_at: Wall,
    refresh_expire_at: Option<Wall>,
}

/// A session that waits for the reply to a sign-in.
pub(crate) fn sign_in() -> Session {
    let endpoint = Endpoint::https("https://service.example").unwrap();
    let mut session = Session::new(endpoint, services::transfer(), Policy::default()).unwrap();
    let credentials = Credentials::new("agent", "s3cret-of-agent").unwrap();
    session.sign_in(credentials, Keep::Always, SENT);
    session
}

/// A session that waits for the reply to a refresh.
fn refresh() -> Session {
    let mut session = sign_in();
    let before = Now { mono: SENT.mono, wall: Wall::from_unix_micros(1_752_059_851_000_000) };
    let response = Response::builder().header("content-type", "application/json");
    let response = response.body(BEFORE.as_bytes()).unwrap();
    let Step::Send(ticket, _) = session.poll(before) else { panic!("a sign-in is due") };
    session.on_reply(ticket, Reply::from(&response), before).unwrap();
    session
}

/// Sends what is due, and hands in the reply.
pub(crate) fn told(
    session: &mut Session,
    response: &Response<Vec<u8>>,
) -> Result<Grant, Arc<RenewalError>> {
    let Step::Send(ticket, _) = session.poll(SENT) else { panic!("a renewal is due") };
    session.on_reply(ticket, Reply::from(response), SENT)?;
    let usable = session.phase(SENT).usable().expect("a grant is usable");
    Ok(Grant {
        token: usable.bearer().expose_token().to_owned(),
        lifetime: usable.lifetime(),
        access_expire_at: usable.access_expire_at(),
        refresh_expire_at: usable.refresh_expire_at(),
    })
}

fn outcome(vector: &Value) -> Value {
    let status = u16::try_from(vector["status"].as_u64().unwrap()).unwrap();
    let mut response = Response::builder().status(status);
    for header in vector["headers"].as_array().unwrap() {
        response = response.header(header[0].as_str().unwrap(), header[1].as_str().unwrap());
    }
    let response = response.body(bytes(vector)).unwrap();
    let mut session = match text(vector, "purpose") {
        "sign-in" => sign_in(),
        "refresh" => refresh(),
        purpose => panic!("{purpose}"),
    };
    match told(&mut session, &response) {
        Ok(grant) => json!({
            "outcome": "granted",
            "token": grant.token,
            "lifetime_us": u64::try_from(grant.lifetime.as_micros()).unwrap(),
            "access_expire_at_us": grant.access_expire_at.unix_micros(),
            "refresh_expire_at_us": grant.refresh_expire_at.map(Wall::unix_micros),
        }),
        Err(error) => {
            let is_ours = |purpose: Option<Purpose>| match text(vector, "purpose") {
                "refresh" => purpose == Some(Purpose::Refresh),
                _ => purpose == Some(Purpose::SignIn),
            };
            assert!(is_ours(error.purpose()), "{vector}");
            refusal(&error)
        }
    }
}

fn refusal(error: &RenewalError) -> Value {
    let RenewalCause::Reply(error) = error.why() else { panic!("{error}") };
    let (recovery, after) = (error.recovery().as_str(), error.retry_after());
    let after = after.map(|after| after.as_secs());
    match error {
        ReplyError::Malformed(Malformed::TooLarge { .. }) => malformed("too_large", None),
        ReplyError::Malformed(Malformed::Encoding) => malformed("encoding", None),
        ReplyError::Malformed(Malformed::Json { .. }) => malformed("json", None),
        ReplyError::Malformed(Malformed::Missing { field }) => malformed("missing", Some(field)),
        ReplyError::Malformed(Malformed::Token { field }) => malformed("token", Some(field)),
        ReplyError::Malformed(Malformed::Date { field }) => malformed("date", Some(field)),
        ReplyError::Malformed(Malformed::Lifetime { field }) => malformed("lifetime", Some(field)),
        ReplyError::Refused(refusal) => json!({
            "outcome": "refused",
            "recovery": recovery,
            "code": refusal.code(),
            "message": refusal.message(),
            "retry_after_s": after,
        }),
        ReplyError::Unexpected { .. } => {
            json!({ "outcome": "unexpected", "recovery": recovery, "retry_after_s": after })
        }
        other => panic!("{other:?}"),
    }
}

fn malformed(fault: &str, field: Option<&str>) -> Value {
    let mut value = json!({ "outcome": "malformed", "fault": fault });
    if let Some(field) = field {
        value["field"] = field.into();
    }
    value
}

#[test]
fn each_reply_has_its_outcome() {
    let (mut count, mut wrong) = (0, Vec::new());
    for (group, file) in replies() {
        for vector in list(file, "vectors") {
            let found = outcome(&vector);
            count += 1;
            if found != vector["expect"] {
                let id = text(&vector, "id");
                wrong.push(format!("{group} {id}: {found}, not {}", vector["expect"]));
            }
        }
    }
    assert!(count >= 150, "only {count} replies");
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

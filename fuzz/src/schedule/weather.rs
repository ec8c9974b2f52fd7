//! How the service behaves, and how that changes.

use std::time::Duration;

use imts_sandbox::{
    Delivery, ErrorShape, Fault, NoToken, Operation, Outage, RetryAfter, Rotation, Rule, When,
};
use serde_json::{Value, json};

use super::service::{AGENTS, Answer, SECRET, Service};
use super::tally::Tally;
use super::world::World;

pub(super) fn change(world: &mut World) {
    let choices = &mut world.choices;
    let service = &mut world.service;
    let settings = service.sandbox.settings_mut();
    match choices.below(14) {
        0 | 1 => {
            settings.rotation = choices.pick(&[
                Rotation::Never,
                Rotation::Always,
                Rotation::ReuseRevokesFamily,
                Rotation::GraceSeconds(60),
            ]);
        }
        2 => settings.no_token = choices.pick(&[NoToken::Absent, NoToken::Null, NoToken::Empty]),
        3 => settings.refresh_endpoint = !settings.refresh_endpoint,
        4 => settings.refuse_refresh = !settings.refuse_refresh,
        5 => settings.reject_access = !settings.reject_access,
        6 | 7 => {
            let mut outage = Outage::default();
            outage.status = choices.pick(&[503, 503, 429, 500, 502, 408, 403, 302, 200, 401]);
            service.retry = choices.pick(&[1, 30, 120, 100_000, u64::MAX]);
            outage.retry_after = choices.pick(&[
                None,
                Some(RetryAfter::Seconds(service.retry)),
                Some(RetryAfter::Date(Duration::from_secs(service.retry.min(100_000)))),
            ]);
            settings.outage = Some(outage);
        }
        8 => {
            settings.error_shape = choices.pick(&[
                ErrorShape::V5,
                ErrorShape::Nested,
                ErrorShape::Fields,
                ErrorShape::State,
                ErrorShape::Bare,
            ]);
        }
        9 => settings.skew_micros = choices.pick(&[0, 60, 3_600, -3_600, 86_400]) * 1_000_000,
        10 => {
            let lifetime = choices.pick(&LIFETIMES);
            settings.access_lifetime = Duration::from_millis(lifetime);
            settings.refresh_lifetime =
                Duration::from_secs(choices.pick(&[0, 60, 1_800, 30 * 86_400, 5_000 * 86_400]));
        }
        11 => service.repeats = true,
        12 => {
            let secret = if choices.percent(50) { SECRET } else { "changed" };
            settings.agents.insert(AGENTS[0].to_owned(), secret.to_owned());
        }
        _ => {
            let (operation, fault) = fault(choices.below(21));
            // A rotated token that never arrives makes the old one look good still.
            let loses = matches!(&fault, Fault::Field { name, .. } if name == "refresh_token");
            world.is_alone &= !loses || operation == Some(Operation::GetToken);
            let when = choices.pick(&[When::Always, When::Nth(1), When::Every(2)]);
            let rule = Rule { operation, when, fault };
            world.service.sandbox.settings_mut().faults = vec![rule];
        }
    }
}

/// Of an access token, in milliseconds.
const LIFETIMES: [u64; 10] =
    [0, 40, 500, 1_000, 2_000, 30_000, 60_000, 900_000, 3 * 86_400_000, 500 * 86_400_000];

/// A fault, and the operation that meets it, or both.
fn fault(which: u64) -> (Option<Operation>, Fault) {
    let field = |name: &str, value: Value| Fault::Field { name: name.to_owned(), value };
    let of = |status, retry_after_s| Fault::Status { status, retry_after_s };
    match which {
        0 => (None, of(500, None)),
        1 => (None, of(429, Some(30))),
        2 => (Some(Operation::Refresh), of(422, None)),
        3 => (None, Fault::Html { status: 403 }),
        4 => (None, Fault::Html { status: 200 }),
        5 => (None, Fault::Redirect { status: 307, location: "https://elsewhere.example".into() }),
        6 => (None, Fault::Body { text: "{\"state\":true,".into() }),
        7 => (None, Fault::ContentType { value: "text/html".into() }),
        8 => (None, field("access_expire_at", json!("soon"))),
        9 => (None, field("access_token", json!("a b"))),
        10 => (Some(Operation::GetToken), field("refresh_token", Value::Null)),
        11 => (None, of(403, None)),
        12 => (Some(Operation::Refresh), of(403, None)),
        13 => (None, of(503, Some(120))),
        14 => (None, of(400, None)),
        15 => (None, Fault::Body { text: "{\"state\":false}".into() }),
        16 => (None, Fault::Body { text: "[]".into() }),
        17 => (None, field("access_token", json!("one-and-the-same"))),
        18 => (None, field("access_expire_at", json!("9999-12-31T23:59:59Z"))),
        19 => (Some(Operation::Refresh), field("refresh_token", Value::Null)),
        _ => (None, Fault::Dropped),
    }
}

pub(super) fn clear(service: &mut Service) {
    service.repeats = false;
    let settings = service.sandbox.settings_mut();
    settings.agents.insert(AGENTS[0].to_owned(), SECRET.to_owned());
    settings.faults.clear();
    settings.outage = None;
    settings.refresh_endpoint = true;
    (settings.refuse_refresh, settings.reject_access) = (false, false);
    settings.skew_micros = 0;
    settings.access_lifetime = Duration::from_secs(900);
    settings.refresh_lifetime = Duration::from_secs(30 * 86_400);
}

pub(super) fn revoke(world: &mut World) {
    let sandbox = &mut world.service.sandbox;
    if world.choices.percent(50) {
        sandbox.revoke_access_tokens();
    } else {
        sandbox.revoke_refresh_tokens();
    }
}

/// Notes how the service behaved when it gave this answer.
pub(super) fn note(tally: &mut Tally, service: &Service, answer: &Answer) {
    let settings = service.sandbox.settings();
    let refreshed = service
        .sandbox
        .log()
        .last()
        .is_some_and(|entry| entry.operation == Operation::Refresh && answer.access.is_some());
    if refreshed {
        tally.note(match settings.rotation {
            Rotation::Never => "rotation: never",
            Rotation::Always => "rotation: always",
            Rotation::ReuseRevokesFamily => "rotation: reuse revokes the family",
            _ => "rotation: grace",
        });
        if answer.refresh.is_none() {
            tally.note(match settings.no_token {
                NoToken::Absent => "no token: absent",
                NoToken::Null => "no token: null",
                NoToken::Empty => "no token: empty",
            });
        }
    }
    if answer.status() >= 400 {
        tally.note(match settings.error_shape {
            ErrorShape::V5 => "error shape: v5",
            ErrorShape::Nested => "error shape: nested",
            ErrorShape::Fields => "error shape: fields",
            ErrorShape::State => "error shape: state",
            ErrorShape::Bare => "error shape: bare",
        });
    }
    if answer.retry.is_some() {
        let of = settings.outage.as_ref().and_then(|outage| outage.retry_after);
        tally.note(match of {
            Some(RetryAfter::Date(_)) => "retry-after: date",
            _ => "retry-after: seconds",
        });
    }
    if answer.response.extensions().get::<Delivery>().is_some() {
        return tally.note("sandbox: dropped");
    }
    let Some(rule) = settings.faults.first() else { return };
    match &rule.fault {
        Fault::Status { status, .. } if answer.status() == *status => tally.note("sandbox: status"),
        Fault::Html { status } if answer.status() == *status => tally.note("sandbox: html"),
        Fault::Redirect { .. } if answer.status() == 307 => tally.note("sandbox: redirect"),
        Fault::Body { text } if answer.response.body() == text.as_bytes() => {
            tally.note("sandbox: body");
        }
        Fault::ContentType { value }
            if answer.response.headers().get("content-type").is_some_and(|it| it == value) =>
        {
            tally.note("sandbox: content type");
        }
        Fault::Field { .. } if answer.status() == 200 => tally.note("sandbox: field"),
        _ => {}
    }
}

//! How the service behaves, and how that changes.

use std::time::Duration;

use imts_sandbox::{
    Delivery, ErrorShape, Fault, NoToken, Operation, Outage, RetryAfter, Rotation, Rule, When,
};
use serde_json::{Value, json};

use crate::service::{AGENTS, Answer, SECRET, Service};
use crate::tally::Tally;
use crate::world::World;

pub(crate) fn change(world: &mut World) {
    let dice = &mut world.dice;
    let service = &mut world.service;
    let settings = service.sandbox.settings_mut();
    match dice.below(14) {
        0 | 1 => {
            settings.rotation = dice.pick(&[
                Rotation::Never,
                Rotation::Always,
                Rotation::ReuseRevokesFamily,
                Rotation::GraceSeconds(60),
            ]);
        }
        2 => settings.no_token = dice.pick(&[NoToken::Absent, NoToken::Null, NoToken::Empty]),
        3 => settings.refresh_endpoint = !settings.refresh_endpoint,
        4 => settings.refuse_refresh = !settings.refuse_refresh,
        5 => settings.reject_access = !settings.reject_access,
        6 | 7 => {
            let mut outage = Outage::default();
            outage.status = dice.pick(&[503, 503, 429, 500, 502, 408, 403]);
            service.retry = dice.pick(&[1, 30, 120, 100_000]);
            outage.retry_after = dice.pick(&[
                None,
                Some(RetryAfter::Seconds(service.retry)),
                Some(RetryAfter::Date(Duration::from_secs(service.retry))),
            ]);
            settings.outage = Some(outage);
        }
        8 => {
            settings.error_shape = dice.pick(&[
                ErrorShape::V5,
                ErrorShape::Nested,
                ErrorShape::Fields,
                ErrorShape::State,
                ErrorShape::Bare,
            ]);
        }
        9 => settings.skew_micros = dice.pick(&[0, 3_600, -3_600, 86_400]) * 1_000_000,
        10 => {
            let lifetime = dice.pick(&[40, 500, 1_000, 2_000, 60_000, 900_000, 3 * 86_400_000]);
            settings.access_lifetime = Duration::from_millis(lifetime);
            settings.refresh_lifetime = Duration::from_secs(dice.pick(&[1_800, 30 * 86_400]));
        }
        11 => service.repeats = true,
        12 => {
            let secret = if dice.percent(50) { SECRET } else { "changed" };
            settings.agents.insert(AGENTS[0].to_owned(), secret.to_owned());
        }
        _ => {
            let (operation, fault) = fault(dice.below(14));
            let when = dice.pick(&[When::Always, When::Nth(1), When::Every(2)]);
            settings.faults = vec![Rule { operation, when, fault }];
        }
    }
}

/// A fault, and what it may befall: a grant whose rotated token is lost would be the service's sin.
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
        _ => (None, Fault::Dropped),
    }
}

pub(crate) fn clear(service: &mut Service) {
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

pub(crate) fn revoke(world: &mut World) {
    let sandbox = &mut world.service.sandbox;
    if world.dice.percent(50) {
        sandbox.revoke_access_tokens();
    } else {
        sandbox.revoke_refresh_tokens();
    }
}

/// Notes how the service behaved when it gave this answer.
pub(crate) fn note(tally: &mut Tally, service: &Service, answer: &Answer) {
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

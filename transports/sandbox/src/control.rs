//! The control door: the sandbox's behaviour over HTTP, for a program in another process.
//!
//! It is the sandbox's own and no part of the service; what comes through it is not logged.

use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::fault::Rule;
use crate::reply::{self, Evidence};
use crate::sandbox::Sandbox;
use crate::settings::{ErrorShape, NoToken, Outage, RetryAfter, Rotation};
use crate::time::Time;

pub(crate) fn handle(
    sandbox: &mut Sandbox,
    now: Time,
    request: &Request<Vec<u8>>,
) -> Response<Vec<u8>> {
    let outcome = match (request.method(), request.uri().path()) {
        (&Method::GET, "/_sandbox") => Ok(identity(sandbox)),
        (&Method::GET, "/_sandbox/log") => log(sandbox, request.uri().query()),
        (&Method::POST, "/_sandbox/settings") => settings(sandbox, now, request.body()),
        (&Method::POST, "/_sandbox/revoke") => revoke(sandbox, request.body()),
        (&Method::POST, "/_sandbox/reset") => {
            sandbox.reset();
            Ok(json!({}))
        }
        _ => {
            Err((StatusCode::NOT_FOUND, "the control door has no such method and path".to_owned()))
        }
    };
    let (status, body) = match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err((status, message)) => (status, json!({ "error": message })),
    };
    reply::with_json(status, now, Evidence::Assumed, &body)
}

type Outcome = Result<Value, (StatusCode, String)>;

fn identity(sandbox: &Sandbox) -> Value {
    json!({
        "sandbox": "imts",
        "version": env!("CARGO_PKG_VERSION"),
        "agents": sandbox.settings().agents.keys().collect::<Vec<_>>(),
        "requests": sandbox.log().len(),
        "counters": sandbox.counters(),
    })
}

/// The entries with a number above `since`.
fn log(sandbox: &Sandbox, query: Option<&str>) -> Outcome {
    let since =
        match query {
            None => 0,
            Some(query) => query
                .strip_prefix("since=")
                .and_then(|number| number.parse::<u64>().ok())
                .ok_or((StatusCode::BAD_REQUEST, "the query must be since=NUMBER".to_owned()))?,
        };
    let entries: Vec<_> = sandbox
        .log()
        .iter()
        .filter(|entry| entry.number > since)
        .map(|entry| {
            let mut value = json!(entry);
            value["meaning"] = entry.verdict.as_str().into();
            value
        })
        .collect();
    Ok(json!({ "entries": entries }))
}

/// What may be changed; a field that is not there stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    access_lifetime_s: Option<u32>,
    refresh_lifetime_s: Option<u32>,
    rotation: Option<Rotation>,
    no_token: Option<NoToken>,
    refresh_endpoint: Option<bool>,
    refuse_refresh: Option<bool>,
    reject_access: Option<bool>,
    /// `null` ends an outage.
    #[serde(default, deserialize_with = "present")]
    outage: Option<Option<OutageChange>>,
    error_shape: Option<ErrorShape>,
    quote_secrets: Option<bool>,
    skew_s: Option<i32>,
    latency_ms: Option<u32>,
    faults: Option<Vec<Rule>>,
    fault_seed: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutageChange {
    status: Option<u16>,
    retry_after_s: Option<u64>,
    for_s: Option<u32>,
}

fn settings(sandbox: &mut Sandbox, now: Time, body: &[u8]) -> Outcome {
    let change: Change = parse(body)?;
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let settings = sandbox.settings_mut();
    if let Some(skew) = change.skew_s {
        settings.skew_micros = i64::from(skew).saturating_mul(1_000_000);
    }
    let server_now = now.shifted(settings.skew_micros);
    if let Some(outage) = change.outage {
        settings.outage = outage.map(|outage| Outage {
            until: outage.for_s.map(|length| server_now.after(seconds(length))),
            status: outage.status.unwrap_or(503),
            retry_after: outage.retry_after_s.map(RetryAfter::Seconds),
        });
    }
    set(&mut settings.access_lifetime, change.access_lifetime_s.map(seconds));
    set(&mut settings.refresh_lifetime, change.refresh_lifetime_s.map(seconds));
    set(&mut settings.latency, change.latency_ms.map(|ms| Duration::from_millis(ms.into())));
    set(&mut settings.faults, change.faults);
    set(&mut settings.fault_seed, change.fault_seed);
    set(&mut settings.rotation, change.rotation);
    set(&mut settings.no_token, change.no_token);
    set(&mut settings.refresh_endpoint, change.refresh_endpoint);
    set(&mut settings.refuse_refresh, change.refuse_refresh);
    set(&mut settings.reject_access, change.reject_access);
    set(&mut settings.error_shape, change.error_shape);
    set(&mut settings.quote_secrets, change.quote_secrets);
    Ok(json!({}))
}

/// Which tokens are taken back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    #[serde(default)]
    access: bool,
    #[serde(default)]
    refresh: bool,
}

fn revoke(sandbox: &mut Sandbox, body: &[u8]) -> Outcome {
    let Revoke { access, refresh } = parse(body)?;
    if access {
        sandbox.revoke_access_tokens();
    }
    if refresh {
        sandbox.revoke_refresh_tokens();
    }
    Ok(json!({}))
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Tells `null` from a field that is not there.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

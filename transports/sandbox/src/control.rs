//! The control interface: changes the sandbox's behaviour over HTTP, for a program in another
//! process.
//!
//! It belongs to the sandbox and is not part of the service. Its requests are not logged.

mod callbacks;
mod change;
mod freedom_id;
mod signed;

use http::header::ORIGIN;
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::ledger::Intent;
use crate::reply;
use crate::sandbox::{Sandbox, is_control};
use crate::served::{Evidence, Served};
use crate::signed::SignedOperation;
use crate::time::Time;

impl Sandbox {
    /// Answers a request that comes in at this time.
    pub fn handle(&mut self, now: Time, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        match is_control(request.uri().path()) {
            true => control(self, now, request),
            false => self.serve(now, request),
        }
    }
}

fn control(sandbox: &mut Sandbox, now: Time, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
    let outcome = match (request.method(), request.uri().path()) {
        // A web page's request to another site has this header. No other client needs it.
        _ if request.headers().contains_key(ORIGIN) => Err((
            StatusCode::FORBIDDEN,
            "the control interface is not open to web pages".to_owned(),
        )),
        (&Method::GET, "/_sandbox") => Ok(identity(sandbox)),
        (&Method::GET, "/_sandbox/log") => log(sandbox, request.uri().query()),
        (&Method::GET, "/_sandbox/ledger") => Ok(ledger(sandbox)),
        (&Method::GET, "/_sandbox/messages") => {
            Ok(json!({ "messages": sandbox.messages().collect::<Vec<_>>() }))
        }
        (&Method::GET, "/_sandbox/payments") => Ok(callbacks::list(sandbox)),
        (&Method::POST, "/_sandbox/payments") => callbacks::add(sandbox, now, request.body()),
        (&Method::POST, "/_sandbox/payments/pay") => {
            callbacks::decide(sandbox, now, request.body(), true)
        }
        (&Method::POST, "/_sandbox/payments/decline") => {
            callbacks::decide(sandbox, now, request.body(), false)
        }
        (&Method::POST, "/_sandbox/payments/say") => callbacks::say(sandbox, now, request.body()),
        (&Method::POST, "/_sandbox/payouts") => callbacks::pay_out(sandbox, now, request.body()),
        (&Method::GET, "/_sandbox/findings") => Ok(findings(sandbox)),
        (&Method::GET, "/_sandbox/freedom-id") => Ok(freedom_id::identity(sandbox, now)),
        (&Method::POST, "/_sandbox/freedom-id/sign-in") => {
            freedom_id::sign_in(sandbox, now, request.body())
        }
        (&Method::POST, "/_sandbox/freedom-id/sign-out") => {
            freedom_id::sign_out(sandbox, now, request.body())
        }
        (&Method::POST, "/_sandbox/settings") => {
            parse(request.body()).and_then(|change| change::apply(change, sandbox, now))
        }
        (&Method::POST, "/_sandbox/revoke") => revoke(sandbox, request.body()),
        (&Method::POST, "/_sandbox/reset") => {
            sandbox.reset();
            Ok(json!({}))
        }
        _ => Err((
            StatusCode::NOT_FOUND,
            "the control interface does not have this method and path".to_owned(),
        )),
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
        "requests": sandbox.requests(),
        "counters": sandbox.counters(),
        "findings": sandbox.findings().len(),
        "operations": sandbox.settings().operations.iter().map(|(operation, served)| {
            let Served { path, class, evidence, .. } = served;
            (operation.to_string(), json!({ "path": path, "class": class.as_str(), "evidence": evidence }))
        }).collect::<Map<_, _>>(),
        "partners": sandbox.settings().partners.keys().collect::<Vec<_>>(),
        "merchants": sandbox.settings().merchants.keys().collect::<Vec<_>>(),
        "signed_operations": SignedOperation::all().map(|operation| {
            let (paths, class) = (operation.paths(), operation.class().as_str());
            let evidence = operation.row().evidence;
            (operation.as_str().to_owned(), json!({
                "paths": paths, "class": class, "evidence": evidence, "also": operation.also(),
            }))
        }).collect::<Map<_, _>>(),
    })
}

/// Returns the ledger as JSON. `applied_twice` has the ids that must not be there.
fn ledger(sandbox: &Sandbox) -> Value {
    let ledger = sandbox.ledger();
    let mut twice: Vec<&str> = ledger.applied_twice().map(|intent| intent.id.as_str()).collect();
    twice.dedup();
    json!({
        "entries": ledger.intents().collect::<Vec<&Intent>>(),
        "applied_twice": twice,
        "without_id": ledger.without_id(),
    })
}

/// Returns what must not have happened, each with its meaning.
fn findings(sandbox: &Sandbox) -> Value {
    let all = sandbox.findings().iter().map(|finding| {
        let mut value = json!(finding);
        value["meaning"] = finding.mistake.as_str().into();
        value
    });
    json!({ "findings": all.collect::<Vec<_>>() })
}

/// Returns the entries with a number above `since`.
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

/// Which tokens to revoke.
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

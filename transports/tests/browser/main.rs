//! A browser walks through the sandbox's pages, as a user or a payer does: signs in with Freedom ID, and
//! pays in a shop.

mod driver;
mod http;
mod listener;
mod looks;
mod payment;
mod sign_in;

use imts_sandbox::{Front, Sandbox};
use serde_json::{Value, json};

use crate::http::{Reply, send};

/// Starts a sandbox on loopback.
fn sandbox() -> Front {
    Front::start(Sandbox::default()).unwrap()
}

/// Asks the sandbox's control interface.
fn control(front: &Front, path: &str, body: &Value) -> Value {
    let url = format!("{}/_sandbox{path}", front.url());
    let reply = send("POST", &url, &[], Some(body));
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// Sets what the sandbox does.
fn set(front: &Front, change: &Value) {
    assert_eq!(control(front, "/settings", change), json!({}));
}

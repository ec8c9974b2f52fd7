//! `POST /v5/partner/transfer/agent/auth` (published) and `POST /v5/partner/transfer/agent/refresh`
//! (assumed): Transfer's two token exchanges.
//!
//! Owns their paths, their fields, and where a grant's parts stand in a reply. Get token's page
//! prints its request and its reply; of Refresh token the pages print only name and purpose.

use http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::endpoint::ServicePath;
use crate::error::Malformed;
use crate::evidence::Evidence;
use crate::service::{CredentialsIn, Refresh, SignIn, TokenIn, Tokens};
use crate::wire::{Field, Granted, Object, Success, Text, Times};

/// Returns how to sign in to Transfer and how to refresh: Get token as published,
/// `{"agent_id": …, "agent_secret": …}`, and Refresh token as assumed, `{"refresh_token": …}`.
#[must_use]
pub fn tokens() -> Tokens {
    let path = ServicePath::constant("/v5/partner/transfer/agent/auth");
    let credentials = CredentialsIn::body("agent_id", "agent_secret");
    let sign_in = SignIn::new("get-token", Method::POST, path, credentials);
    let path = ServicePath::constant("/v5/partner/transfer/agent/refresh");
    let refresh_token = TokenIn::Body { field: "refresh_token".to_owned() };
    let refresh = Refresh::new(Method::POST, path, refresh_token);
    Tokens::new(sign_in.with_evidence(Evidence::Published), grant).with_refresh(refresh)
}

/// The reply to both, as published. Unknown fields are ignored; a known field that occurs twice is
/// an error.
#[derive(Deserialize)]
struct Reply<'a> {
    state: Option<bool>,
    #[serde(borrow)]
    response_time: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<Object<Payload<'a>>>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    access_token: Option<Text<'a>>,
    #[serde(borrow)]
    refresh_token: Option<&'a RawValue>,
    #[serde(borrow)]
    access_expire_at: Option<Text<'a>>,
    #[serde(borrow)]
    refresh_expire_at: Option<&'a RawValue>,
}

fn grant(success: Success<'_>) -> Result<Granted, Malformed> {
    const MISSING: Malformed = Malformed::Missing { field: "payload" };
    let Object(reply): Object<Reply<'_>> = success.json()?;
    if !reply.state.ok_or(Malformed::Missing { field: "state" })? {
        return Err(MISSING);
    }
    let time = reply.response_time.map(text);
    let time = Field::new("response_time", time.as_ref().map(|it| it.as_deref().unwrap_or("")));
    let times = Times::printed(time, success)?;
    let Object(payload) = reply.payload.ok_or(MISSING)?;
    let granted = Granted::new(
        times,
        Field::new("access_token", payload.access_token.as_deref()),
        Field::new("access_expire_at", payload.access_expire_at.as_deref()),
    )?;
    match payload.refresh_token.filter(|token| token.get() != "\"\"") {
        Some(token) => {
            let (token, ends) = (text(token), payload.refresh_expire_at.and_then(text));
            Ok(granted.with_refresh(token.as_deref(), ends.as_deref()))
        }
        None => Ok(granted),
    }
}

/// A value that should be a string, if it is one.
fn text(value: &RawValue) -> Option<Text<'_>> {
    serde_json::from_str(value.get()).ok()
}

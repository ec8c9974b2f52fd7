//! `POST /api/v1/oauth/token` and `PATCH /api/v1/oauth/token` (published): the two token exchanges.
//!
//! Owns their paths, their fields, and where a grant's parts stand in a reply. The older pages print
//! the path without `/api` (draft), and list the client as body fields that their own examples lack:
//! [`Tokens::with_sign_in`] takes another form.

use http::Method;
use serde::Deserialize;

use crate::endpoint::ServicePath;
use crate::error::Malformed;
use crate::evidence::Evidence;
use crate::service::{CredentialsIn, Refresh, SignIn, TokenIn, Tokens};
use crate::wire::{Field, Granted, Object, Success, Text, Times};

/// Returns how a user's session signs in and refreshes.
///
/// The sign-in carries the client by `Authorization: Basic …`, and `{"authorization_code": …}`. The
/// refresh carries the refresh token by `Authorization: Bearer …`, and has no body. A code works
/// once, and each refresh brings a new refresh token.
#[must_use]
pub fn tokens() -> Tokens {
    const PATH: ServicePath = ServicePath::constant("/api/v1/oauth/token");
    let sign_in = SignIn::new("token", Method::POST, PATH, CredentialsIn::Basic)
        .with_code_in("authorization_code")
        .with_evidence(Evidence::Published);
    let refresh = Refresh::new(Method::PATCH, PATH, TokenIn::Bearer)
        .with_name("refresh")
        .with_evidence(Evidence::Published);
    Tokens::new(sign_in, grant).with_refresh(refresh)
}

/// The reply to both, as published; the older pages have no `id`. Unknown fields are ignored; a
/// known field that occurs twice is an error.
#[derive(Deserialize)]
struct Pair<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    access_token: Option<Text<'a>>,
    #[serde(borrow)]
    refresh_token: Option<Text<'a>>,
    #[serde(borrow)]
    access_expire_at: Option<Text<'a>>,
    #[serde(borrow)]
    refresh_expire_at: Option<Text<'a>>,
}

/// The reply prints no time of its own. Lifetimes count by its `Date` and by this machine's clock,
/// and the smaller one is believed.
fn grant(success: Success<'_>) -> Result<Granted, Malformed> {
    let Object(pair): Object<Pair<'_>> = success.json()?;
    let granted = Granted::new(
        Times::without_clock(success),
        Field::new("access_token", pair.access_token.as_deref()),
        Field::new("access_expire_at", pair.access_expire_at.as_deref()),
    )?;
    let refresh = (pair.refresh_token.as_deref(), pair.refresh_expire_at.as_deref());
    Ok(granted.with_refresh(refresh.0, refresh.1).with_token_id(pair.id.as_deref()))
}

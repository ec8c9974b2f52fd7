//! How the sandbox's Freedom ID behaves.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::person::Person;
use crate::rotation::Rotation;

/// The id of the client that the sandbox's Freedom ID knows by default.
pub const DEFAULT_CLIENT: &str = "sandbox-client";
/// The secret of that client. It is public and protects nothing.
pub const DEFAULT_CLIENT_SECRET: &str = "sandbox-client-secret";

/// How the sandbox's Freedom ID behaves. Start from the default and change what differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FreedomIdSettings {
    /// The clients by id. Default: [`DEFAULT_CLIENT`] with [`DEFAULT_CLIENT_SECRET`].
    pub clients: BTreeMap<String, Client>,
    /// The users from the beginning. Default: the user of the printed example.
    pub people: Vec<Person>,
    /// How long an authorization link works. The real time is unknown. Default 600 s.
    pub link_lifetime: Duration,
    /// How long an authorization code works. The real time is unknown. Default 600 s.
    pub code_lifetime: Duration,
    /// The lifetime of access tokens. Default 7 days, computed from the printed example.
    pub access_lifetime: Duration,
    /// The lifetime of refresh tokens. Default 28 days, computed from the printed example.
    pub refresh_lifetime: Duration,
    /// What happens to a refresh token that is used. It brings a new one (published). What its reuse
    /// does is unknown. Default [`Rotation::ReuseRevokesFamily`].
    pub rotation: Rotation,
    /// Which `id` a refresh returns. Default [`TokenIds::Renewed`]. The real behaviour is unknown.
    pub token_ids: TokenIds,
    /// The status of errors. Default [`ErrorStatus::Ok`], as one page labels its example (draft).
    pub error_status: ErrorStatus,
    /// How long a requested profile is pending. Default 5 s. The real time is unknown.
    pub profile_pending: Duration,
    /// The path of the OIDC token exchange. Default `/api/v1/oidc/token` (assumed: the page prints
    /// it wrongly).
    pub oidc_token_path: String,
    /// How an id token is signed. Default [`IdTokens::Hs256`]. The real keys are unknown.
    pub id_tokens: IdTokens,
    /// The path of User info. Default none: no page prints it. Given one, it takes `GET`.
    pub user_info_path: Option<String>,
}

impl Default for FreedomIdSettings {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        let client = Client::new(DEFAULT_CLIENT_SECRET);
        Self {
            clients: BTreeMap::from([(DEFAULT_CLIENT.to_owned(), client)]),
            people: vec![Person::printed()],
            link_lifetime: Duration::from_secs(600),
            code_lifetime: Duration::from_secs(600),
            access_lifetime: Duration::from_secs(7 * DAY),
            refresh_lifetime: Duration::from_secs(28 * DAY),
            rotation: Rotation::ReuseRevokesFamily,
            token_ids: TokenIds::Renewed,
            error_status: ErrorStatus::Ok,
            profile_pending: Duration::from_secs(5),
            oidc_token_path: "/api/v1/oidc/token".to_owned(),
            id_tokens: IdTokens::Hs256,
            user_info_path: None,
        }
    }
}

/// What a client registered with Freedom ID.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Client {
    /// The secret. It protects nothing.
    pub secret: String,
    /// Where users may come back to: URLs that must match up to their query. If the list is empty,
    /// the default, any http or https URL will do.
    pub redirect_uris: Vec<String>,
    /// Where revocations are sent. Only to this machine or a private network, in plain http. Default
    /// none.
    pub revoke_uri: Option<String>,
}

impl Client {
    /// Creates a client with this secret that registered no URL.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self { secret: secret.into(), redirect_uris: Vec::new(), revoke_uri: None }
    }

    /// Returns whether users may come back to this URL.
    pub(crate) fn takes(&self, redirect_uri: &str) -> bool {
        let bare = |url: &str| url.split(['?', '#']).next().unwrap_or_default().to_owned();
        let is_registered = self.redirect_uris.is_empty()
            || self.redirect_uris.iter().any(|known| bare(known) == bare(redirect_uri));
        crate::page::origin(redirect_uri).is_some() && is_registered
    }
}

/// Which token id a refresh returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenIds {
    /// A new one. A revocation names the newest.
    Renewed,
    /// The one of the sign-in.
    Kept,
    /// None at all, as the older pages print it. A revocation names the one that was not shown.
    Absent,
}

/// The status of Freedom ID's errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorStatus {
    /// 200 for every error.
    Ok,
    /// 400, 401 or 422, by the kind of error (assumed).
    ClientError,
}

impl ErrorStatus {
    pub(crate) fn of(self, status: StatusCode) -> StatusCode {
        match self {
            Self::Ok => StatusCode::OK,
            Self::ClientError => status,
        }
    }
}

/// How an id token is signed. Both are samples: the real algorithm and its keys are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IdTokens {
    /// HS256 with the client's secret.
    Hs256,
    /// `alg` is `none`, and the signature is empty.
    Unsigned,
}

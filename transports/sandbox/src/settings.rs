//! How the sandbox behaves: data that may change between any two requests.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fault::Rule;
use crate::fees::FEES_PATH;
use crate::operation::{Class, Operation};
pub use crate::reply::{ErrorShape, RetryAfter};
use crate::served::{Evidence, Served};
use crate::time::Time;

/// Where Get token is (published).
pub const GET_TOKEN_PATH: &str = "/v5/partner/transfer/agent/auth";
/// Where Refresh token is (assumed).
pub const REFRESH_PATH: &str = "/v5/partner/transfer/agent/refresh";
/// The id of the agent that a sandbox knows by default.
pub const DEFAULT_AGENT: &str = "sandbox-agent";
/// That agent's secret: no secret at all.
pub const DEFAULT_SECRET: &str = "sandbox-secret";

/// The sandbox's behaviour. Start from the default and change what differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Secrets by agent id. Default: [`DEFAULT_AGENT`] with [`DEFAULT_SECRET`].
    pub agents: BTreeMap<String, String>,
    /// How long access tokens live. Default 900 s, as in the published example.
    pub access_lifetime: Duration,
    /// How long refresh tokens live. Default 30 days, as in the published example.
    pub refresh_lifetime: Duration,
    /// What becomes of a refresh token that is used. Default [`Rotation::Never`]. What the real
    /// service does is unknown.
    pub rotation: Rotation,
    /// How a reply without a new refresh token says so. Default [`NoToken::Absent`].
    pub no_token: NoToken,
    /// Whether there is a refresh operation; without one it answers 404. Default true.
    pub refresh_endpoint: bool,
    /// Answers 401 to every refresh. Default false.
    pub refuse_refresh: bool,
    /// Answers 401 to every access token, however fresh. Default false.
    pub reject_access: bool,
    /// An outage of the whole service. Default none.
    pub outage: Option<Outage>,
    /// How a refusal looks. The real error envelope is unknown. Default [`ErrorShape::V5`].
    pub error_shape: ErrorShape,
    /// Quotes what was sent, secrets included, in the message of a refusal. Default false.
    pub quote_secrets: bool,
    /// How far the service's clock is ahead of the time it is given, in microseconds. Default 0.
    pub skew_micros: i64,
    /// The operations that the service has. Default: Get token (published), Refresh token (assumed)
    /// and Fees (draft). Of all others no path is known: it is for an integrator to add them, here or
    /// by [`add_contract`](Settings::add_contract).
    pub operations: BTreeMap<Operation, Served>,
    /// The field of a body that holds the id of an intent. Default `client_uuid`, as Create transfer
    /// has it (published).
    pub id_field: String,
    /// How much is remembered: the ledger takes this many intents and refuses more; of the log and of
    /// the tokens at least this many of the latest are kept, and at most twice as many. Default
    /// 100,000.
    pub memory_limit: usize,
    /// Faults, the first that applies counting; whenever the list changes, they count from 1 anew.
    /// Default none.
    pub faults: Vec<Rule>,
    /// Where the chance of [`When::Percent`](crate::When::Percent) comes from. Default 0.
    pub fault_seed: u64,
    /// How long the socket front holds each reply back. Default zero.
    pub latency: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        use Evidence::{Assumed, Draft, Published};
        Self {
            agents: BTreeMap::from([(DEFAULT_AGENT.to_owned(), DEFAULT_SECRET.to_owned())]),
            access_lifetime: Duration::from_secs(900),
            refresh_lifetime: Duration::from_secs(30 * 86_400),
            rotation: Rotation::Never,
            no_token: NoToken::Absent,
            refresh_endpoint: true,
            refuse_refresh: false,
            reject_access: false,
            outage: None,
            error_shape: ErrorShape::V5,
            quote_secrets: false,
            skew_micros: 0,
            operations: BTreeMap::from([
                (Operation::GetToken, Served::new(GET_TOKEN_PATH, Class::Read, Published)),
                (Operation::Refresh, Served::new(REFRESH_PATH, Class::Create, Assumed)),
                (Operation::Fees, Served::new(FEES_PATH, Class::Read, Draft)),
            ]),
            id_field: "client_uuid".to_owned(),
            memory_limit: 100_000,
            faults: Vec::new(),
            fault_seed: 0,
            latency: Duration::ZERO,
        }
    }
}

/// What becomes of a refresh token that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rotation {
    /// It stays good; the reply brings no new one.
    Never,
    /// It is retired; the reply brings a new one. A retired one is refused.
    Always,
    /// As [`Always`](Rotation::Always); and a retired one that is used again revokes every token
    /// that descends from the same sign-in.
    ReuseRevokesFamily,
    /// As [`Always`](Rotation::Always); but a retired one that is used again within this many
    /// seconds brings the same successor once more.
    GraceSeconds(u32),
}

/// How a reply without a new refresh token says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoToken {
    /// The field is not there.
    Absent,
    /// The field is null.
    Null,
    /// The field is an empty string.
    Empty,
}

/// A time in which the whole service answers with one status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outage {
    /// When it is over, by the service's clock; `None` lasts until it is taken back.
    pub until: Option<Time>,
    /// The status of every answer. Default 503.
    pub status: u16,
    /// What `Retry-After` says. Default nothing.
    pub retry_after: Option<RetryAfter>,
}

impl Default for Outage {
    fn default() -> Self {
        Self { until: None, status: 503, retry_after: None }
    }
}

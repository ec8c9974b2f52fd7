//! The settings: how the sandbox behaves. They are data that may change between any two requests.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::callbacks::CallbackRule;
use crate::fault::Rule;
use crate::fees::FEES_PATH;
use crate::freedom_id::FreedomIdSettings;
use crate::merchant::{DEFAULT_MERCHANT, Merchant};
use crate::operation::{Class, Operation};
pub use crate::reply::{ErrorShape, RetryAfter};
pub use crate::rotation::Rotation;
use crate::served::{Evidence, Served};
use crate::signed::{DEFAULT_PARTNER, DEFAULT_PARTNER_SECRET, SignedSettings};
use crate::time::Time;

/// The path of Get token (published).
pub const GET_TOKEN_PATH: &str = "/v5/partner/transfer/agent/auth";
/// The path of Refresh token (assumed).
pub const REFRESH_PATH: &str = "/v5/partner/transfer/agent/refresh";
/// The id of the agent that a sandbox knows by default.
pub const DEFAULT_AGENT: &str = "sandbox-agent";
/// The secret of that agent. It is public and protects nothing.
pub const DEFAULT_SECRET: &str = "sandbox-secret";

/// The sandbox's behaviour. Start from the default and change what differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Secrets by agent id. Default: [`DEFAULT_AGENT`] with [`DEFAULT_SECRET`].
    pub agents: BTreeMap<String, String>,
    /// The lifetime of access tokens. Default 900 s, as in the published example.
    pub access_lifetime: Duration,
    /// The lifetime of refresh tokens. Default 30 days, as in the published example.
    pub refresh_lifetime: Duration,
    /// What happens to a refresh token that is used. Default [`Rotation::Never`]. What the real
    /// service does is unknown.
    pub rotation: Rotation,
    /// How a reply shows that it brings no new refresh token. Default [`NoToken::Absent`].
    pub no_token: NoToken,
    /// Whether the refresh operation exists. If not, its path answers 404. Default true.
    pub refresh_endpoint: bool,
    /// Whether every refresh is answered with 401. Default false.
    pub refuse_refresh: bool,
    /// Whether every access token is answered with 401, even a fresh one. Default false.
    pub reject_access: bool,
    /// An outage of the whole service. Default none.
    pub outage: Option<Outage>,
    /// How a refusal looks. The real error envelope is unknown. Default [`ErrorShape::V5`].
    pub error_shape: ErrorShape,
    /// Whether the message of a refusal quotes what was sent, secrets included. Default false.
    pub quote_secrets: bool,
    /// How far the service's clock is ahead of the time it is given, in microseconds. Default 0.
    pub skew_micros: i64,
    /// The operations that the service has. Default: Get token (published), Refresh token (assumed)
    /// and Fees (draft). The paths of all other operations are unknown. An integrator adds them
    /// here or with [`add_service_file`](Settings::add_service_file).
    pub operations: BTreeMap<Operation, Served>,
    /// The field of a body that holds the id of an intent. Default `client_uuid`, as in Create
    /// transfer (published).
    pub id_field: String,
    /// How much the sandbox remembers. The ledger takes this many intents and refuses more. The log
    /// and the tokens keep at least this many of the latest, and at most twice as many. Default
    /// 100,000.
    pub memory_limit: usize,
    /// The rules for faults; the first rule that applies counts. If the list changes, the rules
    /// count from 1 again. Default none.
    pub faults: Vec<Rule>,
    /// The seed for [`When::Percent`](crate::When::Percent). Default 0.
    pub fault_seed: u64,
    /// How long the socket front holds each reply back. Default zero.
    pub latency: Duration,
    /// The keys of partners, by id: for the requests that have a JWS. Default: [`DEFAULT_PARTNER`] with
    /// [`DEFAULT_PARTNER_SECRET`].
    pub partners: BTreeMap<String, String>,
    /// How the signed services behave.
    pub signed: SignedSettings,
    /// How Freedom ID behaves.
    pub freedom_id: FreedomIdSettings,
    /// The merchants of the form services by id. Default: [`DEFAULT_MERCHANT`].
    pub merchants: BTreeMap<String, Merchant>,
    /// The faults of the callbacks that the sandbox sends; all rules that apply count. If the list
    /// changes, the rules count from 1 again. Default none.
    pub callback_faults: Vec<CallbackRule>,
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
            partners: BTreeMap::from([(
                DEFAULT_PARTNER.to_owned(),
                DEFAULT_PARTNER_SECRET.to_owned(),
            )]),
            signed: SignedSettings::default(),
            freedom_id: FreedomIdSettings::default(),
            merchants: BTreeMap::from([(DEFAULT_MERCHANT.to_owned(), Merchant::default())]),
            callback_faults: Vec::new(),
        }
    }
}

/// How a reply shows that it brings no new refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoToken {
    /// The field is missing.
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
    /// When the outage is over, by the service's clock. `None`: it lasts until it is removed.
    pub until: Option<Time>,
    /// The status of every answer. Default 503.
    pub status: u16,
    /// The value of `Retry-After`. Default: no such header.
    pub retry_after: Option<RetryAfter>,
}

impl Default for Outage {
    fn default() -> Self {
        Self { until: None, status: 503, retry_after: None }
    }
}

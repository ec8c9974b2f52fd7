//! The sandbox as the demo uses it: its control interface, its log, its protected operation.

use std::collections::BTreeMap;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{Bearer, Endpoint};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, ECHO_PATH, Rule};
use serde_json::{Value, json};

use crate::carrier::Carrier;
use crate::failure::{Failure, Kind};

/// The agent that every sandbox knows.
pub(crate) const AGENT: &str = DEFAULT_AGENT;
pub(crate) const SECRET: &str = DEFAULT_SECRET;

const BOUNDS: Bounds = Bounds { reply_limit: 16 * 1_048_576, time_limit: Duration::from_secs(30) };

/// One request that reached the service, as in its log.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) status: u16,
    pub(crate) meaning: String,
}

pub(crate) struct Control {
    endpoint: Endpoint,
    carrier: Carrier,
}

impl Control {
    /// Checks that the server at this endpoint is a sandbox.
    pub(crate) fn connect(endpoint: Endpoint, carrier: Carrier) -> Result<Self, Failure> {
        let control = Self { endpoint, carrier };
        let identity = control
            .request(Method::GET, "/_sandbox", &Value::Null)
            .map_err(|message| Failure::new(Kind::Transport, imts::Recovery::Fix, message))?;
        let refuse = |what: String| Failure::endpoint(what);
        if identity["sandbox"] != "imts" {
            return Err(refuse(format!("{} is not a sandbox of IMTS", control.endpoint)));
        }
        let knows_agent =
            identity["agents"].as_array().is_some_and(|all| all.contains(&AGENT.into()));
        if !knows_agent {
            return Err(refuse(format!(
                "the sandbox at {} does not know the agent {AGENT}: start it without --agent",
                control.endpoint
            )));
        }
        Ok(control)
    }

    /// Returns the sandbox's base URL.
    pub(crate) fn url(&self) -> &str {
        self.endpoint.as_str()
    }

    /// Resets the sandbox. Its tokens then live at most this many seconds.
    pub(crate) fn prepare(&self, lifetime_s: u32) -> Result<(), String> {
        self.post("/_sandbox/reset", &json!({}))?;
        self.set(&json!({
            "access_lifetime_s": lifetime_s, "refresh_lifetime_s": 3_600, "rotation": "never",
            "refuse_refresh": false, "reject_access": false, "refresh_endpoint": true,
            "outage": null, "error_shape": "v5", "quote_secrets": false, "skew_s": 0, "latency_ms": 0,
            "faults": [],
        }))
    }

    pub(crate) fn set_lifetime(&self, seconds: u32) -> Result<(), String> {
        self.set(&json!({ "access_lifetime_s": seconds }))
    }

    pub(crate) fn set_rotation_always(&self) -> Result<(), String> {
        self.set(&json!({ "rotation": "always" }))
    }

    pub(crate) fn refuse_refresh(&self, refuse: bool) -> Result<(), String> {
        self.set(&json!({ "refuse_refresh": refuse }))
    }

    pub(crate) fn begin_outage(&self, retry_after_s: u32) -> Result<(), String> {
        self.set(&json!({ "outage": { "retry_after_s": retry_after_s } }))
    }

    pub(crate) fn end_outage(&self) -> Result<(), String> {
        self.set(&json!({ "outage": null }))
    }

    /// Makes the sandbox hold each reply for this long.
    pub(crate) fn hold_replies(&self, milliseconds: u32) -> Result<(), String> {
        self.set(&json!({ "latency_ms": milliseconds }))
    }

    pub(crate) fn revoke_access_tokens(&self) -> Result<(), String> {
        self.post("/_sandbox/revoke", &json!({ "access": true })).map(drop)
    }

    /// Changes which operations are served, and sets the faults.
    pub(crate) fn serve(&self, operations: &Value, faults: &[Rule]) -> Result<(), String> {
        self.set(&json!({
            "operations": operations, "faults": faults, "id_field": "client_uuid",
        }))
    }

    /// Returns how often each id was applied, by the service's ledger.
    pub(crate) fn applied(&self) -> Result<BTreeMap<String, u64>, String> {
        let ledger = self.request(Method::GET, "/_sandbox/ledger", &Value::Null)?;
        let entries = ledger["entries"].as_array().ok_or_else(not_a_sandbox)?;
        let intent =
            |entry: &Value| Some((entry["id"].as_str()?.to_owned(), entry["applied"].as_u64()?));
        entries.iter().map(|entry| intent(entry).ok_or_else(not_a_sandbox)).collect()
    }

    pub(crate) fn refresh_tokens_used_twice(&self) -> Result<u64, String> {
        let identity = self.request(Method::GET, "/_sandbox", &Value::Null)?;
        identity["counters"]["refresh_reuse"].as_u64().ok_or_else(not_a_sandbox)
    }

    /// Returns the number of the last entry in the service's log.
    pub(crate) fn mark(&self) -> Result<u64, String> {
        let identity = self.request(Method::GET, "/_sandbox", &Value::Null)?;
        identity["requests"].as_u64().ok_or_else(not_a_sandbox)
    }

    /// Returns the requests that reached the service after a mark.
    pub(crate) fn calls_since(&self, mark: u64) -> Result<Vec<Call>, String> {
        let path = format!("/_sandbox/log?since={mark}");
        let log = self.request(Method::GET, &path, &Value::Null)?;
        let entries = log["entries"].as_array().ok_or_else(not_a_sandbox)?;
        let call = |entry: &Value| {
            Some(Call {
                operation: entry["operation"].as_str()?.to_owned(),
                status: entry["status"].as_u64()?.try_into().ok()?,
                meaning: entry["meaning"].as_str()?.to_owned(),
            })
        };
        entries.iter().map(|entry| call(entry).ok_or_else(not_a_sandbox)).collect()
    }

    /// Sends a token to the protected operation. Returns the status.
    pub(crate) fn echo(&self, bearer: &Bearer) -> Result<u16, String> {
        let mut request = self.build(Method::POST, ECHO_PATH, &json!({ "hello": "world" }))?;
        request.headers_mut().insert(AUTHORIZATION, bearer.header().clone());
        let response = self.carrier.send(request, BOUNDS).map_err(|error| error.to_string())?;
        Ok(response.status().as_u16())
    }

    fn set(&self, settings: &Value) -> Result<(), String> {
        self.post("/_sandbox/settings", settings).map(drop)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.request(Method::POST, path, body)
    }

    fn request(&self, method: Method, path: &str, body: &Value) -> Result<Value, String> {
        let request = self.build(method, path, body)?;
        let response = self.carrier.send(request, BOUNDS).map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let value: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        match status {
            200 => Ok(value),
            _ => Err(format!(
                "the sandbox at {} answered {status} to {path}: {}",
                self.endpoint,
                value["error"].as_str().unwrap_or("is this a sandbox?")
            )),
        }
    }

    fn build(&self, method: Method, path: &str, body: &Value) -> Result<Request<Body>, String> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{path}", self.endpoint)
            .parse()
            .map_err(|error: http::uri::InvalidUri| error.to_string())?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        Ok(request)
    }
}

fn not_a_sandbox() -> String {
    "the reply is not in the form of the sandbox's control interface".to_owned()
}

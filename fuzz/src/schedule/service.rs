//! The sandbox, and what the world knows of the tokens that it has given.

use std::collections::BTreeMap;

use http::header::RETRY_AFTER;
use http::{Request, Response};
use imts_core::exchange::Purpose;
use imts_core::secret::Body;
use imts_sandbox::{ECHO_PATH, Sandbox, Settings, Time};
use serde_json::Value;

use crate::oracle::{date, lenient};

/// The two agents that the service knows, and their secret.
pub(super) const AGENTS: [&str; 2] = ["alpha", "beta"];
pub(super) const SECRET: &str = "right";

pub(super) struct Service {
    pub(super) sandbox: Sandbox,
    /// The seconds that an outage asks for.
    pub(super) retry: u64,
    /// Access tokens, by agent.
    pub(super) access: BTreeMap<(String, String), Issued>,
    pub(super) refresh: BTreeMap<String, Fate>,
    owners: BTreeMap<String, String>,
    /// Whether it gives the last access token again instead of a new one.
    pub(super) repeats: bool,
    last: BTreeMap<String, String>,
}

/// An access token, by the true time.
#[derive(Clone)]
pub(super) struct Issued {
    /// The latest end that was said of it.
    pub(super) ends: i64,
    /// The number of the event in which it was first asked for.
    pub(super) event: u64,
}

/// What is known, outside the service, of a refresh token's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Unused,
    /// Sent, and nothing is known of what became of it.
    Unknown,
    Spent,
}

/// A reply, and what it is.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) response: Response<Vec<u8>>,
    pub(super) access: Option<String>,
    /// How long the access token lives, if the reply can be read.
    pub(super) lifetime: Option<i64>,
    pub(super) refresh: Option<String>,
    pub(super) retry: Option<u64>,
}

impl Service {
    pub(super) fn new() -> Self {
        let mut settings = Settings::default();
        settings.agents = AGENTS.map(|agent| (agent.to_owned(), SECRET.to_owned())).into();
        Self {
            sandbox: Sandbox::new(settings),
            retry: 0,
            access: BTreeMap::new(),
            refresh: BTreeMap::new(),
            owners: BTreeMap::new(),
            repeats: false,
            last: BTreeMap::new(),
        }
    }

    /// Applies a renewal's request at this true time.
    pub(super) fn renew(
        &mut self,
        truth: i64,
        event: u64,
        purpose: Purpose,
        request: &Request<Vec<u8>>,
    ) -> Answer {
        let mut response = self.sandbox.handle(Time::from_micros(truth), request);
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let token = |name: &str| {
            let token = body["payload"][name].as_str()?;
            Some(token.to_owned()).filter(|token| !token.is_empty())
        };
        let (mut access, refresh) = (token("access_token"), token("refresh_token"));
        let lifetime = lifetime(&body);
        let agent = match purpose {
            Purpose::SignIn => field(request, "agent_id"),
            Purpose::Refresh => self.owners.get(&presented(request)).cloned().unwrap_or_default(),
        };
        if let Some(token) = &mut access {
            let last = self.last.entry(agent.clone()).or_insert_with(|| token.clone());
            if self.repeats {
                let text = String::from_utf8(response.body().clone()).expect("a text");
                *response.body_mut() = text.replace(&*token, last).into_bytes();
                token.clone_from(last);
            }
            last.clone_from(token);
            let ends = truth.saturating_add(lifetime.unwrap_or_default());
            // A session that has not heard that it was given again knows what was said at first.
            let issued = self.access.entry((agent.clone(), token.clone()));
            let issued = issued.or_insert(Issued { ends, event });
            issued.ends = issued.ends.max(ends);
        }
        if let Some(token) = &refresh {
            self.refresh.entry(token.clone()).or_insert(Fate::Unused);
            self.owners.insert(token.clone(), agent);
        }
        let retry = response.headers().get(RETRY_AFTER).map(|value| {
            value.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(self.retry)
        });
        Answer { response, access, lifetime, refresh, retry }
    }

    /// Whether a call with this bearer is taken.
    pub(super) fn takes(&mut self, truth: i64, bearer: &imts_core::Bearer) -> bool {
        let mut request = Request::post(ECHO_PATH)
            .header("content-type", "application/json")
            .body(b"{}".to_vec())
            .expect("a good request");
        request.headers_mut().insert("authorization", bearer.header().clone());
        self.sandbox.handle(Time::from_micros(truth), &request).status() != 401
    }
}

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(super) fn is_json(&self) -> bool {
        self.response.body().starts_with(b"{")
    }

    /// Whether its body refuses: in a 2xx, any form of an error does; in a 3xx, none.
    fn says_no(&self) -> bool {
        let status = self.response.status();
        !status.is_redirection() && lenient::refuses(self.response.body(), status.is_success())
    }

    /// Whether it is about the credentials that were sent.
    pub(super) fn refuses_credentials(&self) -> bool {
        match self.status() {
            401 => true,
            400 | 422 => self.is_json(),
            403 | 404 | 405 | 408 | 425 | 429 | 500.. => false,
            _ => self.says_no(),
        }
    }

    /// Whether it says nothing of what was sent but that it may not be used.
    pub(super) fn forbids(&self) -> bool {
        self.status() == 403
    }

    /// What it says of the refresh token that was sent, if the reply is not a grant.
    pub(super) fn verdict(&self) -> Verdict {
        match self.status() {
            404 | 405 | 501 => Verdict::Missing,
            425 | 429 | 503 => Verdict::Passing,
            408 => Verdict::Lost,
            403 => Verdict::Forbidden,
            _ if self.says_no() => Verdict::Refused,
            401 => Verdict::Refused,
            400 | 422 if self.is_json() => Verdict::Refused,
            200..=299 => Verdict::NotUnderstood,
            500.. => Verdict::Lost,
            _ => Verdict::Foreign,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Forbidden,
    Missing,
    Refused,
    NotUnderstood,
    Lost,
    Passing,
    Foreign,
}

/// A request as the sandbox takes it.
pub(super) fn plain(request: Request<Body>) -> Request<Vec<u8>> {
    request.map(|body| body.as_ref().to_vec())
}

/// The refresh token that a request presents.
pub(super) fn presented(request: &Request<Vec<u8>>) -> String {
    field(request, "refresh_token")
}

/// How long the access token of a reply lives, by both of its dates.
fn lifetime(body: &Value) -> Option<i64> {
    let at = |value: &Value| date::rfc3339(value.as_str()?);
    Some(at(&body["payload"]["access_expire_at"])? - at(&body["response_time"])?)
}

fn field(request: &Request<Vec<u8>>, name: &str) -> String {
    let body: Value = serde_json::from_slice(request.body()).expect("a JSON body");
    body[name].as_str().expect("a text").to_owned()
}

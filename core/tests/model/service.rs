//! The sandbox, and what the world knows of the tokens that it has given.

use std::collections::BTreeMap;

use http::header::RETRY_AFTER;
use http::{Request, Response};
use imts_core::{Body, Purpose};
use imts_sandbox::{ECHO_PATH, Sandbox, Settings, Time};
use serde_json::Value;

use crate::node::Open;

/// The two agents that the service knows, and their secret.
pub(crate) const AGENTS: [&str; 2] = ["alpha", "beta"];
pub(crate) const SECRET: &str = "right";

pub(crate) struct Service {
    pub(crate) sandbox: Sandbox,
    /// The seconds that an outage asks for.
    pub(crate) retry: u64,
    pub(crate) access: BTreeMap<String, Issued>,
    pub(crate) refresh: BTreeMap<String, Fate>,
    owners: BTreeMap<String, String>,
    /// Whether it gives the last access token again instead of a new one.
    pub(crate) repeats: bool,
    last: BTreeMap<String, String>,
}

/// An access token, by the true time.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) agent: String,
    /// The latest end that was said of it.
    pub(crate) ends: i64,
    /// The number of the event in which it was first asked for.
    pub(crate) event: u64,
}

/// What is known, outside the service, of a refresh token's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Unused,
    /// Sent, and nothing is known of what became of it.
    Unknown,
    Spent,
}

/// A reply, and what it is.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) response: Response<Vec<u8>>,
    pub(crate) access: Option<String>,
    pub(crate) refresh: Option<String>,
    pub(crate) retry: Option<u64>,
}

impl Service {
    pub(crate) fn new() -> Self {
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
    pub(crate) fn renew(
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
        let agent = match purpose {
            Purpose::SignIn => field(request, "agent_id"),
            Purpose::Refresh => self.owners.get(&presented(request)).cloned().unwrap_or_default(),
        };
        if let Some(token) = &mut access {
            let last = self.last.entry(agent.clone()).or_insert_with(|| token.clone());
            if self.repeats {
                let text = String::from_utf8(response.body().clone()).unwrap();
                *response.body_mut() = text.replace(&*token, last).into_bytes();
                token.clone_from(last);
            }
            last.clone_from(token);
            let lifetime = self.sandbox.settings().access_lifetime;
            let ends = truth + i64::try_from(lifetime.as_micros()).unwrap();
            // A session that has not heard that it was given again knows what was said at first.
            let first = self.access.get(token.as_str());
            let event = first.map_or(event, |first| first.event);
            let ends = first.map_or(ends, |first| first.ends.max(ends));
            let issued = Issued { agent: agent.clone(), ends, event };
            self.access.insert(token.clone(), issued);
        }
        if let Some(token) = &refresh {
            self.refresh.entry(token.clone()).or_insert(Fate::Unused);
            self.owners.insert(token.clone(), agent);
        }
        let retry = response.headers().get(RETRY_AFTER).map(|value| {
            value.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(self.retry)
        });
        Answer { response, access, refresh, retry }
    }

    /// Whether a refresh token was sent, and nothing is known of what became of it.
    pub(crate) fn is_in_doubt(&self, open: &Open) -> bool {
        let sent = open.presented.as_ref().and_then(|(token, _)| self.refresh.get(token));
        sent == Some(&Fate::Unknown)
    }

    /// Whether a call with this bearer is taken.
    pub(crate) fn takes(&mut self, truth: i64, bearer: &imts_core::Bearer) -> bool {
        let mut request = Request::post(ECHO_PATH)
            .header("content-type", "application/json")
            .body(b"{}".to_vec())
            .unwrap();
        request.headers_mut().insert("authorization", bearer.header().clone());
        self.sandbox.handle(Time::from_micros(truth), &request).status() != 401
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(crate) fn is_json(&self) -> bool {
        self.response.body().starts_with(b"{")
    }

    fn says_state_false(&self) -> bool {
        self.is_json() && self.response.body().windows(13).any(|part| part == b"\"state\":false")
    }

    /// Whether it is about the credentials that were sent.
    pub(crate) fn refuses_credentials(&self) -> bool {
        match self.status() {
            401 => true,
            400 | 422 => self.is_json(),
            403 | 404 | 405 | 408 | 425 | 429 | 500.. => false,
            _ => self.says_state_false(),
        }
    }

    /// Whether it says nothing of what was sent but that it may not be used.
    pub(crate) fn forbids(&self) -> bool {
        self.status() == 403
    }

    /// What it says of the refresh token that was sent, where it is no grant.
    pub(crate) fn verdict(&self) -> Verdict {
        match self.status() {
            404 | 405 | 501 => Verdict::Missing,
            425 | 429 | 503 => Verdict::Passing,
            408 => Verdict::Lost,
            403 => Verdict::Forbidden,
            _ if self.says_state_false() => Verdict::Refused,
            401 => Verdict::Refused,
            400 | 422 if self.is_json() => Verdict::Refused,
            200..=299 => Verdict::NotUnderstood,
            500.. => Verdict::Lost,
            _ => Verdict::Foreign,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Forbidden,
    Missing,
    Refused,
    NotUnderstood,
    Lost,
    Passing,
    Foreign,
}

/// A request as the sandbox takes it.
pub(crate) fn plain(request: Request<Body>) -> Request<Vec<u8>> {
    request.map(|body| body.as_ref().to_vec())
}

/// The refresh token that a request presents.
pub(crate) fn presented(request: &Request<Vec<u8>>) -> String {
    field(request, "refresh_token")
}

fn field(request: &Request<Vec<u8>>, name: &str) -> String {
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    body[name].as_str().unwrap().to_owned()
}

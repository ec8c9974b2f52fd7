//! The sandbox, and what the world knows of the tokens that it has given.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::{Request, Response};
use imts_core::Bearer;
use imts_core::exchange::Purpose;
use imts_sandbox::{ECHO_PATH, Outage, Rotation, Sandbox, Settings, Time};
use serde_json::Value;

pub(super) const AGENT: &str = "alpha";
pub(super) const SECRET: &str = "right";

pub(super) struct Service {
    pub(super) sandbox: Sandbox,
    lifetime: Duration,
    /// Refresh tokens that it has judged.
    presented: BTreeSet<String>,
    /// When each access token ends.
    ends: BTreeMap<String, i64>,
}

impl Service {
    pub(super) fn new(lifetime: Duration) -> Self {
        let mut settings = Settings::default();
        settings.agents = [(AGENT.to_owned(), SECRET.to_owned())].into();
        settings.rotation = Rotation::ReuseRevokesFamily;
        settings.access_lifetime = lifetime;
        let sandbox = Sandbox::new(settings);
        Self { sandbox, lifetime, presented: BTreeSet::new(), ends: BTreeMap::new() }
    }

    /// Applies a renewal's request at this true time.
    ///
    /// # Panics
    ///
    /// If a refresh token is presented that was judged before.
    pub(super) fn renew(
        &mut self,
        truth: i64,
        purpose: Purpose,
        request: &Request<Vec<u8>>,
    ) -> Response<Vec<u8>> {
        let judges = self.sandbox.settings().outage.is_none();
        if purpose == Purpose::Refresh && judges && self.sandbox.settings().refresh_endpoint {
            let body: Value = serde_json::from_slice(request.body()).expect("a JSON body");
            let token = body["refresh_token"].as_str().expect("a text").to_owned();
            assert!(self.presented.insert(token), "a refresh token is presented twice");
        }
        let response = self.sandbox.handle(Time::from_micros(truth), request);
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        if let Some(token) = body["payload"]["access_token"].as_str() {
            let lifetime = i64::try_from(self.lifetime.as_micros()).unwrap();
            self.ends.insert(token.to_owned(), truth + lifetime);
        }
        response
    }

    /// When this token ends.
    pub(super) fn end(&self, bearer: &Bearer) -> i64 {
        self.ends[bearer.expose_token()]
    }

    /// Whether a call with this token is accepted.
    pub(super) fn takes(&mut self, truth: i64, bearer: &Bearer) -> bool {
        let mut request = Request::post(ECHO_PATH)
            .header("content-type", "application/json")
            .body(b"{}".to_vec())
            .expect("a good request");
        request.headers_mut().insert("authorization", bearer.header().clone());
        self.sandbox.handle(Time::from_micros(truth), &request).status() != 401
    }

    /// It fails in this way from now on, or works.
    pub(super) fn fails(&mut self, status: u16) {
        self.heals();
        let settings = self.sandbox.settings_mut();
        match status {
            503 => settings.outage = Some(Outage::default()),
            404 => settings.refresh_endpoint = false,
            401 => settings.refuse_refresh = true,
            _ => {}
        }
    }

    pub(super) fn heals(&mut self) {
        let settings = self.sandbox.settings_mut();
        settings.outage = None;
        settings.refresh_endpoint = true;
        settings.refuse_refresh = false;
    }
}

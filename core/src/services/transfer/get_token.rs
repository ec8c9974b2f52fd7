//! `POST /v5/partner/transfer/agent/auth` (published): takes credentials, returns a grant.

use crate::error::Malformed;
use crate::evidence::Evidence;
use crate::operation::{Auth, Class, Operation};
use crate::secret::{Body, Credentials};
use crate::wire::{EncodeError, Granted, Success, grant, strings};

pub(super) const PATH: &str = "/v5/partner/transfer/agent/auth";

/// Get token. A session makes this request by itself.
#[derive(Debug)]
pub struct GetToken<'a>(&'a Credentials);

impl<'a> GetToken<'a> {
    /// Makes the request with these credentials.
    #[must_use]
    pub fn new(credentials: &'a Credentials) -> Self {
        Self(credentials)
    }
}

impl Operation for GetToken<'_> {
    const NAME: &'static str = "get-token";
    const PATH: Option<&'static str> = Some(PATH);
    const AUTH: Auth = Auth::None;
    const CLASS: Class = Class::Read;
    const EVIDENCE: Evidence = Evidence::Published;
    type Reply = Granted;

    fn encode(&self) -> Result<Body, EncodeError> {
        let (agent_id, agent_secret) = (self.0.agent_id(), self.0.expose_secret());
        strings(&[("agent_id", agent_id), ("agent_secret", agent_secret)]).map(Body::new)
    }

    fn decode(success: Success<'_>) -> Result<Granted, Malformed> {
        grant(success)
    }
}

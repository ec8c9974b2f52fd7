//! `POST /v5/partner/transfer/agent/refresh` (assumed): takes the refresh token, returns a grant.

use crate::error::Malformed;
use crate::evidence::Evidence;
use crate::operation::{Auth, Class, Operation};
use crate::secret::{Body, Token};
use crate::service::TokenIn;
use crate::wire::{EncodeError, Granted, Success, grant, strings};

pub(super) const PATH: &str = "/v5/partner/transfer/agent/refresh";

/// Refresh token. A session makes this request by itself, as its contract says.
#[derive(Debug)]
pub struct RefreshToken<'a> {
    pub(crate) token: &'a Token,
    pub(crate) token_in: &'a TokenIn,
}

impl Operation for RefreshToken<'_> {
    const NAME: &'static str = "refresh-token";
    const PATH: Option<&'static str> = Some(PATH);
    const AUTH: Auth = Auth::None;
    // It may spend the token that it presents.
    const CLASS: Class = Class::Create;
    const EVIDENCE: Evidence = Evidence::Assumed;
    type Reply = Granted;

    fn encode(&self) -> Result<Body, EncodeError> {
        match self.token_in {
            TokenIn::Body { field } => strings(&[(field, self.token.expose())]).map(Body::new),
            TokenIn::Bearer => Ok(Body::default()),
        }
    }

    fn decode(success: Success<'_>) -> Result<Granted, Malformed> {
        grant(success)
    }
}

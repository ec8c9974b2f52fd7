//! `POST /v5/partner/transfer/agent/refresh` (assumed): the refresh token in, a grant out.

use std::iter;

use serde::{Serialize, Serializer};

use crate::contract::{Evidence, TokenIn};
use crate::error::Malformed;
use crate::operation::{Auth, Class, Operation, Unencodable};
use crate::secret::{Body, Token};
use crate::wire::{Granted, Success, grant, json};

pub(crate) const PATH: &str = "/v5/partner/transfer/agent/refresh";

/// Room for what stands around the field's name and the token.
const FRAME: usize = 7;

/// Refresh token. A session makes this request by itself, in the way that its contract says.
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

    fn encode(&self) -> Result<Body, Unencodable> {
        match self.token_in {
            TokenIn::Body { field } => {
                let token = self.token.expose();
                let likely = field.len().saturating_add(token.len()).saturating_add(FRAME);
                json(&OneField(field, token), likely).map(Body::new)
            }
            TokenIn::Bearer => Ok(Body::default()),
        }
    }

    fn decode(success: Success<'_>) -> Result<Granted, Malformed> {
        grant(success)
    }
}

/// `{"name": "value"}` with a name that is known at run time.
struct OneField<'a>(&'a str, &'a str);

impl Serialize for OneField<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(iter::once((self.0, self.1)))
    }
}

//! User info: method and path unknown, the reply draft. What a user granted.
//!
//! Owns the names of the fields. The integrator gives the path, and `GET` if the page says so.

use serde::Deserialize;

use crate::error::{EncodeError, Malformed};
use crate::evidence::Evidence;
use crate::json::Json;
use crate::operation::{Auth, Class, Operation};
use crate::secret::Body;
use crate::wire::{Object, Success};

/// Reads what the user granted. Its path is unknown: set it with
/// [`Catalogue::set_path`](crate::Catalogue::set_path).
#[derive(Clone, Copy, Debug, Default)]
pub struct UserInfo;

/// What a user granted: only granted fields are there. `Debug` prints none of them.
#[derive(Clone)]
#[non_exhaustive]
pub struct UserFacts {
    /// The user's id. Use it as the name of the user's session.
    pub id: Option<String>,
    /// The first name.
    pub firstname: Option<String>,
    /// The last name.
    pub lastname: Option<String>,
    /// The date of birth, as printed.
    pub date_of_birth: Option<String>,
    /// The whole reply, with exact numbers.
    pub all: Json,
}

impl std::fmt::Debug for UserFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserFacts").finish_non_exhaustive()
    }
}

impl Operation for UserInfo {
    const NAME: &'static str = "user-info";
    const PATH: Option<&'static str> = None;
    const AUTH: Auth = Auth::Bearer;
    const CLASS: Class = Class::Read;
    const EVIDENCE: Evidence = Evidence::Unknown;
    type Reply = UserFacts;

    fn encode(&self) -> Result<Body, EncodeError> {
        Ok(Body::default())
    }

    fn decode(success: Success<'_>) -> Result<UserFacts, Malformed> {
        #[derive(Deserialize)]
        struct Fields {
            id: Option<String>,
            firstname: Option<String>,
            lastname: Option<String>,
            date_of_birth: Option<String>,
        }
        let Object(Fields { id, firstname, lastname, date_of_birth }) = success.payload()?;
        let all = success.payload_text().map(Json::known)?;
        Ok(UserFacts { id, firstname, lastname, date_of_birth, all })
    }
}

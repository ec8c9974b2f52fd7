//! `POST /api/v1/oauth/get-profile` and `GET /api/v1/oauth/get-profile/status` (published): a user's
//! profile, which is made on request.
//!
//! Owns their fields. The second is a `GET` with a body, which some intermediaries drop. How the
//! profile's text is opened is unknown: it stays as it came.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::error::{EncodeError, Malformed};
use crate::evidence::Evidence;
use crate::operation::{Auth, Class, Operation};
use crate::secret::Body;
use crate::services::values::FieldError;
use crate::wire::{Object, Success};

/// Asks for the user's profile. It needs the grant [`Profile`](super::UserGrant::Profile).
///
/// Whether the service recognizes a repeated `request_id` is unknown, so it is not sent again
/// without proof.
#[derive(Clone, Debug, Serialize)]
pub struct RequestProfile {
    request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
}

impl RequestProfile {
    /// Takes a UUID of the integrator's own for the request.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is not a UUID with hyphens.
    pub fn new(request_id: impl Into<String>) -> Result<Self, FieldError> {
        Ok(Self { request_id: uuid(request_id.into(), "request_id")?, created_at: None })
    }

    /// Sets `created_at`, a date and time of RFC 3339. One page requires it, another does not list
    /// it.
    #[must_use]
    pub fn with_created_at(self, created_at: impl Into<String>) -> Self {
        Self { created_at: Some(created_at.into()), ..self }
    }
}

/// Reads how far a requested profile is: a `GET` with a JSON body.
///
/// ```
/// use imts_core::Operation;
/// use imts_core::services::freedom_id::ProfileStatus;
///
/// let status = ProfileStatus::new("ac22c50c-22c7-4aeb-9160-e59b735f9c44")?;
/// assert_eq!(ProfileStatus::METHOD, "GET");
/// let body = status.encode()?;
/// assert_eq!(body.as_ref(), br#"{"request_id":"ac22c50c-22c7-4aeb-9160-e59b735f9c44"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct ProfileStatus {
    request_id: String,
}

impl ProfileStatus {
    /// Takes the UUID with which the profile was asked for.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is not a UUID with hyphens.
    pub fn new(request_id: impl Into<String>) -> Result<Self, FieldError> {
        Ok(Self { request_id: uuid(request_id.into(), "request_id")? })
    }
}

/// How far a profile is. `Debug` leaves out the profile and the user's id.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The request's own UUID.
    pub request_id: String,
    /// How far it is.
    pub state: ProfileState,
    /// What the service says about it.
    pub status_message: Option<String>,
    /// The user's id.
    pub freedom_id: Option<String>,
    /// The profile, as one opaque text. How it is opened is unknown.
    pub payload: Option<String>,
    /// The service's time, as printed.
    pub datetime: Option<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile")
            .field("request_id", &self.request_id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// How far a requested profile is. The pages list seven words for the two operations, and an example
/// of the second has a word of the first, so both read all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileState {
    /// `accepted`: the request is being processed.
    Accepted,
    /// `rejected`
    Rejected,
    /// `pending` (published: kept for 24 hours).
    Pending,
    /// `completed` (published: kept for 60 minutes).
    Completed,
    /// `failed` (published: kept for 60 minutes).
    Failed,
    /// `not_found`: the time of the request's id is over.
    NotFound,
    /// Another word.
    Other(String),
}

impl From<String> for ProfileState {
    fn from(word: String) -> Self {
        match word.as_str() {
            "accepted" => Self::Accepted,
            "rejected" => Self::Rejected,
            "pending" => Self::Pending,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "not_found" => Self::NotFound,
            _ => Self::Other(word),
        }
    }
}

impl Operation for RequestProfile {
    const NAME: &'static str = "request-profile";
    const PATH: Option<&'static str> = Some("/api/v1/oauth/get-profile");
    const AUTH: Auth = Auth::Bearer;
    const CLASS: Class = Class::Create;
    const EVIDENCE: Evidence = Evidence::Published;
    const REFERENCE_FIELD: Option<&'static str> = Some("request_id");
    type Reply = Profile;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(self)
    }

    fn decode(success: Success<'_>) -> Result<Profile, Malformed> {
        read(success)
    }
}

impl Operation for ProfileStatus {
    const NAME: &'static str = "profile-status";
    const PATH: Option<&'static str> = Some("/api/v1/oauth/get-profile/status");
    const METHOD: Method = Method::GET;
    const AUTH: Auth = Auth::Bearer;
    const CLASS: Class = Class::Read;
    const EVIDENCE: Evidence = Evidence::Published;
    type Reply = Profile;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(self)
    }

    fn decode(success: Success<'_>) -> Result<Profile, Malformed> {
        read(success)
    }
}

fn read(success: Success<'_>) -> Result<Profile, Malformed> {
    #[derive(Deserialize)]
    struct Fields {
        request_id: Option<String>,
        status: Option<String>,
        status_message: Option<String>,
        freedom_id: Option<String>,
        profile: Option<Object<Sealed>>,
        datetime: Option<String>,
    }
    #[derive(Deserialize)]
    struct Sealed {
        payload: Option<String>,
    }
    let Object(fields): Object<Fields> = success.payload()?;
    let required = |field: Option<String>, name| field.ok_or(Malformed::Missing { field: name });
    Ok(Profile {
        request_id: required(fields.request_id, "request_id")?,
        state: required(fields.status, "status")?.into(),
        status_message: fields.status_message,
        freedom_id: fields.freedom_id,
        payload: fields.profile.and_then(|Object(sealed)| sealed.payload),
        datetime: fields.datetime,
    })
}

/// 8-4-4-4-12 hexadecimal digits (RFC 9562, section 4).
pub(super) fn uuid(text: String, field: &'static str) -> Result<String, FieldError> {
    let is_group = |group: &str, length: usize| {
        group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let groups: Vec<&str> = text.split('-').collect();
    let lengths = [8, 4, 4, 4, 12];
    let is_uuid = groups.len() == lengths.len()
        && groups.iter().zip(lengths).all(|(group, length)| is_group(group, length));
    FieldError::require(is_uuid, text, field, "a UUID with hyphens")
}

//! The callback by which Freedom ID revokes tokens: `POST {"id": "<TOKEN_ID>"}` to the partner's
//! `revoke_uri` (published).
//!
//! Owns what is read of its body. The pages describe no signature and no expected answer, so the id
//! is the only proof, and the answer says nothing.

use serde::Deserialize;

use crate::secret::TokenId;
use crate::wire::{Text, object};

/// The longest body that is read, in bytes.
const MAX_LENGTH: usize = 4_096;

/// Returns the id that the body of a revocation names. `None` if the body is anything else.
///
/// Answer 200 without a body in both cases, and whether or not a session has the id. Then give the
/// id to the sessions: [`Session::revoked`](crate::Session::revoked). Never log the body.
///
/// ```
/// use imts_core::services::freedom_id::revoked_id;
///
/// let id = revoked_id(br#"{"id":"01953bd1-a6d3-739e-8aa3-83e881f09055"}"#);
/// assert_eq!(id.expect("there is one").expose(), "01953bd1-a6d3-739e-8aa3-83e881f09055");
/// assert!(revoked_id(b"{}").is_none());
/// ```
#[must_use]
pub fn revoked_id(body: &[u8]) -> Option<TokenId> {
    #[derive(Deserialize)]
    struct Revocation<'a> {
        #[serde(borrow)]
        id: Text<'a>,
    }
    let is_short = body.len() <= MAX_LENGTH;
    let Revocation { id } = is_short.then(|| object(body)).flatten()?;
    TokenId::new(&id)
}

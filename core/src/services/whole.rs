//! An envelope whose content is the whole body.

use crate::error::Malformed;
use crate::wire::{Envelope, Success};

pub(super) fn whole(success: Success<'_>, is_refusal: bool) -> Result<Envelope<'_>, Malformed> {
    let body = std::str::from_utf8(success.body()).map_err(|_| Malformed::Encoding)?;
    Ok(Envelope { is_refusal, payload: Some(body), field: "body" })
}

//! Reads a response, within its limit.

use std::mem;

use http::Response;

/// Reads a response's body, at most one byte more than the limit. The rest is not read.
pub(super) async fn read(
    mut response: reqwest::Response,
    limit: usize,
) -> Result<Response<Vec<u8>>, reqwest::Error> {
    let enough = limit.saturating_add(1);
    // Allocate once, if the length is known and sensible: a buffer that has become too small leaves
    // a copy of the tokens behind.
    let length = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut bytes = Vec::with_capacity(length.unwrap_or(usize::MAX).min(enough).min(AT_ONCE));
    while bytes.len() < enough {
        let Some(chunk) = response.chunk().await? else { break };
        let room = enough - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    let mut whole = Response::new(bytes);
    *whole.status_mut() = response.status();
    *whole.version_mut() = response.version();
    *whole.headers_mut() = mem::take(response.headers_mut());
    Ok(whole)
}

/// The longest body, in bytes, for which memory is allocated before it is received: 64 KiB, and one
/// byte over the limit.
const AT_ONCE: usize = 65_537;

//! Wipes what a response body was read into.

use zeroize::Zeroize;

/// Wipes a response body that was read. `zeroize` wipes a vector's elements one by one and its
/// spare room at once, so `clear` first turns all of it into spare room.
pub(crate) fn wipe(body: &mut Vec<u8>) {
    body.clear();
    body.zeroize();
}

//! Between a session's state and the bytes that a store keeps of it.
//!
//! Owns the trait of stores that keep bytes, and what it means if the bytes are not a state that
//! this process can use. Does not know where they are kept.

use std::fmt;
use std::time::Duration;

use imts_core::Saved;
use imts_core::saved::SavedError;
use imts_core::swap::{Found, Held, Stamp, StoreTime, Swap, Swapped};
use zeroize::Zeroizing;

use super::StoreError;

/// A store that keeps bytes and does not know what they mean. [`FileStore`](super::file::FileStore)
/// and the like are such stores, and [`Sealed`](super::sealed::Sealed) encrypts what they keep.
///
/// The rules are those of [`Store`](super::Store), with bytes in place of the state.
pub trait RawStore: Send + Sync {
    /// Puts these bytes in place of the expected state, or says what is there instead. `state` is
    /// the form of [`Swap::put`] that is to be kept; `None` if the swap only looks.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] as [`Store::swap`](super::Store::swap) does.
    fn swap_raw(&self, swap: &Swap, state: Option<&[u8]>) -> Result<RawSwapped, StoreError>;

    /// Swaps the state as JSON, **in clear**: what [`Store::swap`](super::Store::swap) of a store of
    /// bytes does. A state that is sealed is not replaced.
    ///
    /// # Errors
    ///
    /// Returns what [`swap_raw`](Self::swap_raw) returns, and [`StoreError::UnknownKey`],
    /// [`StoreError::Foreign`] or [`StoreError::Newer`] for a state that this process cannot use.
    fn swap_in_clear(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        let state = swap.put().map(Saved::to_json);
        let swapped = self.swap_raw(swap, state.as_ref().map(|state| state.as_slice()))?;
        read(swap, swapped, |_, bytes| match bytes.starts_with(SEALED) {
            true => Err(StoreError::UnknownKey),
            false => Ok(Some(bytes)),
        })
    }
}

/// How a store of bytes answers a swap.
#[derive(Clone, Debug)]
pub enum RawSwapped {
    /// The bytes were put. The fields are those of [`Swapped::Done`].
    Done {
        /// Whether the store may have lost writes since the replaced state was put.
        moved: bool,
        /// What the store's clock shows.
        at: StoreTime,
    },
    /// Nothing was put. This is what is there.
    Other(RawFound),
}

/// What a store holds, in bytes. `Debug` prints none of them.
#[derive(Clone)]
pub struct RawFound {
    /// The stamp of the state. [`Stamp::NONE`] if nothing is there.
    pub stamp: Stamp,
    /// The state. `None` if nothing is there.
    pub state: Option<Zeroizing<Vec<u8>>>,
    /// How long ago the state was made, by the store's clock.
    pub age: Duration,
    /// The lease of another holder that still runs.
    pub held: Option<Held>,
    /// Whether the swap that put the state was moved.
    pub moved: bool,
    /// What the store's clock shows.
    pub at: StoreTime,
}

impl fmt::Debug for RawFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawFound")
            .field("stamp", &self.stamp)
            .field("age", &self.age)
            .field("held", &self.held)
            .field("moved", &self.moved)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What each sealed state begins with, whatever its version. JSON never begins so.
pub(super) const SEALED: &[u8] = b"IMTS";

/// Reads what a store answered. `open` makes JSON of the bytes that are kept under this stamp;
/// `None` if they are damaged.
pub(super) fn read(
    swap: &Swap,
    swapped: RawSwapped,
    open: impl FnOnce(Stamp, Zeroizing<Vec<u8>>) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>,
) -> Result<Swapped, StoreError> {
    let RawFound { stamp, state, age, held, moved, at } = match swapped {
        RawSwapped::Done { moved, at } => return Ok(Swapped::Done { moved, at }),
        RawSwapped::Other(found) => found,
    };
    let state = match state {
        Some(bytes) => match open(stamp, bytes)? {
            Some(json) => state_of(swap, stamp, &json)?,
            None => None,
        },
        None => None,
    };
    let found = match state {
        Some(state) => Found::state(state, age, at),
        None => Found::damaged(stamp, at),
    };
    Ok(Swapped::Other(found.with_held(held).with_moved(moved)))
}

/// Reads a state; `None` if it is damaged.
fn state_of(swap: &Swap, stamp: Stamp, json: &[u8]) -> Result<Option<Saved>, StoreError> {
    match Saved::from_json(json) {
        Ok(state) if !swap.is_for(&state) => Err(StoreError::Foreign),
        Ok(state) => Ok(Some(state).filter(|state| state.stamp() == stamp)),
        Err(SavedError::Newer { found }) => Err(StoreError::Newer { version: found }),
        Err(_) => Ok(None),
    }
}

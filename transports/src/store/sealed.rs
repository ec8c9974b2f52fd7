//! Encrypts what a store keeps.
//!
//! Owns the keys and the sealed form. Does not know where the bytes are kept, or what a state says.

use std::fmt;

use imts_core::Saved;
use imts_core::swap::{Stamp, Swap, Swapped};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;
use zeroize::Zeroizing;

use super::raw::{self, RawStore};
use super::{Store, StoreError};

/// A store whose states are encrypted (ChaCha20-Poly1305, RFC 8439), over any store of bytes.
///
/// The stamp and the lease stay in clear: the store needs them. A sealed state opens only for its
/// endpoint, its agent and its stamp, so it cannot be moved to another key or another generation.
/// A state that fails its seal counts as not there. One that is sealed with a key that this process
/// does not have is never replaced: the session reports it, and signs in alone.
///
/// To change the key, first roll it out to all processes with [`Keys::and_old`], and then with
/// [`Keys::new`].
///
/// What it does not promise: an old sealed state that was put back is noticed by sessions that know
/// a newer one, and not by a process that has just started.
///
/// ```
/// use imts::store::raw::RawStore;
/// use imts::store::sealed::{Keys, Sealed};
///
/// fn sealed(store: impl RawStore, key: [u8; 32], last_years: [u8; 32]) -> impl imts::Store {
///     Sealed::over(store, Keys::new(key).and_old(last_years))
/// }
///
/// // No key is in what it prints.
/// assert!(!format!("{:?}", Keys::new([7; 32])).contains("7, 7"));
/// ```
#[derive(Debug)]
pub struct Sealed<S> {
    store: S,
    keys: Keys,
    random: SystemRandom,
}

impl<S: RawStore> Sealed<S> {
    /// Encrypts what this store keeps.
    #[must_use]
    pub fn over(store: S, keys: Keys) -> Self {
        Self { store, keys, random: SystemRandom::new() }
    }
}

impl<S: RawStore> Store for Sealed<S> {
    fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        let sealed = swap.put().map(|put| self.seal(swap, put)).transpose()?;
        let sealed = sealed.as_ref().map(|sealed| sealed.as_slice());
        let swapped = self.store.swap_raw(swap, sealed)?;
        raw::read(swap, swapped, |stamp, bytes| self.keys.open(swap, stamp, &bytes))
    }
}

impl<S> Sealed<S> {
    fn seal(&self, swap: &Swap, put: &Saved) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| StoreError::unreachable(SealError::NoRandom))?;
        let key = &self.keys.current;
        let state = put.to_json();
        let mut body =
            Zeroizing::new(Vec::with_capacity(state.len() + CHACHA20_POLY1305.tag_len()));
        body.extend_from_slice(&state);
        let cipher = key.cipher()?;
        let nonce_of = Nonce::assume_unique_for_key(nonce);
        cipher
            .seal_in_place_append_tag(nonce_of, key.bound(swap, put.stamp()), &mut *body)
            .map_err(|_| StoreError::unreachable(SealError::Cipher))?;
        Ok(Zeroizing::new([FORM, &key.id, &nonce, &body].concat()))
    }
}

/// The keys of a [`Sealed`] store: one that seals, and old ones that only open. They are wiped on
/// drop, and never printed.
pub struct Keys {
    current: Key,
    old: Vec<Key>,
}

impl Keys {
    /// Takes the key that seals and opens: 32 bytes, drawn by a generator that is fit for keys.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { current: Key::new(key), old: Vec::new() }
    }

    /// Adds a key that only opens: the one before the current one, or the next one, before it
    /// becomes the current one everywhere.
    #[must_use]
    pub fn and_old(mut self, key: [u8; 32]) -> Self {
        self.old.push(Key::new(key));
        self
    }

    /// Opens a sealed state; `None` if it is damaged, or not sealed at all.
    fn open(
        &self,
        swap: &Swap,
        stamp: Stamp,
        bytes: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let Some(rest) = bytes.strip_prefix(FORM) else {
            return match version(bytes) {
                Some(version) => Err(StoreError::Newer { version }),
                None => Ok(None),
            };
        };
        let Some((id, rest)) = rest.split_at_checked(ID) else { return Ok(None) };
        let Some((nonce, sealed)) = rest.split_at_checked(NONCE_LEN) else { return Ok(None) };
        let mut keys = std::iter::once(&self.current).chain(&self.old);
        let key = keys.find(|key| key.id == id).ok_or(StoreError::UnknownKey)?;
        let Ok(nonce) = Nonce::try_assume_unique_for_key(nonce) else { return Ok(None) };
        let mut body = Zeroizing::new(sealed.to_vec());
        let opened = key.cipher()?.open_in_place(nonce, key.bound(swap, stamp), &mut body);
        Ok(opened.ok().map(|state| Zeroizing::new(state.to_vec())))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

struct Key {
    bytes: Zeroizing<[u8; 32]>,
    /// The first bytes of its hash.
    id: [u8; ID],
}

impl Key {
    fn new(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let mut id = [0; ID];
        for (id, byte) in id.iter_mut().zip(digest(&SHA256, &*bytes).as_ref()) {
            *id = *byte;
        }
        Self { bytes, id }
    }

    fn cipher(&self) -> Result<LessSafeKey, StoreError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &*self.bytes);
        key.map(LessSafeKey::new).map_err(|_| StoreError::unreachable(SealError::Cipher))
    }

    /// Returns what a state is bound to. Lengths stand before texts, so that no two have the same
    /// bytes.
    fn bound(&self, swap: &Swap, stamp: Stamp) -> Aad<Vec<u8>> {
        let mut bound = [FORM, &self.id].concat();
        let user = swap
            .service()
            .or(swap.subject())
            .map(|_| [swap.service().unwrap_or_default(), swap.subject().unwrap_or_default()]);
        let agent = [swap.endpoint(), swap.agent_id()];
        for text in agent.into_iter().chain(user.into_iter().flatten()) {
            bound.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bound.extend_from_slice(text.as_bytes());
        }
        for number in [stamp.generation, stamp.holder, stamp.serial] {
            bound.extend_from_slice(&number.to_le_bytes());
        }
        Aad::from(bound)
    }
}

/// Returns the version of a sealed form that is not this one.
fn version(bytes: &[u8]) -> Option<u32> {
    let digit = bytes.strip_prefix(raw::SEALED)?.first()?;
    char::from(*digit).to_digit(10).filter(|version| *version > 1)
}

/// Why a state was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
enum SealError {
    #[error("the system has no random numbers to seal the state with")]
    NoRandom,
    #[error("the state could not be sealed")]
    Cipher,
}

/// What a sealed state begins with: its form, then the key's id, and the nonce.
const FORM: &[u8] = b"IMTS1";

/// How many bytes of a key's hash name it.
const ID: usize = 8;

//! A client in the hands of one thread or task that asks very often.
//!
//! Owns nothing but what is kept between two asks; every ask that cannot be served from that goes to
//! the client.

use std::fmt;

use crate::bearer::{Bearer, Sight};
use crate::blocking::Client;
use crate::error::CallError;
use crate::nonblocking::AsyncClient;

/// A [`Client`] for one thread that asks very often.
///
/// An ask costs little more than one reading of the machine's coarse clock. What a client promises
/// holds: a token that was rejected, or replaced, on any thread before the ask is not handed out. It
/// keeps the last token between asks: one that is idle for long is better dropped.
///
/// ```
/// # fn example(client: imts::Client) -> Result<(), imts::CallError> {
/// let mut handle = client.handle();
/// for _ in 0..1_000_000 {
///     let bearer = handle.token()?;
/// #   let _ = bearer;
/// }
/// # Ok(()) }
/// ```
pub struct Handle {
    client: Client,
    sight: Sight,
    /// The answer to the last ask that went to the client.
    answer: Option<Bearer>,
}

/// An [`AsyncClient`] for one task that asks very often. What is said of a [`Handle`] holds for this
/// one too.
pub struct AsyncHandle {
    client: AsyncClient,
    sight: Sight,
    /// The answer to the last ask that went to the client.
    answer: Option<Bearer>,
}

impl Handle {
    pub(crate) fn new(client: Client, sight: Sight) -> Self {
        Self { client, sight, answer: None }
    }

    /// A token that is valid now; see [`Client::token`].
    ///
    /// # Errors
    ///
    /// [`CallError`].
    #[inline]
    pub fn token(&mut self) -> Result<&Bearer, CallError> {
        if self.answer.is_some() {
            self.answer = None;
        }
        if let Some(bearer) = self.sight.calm() {
            return Ok(bearer);
        }
        Ok(self.answer.insert(self.client.token()?.clone()))
    }
}

impl AsyncHandle {
    pub(crate) fn new(client: AsyncClient, sight: Sight) -> Self {
        Self { client, sight, answer: None }
    }

    /// A token that is valid now; see [`AsyncClient::token`].
    ///
    /// # Errors
    ///
    /// [`CallError`].
    #[inline]
    pub async fn token(&mut self) -> Result<&Bearer, CallError> {
        if self.answer.is_some() {
            self.answer = None;
        }
        if let Some(bearer) = self.sight.calm() {
            return Ok(bearer);
        }
        Ok(self.answer.insert(self.client.token().await?.clone()))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.client).finish()
    }
}

impl fmt::Debug for AsyncHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncHandle").field(&self.client).finish()
    }
}

//! Opens a connection to a server or a sentinel.
//!
//! Owns the rule that nothing secret is sent in clear, the TLS settings, and how one signs in. Does
//! not know which server it is.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rustls::ClientConfig;
use zeroize::Zeroizing;

use super::address::Place;
use super::connection::{Connection, Failed};
use super::error::{RedisCode, RedisError};
use super::resp::RedisValue;
use crate::tls::Tls;

/// How connections are secured.
#[derive(Default)]
pub(super) struct Opener {
    pub(super) tls: Secure,
    pub(super) is_plain_allowed: bool,
}

impl Opener {
    /// Opens a connection, unless it would send secrets in clear.
    pub(super) fn open(&self, place: &Place, by: Instant) -> Result<Connection, Failed> {
        if place.is_exposed() && !self.is_plain_allowed {
            return Err(RedisError::Plain.into());
        }
        Connection::open(place, || self.tls.config(), by)
    }
}

/// Sends a command that belongs to the opening of a connection.
pub(super) fn ordered(
    connection: &mut Connection,
    parts: &[&[u8]],
    by: Instant,
) -> Result<RedisValue, Failed> {
    match connection.ask(parts, by)? {
        RedisValue::Error(text) => Err(RedisError::Refused(RedisCode::of(&text)).into()),
        value => Ok(value),
    }
}

pub(super) fn sign_in(
    connection: &mut Connection,
    user: Option<&str>,
    password: Option<&Zeroizing<String>>,
    by: Instant,
) -> Result<(), Failed> {
    let parts: &[&[u8]] = match (user, password) {
        (Some(user), Some(password)) => &[b"AUTH", user.as_bytes(), password.as_bytes()],
        (None, Some(password)) => &[b"AUTH", password.as_bytes()],
        (_, None) => return Ok(()),
    };
    ordered(connection, parts, by).map(drop)
}

/// The TLS settings: those of the caller, or the platform's.
#[derive(Default)]
pub(super) struct Secure(OnceLock<Arc<ClientConfig>>);

impl Secure {
    pub(super) fn of(tls: &Tls) -> Self {
        let secure = Self::default();
        secure.0.get_or_init(|| without_http(tls));
        secure
    }

    fn config(&self) -> Result<Arc<ClientConfig>, RedisError> {
        if let Some(config) = self.0.get() {
            return Ok(Arc::clone(config));
        }
        let tls = Tls::platform().map_err(|error| RedisError::Settings(error.to_string()))?;
        Ok(Arc::clone(self.0.get_or_init(|| without_http(&tls))))
    }
}

/// The protocol that TLS would offer is HTTP.
fn without_http(tls: &Tls) -> Arc<ClientConfig> {
    let mut config = (*tls.client_config()).clone();
    config.alpn_protocols.clear();
    Arc::new(config)
}

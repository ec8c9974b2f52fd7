//! The server of a store: where it is, how one signs in, and the one connection that waits for the
//! next swap.
//!
//! Owns which connection is used, and when a command is sent a second time. Does not know what the
//! command means, but that it may be sent twice.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use zeroize::Zeroizing;

use super::address::{Place, RedisAddress};
use super::connection::{Connection, Failed};
use super::error::{RedisCode, RedisError};
use super::opening::{Opener, ordered, sign_in};
use super::sentinel::Sentinels;

/// One server, or the group of servers whose master it is.
pub(super) struct Server {
    pub(super) address: RedisAddress,
    pub(super) password: Option<Zeroizing<String>>,
    pub(super) opener: Opener,
    pub(super) sentinels: Option<Sentinels>,
    idle: Mutex<Option<Connection>>,
}

impl Server {
    pub(super) fn new(address: RedisAddress) -> Self {
        Self {
            address,
            password: None,
            opener: Opener::default(),
            sentinels: None,
            idle: Mutex::default(),
        }
    }

    /// Does some work over a connection. It is done again, once, if the connection had been idle
    /// and turned out to be closed, or if another node has the key.
    pub(super) fn with<T>(
        &self,
        by: Instant,
        work: impl Fn(&mut Connection) -> Result<T, Asked>,
    ) -> Result<T, Failed> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut connection) = idle {
            match work(&mut connection) {
                Ok(done) => return Ok(self.keep(connection, done)),
                Err(Asked::Failed(error)) if !is_stale(&error) => return Err(error),
                Err(Asked::Moved(..) | Asked::Failed(_)) => {}
            }
        }
        let mut connection = self.open(&self.master(by)?, by)?;
        let moved = match work(&mut connection) {
            Ok(done) => return Ok(self.keep(connection, done)),
            Err(Asked::Failed(error)) => return Err(error),
            Err(Asked::Moved(host, port)) => match host.as_str() {
                "" => self.address.place.with_port(port),
                host => self.address.place.at(host, port),
            },
        };
        drop(connection);
        let mut connection = self.open(&moved, by)?;
        match work(&mut connection) {
            Ok(done) => Ok(self.keep(connection, done)),
            Err(asked) => Err(asked.into_failed()),
        }
    }

    fn keep<T>(&self, connection: Connection, done: T) -> T {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        done
    }

    /// Returns where the master is.
    fn master(&self, by: Instant) -> Result<Place, Failed> {
        match &self.sentinels {
            None => Ok(self.address.place.clone()),
            Some(sentinels) => {
                let (host, port) = sentinels.master(&self.opener, by)?;
                Ok(self.address.place.at(&host, port))
            }
        }
    }

    /// Opens a connection, signs in, and selects the database.
    fn open(&self, place: &Place, by: Instant) -> Result<Connection, Failed> {
        let mut connection = self.opener.open(place, by)?;
        sign_in(&mut connection, self.address.user.as_deref(), self.password.as_ref(), by)?;
        if self.address.database > 0 {
            let database = self.address.database.to_string();
            ordered(&mut connection, &[b"SELECT", database.as_bytes()], by)?;
        }
        Ok(connection)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Why work over a connection was not done.
pub(super) enum Asked {
    /// The key is at another node, at this host and port.
    Moved(String, u16),
    Failed(Failed),
}

impl Asked {
    /// Returns the error of work that is not done at another node.
    pub(super) fn into_failed(self) -> Failed {
        match self {
            Self::Moved(..) => RedisError::Refused(RedisCode::of("MOVED")).into(),
            Self::Failed(error) => error,
        }
    }
}

impl<E: Into<Failed>> From<E> for Asked {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Returns whether a connection that had been idle may have failed because it was idle.
fn is_stale(error: &Failed) -> bool {
    match error {
        Failed::For(RedisError::Broken(_)) => true,
        // The server that it led to is no longer the master.
        Failed::For(RedisError::Refused(code)) => {
            matches!(code.as_str(), "READONLY" | "MASTERDOWN" | "LOADING")
        }
        _ => false,
    }
}

/// Reads an error reply.
pub(super) fn refused(text: &str) -> Asked {
    moved(text).map_or_else(
        || Asked::Failed(RedisError::Refused(RedisCode::of(text)).into()),
        |(host, port)| Asked::Moved(host, port),
    )
}

/// Reads `MOVED SLOT HOST:PORT`.
fn moved(text: &str) -> Option<(String, u16)> {
    let (_, place) = text.strip_prefix("MOVED ")?.split_once(' ')?;
    let (host, port) = place.rsplit_once(':')?;
    let is_name = host.bytes().all(|it| it.is_ascii_alphanumeric() || b".-_:".contains(&it));
    Some((host.to_owned(), port.parse().ok()?)).filter(|_| is_name)
}

#[cfg(test)]
mod tests {
    use super::moved;

    #[test]
    fn a_moved_key_is_followed_to_a_host_and_a_port_and_to_nothing_else() {
        let to = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(moved("MOVED 3999 127.0.0.1:6381"), to("127.0.0.1", 6_381));
        assert_eq!(moved("MOVED 3999 redis-2.example:6381"), to("redis-2.example", 6_381));
        assert_eq!(moved("MOVED 3999 :6381"), to("", 6_381));
        assert_eq!(moved("MOVED 3999 ::1:6381"), to("::1", 6_381));
        for text in ["MOVED 3999", "MOVED 3999 a:b", "MOVED 3999 a b:1", "ASK 3999 127.0.0.1:6381"]
        {
            assert_eq!(moved(text), None, "{text}");
        }
    }
}

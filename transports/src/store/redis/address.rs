//! Where a Redis server is: the address that a caller writes.
//!
//! Owns its form, and the rule that a password never stands in it: addresses are printed, and
//! arguments can be read by others. Does no I/O.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;

use crate::host::is_this_machine;
use crate::store::entry::escaped;

/// The address of a Redis server: `rediss://user@host:6379/0` (TLS), `redis://host` (plain), or
/// `unix:///path/to/socket`.
///
/// The user, the port (6379) and the number of the database (0) can be left out. For a socket, the
/// database is written as `unix:///path?db=1`. A password in it is refused:
/// [`RedisStore::password`](super::RedisStore::password) takes it.
///
/// ```
/// use imts::store::redis::RedisAddress;
///
/// let address: RedisAddress = "rediss://imts@redis.example/2".parse()?;
/// assert_eq!(address.to_string(), "rediss://imts@redis.example:6379/2");
/// assert!("redis://:password@redis.example".parse::<RedisAddress>().is_err());
/// # Ok::<(), imts::store::redis::RedisAddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisAddress {
    pub(super) place: Place,
    pub(super) user: Option<String>,
    pub(super) database: u32,
}

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp {
        /// A name, or an address without brackets.
        host: String,
        port: u16,
        is_secure: bool,
    },
    Unix(PathBuf),
}

impl Place {
    /// Returns whether what is sent there can be read on its way.
    pub(super) fn is_exposed(&self) -> bool {
        match self {
            Self::Tcp { host, is_secure: false, .. } => !is_this_machine(host),
            _ => false,
        }
    }

    /// Returns the same place with another port.
    pub(super) fn with_port(&self, port: u16) -> Self {
        match self {
            Self::Tcp { host, .. } => self.at(host, port),
            Self::Unix(_) => self.clone(),
        }
    }

    /// Returns the same kind of place at another host, as a sentinel or a cluster names it.
    pub(super) fn at(&self, host: &str, port: u16) -> Self {
        let is_secure = matches!(self, Self::Tcp { is_secure: true, .. });
        Self::Tcp { host: host.to_owned(), port, is_secure }
    }
}

impl FromStr for RedisAddress {
    type Err = RedisAddressError;

    fn from_str(text: &str) -> Result<Self, RedisAddressError> {
        if text.chars().any(|it| it.is_control() || it.is_whitespace()) || text.contains('#') {
            return Err(RedisAddressError::Malformed);
        }
        let (scheme, rest) = text.split_once("://").ok_or(RedisAddressError::Scheme)?;
        if scheme == "unix" {
            return Self::unix(rest);
        }
        let is_secure = match scheme {
            "rediss" => true,
            "redis" => false,
            _ => return Err(RedisAddressError::Scheme),
        };
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = userinfo(authority)?;
        let (host, port) = match host.strip_prefix('[') {
            Some(host) => {
                let (host, port) = host.split_once(']').ok_or(RedisAddressError::Host)?;
                let is_address = host.parse::<std::net::Ipv6Addr>().is_ok();
                let host = if is_address { host } else { return Err(RedisAddressError::Host) };
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')) })
            }
            None => {
                host.split_once(':').map_or((host, None), |(host, port)| (host, Some(Some(port))))
            }
        };
        let is_name = |it: &str| {
            !it.is_empty()
                && it.bytes().all(|it| it.is_ascii_alphanumeric() || b".-_:".contains(&it))
        };
        if !is_name(host) {
            return Err(RedisAddressError::Host);
        }
        let port = match port {
            None => 6_379,
            Some(port) => port
                .and_then(|port| port.parse().ok())
                .filter(|port| *port > 0)
                .ok_or(RedisAddressError::Port)?,
        };
        let host = host.to_ascii_lowercase();
        let place = Place::Tcp { host, port, is_secure };
        Ok(Self { place, user, database: number(database)? })
    }
}

impl RedisAddress {
    fn unix(rest: &str) -> Result<Self, RedisAddressError> {
        let (user, path) = match rest.split_once('/') {
            Some((before, _)) if !before.is_empty() => {
                let user = before.strip_suffix('@').ok_or(RedisAddressError::Path)?;
                (userinfo(&format!("{user}@"))?.0, rest.get(before.len()..).unwrap_or_default())
            }
            _ => (None, rest),
        };
        let (path, database) = match path.split_once('?') {
            Some((path, query)) => {
                (path, query.strip_prefix("db=").ok_or(RedisAddressError::Database)?)
            }
            None => (path, ""),
        };
        if !Path::new(path).is_absolute() {
            return Err(RedisAddressError::Path);
        }
        Ok(Self { place: Place::Unix(path.into()), user, database: number(database)? })
    }
}

/// Splits off the user. The text before the last `@` may not hold a password.
fn userinfo(authority: &str) -> Result<(Option<String>, &str), RedisAddressError> {
    let Some((user, host)) = authority.rsplit_once('@') else { return Ok((None, authority)) };
    if user.contains(':') {
        return Err(RedisAddressError::Password);
    }
    let user = decoded(user).ok_or(RedisAddressError::User)?;
    Ok((Some(user).filter(|user| !user.is_empty()), host))
}

/// Resolves percent-escapes.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                (u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?, after)
            }
            (b'%', _) => return None,
            (byte, after) => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn number(database: &str) -> Result<u32, RedisAddressError> {
    if database.is_empty() {
        Ok(0)
    } else {
        database.parse().map_err(|_| RedisAddressError::Database)
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_deref().map(|user| format!("{}@", escaped(user)));
        let user = user.unwrap_or_default();
        match &self.place {
            Place::Unix(path) => {
                write!(f, "unix://{user}{}", path.display())?;
                if self.database == 0 { Ok(()) } else { write!(f, "?db={}", self.database) }
            }
            Place::Tcp { is_secure, .. } => {
                let scheme = if *is_secure { "rediss" } else { "redis" };
                write!(f, "{scheme}://{user}{}/{}", self.place, self.database)
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// Why a text is not the address of a Redis server. No variant quotes the text, which may hold a
/// password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedisAddressError {
    /// The scheme is not `rediss`, `redis` or `unix`.
    #[error("the address of the Redis server must begin with rediss://, redis:// or unix://")]
    Scheme,
    /// It holds a password.
    #[error("the address of the Redis server holds a password: give the password by itself")]
    Password,
    /// The user's percent-escapes cannot be read.
    #[error("the user in the address of the Redis server has a % that is not a percent-escape")]
    User,
    /// The host is missing, or is not a name or an address.
    #[error("the address of the Redis server has no host, or one that is not a name or an address")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port in the address of the Redis server is not a number from 1 to 65535")]
    Port,
    /// The database is not a number.
    #[error(
        "the database in the address of the Redis server is not a number: write /0, or ?db=0 after a socket's path"
    )]
    Database,
    /// The path of the socket is not absolute.
    #[error("the path of the Redis server's socket is not absolute: write unix:///path/to/socket")]
    Path,
    /// It has a blank, a control character or a fragment.
    #[error("the address of the Redis server has a blank, a control character or a #")]
    Malformed,
}

#[cfg(test)]
mod tests {
    use super::{RedisAddress, RedisAddressError as E};

    fn canonical(text: &str) -> String {
        text.parse::<RedisAddress>().unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
    }

    #[test]
    fn an_address_has_one_canonical_form_which_is_read_as_itself() {
        for (text, form) in [
            ("redis://localhost", "redis://localhost:6379/0"),
            ("rediss://Redis.Example:7000/15", "rediss://redis.example:7000/15"),
            ("rediss://im%74s@[::1]", "rediss://imts@[::1]:6379/0"),
            ("redis://a%40b%3A@127.0.0.1/", "redis://a%40b%3A@127.0.0.1:6379/0"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock"),
            ("unix://imts@/run/redis.sock?db=3", "unix://imts@/run/redis.sock?db=3"),
            ("unix:///run/redis.sock?db=0", "unix:///run/redis.sock"),
        ] {
            assert_eq!(canonical(text), form);
            assert_eq!(canonical(form), form);
        }
    }

    #[test]
    fn an_error_says_what_is_wrong_and_quotes_nothing() {
        for (text, error) in [
            ("redis.example:6379", E::Scheme),
            ("http://redis.example", E::Scheme),
            ("redis://:canary@redis.example", E::Password),
            ("rediss://imts:canary@redis.example", E::Password),
            ("unix://imts:canary@/run/redis.sock", E::Password),
            ("redis://canary%4@redis.example", E::User),
            ("redis://canary%zz@redis.example", E::User),
            ("redis://", E::Host),
            ("redis://canary_host!", E::Host),
            ("redis://[canary]", E::Host),
            ("redis://canary:0", E::Port),
            ("redis://canary:65536", E::Port),
            ("redis://canary:", E::Port),
            ("redis://[::1]canary", E::Port),
            ("redis://canary/one", E::Database),
            ("unix:///canary?db=x", E::Database),
            ("unix:///canary?password=x", E::Database),
            ("unix://canary", E::Path),
            ("unix://canary/x", E::Path),
            ("redis://canary host", E::Malformed),
            ("redis://canary#x", E::Malformed),
        ] {
            assert_eq!(text.parse::<RedisAddress>(), Err(error), "{text}");
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn plain_is_exposed_unless_it_stays_on_this_machine() {
        for (text, is_exposed) in [
            ("redis://localhost", false),
            ("redis://127.9.9.9", false),
            ("redis://[::1]", false),
            ("unix:///run/redis.sock", false),
            ("rediss://redis.example", false),
            ("redis://redis.example", true),
            ("redis://10.0.0.1", true),
            ("redis://localhost.example", true),
        ] {
            let address: RedisAddress = text.parse().unwrap();
            assert_eq!(address.place.is_exposed(), is_exposed, "{text}");
        }
    }
}

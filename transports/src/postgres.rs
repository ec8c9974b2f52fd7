//! How to reach a PostgreSQL server: where it is, as whom, by which password, and over TLS or not.
//!
//! Owns the address and the rule of where a password may go in clear: to this machine, and to a
//! host that the caller names. `connection` opens connections. Does not know about journals or
//! stores, nor about tables.

mod connection;
mod error;
mod place;
mod tls;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use zeroize::Zeroizing;

#[cfg(feature = "journal-postgres")]
pub(crate) use self::connection::within;
pub(crate) use self::connection::{Connection, StatementError};
pub use self::error::PostgresError;
use self::place::Place;
use crate::tls::Tls;

/// How to reach a PostgreSQL server.
///
/// Nothing is read from the environment. A connection to another machine uses TLS, and the
/// server's certificate must be for the host of the address. The password is not a part of the
/// address, because addresses end up in arguments and logs. `Debug` does not print it.
///
/// ```
/// use imts::postgres::PostgresAddress;
/// use imts::tls::Tls;
///
/// let address = PostgresAddress::new("postgres://payer@db.example:5432/payments")?
///     .password("s3cret")
///     .tls(Tls::platform()?);
/// assert!(!format!("{address:?}").contains("s3cret"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct PostgresAddress {
    config: Config,
    places: Vec<Place>,
    password: Option<Zeroizing<String>>,
    tls: Option<Tls>,
    plain_hosts: Vec<String>,
    time_limit: Duration,
}

impl PostgresAddress {
    /// How long a connection may take to open, unless [set](Self::connect_timeout): 10 s.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

    /// Reads an address in either form of PostgreSQL's own programs:
    /// `postgres://USER@HOST:PORT/DATABASE`, or `host=HOST user=USER dbname=DATABASE`. A host that
    /// begins with `/` is the folder of a Unix socket. Several hosts, separated by commas, are
    /// tried in order. If there are several, a standby is passed over.
    ///
    /// # Errors
    ///
    /// [`PostgresError::Address`] if it cannot be read, [`PostgresError::PasswordInAddress`] if it
    /// holds a password, and [`PostgresError::SslMode`] if it sets `sslmode`.
    pub fn new(address: &str) -> Result<Self, PostgresError> {
        // The parser's own message may quote the address, and so a password in it.
        let config = Config::from_str(address).map_err(|_| PostgresError::Address)?;
        if config.get_password().is_some() {
            return Err(PostgresError::PasswordInAddress);
        }
        if address.contains("sslmode") || address.contains("sslnegotiation") {
            return Err(PostgresError::SslMode);
        }
        let places = place::of(&config).ok_or(PostgresError::Address)?;
        let time_limit = *config.get_connect_timeout().unwrap_or(&Self::CONNECT_TIMEOUT);
        let plain_hosts = Vec::new();
        Ok(Self { config, places, password: None, tls: None, plain_hosts, time_limit })
    }

    /// Sets the password. It is wiped from this value's memory on drop. The database's driver keeps
    /// a copy while a connection opens, which is not wiped.
    pub fn password(self, password: impl Into<String>) -> Self {
        Self { password: Some(Zeroizing::new(password.into())), ..self }
    }

    /// Sets what to trust. Each connection over TCP then uses TLS, also to this machine. Without
    /// it, only addresses of this machine, and [hosts](Self::plain_host) that are named, can be
    /// used.
    pub fn tls(self, tls: Tls) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Permits a connection without TLS to this host, such as a container beside this one. The
    /// name must be the same as in the address. Each address that it resolves to must be a loopback
    /// or private one.
    pub fn plain_host(mut self, host: impl Into<String>) -> Self {
        self.plain_hosts.push(host.into());
        self
    }

    /// Sets how long a connection may take to open, sign-in included. Default:
    /// [`CONNECT_TIMEOUT`](Self::CONNECT_TIMEOUT).
    pub fn connect_timeout(self, time_limit: Duration) -> Self {
        Self { time_limit, ..self }
    }

    /// Checks that each host may be reached as the address says: over TLS, on this machine, or in
    /// clear because it was named. Connects to nothing, and looks up no name.
    ///
    /// ```
    /// use imts::postgres::{PostgresAddress, PostgresError};
    ///
    /// let here = PostgresAddress::new("postgres://payer@127.0.0.1/payments")?;
    /// assert_eq!(here.check(), Ok(()));
    /// let other = PostgresAddress::new("postgres://payer@db.example/payments")?;
    /// assert!(matches!(other.check(), Err(PostgresError::NeedsTls { .. })));
    /// # Ok::<(), PostgresError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`PostgresError::NeedsTls`] for the first host that may not.
    pub fn check(&self) -> Result<(), PostgresError> {
        let needs_tls = |place: &&Place| {
            let named = self.plain_hosts.iter().any(|host| place.is(host));
            self.tls.is_none() && !place.is_local() && !named
        };
        match self.places.iter().find(needs_tls) {
            Some(place) => Err(PostgresError::NeedsTls { host: place.to_string() }),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("PostgresAddress");
        debug.field("user", &self.config.get_user()).field("database", &self.config.get_dbname());
        debug.field("hosts", &self.places).field("tls", &self.tls);
        debug.field("plain_hosts", &self.plain_hosts).field("connect_timeout", &self.time_limit);
        debug.finish_non_exhaustive()
    }
}

//! One connection to PostgreSQL, within a time limit.
//!
//! Owns its opening. Uses no prepared statement and no state of the server's session, so that a
//! pooler may give each transaction to another session. Needs a tokio runtime with sockets and
//! timers. Does not know what is asked of the database.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::TlsConnect;
use tokio_postgres::{Client, Config, NoTls};

use super::place::Place;
use super::tls::Handshake;
use super::{PostgresAddress, PostgresError};
use crate::host::is_private;
use crate::reason::Reason;

/// An open connection. It closes when this is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    client: Client,
    task: JoinHandle<()>,
}

impl Connection {
    /// Opens a connection to the first host that takes one, within the address' time limit.
    pub(crate) async fn open(address: &PostgresAddress) -> Result<Self, PostgresError> {
        address.check()?;
        within(address.time_limit, Self::first(address)).await?
    }

    async fn first(address: &PostgresAddress) -> Result<Self, PostgresError> {
        let mut last = PostgresError::Address;
        for place in &address.places {
            let opened = Self::to(address, place).await;
            match opened {
                Ok(connection) if address.places.len() == 1 => return Ok(connection),
                Ok(connection) => {
                    let standby = "the server is a standby, or read-only".to_owned();
                    if connection.is_writable().await? {
                        return Ok(connection);
                    }
                    last = PostgresError::Unreachable { host: place.to_string(), message: standby };
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn to(address: &PostgresAddress, place: &Place) -> Result<Self, PostgresError> {
        let host = || place.to_string();
        let unreachable = |message| PostgresError::Unreachable { host: host(), message };
        let mut config = address.config.clone();
        if let Some(password) = &address.password {
            config.password(password.as_bytes());
        }
        let (name, port) = match place {
            #[cfg(unix)]
            Place::Unix(path) => {
                let stream = tokio::net::UnixStream::connect(path).await;
                let stream = stream.map_err(|error| unreachable(error.to_string()))?;
                config.ssl_mode(SslMode::Disable);
                return Self::over(&config, stream, NoTls, host()).await;
            }
            #[cfg(not(unix))]
            Place::Unix(_) => {
                return Err(unreachable("this system has no Unix sockets".to_owned()));
            }
            Place::Tcp(name, port) => (name, *port),
        };
        let addresses = match place.addresses() {
            Some(addresses) => addresses,
            None => tokio::net::lookup_host((name.as_str(), port))
                .await
                .map_err(|error| unreachable(error.to_string()))?
                .collect(),
        };
        let handshake = match &address.tls {
            Some(tls) => {
                let why = || unreachable("no certificate can be for this host".to_owned());
                Some(Handshake::with(tls, name).ok_or_else(why)?)
            }
            None => {
                let public = addresses.iter().find(|it| !is_private(it.ip()));
                if let Some(public) = public {
                    return Err(PostgresError::NotPrivate { host: host(), address: public.ip() });
                }
                None
            }
        };
        let stream = tcp(&addresses).await.map_err(unreachable)?;
        match handshake {
            Some(handshake) => {
                config.ssl_mode(SslMode::Require);
                Self::over(&config, stream, handshake, host()).await
            }
            None => {
                config.ssl_mode(SslMode::Disable);
                Self::over(&config, stream, NoTls, host()).await
            }
        }
    }

    async fn over<S, T>(
        config: &Config,
        stream: S,
        tls: T,
        host: String,
    ) -> Result<Self, PostgresError>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
        T: TlsConnect<S>,
        T::Stream: Send + 'static,
    {
        let opened = config.connect_raw(stream, tls).await;
        let (client, connection) = opened.map_err(|error| match error.as_db_error() {
            Some(_) => StatementError::of(&error).into_error(),
            None => PostgresError::Unreachable { host, message: Reason::of(&error).to_string() },
        })?;
        // The next statement fails once it has ended.
        let task = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { client, task })
    }

    async fn is_writable(&self) -> Result<bool, PostgresError> {
        let rows = self.client.query_typed("SELECT NOT pg_is_in_recovery()", &[]).await;
        let rows = rows.map_err(|error| StatementError::of(&error).into_error())?;
        Ok(rows.first().is_some_and(|row| row.try_get(0).unwrap_or(false)))
    }

    /// Returns what sends statements. They are sent in the order in which they are first polled,
    /// and none waits for the answer of the one before.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The first of these addresses that takes a connection.
async fn tcp(addresses: &[SocketAddr]) -> Result<TcpStream, String> {
    let mut last = "the host has no address".to_owned();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Statements are small, and each waits for an answer.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

/// Gives up after a time.
pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, PostgresError> {
    let late = |_| PostgresError::TimedOut { seconds: limit.as_secs() };
    tokio::time::timeout(limit, work).await.map_err(late)
}

/// What went wrong with a statement.
#[derive(Clone, Debug)]
pub(crate) enum StatementError {
    /// The server answered with an error: the statement did nothing.
    Refused {
        /// The SQLSTATE.
        code: String,
        message: String,
    },
    /// There was no answer: it is not known what the statement did.
    Unanswered(String),
}

impl StatementError {
    pub(crate) fn of(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(error) => Self::Refused {
                code: error.code().code().to_owned(),
                message: error.message().to_owned(),
            },
            None => Self::Unanswered(Reason::of(error).to_string()),
        }
    }

    pub(crate) fn into_error(self) -> PostgresError {
        match self {
            Self::Refused { code, message } => PostgresError::Refused { code, message },
            Self::Unanswered(message) => PostgresError::Broken { message },
        }
    }
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clone().into_error().fmt(f)
    }
}

//! Why a PostgreSQL server cannot be used.

use thiserror::Error;

/// Why a PostgreSQL server cannot be used. No text holds a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// The address cannot be read.
    #[error(
        "the address of the database cannot be read: write postgres://USER@HOST:PORT/DATABASE, \
         without a password"
    )]
    Address,
    /// The address holds a password.
    #[error(
        "the address of the database holds a password: leave it out, and give the password apart"
    )]
    PasswordInAddress,
    /// The address says whether to use TLS.
    #[error(
        "the address of the database sets sslmode or sslnegotiation: leave it out. A connection to \
         another machine uses TLS always"
    )]
    SslMode,
    /// The host is another machine, and there are no TLS settings.
    #[error(
        "{host} is another machine, so the connection to the database needs TLS: say what to trust"
    )]
    NeedsTls {
        /// The host and the port.
        host: String,
    },
    /// The host may be reached in clear, but it is not in a private network.
    #[error("{host} resolves to {address}, which is not a loopback or private address: use TLS")]
    NotPrivate {
        /// The host and the port.
        host: String,
        /// The address that it resolves to.
        address: std::net::IpAddr,
    },
    /// No connection was opened.
    #[error("no connection to the database at {host}: {message}")]
    Unreachable {
        /// The host and the port, or the socket's path.
        host: String,
        /// The reason.
        message: String,
    },
    /// The server answered with an error.
    #[error("the database refused: {message} (SQLSTATE {code})")]
    Refused {
        /// The five characters of the error's class and kind.
        code: String,
        /// The server's message.
        message: String,
    },
    /// The connection broke, so it is not known whether the database did what it was asked for.
    #[error("the connection to the database broke: {message}")]
    Broken {
        /// The reason.
        message: String,
    },
    /// The database did not answer in time.
    #[error("the database did not answer within {seconds} s")]
    TimedOut {
        /// The time limit, in seconds.
        seconds: u64,
    },
    /// The system provides no thread or no runtime for the connection.
    #[error("no thread for the connection to the database: {message}")]
    NoThread {
        /// The system's message.
        message: String,
    },
}

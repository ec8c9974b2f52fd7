//! The options of a store, in which processes share a session.
//!
//! Owns the form of a store's address, and the rule that a password never stands in it.

use std::path::PathBuf;

use clap::Args;
use clap::builder::ValueParserFactory;
use imts::postgres::PostgresError;
use imts::store::redis::{RedisAddress, RedisAddressError};

use super::place::Database;
use super::value::{Reader, path, switch};

/// Where the session is kept for other processes.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// Share one session with other processes: `file:PATH`, a Redis or Valkey server as
    /// `rediss://USER@HOST`, `redis://127.0.0.1` or `unix:///SOCKET`, or a PostgreSQL server as
    /// `postgres://USER@HOST/DATABASE`. A usable token that is there is used, and a new one is put
    /// there. See `imts store --help`.
    #[arg(long, env = "IMTS_STORE", value_name = "STORE")]
    pub(crate) store: Option<StoreFrom>,

    /// Use no store, and no cached session either. Without --store, a session is cached in your state
    /// folder if a profile is named.
    #[arg(long, env = "IMTS_NO_STORE", value_parser = switch())]
    pub(crate) no_store: bool,

    /// A file with the password of the store's server. Without this option, it is read from
    /// IMTS_STORE_PASSWORD.
    #[arg(long, env = "IMTS_STORE_PASSWORD_FILE", value_name = "FILE", value_parser = path())]
    pub(crate) store_password_file: Option<PathBuf>,

    /// A file with a key that encrypts the session in the store: 32 bytes in base64, such as
    /// `openssl rand -base64 32` prints. On further lines, older keys that only decrypt.
    #[arg(long, env = "IMTS_STORE_KEY_FILE", value_name = "FILE", value_parser = path())]
    pub(crate) store_key_file: Option<PathBuf>,
}

/// A store that processes share.
#[derive(Clone, Debug)]
pub(crate) enum StoreFrom {
    File(PathBuf),
    Redis(RedisAddress),
    /// A PostgreSQL server. The address has no password.
    Postgres(Box<Database>),
}

impl ValueParserFactory for StoreFrom {
    type Parser = Reader<Self>;

    fn value_parser() -> Self::Parser {
        Reader(|value, name, _| {
            let has_password = || {
                format!(
                    "{name} holds a password, and other users of this machine can read arguments: \
                     leave it out, and set IMTS_STORE_PASSWORD or give --store-password-file FILE"
                )
            };
            match value.split_once(':') {
                Some(("file", path)) if !path.is_empty() => {
                    Ok(Self::File(path.strip_prefix("//").unwrap_or(path).into()))
                }
                Some(("redis" | "rediss" | "unix", _)) => match value.parse() {
                    Ok(address) => Ok(Self::Redis(address)),
                    Err(RedisAddressError::Password) => Err(has_password()),
                    Err(error) => Err(format!("{name} cannot be used: {error}")),
                },
                Some(("postgres" | "postgresql", _)) => match Database::read(value) {
                    Ok(database) => Ok(Self::Postgres(Box::new(database))),
                    Err(PostgresError::PasswordInAddress) => Err(has_password()),
                    Err(error) => Err(format!("{name} cannot be used: {error}")),
                },
                _ => Err(format!(
                    "{name} is not a store: give file:PATH, rediss://USER@HOST, redis://127.0.0.1, \
                     unix:///SOCKET or postgres://USER@HOST/DATABASE"
                )),
            }
        })
    }
}

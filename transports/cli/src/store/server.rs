//! A store in a server: its password, TLS, and the table in PostgreSQL.
//!
//! Owns the file and the variable of the password, and what to do if the table is missing. Another
//! machine is reached over TLS.

use std::error::Error;
use std::{env, fmt};

use imts::postgres::PostgresAddress;
use imts::store::postgres::{PostgresStore, PostgresStoreError};
use imts::store::raw::{RawStore, RawSwapped};
use imts::store::redis::{RedisAddress, RedisStore};
use imts::store::{Store, StoreError};
use imts::swap::{Swap, Swapped};
use imts::tls::Tls;
use zeroize::Zeroizing;

use crate::args::{Database, ServiceArgs};
use crate::carrier::Network;
use crate::config::MAX_SECRET;
use crate::failure::Failure;
use crate::input::Source;
use crate::timeout::TimeLimit;

/// The variable of the password of a store's server.
pub(crate) const PASSWORD: &str = "IMTS_STORE_PASSWORD";

/// The table of a store is missing in the database.
#[derive(Debug)]
pub(crate) struct NoTable {
    url: String,
}

impl fmt::Display for NoTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        write!(
            f,
            "the database has no table for sessions. Create it: imts store migrate --store {url}"
        )
    }
}

impl Error for NoTable {}

/// A store in PostgreSQL, whose missing table is named for a person.
pub(super) struct Postgres {
    store: PostgresStore,
    url: String,
}

impl RawStore for Postgres {
    fn swap_raw(&self, swap: &Swap, state: Option<&[u8]>) -> Result<RawSwapped, StoreError> {
        self.store.swap_raw(swap, state).map_err(|error| match cause(&error) {
            Some(PostgresStoreError::NoTable) => {
                StoreError::unreachable(NoTable { url: self.url.clone() })
            }
            _ => error,
        })
    }
}

impl Store for Postgres {
    fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        self.swap_in_clear(swap)
    }
}

/// Makes the store in a Redis server.
pub(super) fn redis(
    args: &ServiceArgs,
    address: RedisAddress,
    limit: TimeLimit,
) -> Result<RedisStore, Failure> {
    let is_secure = address.to_string().starts_with("rediss:");
    let mut store = RedisStore::new(address);
    if let Some(password) = password(args, limit)? {
        store = store.password(password.as_str());
    }
    Ok(if is_secure { store.tls(&tls(args, limit)?) } else { store })
}

/// Makes the store in a PostgreSQL server.
pub(super) fn postgres(
    args: &ServiceArgs,
    database: &Database,
    limit: TimeLimit,
) -> Result<Postgres, Failure> {
    let store = PostgresStore::new(reached(args, database, limit)?);
    Ok(Postgres { store, url: database.text.clone() })
}

/// Creates the table. The answer says why it could not be created.
pub(crate) fn migrate(
    args: &ServiceArgs,
    database: &Database,
    limit: TimeLimit,
) -> Result<Result<(), StoreError>, Failure> {
    let address = reached(args, database, limit)?;
    limit.bound("creating the store's table", move || Ok(PostgresStore::migrate(&address)))
}

/// Returns why PostgreSQL gave no answer, if that is why.
pub(crate) fn cause(error: &StoreError) -> Option<&PostgresStoreError> {
    match error {
        StoreError::Unreachable(why) => why.downcast_ref(),
        _ => None,
    }
}

/// Returns a database's address with its password, and with TLS unless it is on this machine.
fn reached(
    args: &ServiceArgs,
    database: &Database,
    limit: TimeLimit,
) -> Result<PostgresAddress, Failure> {
    let mut address = database.address.clone();
    if let Some(password) = password(args, limit)? {
        address = address.password(password.as_str());
    }
    match address.check() {
        Ok(()) => Ok(address),
        Err(_) => Ok(address.tls(tls(args, limit)?)),
    }
}

fn tls(args: &ServiceArgs, limit: TimeLimit) -> Result<Tls, Failure> {
    let network = Network::of_server(args.ca_file.clone());
    limit.bound("reading certificates", move || network.tls())
}

/// Returns the password of the store's server, if there is one.
fn password(args: &ServiceArgs, limit: TimeLimit) -> Result<Option<Zeroizing<String>>, Failure> {
    let source = match &args.store.store_password_file {
        Some(path) => Source::File(path.clone()),
        None if env::var_os(PASSWORD).is_some() => Source::Variable(PASSWORD.to_owned()),
        None => return Ok(None),
    };
    let read = move || source.line("the store's password", MAX_SECRET);
    limit.bound("reading the store's password", read).map(Some)
}

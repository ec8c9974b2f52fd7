//! Opens the store that a command uses: one that is set, or the cache of a profile.
//!
//! Owns which store that is. Does not know how a server is reached: `server` does.

use std::fmt;
use std::path::{Path, PathBuf};

use imts::store::file::FileStore;
use imts::store::raw::RawStore;
use imts::store::redis::RedisAddress;
use imts::store::sealed::{Keys, Sealed};
use imts::store::{Store, StoreError};

use super::seen::{Failures, Noted};
use super::shared::Shared;
use super::{cache, key, server};
use crate::args::{Database, ServiceArgs, StoreFrom};
use crate::failure::Failure;
use crate::out;
use crate::timeout::TimeLimit;

/// The kind of the cache of a profile.
const CACHE: &str = "cache";

/// Where a command's session is kept.
#[derive(Clone, Debug)]
pub(crate) enum At {
    File(PathBuf),
    Redis(RedisAddress),
    Postgres(Box<Database>),
    /// The cache of a profile.
    Cache(PathBuf),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Cache(path) => write!(f, "file:{}", path.display()),
            Self::Redis(address) => address.fmt(f),
            Self::Postgres(database) => f.write_str(&database.text),
        }
    }
}

/// Returns where the session is kept, for an endpoint and an agent that are known.
pub(crate) fn place(args: &ServiceArgs, endpoint: &str, agent_id: &str) -> Option<At> {
    match &args.store.store {
        _ if args.store.no_store => None,
        Some(StoreFrom::File(path)) => Some(At::File(path.clone())),
        Some(StoreFrom::Redis(address)) => Some(At::Redis(address.clone())),
        Some(StoreFrom::Postgres(database)) => Some(At::Postgres(database.clone())),
        None if args.chosen.profile.is_some() => cache::file(endpoint, agent_id).map(At::Cache),
        None => None,
    }
}

/// Opens the store of a command. A cache that cannot be used is left out, with a note.
pub(crate) fn of(
    args: &ServiceArgs,
    endpoint: &str,
    agent_id: &str,
    limit: TimeLimit,
) -> Result<Option<Shared>, Failure> {
    let Some(at) = place(args, endpoint, agent_id) else { return Ok(None) };
    let is_cache = matches!(at, At::Cache(_));
    match opened(args, at, limit) {
        Err(failure) if is_cache => {
            out::note(format_args!("the session is not cached: {}", failure.message()));
            Ok(None)
        }
        opened => opened.map(Some),
    }
}

/// Opens a store.
pub(crate) fn opened(args: &ServiceArgs, at: At, limit: TimeLimit) -> Result<Shared, Failure> {
    let file = args.store.store_key_file.as_deref();
    let keys = file.map(|file| key::keys(file, limit)).transpose()?;
    Ok(match at {
        At::File(path) => {
            let store = limit.bound("opening the store", move || file_store(&path))?;
            sealed("file", store, keys)
        }
        At::Cache(path) => {
            let store = limit.bound("opening the store", move || cached(&path))?;
            sealed(CACHE, store, keys)
        }
        At::Redis(address) => sealed("redis", server::redis(args, address, limit)?, keys),
        At::Postgres(database) => {
            sealed("postgres", server::postgres(args, &database, limit)?, keys)
        }
    })
}

fn sealed<S: RawStore + Store + 'static>(
    kind: &'static str,
    store: S,
    keys: Option<Keys>,
) -> Shared {
    let failures = if kind == CACHE { Failures::Own } else { Failures::Shared };
    let store = match keys {
        Some(keys) => Noted::new(Sealed::over(store, keys), failures),
        None => Noted::new(store, failures),
    };
    Shared { kind, store }
}

fn cached(path: &Path) -> Result<FileStore, Failure> {
    cache::create_folder(path).map_err(|error| {
        Failure::usage(format!("cannot create the folder of {}: {error}", path.display()))
    })?;
    file_store(path)
}

fn file_store(path: &Path) -> Result<FileStore, Failure> {
    FileStore::open(path).map_err(|error| {
        let why: &dyn fmt::Display = match &error {
            StoreError::Unreachable(why) => why,
            error => error,
        };
        let failure =
            Failure::usage(format!("the store file:{} cannot be used: {why}", path.display()));
        let folder = std::path::absolute(path);
        let has_folder = folder.is_ok_and(|it| it.parent().is_some_and(Path::is_dir));
        match error {
            StoreError::Unreachable(_) if !has_folder => {
                failure.advising("Create its folder first, for your user alone (mode 700).")
            }
            _ => failure,
        }
    })
}

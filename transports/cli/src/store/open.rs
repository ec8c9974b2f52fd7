//! Opens the store that a command uses: one that is set, or the cache of a profile.
//!
//! Owns the files and variables of its password and its key.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

use imts::store::file::FileStore;
use imts::store::raw::RawStore;
use imts::store::redis::{RedisAddress, RedisStore};
use imts::store::sealed::{Keys, Sealed};
use imts::store::{Store, StoreError};
use zeroize::Zeroizing;

use super::seen::{Failures, Noted};
use super::shared::Shared;
use super::{cache, key};
use crate::args::{ServiceArgs, StoreFrom};
use crate::carrier::Network;
use crate::config::MAX_SECRET;
use crate::failure::Failure;
use crate::input::Source;
use crate::out;
use crate::timeout::TimeLimit;

/// The variable of the password of a store's server.
pub(crate) const PASSWORD: &str = "IMTS_STORE_PASSWORD";

/// The kind of the cache of a profile.
const CACHE: &str = "cache";

/// Where a command's session is kept.
#[derive(Clone, Debug)]
pub(crate) enum At {
    File(PathBuf),
    Redis(RedisAddress),
    /// The cache of a profile.
    Cache(PathBuf),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Cache(path) => write!(f, "file:{}", path.display()),
            Self::Redis(address) => address.fmt(f),
        }
    }
}

/// Returns where the session is kept, for an endpoint and an agent that are known.
pub(crate) fn place(args: &ServiceArgs, endpoint: &str, agent_id: &str) -> Option<At> {
    match &args.store.store {
        _ if args.store.no_store => None,
        Some(StoreFrom::File(path)) => Some(At::File(path.clone())),
        Some(StoreFrom::Redis(address)) => Some(At::Redis(address.clone())),
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
    let (kind, address) = match at {
        At::File(path) => {
            let store = limit.bound("opening the store", move || file_store(&path))?;
            return Ok(sealed("file", store, keys));
        }
        At::Cache(path) => {
            let store = limit.bound("opening the store", move || cached(&path))?;
            return Ok(sealed(CACHE, store, keys));
        }
        At::Redis(address) => ("redis", address),
    };
    let is_secure = address.to_string().starts_with("rediss:");
    let mut store = RedisStore::new(address);
    if let Some(password) = password(args, limit)? {
        store = store.password(password.as_str());
    }
    if is_secure {
        let network = Network::of_server(args.ca_file.clone());
        store = store.tls(&limit.bound("reading certificates", move || network.tls())?);
    }
    Ok(sealed(kind, store, keys))
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

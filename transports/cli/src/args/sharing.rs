//! The options of a store, in which processes share a session.

use std::path::PathBuf;

use clap::Args;

use super::value::{StoreFrom, path, switch};

/// Where the session is kept for other processes.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// Share one session with other processes: `file:PATH`, or a Redis or Valkey server as
    /// `rediss://USER@HOST`, `redis://127.0.0.1` or `unix:///SOCKET`. A usable token that is there is
    /// used, and a new one is put there. See `imts store --help`.
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

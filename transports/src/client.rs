//! The two clients: one for threads, one for tasks.
//!
//! `common` has what both share: the session that all clones of a client share, and each
//! rule that does not depend on how a caller waits.

mod alike;
mod bearer;
mod blocking;
mod changes;
mod common;
mod handle;
mod nonblocking;
mod trace;

pub use self::bearer::BearerGuard;
pub use self::blocking::Client;
pub(crate) use self::common::{
    CallJournal, Callback, Common, Declared, Driven, Kept, OnGrant, SharedStore, Signer,
};
pub use self::common::{HookError, StoreCounts};
pub use self::handle::{AsyncHandle, Handle};
pub use self::nonblocking::AsyncClient;
pub(crate) use self::nonblocking::Spawner;

//! The kinds of stores that the suite runs over.
//!
//! To add one: write a [`Place`] for it, and its line in [`kinds`].

use std::sync::Arc;

#[cfg(feature = "store-file")]
use imts::store::file::FileStore;
#[cfg(all(unix, feature = "store-postgres", feature = "test-servers"))]
use imts::store::postgres::PostgresStore;
#[cfg(all(unix, feature = "store-redis", feature = "test-servers"))]
use imts::store::redis::RedisStore;
use imts::{MemoryStore, Store};

#[cfg(feature = "store-file")]
use crate::folder::Folder;
#[cfg(all(unix, feature = "store-postgres", feature = "test-servers"))]
use crate::postgres_server::{Pooler, Postgres};
#[cfg(all(unix, feature = "store-redis", feature = "test-servers"))]
use crate::redis_server::RedisServer;

/// One kind of store.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Makes a place of its own, in which nothing is stored.
    pub(crate) place: fn() -> Box<dyn Place>,
    /// Whether a place keeps the sessions of several agents. If not, it answers the second agent
    /// with an error.
    pub(crate) keeps_many: bool,
}

/// Where one store keeps what it has, such as a file. It is removed when this is dropped.
pub(crate) trait Place {
    /// Opens the store once more, as another process does.
    fn open(&self) -> Box<dyn Store>;
}

/// Every kind that the features of this build have.
pub(crate) fn kinds() -> Vec<Kind> {
    vec![
        Kind { name: "memory", place: || Box::new(Memory::default()), keeps_many: true },
        #[cfg(feature = "store-file")]
        Kind { name: "file", place: || Box::new(InFile(Folder::new())), keeps_many: false },
        #[cfg(all(feature = "store-file", feature = "store-seal"))]
        Kind { name: "sealed file", place: || Box::new(Sealed(Folder::new())), keeps_many: false },
        #[cfg(all(unix, feature = "store-redis", feature = "test-servers"))]
        Kind { name: "redis", place: || Box::new(InRedis(RedisServer::start())), keeps_many: true },
        #[cfg(all(unix, feature = "store-postgres", feature = "test-servers"))]
        Kind {
            name: "postgres",
            place: || Box::new(InPostgres(crate::postgres::server())),
            keeps_many: true,
        },
        #[cfg(all(unix, feature = "store-postgres", feature = "test-servers"))]
        Kind { name: "pooled postgres", place: || Box::new(Pooled::start()), keeps_many: true },
    ]
}

#[derive(Default)]
struct Memory(Arc<MemoryStore>);

impl Place for Memory {
    fn open(&self) -> Box<dyn Store> {
        Box::new(Arc::clone(&self.0))
    }
}

#[cfg(feature = "store-file")]
struct InFile(Folder);

#[cfg(feature = "store-file")]
impl Place for InFile {
    fn open(&self) -> Box<dyn Store> {
        Box::new(FileStore::open(self.0.path()).unwrap())
    }
}

#[cfg(all(feature = "store-file", feature = "store-seal"))]
struct Sealed(Folder);

#[cfg(all(feature = "store-file", feature = "store-seal"))]
impl Place for Sealed {
    fn open(&self) -> Box<dyn Store> {
        let keys = imts::store::sealed::Keys::new([7; 32]);
        Box::new(imts::store::sealed::Sealed::over(FileStore::open(self.0.path()).unwrap(), keys))
    }
}

#[cfg(all(unix, feature = "store-redis", feature = "test-servers"))]
struct InRedis(RedisServer);

#[cfg(all(unix, feature = "store-redis", feature = "test-servers"))]
impl Place for InRedis {
    fn open(&self) -> Box<dyn Store> {
        Box::new(RedisStore::new(self.0.address()))
    }
}

#[cfg(all(unix, feature = "store-postgres", feature = "test-servers"))]
struct InPostgres(Postgres);

#[cfg(all(unix, feature = "store-postgres", feature = "test-servers"))]
impl Place for InPostgres {
    fn open(&self) -> Box<dyn Store> {
        Box::new(PostgresStore::new(crate::postgres::at(&self.0.address())))
    }
}

/// Each statement may run over another connection of the server.
#[cfg(all(unix, feature = "store-postgres", feature = "test-servers"))]
struct Pooled {
    pooler: Pooler,
    _server: Postgres,
}

#[cfg(all(unix, feature = "store-postgres", feature = "test-servers"))]
impl Pooled {
    fn start() -> Self {
        let server = crate::postgres::server();
        Self { pooler: Pooler::start(&server), _server: server }
    }
}

#[cfg(all(unix, feature = "store-postgres", feature = "test-servers"))]
impl Place for Pooled {
    fn open(&self) -> Box<dyn Store> {
        Box::new(PostgresStore::new(crate::postgres::at(&self.pooler.address())))
    }
}

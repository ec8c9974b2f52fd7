//! The address by which each process of a fleet opens its store.

use imts::Store;
use imts::store::file::FileStore;

use crate::folder::Folder;

/// The address of a store in this folder.
pub(crate) fn file_in(folder: &Folder) -> String {
    format!("file:{}", folder.path().display())
}

/// Opens the store with this address.
pub(crate) fn open(address: &str) -> Box<dyn Store> {
    if let Some(path) = address.strip_prefix("file:") {
        return Box::new(FileStore::open(path).unwrap());
    }
    #[cfg(all(feature = "store-redis", feature = "test-servers"))]
    if address.starts_with("redis:") {
        return Box::new(imts::store::redis::RedisStore::new(address.parse().unwrap()));
    }
    #[cfg(all(feature = "store-postgres", feature = "test-servers"))]
    if address.starts_with("postgres:") {
        let address = imts::postgres::PostgresAddress::new(address).unwrap();
        return Box::new(imts::store::postgres::PostgresStore::new(address));
    }
    panic!("no such store: {address}")
}

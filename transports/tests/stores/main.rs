//! Stores that several processes share, and the clients that use them.

mod clients;
mod conformance;
#[cfg(all(unix, feature = "store-file"))]
mod file;
#[cfg(feature = "store-file")]
mod folder;
#[cfg(all(unix, feature = "store-file", feature = "ureq"))]
mod killed;
#[cfg(all(unix, feature = "store-file", feature = "ureq"))]
mod place;
#[cfg(all(unix, feature = "store-postgres", feature = "test-servers"))]
mod postgres;
#[cfg(all(unix, feature = "store-postgres", feature = "test-servers"))]
#[path = "../servers/postgres.rs"]
mod postgres_server;
#[cfg(all(unix, feature = "store-redis", feature = "test-servers"))]
mod redis;
#[cfg(all(unix, feature = "store-redis", feature = "test-servers"))]
#[path = "../servers/redis.rs"]
mod redis_server;
#[cfg(all(feature = "store-file", feature = "store-seal"))]
mod sealed;

//! The servers that tests start, by the same code as those of the library's tests.

#[path = "../../../tests/servers/postgres.rs"]
mod postgres;
#[path = "../../../tests/servers/redis.rs"]
mod redis;

pub(crate) use self::postgres::{Postgres, Stop};
pub(crate) use self::redis::RedisServer;

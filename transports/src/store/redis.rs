//! A store in a Redis server, for processes on several hosts.
//!
//! Owns the settings, and the commands of one swap. `script` defines what the server does, `server`
//! which connection is used. Does not know what a state means.

mod address;
mod connection;
mod error;
mod opening;
mod resp;
mod script;
mod sentinel;
mod server;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use imts_core::swap::{Swap, Swapped};
use imts_core::transport_error::Source;
use zeroize::Zeroizing;

pub use self::address::{RedisAddress, RedisAddressError};
pub use self::error::{RedisCode, RedisError};
use self::opening::Secure;
pub use self::resp::RedisValue;
use self::server::{Asked, Server, refused};
use super::raw::{RawStore, RawSwapped};
use super::{Store, StoreError};
use crate::tls::Tls;

/// Keeps sessions in a Redis or Valkey server, for all processes that can reach it.
///
/// Each endpoint and agent has one key, so one store serves all agents. A swap is one script in the
/// server. It works with Redis 5 to 8 and Valkey, alone, with sentinels, or as a cluster. The user
/// needs these rights: `~imts:* +eval +evalsha +info +time +hmget +hset +pexpire`, and `+wait` for
/// [`replicas`](Self::replicas).
///
/// What it promises: of two processes that replace the same state, one does, as long as the server
/// lives. A server that was restarted or replaced may have lost writes. The script notices that by
/// the server's run and replication ids, and answers `moved`: the session then signs in once, and
/// presents no refresh token that may be spent.
///
/// What it does not promise: if the server lost everything, each session that cannot reach another
/// state signs in. A program that can write the key can make everyone sign in.
///
/// A connection is made when it is needed, and kept for the next swap. It is given up after any
/// error, and after a time-out.
///
/// ```
/// use imts::store::redis::RedisStore;
///
/// let store = RedisStore::new("rediss://imts@redis.example:6379/0".parse()?)
///     .password("from a secret store"); // give it to Builder::store
/// # assert!(!format!("{store:?}").contains("secret store"));
/// # Ok::<(), imts::store::redis::RedisAddressError>(())
/// ```
#[must_use]
pub struct RedisStore {
    via: Via,
    prefix: String,
    replicas: u32,
    never_loses_a_write: bool,
    script: String,
    questions: AtomicU64,
}

/// How commands reach the server.
enum Via {
    Own(Box<Server>),
    Exec(Box<Exec>),
}

type Exec = dyn Fn(&[&[u8]]) -> Result<RedisValue, Source> + Send + Sync;

impl RedisStore {
    /// Makes a store in the server at this address. Nothing is connected before the first swap.
    pub fn new(address: RedisAddress) -> Self {
        Self::via(Via::Own(Box::new(Server::new(address))))
    }

    /// Makes a store over the caller's own client, pool or cluster. The function sends one command,
    /// given in its parts, and returns the reply. The reply of a server that refuses a command is a
    /// [`RedisValue::Error`] with the server's text, and not an `Err`.
    ///
    /// The function keeps the time limit. A command may be sent again if its reply was lost.
    pub fn over(
        exec: impl Fn(&[&[u8]]) -> Result<RedisValue, Source> + Send + Sync + 'static,
    ) -> Self {
        Self::via(Via::Exec(Box::new(exec)))
    }

    fn via(via: Via) -> Self {
        Self {
            via,
            prefix: "imts".to_owned(),
            replicas: 0,
            never_loses_a_write: false,
            script: script::name(),
            questions: AtomicU64::new(1),
        }
    }

    /// Sets the password. With a user in the address, it is that user's.
    pub fn password(self, password: impl Into<String>) -> Self {
        let password = Some(Zeroizing::new(password.into()));
        self.own(|server| server.password = password)
    }

    /// Sets the TLS settings for an address with `rediss`. Default: [`Tls::platform`].
    pub fn tls(self, tls: &Tls) -> Self {
        self.own(|server| server.opener.tls = Secure::of(tls))
    }

    /// Allows `redis://` to another machine, at private addresses only (RFC 1918, RFC 4193).
    /// Everyone on the way can then read the password and the tokens, and change what is stored.
    /// Loopback and sockets need no permission.
    pub fn plain_on_a_private_network(self) -> Self {
        self.own(|server| server.opener.is_plain_allowed = true)
    }

    /// Asks these sentinels for the master of this name, for each new connection. The store's own
    /// address then says only whether TLS is used, the user and the database. A sentinel usually
    /// listens on port 26379, which its address must name.
    pub fn sentinels(
        self,
        addresses: impl IntoIterator<Item = RedisAddress>,
        name: impl Into<String>,
    ) -> Self {
        let (addresses, name) = (addresses.into_iter().collect(), name.into());
        self.own(|server| {
            let sentinels = server.sentinels.get_or_insert_default();
            (sentinels.addresses, sentinels.name) = (addresses, name);
        })
    }

    /// Sets the password of the sentinels, which is not that of the servers.
    pub fn sentinel_password(self, password: impl Into<String>) -> Self {
        let password = Some(Zeroizing::new(password.into()));
        self.own(|server| {
            server.sentinels.get_or_insert_default().password = password;
        })
    }

    /// Sets what each key begins with. Default `imts`.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Lets each claim wait until so many replicas have it (`WAIT`). If fewer have it in time, the
    /// swap has failed, although it may have been done. Default 0.
    ///
    /// Over the caller's own client, both commands must use one connection.
    pub fn replicas(self, replicas: u32) -> Self {
        Self { replicas, ..self }
    }

    /// Accepts a server that does not report its run and replication ids. Declare this only of a
    /// server that keeps each write through each restart and failover: otherwise a refresh token
    /// may be presented twice, and the service may end the session.
    pub fn never_loses_a_write(self) -> Self {
        Self { never_loses_a_write: true, ..self }
    }

    fn own(mut self, set: impl FnOnce(&mut Server)) -> Self {
        if let Via::Own(server) = &mut self.via {
            set(server);
        }
        self
    }

    /// Sends the commands of one swap: the script by its name, then whole if the server does not
    /// have it, then the wait for replicas.
    fn swap_by(
        &self,
        ask: &mut Ask<'_>,
        command: &Command<'_>,
        by: Instant,
    ) -> Result<RedisValue, Asked> {
        let by_name = command.parts("EVALSHA", &self.script);
        let mut value = ask(&by_name)?;
        if matches!(&value, RedisValue::Error(text) if text.starts_with("NOSCRIPT")) {
            value = ask(&command.parts("EVAL", script::SCRIPT))?;
        }
        if let RedisValue::Error(text) = &value {
            return Err(refused(text));
        }
        if command.is_claim && self.replicas > 0 {
            let left = by.saturating_duration_since(Instant::now()).as_millis();
            // A part of the time is left for the answer. Zero would wait for ever.
            let (wanted, left) = (self.replicas.to_string(), (left * 3 / 4).max(1).to_string());
            let had = match ask(&[b"WAIT", wanted.as_bytes(), left.as_bytes()])? {
                RedisValue::Integer(had) => had,
                RedisValue::Error(text) => return Err(refused(&text)),
                _ => return Err(RedisError::NotAReply.into()),
            };
            if had < i64::from(self.replicas) {
                return Err(RedisError::Replicas { had, wanted: self.replicas }.into());
            }
        }
        Ok(value)
    }
}

/// The script's key and arguments.
struct Command<'a> {
    key: String,
    arguments: [String; 15],
    state: &'a [u8],
    is_claim: bool,
}

impl Command<'_> {
    fn parts<'a>(&'a self, name: &'a str, script: &'a str) -> Vec<&'a [u8]> {
        let before = [name, script, "1", &self.key];
        let texts = before.into_iter().chain(self.arguments.iter().map(String::as_str));
        texts.map(str::as_bytes).chain([self.state]).collect()
    }
}

impl RawStore for RedisStore {
    fn swap_raw(&self, swap: &Swap, state: Option<&[u8]>) -> Result<RawSwapped, StoreError> {
        let now = Instant::now();
        let by = now.checked_add(swap.within()).unwrap_or(now + A_DAY);
        let question = self.questions.fetch_add(1, Ordering::Relaxed);
        let command = Command {
            key: script::key(&self.prefix, swap),
            arguments: script::arguments(swap, question, self.never_loses_a_write),
            state: state.unwrap_or_default(),
            is_claim: swap.put().is_some() && !swap.lease().is_zero() && !swap.is_resting(),
        };
        let work = |ask: &mut Ask<'_>| -> Result<RawSwapped, Asked> {
            let value = self.swap_by(ask, &command, by)?;
            Ok(script::answer(value, question)?)
        };
        match &self.via {
            Via::Own(server) => {
                Ok(server
                    .with(by, |connection| work(&mut |parts| Ok(connection.ask(parts, by)?)))?)
            }
            Via::Exec(exec) => {
                let swapped = work(&mut |parts| {
                    let value = exec(parts);
                    Ok(value.map_err(StoreError::Unreachable)?)
                });
                swapped.map_err(|asked| asked.into_failed().into())
            }
        }
    }
}

impl Store for RedisStore {
    fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        self.swap_in_clear(swap)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("RedisStore");
        if let Via::Own(server) = &self.via {
            fields.field("address", &server.address.to_string());
        }
        fields.field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Sends a command and returns its reply.
type Ask<'a> = dyn FnMut(&[&[u8]]) -> Result<RedisValue, Asked> + 'a;

/// Stands for a limit beyond the clock's range.
const A_DAY: Duration = Duration::from_secs(86_400);

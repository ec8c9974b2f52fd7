//! Why a Redis server did not answer a swap.
//!
//! Owns the texts, and which words of a server may be shown. An error reply may quote what it
//! received, and that may be a token: only its code and texts that are known are shown.

use std::fmt;
use std::io;

use thiserror::Error;

/// Why a Redis server did not answer, or what it answered instead. No variant holds what was sent
/// or what was stored.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedisError {
    /// No connection could be opened.
    #[error("no connection to the Redis server at {place}: {reason}")]
    Connect {
        /// The host and the port, or the path of the socket.
        place: String,
        /// The system's message.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error("TLS handshake with the Redis server at {place} failed: {reason}")]
    Tls {
        /// The host and the port.
        place: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// There are no TLS settings.
    #[error("no TLS for the Redis server: {0}")]
    Settings(String),
    /// A plain connection to another machine was not allowed.
    #[error(
        "plain redis:// to another machine would send the password and the tokens in clear: use \
         rediss://, or allow it for a private network, to whose addresses it then stays"
    )]
    Plain,
    /// The connection ended before the reply was complete.
    #[error("the connection to the Redis server broke: {0}")]
    Broken(String),
    /// What was received is not a reply in Redis' protocol.
    #[error("the server's answer is not in Redis' protocol: check the address and the port")]
    NotAReply,
    /// A reply is longer than 262,144 bytes, or has more than 64 items, or lists in lists.
    #[error("the Redis server's answer is too large to be an answer to this library's script")]
    TooLarge,
    /// The server answered another question. The connection is given up.
    #[error("the Redis server's answer belongs to another question")]
    Misplaced,
    /// The server refused a command.
    #[error("{}", refused(.0))]
    Refused(RedisCode),
    /// No sentinel named the master.
    #[error("no sentinel named the master {name}: {reason}")]
    NoMaster {
        /// The name that the sentinels were asked for.
        name: String,
        /// What the last sentinel answered.
        reason: String,
    },
    /// Fewer replicas than asked for had the claim in time.
    #[error("{had} of {wanted} replicas had the claim in time")]
    Replicas {
        /// How many had it.
        had: i64,
        /// How many were asked for.
        wanted: u32,
    },
}

impl RedisError {
    pub(super) fn broken(error: &io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// The first word of a server's error, such as `READONLY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisCode {
    code: String,
    text: Option<&'static str>,
}

impl RedisCode {
    /// Takes what may be shown of an error's text.
    pub(super) fn of(text: &str) -> Self {
        // Before a password, a server takes short commands only, and breaks off at a longer one.
        let is_locked = text.contains("unauthenticated");
        let code = if is_locked { "NOAUTH" } else { text.split(' ').next().unwrap_or_default() };
        let is_code = !code.is_empty()
            && code.len() <= 24
            && code.bytes().all(|it| it.is_ascii_uppercase() || it == b'_');
        let code = if is_code { code.to_owned() } else { "an error without a code".to_owned() };
        Self { code, text: KNOWN.iter().find(|known| text.contains(**known)).copied() }
    }

    /// Returns the word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.code
    }
}

impl fmt::Display for RedisCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        self.text.map_or(Ok(()), |text| write!(f, ": {text}"))
    }
}

/// Texts of servers that quote nothing of what they received.
const KNOWN: [&str; 8] = [
    "max number of clients reached",
    "unknown command",
    "DB index is out of range",
    "without any password configured",
    "can't run this command",
    "Script attempted to access",
    "Wrong number of args",
    "SELECT is not allowed in cluster mode",
];

fn refused(code: &RedisCode) -> String {
    let advice = match code.as_str() {
        "NOAUTH" => ": it asks for a password",
        "WRONGPASS" => ": the user or the password is wrong",
        "NOPERM" => {
            ": the user needs the rights to eval, evalsha, info, time, hmget, hset and pexpire on \
             the keys of the prefix"
        }
        "READONLY" => ": it is a replica",
        "LOADING" => ": it is still loading its data",
        "MASTERDOWN" => ": it is a replica without a master",
        "NOREPLICAS" => ": it has too few replicas for a write",
        "MOVED" => ": the key has moved to another node",
        "WRONGTYPE" => ": the key holds something else; use another prefix",
        "OOM" => ": it has no memory left",
        _ => "",
    };
    format!("the Redis server refused: {code}{advice}")
}

#[cfg(test)]
mod tests {
    use super::{RedisCode, RedisError};

    #[test]
    fn a_server_that_quotes_what_it_received_is_not_quoted() {
        for (text, shown) in [
            ("ERR unknown command `AUTH`, with args: `canary`", "ERR: unknown command"),
            ("WRONGPASS canary is wrong", "WRONGPASS: the user or the password is wrong"),
            (
                "ERR Protocol error: unauthenticated multibulk length",
                "NOAUTH: it asks for a password",
            ),
            ("canary", "an error without a code"),
            ("", "an error without a code"),
            ("CANARYCANARYCANARYCANARYCANARY", "an error without a code"),
        ] {
            let error = RedisError::Refused(RedisCode::of(text)).to_string();
            assert_eq!(error, format!("the Redis server refused: {shown}"));
        }
    }
}

//! Asks sentinels which server is the master.
//!
//! Owns the question and the order in which sentinels are asked. Does not know what the master is
//! for.

use std::time::Instant;

use zeroize::Zeroizing;

use super::address::RedisAddress;
use super::connection::Failed;
use super::error::RedisError;
use super::opening::{Opener, ordered, sign_in};
use super::resp::RedisValue;

/// The sentinels of one group of servers.
#[derive(Default)]
pub(super) struct Sentinels {
    pub(super) addresses: Vec<RedisAddress>,
    pub(super) name: String,
    pub(super) password: Option<Zeroizing<String>>,
}

impl Sentinels {
    /// Returns the host and the port of the master. Each sentinel has its share of the time that is
    /// left.
    pub(super) fn master(&self, opener: &Opener, by: Instant) -> Result<(String, u16), Failed> {
        let mut reason = "there is no sentinel".to_owned();
        for (index, sentinel) in self.addresses.iter().enumerate() {
            let now = Instant::now();
            let parts = u32::try_from(self.addresses.len() - index).unwrap_or(u32::MAX);
            // The last sentinel leaves half of its time to the master.
            let share = by.saturating_duration_since(now) / parts.saturating_add(1);
            let until = now.checked_add(share).unwrap_or(by);
            match self.ask(sentinel, opener, until) {
                Ok(Some(master)) => return Ok(master),
                Ok(None) => reason = "it does not know that name".to_owned(),
                Err(Failed::TimedOut) => reason = "it did not answer in time".to_owned(),
                Err(Failed::For(error)) => reason = error.to_string(),
                Err(failed @ Failed::Store(_)) => return Err(failed),
            }
        }
        Err(RedisError::NoMaster { name: self.name.clone(), reason }.into())
    }

    fn ask(
        &self,
        sentinel: &RedisAddress,
        opener: &Opener,
        by: Instant,
    ) -> Result<Option<(String, u16)>, Failed> {
        let mut connection = opener.open(&sentinel.place, by)?;
        sign_in(&mut connection, sentinel.user.as_deref(), self.password.as_ref(), by)?;
        let question = [&b"SENTINEL"[..], b"get-master-addr-by-name", self.name.as_bytes()];
        match ordered(&mut connection, &question, by)? {
            RedisValue::Nil => Ok(None),
            RedisValue::Array(items) => match items.as_slice() {
                [host, port] => {
                    let host = host.text().map(str::to_owned);
                    let port = port.text().and_then(|port| port.parse().ok());
                    host.zip(port).map(Some).ok_or(RedisError::NotAReply.into())
                }
                _ => Err(RedisError::NotAReply.into()),
            },
            _ => Err(RedisError::NotAReply.into()),
        }
    }
}

//! A session that is kept in a store: where it came from, and that the store gets it.

use std::time::Duration;

use serde_json::{Value, json};

use super::seen::Noted;
use crate::client::Client;
use crate::out;
use crate::values::seconds;

/// How long a command waits until its session is handed over, or until a renewal ends.
const HAND_OVER: Duration = Duration::from_secs(5);

/// A store that a command's session is kept in.
#[derive(Clone)]
pub(crate) struct Shared {
    /// What is reported of its kind: `file`, `redis`, `postgres` or `cache`.
    pub(crate) kind: &'static str,
    pub(crate) store: Noted,
}

/// Where the token of a command came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// Another process had put it into the store.
    Found,
    Renewed,
    /// This command signed in without the store.
    Alone,
}

impl From {
    /// Returns where the token in use came from.
    pub(crate) fn of(client: &Client) -> Self {
        let counts = client.store_counts();
        match (counts.alone, counts.renewed) {
            (0, 0) => Self::Found,
            (0, _) => Self::Renewed,
            _ => Self::Alone,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Renewed => "renewed",
            Self::Alone => "alone",
        }
    }
}

impl Shared {
    /// Ends a client: waits until its session is in the store, and says so if it is not.
    pub(crate) fn hand_over(client: &Client, left: Duration) {
        client.close_within(left.min(HAND_OVER));
        if let Some(error) = client.store_failure() {
            let counts = client.store_counts();
            let outcome = match (counts.alone, counts.renewed) {
                (1.., _) => " This command signed in by itself.",
                (0, 1..) => " Other processes may not get this session.",
                (0, 0) => "",
            };
            out::note(format_args!("{error}.{outcome}"));
        }
    }

    /// Reports the store, for scripts.
    pub(crate) fn object(&self, from: From) -> Value {
        let entry = self.store.last();
        json!({
            "kind": self.kind,
            "outcome": from.as_str(),
            "generation": entry.map(|entry| entry.stamp.generation),
            "age_s": entry.map(|entry| seconds(entry.age())),
        })
    }

    /// Describes the store, for people.
    pub(crate) fn words(&self, from: From) -> String {
        let entry = self.store.last().map(|entry| {
            format!(
                ", generation {}, {:.1} s old",
                entry.stamp.generation,
                entry.age().as_secs_f64()
            )
        });
        format!("{}: {}{}", self.kind, from.as_str(), entry.unwrap_or_default())
    }
}

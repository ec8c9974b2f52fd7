//! Calls as rows of the table. Does not decide anything.

use imts_core::journal::{
    CallRecord, CallState, Despite, Digest, Finding, Intent, Resolution, Scope,
};
use imts_core::time::Wall;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

/// A row of a call.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// By what the statement recognizes the row: a number of the asker's, or the call's own.
    pub(super) number: u64,
    /// Which opening of the journal sends it.
    pub(super) holder: String,
    pub(super) call: CallRecord,
}

impl Stored {
    /// Reads a row of the [columns](super::statements). `None` if the table holds what this program
    /// never writes.
    pub(super) fn read(row: &Row) -> Option<Self> {
        let text = |at: usize| row.try_get::<_, Option<String>>(at).ok();
        let number = |at: usize| row.try_get::<_, Option<i64>>(at).ok();
        let despite = match (number(14)?, text(15)?) {
            (Some(id), Some(reason)) => Some(Despite { id: unsigned(id), reason, by: text(16)? }),
            _ => None,
        };
        let intent = Intent {
            operation: text(3)??,
            scope: Some(Scope { url: text(4)??, agent: text(5)?? }).filter(|it| !it.url.is_empty()),
            reference: Some(text(6)??),
            digest: Digest(unsigned(number(7)??)),
            meaning: number(8)?.map(|meaning| Digest(unsigned(meaning))),
            at: Wall::from_unix_micros(number(9)??),
            despite,
        };
        let mut call = CallRecord::new(unsigned(number(1)??), &intent);
        call.sent_at = number(10)?.map(Wall::from_unix_micros);
        call.sending_until = number(11)?.map(Wall::from_unix_micros);
        call.ended_at = number(12)?.map(Wall::from_unix_micros);
        call.state = state(&text(13)??)?;
        call.resolution = match (text(17)?, text(18)?) {
            (Some(finding), Some(reason)) => {
                Some(Resolution { finding: self::finding(&finding)?, reason, by: text(19)? })
            }
            _ => None,
        };
        Some(Self { number: unsigned(number(0)??), holder: text(2)??, call })
    }
}

fn state(name: &str) -> Option<CallState> {
    let all = [CallState::InDoubt, CallState::Done, CallState::Refused, CallState::NotSent];
    all.into_iter().find(|state| state.as_str() == name)
}

fn finding(name: &str) -> Option<Finding> {
    [Finding::Done, Finding::Refused].into_iter().find(|finding| finding.as_str() == name)
}

/// PostgreSQL has no unsigned numbers: the same 64 bits.
pub(super) fn signed(number: u64) -> i64 {
    i64::from_ne_bytes(number.to_ne_bytes())
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::from_ne_bytes(number.to_ne_bytes())
}

/// The values of a statement, each with its type. Naming the types saves a round trip, and a
/// prepared statement.
#[derive(Default)]
pub(super) struct Values(Vec<Value>);

type Value = (Box<dyn ToSql + Sync + Send>, Type);

impl Values {
    pub(super) fn text(mut self, text: String) -> Self {
        self.0.push((Box::new(text), Type::TEXT));
        self
    }

    pub(super) fn maybe_text(mut self, text: Option<String>) -> Self {
        self.0.push((Box::new(text), Type::TEXT));
        self
    }

    pub(super) fn number(mut self, number: i64) -> Self {
        self.0.push((Box::new(number), Type::INT8));
        self
    }

    pub(super) fn small(mut self, number: i32) -> Self {
        self.0.push((Box::new(number), Type::INT4));
        self
    }

    pub(super) fn numbers(mut self, numbers: impl Iterator<Item = u64>) -> Self {
        self.0.push((Box::new(numbers.map(signed).collect::<Vec<_>>()), Type::INT8_ARRAY));
        self
    }

    pub(super) fn maybe_numbers(mut self, numbers: impl Iterator<Item = Option<i64>>) -> Self {
        self.0.push((Box::new(numbers.collect::<Vec<_>>()), Type::INT8_ARRAY));
        self
    }

    pub(super) fn texts(mut self, texts: impl Iterator<Item = String>) -> Self {
        self.0.push((Box::new(texts.collect::<Vec<_>>()), Type::TEXT_ARRAY));
        self
    }

    pub(super) fn maybe_texts(mut self, texts: impl Iterator<Item = Option<String>>) -> Self {
        self.0.push((Box::new(texts.collect::<Vec<_>>()), Type::TEXT_ARRAY));
        self
    }

    pub(super) fn all(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.0.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect()
    }
}

//! Reads calls from the table.

use imts_core::journal::CallRecord;
use tokio_postgres::Client;

use super::error::JournalPostgresError;
use super::rows::{Stored, Values, signed};
use super::schema::query;
use super::statements;

/// Which calls to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those in doubt.
    InDoubt,
    /// The newest ones, so many.
    Newest(u32),
    /// The one of this number.
    One(u64),
}

/// Reads calls, oldest first.
pub(super) async fn read(
    client: &Client,
    which: Which,
) -> Result<Vec<CallRecord>, JournalPostgresError> {
    let none = Values::default();
    let rows = match which {
        Which::InDoubt => query(client, statements::IN_DOUBT, &none).await?,
        Which::Newest(count) => {
            query(client, statements::NEWEST, &none.number(count.into())).await?
        }
        Which::One(id) => query(client, statements::ONE, &none.number(signed(id))).await?,
    };
    let stored = rows.iter().map(Stored::read).collect::<Option<Vec<_>>>();
    let stored = stored.ok_or(JournalPostgresError::Damaged)?;
    Ok(stored.into_iter().map(|stored| stored.call).collect())
}

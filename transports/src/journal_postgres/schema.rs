//! The versions of the journal's tables, and how one becomes the next.

use tokio_postgres::Client;

use super::error::JournalPostgresError;
use super::rows::Values;
use super::statements;
use crate::postgres::StatementError;

/// The scripts, each from one version to the next, the first one from an empty database.
const SCRIPTS: [&str; 1] = [include_str!("schema/001.sql")];

/// The version of the tables that this program uses.
pub(super) const VERSION: i32 = 1;

/// The result of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migrated {
    /// The version of the tables before: 0 if there were none.
    pub from: i32,
    /// The version of the tables now.
    pub to: i32,
}

/// Brings the tables to the version that this program uses, in one transaction.
pub(super) async fn migrate(client: &Client) -> Result<Migrated, JournalPostgresError> {
    run(client, "BEGIN").await?;
    query(client, statements::ALONE, &Values::default()).await?;
    let exists = query(client, statements::EXISTS, &Values::default()).await?;
    let exists = exists.first().and_then(|row| row.try_get(0).ok()).unwrap_or(false);
    let from = if exists { version(client).await? } else { 0 };
    if from > VERSION {
        run(client, "ROLLBACK").await?;
        return Err(JournalPostgresError::TooNew { found: from, known: VERSION });
    }
    let done = usize::try_from(from).unwrap_or_default();
    for script in SCRIPTS.iter().skip(done) {
        run(client, script).await?;
    }
    query(client, statements::FIRST, &Values::default().small(VERSION)).await?;
    run(client, "COMMIT").await?;
    Ok(Migrated { from, to: VERSION })
}

/// Returns the version of the tables. Fails if this program cannot use them.
pub(super) async fn known(client: &Client) -> Result<(), JournalPostgresError> {
    match version(client).await? {
        found if found > VERSION => Err(JournalPostgresError::TooNew { found, known: VERSION }),
        found if found < VERSION => Err(JournalPostgresError::Outdated { found, needed: VERSION }),
        _ => Ok(()),
    }
}

async fn version(client: &Client) -> Result<i32, JournalPostgresError> {
    let rows = query(client, statements::VERSION, &Values::default()).await?;
    let version = rows.first().and_then(|row| row.try_get(0).ok());
    version.ok_or(JournalPostgresError::NoJournal)
}

async fn run(client: &Client, sql: &str) -> Result<(), JournalPostgresError> {
    client.batch_execute(sql).await.map_err(|error| refused(&error))
}

/// Runs one statement.
pub(super) async fn query(
    client: &Client,
    sql: &str,
    values: &Values,
) -> Result<Vec<tokio_postgres::Row>, JournalPostgresError> {
    client.query_typed(sql, &values.all()).await.map_err(|error| refused(&error))
}

fn refused(error: &tokio_postgres::Error) -> JournalPostgresError {
    let failed = StatementError::of(error);
    let code = match &failed {
        StatementError::Refused { code, .. } => code.clone(),
        StatementError::Unanswered(_) => String::new(),
    };
    JournalPostgresError::of_code(&code, failed.into_error())
}

//! A journal in a database: how it is reached, and what to do if it cannot be used.
//!
//! Owns its password and the messages. The library owns the tables, and what must hold of the
//! server.

use std::env;
use std::path::Path;

use imts::journal_postgres::JournalPostgresError;
use imts::postgres::{PostgresAddress, PostgresError};
use imts::{JournalPostgres, Recovery};

use crate::args::{Database, JournalPassword, Server};
use crate::carrier::Network;
use crate::config::MAX_SECRET;
use crate::failure::{Failure, Kind};
use crate::input::Source;
use crate::timeout::TimeLimit;

/// The variable of the password of a journal's database.
pub(crate) const PASSWORD: &str = "IMTS_JOURNAL_PASSWORD";

/// A database that can be connected to.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    text: String,
    address: PostgresAddress,
    ca_file: Option<std::path::PathBuf>,
    limit: TimeLimit,
}

impl Reached {
    pub(crate) fn of(
        database: &Database,
        password: &JournalPassword,
        ca_file: Option<&Path>,
        limit: TimeLimit,
    ) -> Result<Self, Failure> {
        let source = match &password.journal_password_file {
            Some(path) => Some(Source::File(path.clone())),
            None => env::var_os(PASSWORD).map(|_| Source::Variable(PASSWORD.to_owned())),
        };
        let mut address = database.address.clone();
        if let Some(source) = source {
            let read = move || source.line("the journal's password", MAX_SECRET);
            let password = limit.bound("reading the journal's password", read)?;
            address = address.password(password.as_str());
        }
        let (text, ca_file) = (database.text.clone(), ca_file.map(Path::to_owned));
        Ok(Self { text, address, ca_file, limit })
    }

    pub(super) fn for_command(
        database: &Database,
        server: &Server,
        limit: TimeLimit,
    ) -> Result<Self, Failure> {
        Self::of(database, &server.password, server.ca_file.as_deref(), limit)
    }

    /// Opens the journal.
    pub(crate) fn opened(&self) -> Result<JournalPostgres, Failure> {
        self.asked(|address| JournalPostgres::open(address.clone()))
    }

    /// Asks the database for something. Another machine is reached over TLS.
    pub(crate) fn asked<T: Send + 'static>(
        &self,
        ask: impl Fn(&PostgresAddress) -> Result<T, JournalPostgresError> + Send + 'static,
    ) -> Result<T, Failure> {
        let (address, ca_file) = (self.address.clone(), self.ca_file.clone());
        let address =
            address.connect_timeout(self.limit.left().min(PostgresAddress::CONNECT_TIMEOUT));
        let answer = self.limit.bound("opening the journal", move || match ask(&address) {
            Err(JournalPostgresError::Database(PostgresError::NeedsTls { .. })) => {
                let tls = Network::of_server(ca_file).tls()?;
                Ok(ask(&address.tls(tls)))
            }
            answer => Ok(answer),
        })?;
        answer.map_err(|error| self.failed(&error))
    }

    /// Creates a failure: the journal cannot be used. Nothing was sent.
    pub(super) fn failed(&self, error: &JournalPostgresError) -> Failure {
        use JournalPostgresError as E;
        let url = &self.text;
        let because = |why: &dyn std::fmt::Display| {
            Failure::usage(format!("the journal {url} cannot be used: {why}. Nothing was sent"))
        };
        match error {
            E::NoJournal => because(&"the database has no tables for it")
                .advising(format!("Create them: imts journal migrate {url}")),
            E::Outdated { found, needed } => because(&format_args!(
                "its tables have version {found}, and this program needs version {needed}"
            ))
            .advising(format!("Bring them up to date: imts journal migrate {url}")),
            E::TooNew { found, known } => because(&format_args!(
                "its tables have version {found}, and this program knows versions up to {known}"
            ))
            .advising("Use a newer version of this program."),
            E::NotDurable { setting, value } => because(&format_args!(
                "the database may lose what it has committed, because {setting} is {value}"
            ))
            .advising(format!("Set {setting} to `on` for the user, the database or the server.")),
            E::Moved | E::Rewound => because(
                &"the database has failed over or was restored, so it may not know all calls that were \
                  sent",
            )
            .advising(format!(
                "Ask the service what was sent. Once you know: imts journal accept {url} --reason TEXT"
            )),
            E::Database(error) => self.unreachable(error),
            _ => because(error),
        }
    }

    fn unreachable(&self, error: &PostgresError) -> Failure {
        let kind = match error {
            PostgresError::TimedOut { .. } => Kind::TimedOut,
            PostgresError::Unreachable { .. } | PostgresError::Broken { .. } => Kind::Transport,
            _ => Kind::Usage,
        };
        let url = &self.text;
        let message = format!("the journal {url} cannot be used: {error}. Nothing was sent");
        match kind {
            Kind::Usage => Failure::usage(message).advising(
                "Check the address, the user's rights, and IMTS_JOURNAL_PASSWORD or \
                 --journal-password-file.",
            ),
            _ => Failure::new(kind, Recovery::Retry { after: None }, message)
                .advising("Check the address, and that the server runs. Then run it again."),
        }
    }
}

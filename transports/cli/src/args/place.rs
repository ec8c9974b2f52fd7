//! Where a journal is: a file, or a database that processes share.
//!
//! Owns its form, and the rule that a password never stands in it.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use clap::builder::{TypedValueParser, ValueParserFactory};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, Args, Command, Error};
use imts::postgres::{PostgresAddress, PostgresError};

use super::value::{name, path};
use crate::input;

/// Where a journal is.
#[derive(Clone, Debug)]
pub(crate) enum JournalAt {
    File(PathBuf),
    /// A PostgreSQL server. The address has no password.
    Database(Box<Database>),
}

/// The address of a database, and the text that it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) text: String,
    pub(crate) address: PostgresAddress,
}

impl Database {
    pub(super) fn read(text: String) -> Result<Self, PostgresError> {
        PostgresAddress::new(&text).map(|address| Self { text, address })
    }
}

/// How a journal in a database is reached.
#[derive(Clone, Debug, Args)]
pub(crate) struct JournalPassword {
    /// A file with the password of the journal's database. Without this option, it is read from
    /// IMTS_JOURNAL_PASSWORD.
    #[arg(long, env = "IMTS_JOURNAL_PASSWORD_FILE", value_name = "FILE", value_parser = path())]
    pub(crate) journal_password_file: Option<PathBuf>,
}

impl fmt::Display for JournalAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Database(database) => f.write_str(&database.text),
        }
    }
}

impl ValueParserFactory for JournalAt {
    type Parser = Place;

    fn value_parser() -> Self::Parser {
        Place
    }
}

/// Reads where a journal is. A path need not be text.
#[derive(Clone)]
pub(crate) struct Place;

impl TypedValueParser for Place {
    type Value = JournalAt;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<JournalAt, Error> {
        self.parse_ref_(command, arg, value, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<JournalAt, Error> {
        let text = input::value(value).unwrap_or_default();
        if !["postgres:", "postgresql:"].iter().any(|scheme| text.starts_with(scheme)) {
            return path().parse_ref_(command, arg, value, source).map(JournalAt::File);
        }
        let name = name(arg, source);
        Database::read(text)
            .map(|database| JournalAt::Database(Box::new(database)))
            .map_err(|error| match error {
                PostgresError::PasswordInAddress => format!(
                    "{name} holds a password, and other users of this machine can read arguments: \
                     leave it out, and set IMTS_JOURNAL_PASSWORD or give --journal-password-file FILE"
                ),
                error => format!("{name} cannot be used: {error}"),
            })
            .map_err(|message| Error::raw(ErrorKind::ValueValidation, message))
    }
}

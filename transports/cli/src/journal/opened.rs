//! An open journal: in a file, or in a database that processes share.
//!
//! Owns what both kinds do for the commands, in one form.

use imts::Builder;
use imts::journal::{CallRecord, EntryError, Journal, Resolution};
use imts::journal_file::{JournalError, JournalOptions};
use imts::journal_postgres::JournalPostgresError;
use imts::{JournalFile, JournalPostgres, Recovery};

use super::database::Reached;
use super::file;
use crate::args::{Folder, JournalAt, JournalPassword, Server};
use crate::failure::{Failure, Kind};
use crate::interrupt::Stop;
use crate::log::Log;
use crate::timeout::TimeLimit;

/// An open journal.
pub(crate) struct Opened {
    at: JournalAt,
    journal: Kinds,
}

enum Kinds {
    File(JournalFile),
    Database(JournalPostgres, Box<Reached>),
}

impl Opened {
    /// Opens the journal of a call. A file is created if there is none.
    pub(crate) fn for_call(
        at: &JournalAt,
        password: &JournalPassword,
        ca_file: Option<&std::path::Path>,
        options: &JournalOptions,
        limit: TimeLimit,
        log: Log,
    ) -> Result<Self, Failure> {
        let journal = match at {
            JournalAt::File(path) => {
                // A signal does not wait for this: it leaves the wait running.
                let stop = Stop::new("anything was sent");
                Kinds::File(file::opened(path, options, limit, log, &stop)?)
            }
            JournalAt::Database(database) => {
                let reached = Reached::of(database, password, ca_file, limit)?;
                Kinds::Database(reached.opened()?, Box::new(reached))
            }
        };
        Ok(Self { at: at.clone(), journal })
    }

    /// Opens a journal that must exist already.
    pub(super) fn again(
        at: &JournalAt,
        server: &Server,
        folder: &Folder,
        limit: TimeLimit,
        log: Log,
        stop: &Stop,
    ) -> Result<Self, Failure> {
        let journal = match at {
            JournalAt::File(path) => {
                Kinds::File(file::opened_again(path, &file::options(folder), limit, log, stop)?)
            }
            JournalAt::Database(database) => {
                let reached = Reached::for_command(database, server, limit)?;
                stop.take_over()?;
                Kinds::Database(reached.opened()?, Box::new(reached))
            }
        };
        Ok(Self { at: at.clone(), journal })
    }

    /// Gives the journal to a client.
    pub(crate) fn given_to(self, builder: Builder) -> Builder {
        match self.journal {
            Kinds::File(journal) => builder.journal(journal),
            Kinds::Database(journal, _) => builder.journal(journal),
        }
    }

    /// Returns the call of this number, if the journal has it. `None` if it may have been one whose
    /// hash alone is kept.
    pub(crate) fn call(&self, id: u64) -> Result<Option<CallRecord>, Failure> {
        match &self.journal {
            Kinds::File(journal) => Ok(journal.book().call(id).cloned()),
            Kinds::Database(_, reached) => {
                reached.asked(move |address| JournalPostgres::read_call(address, id))
            }
        }
    }

    /// Returns the journal's file, if it is one.
    pub(crate) fn file(&self) -> Option<&JournalFile> {
        match &self.journal {
            Kinds::File(journal) => Some(journal),
            Kinds::Database(..) => None,
        }
    }

    /// Returns the calls in doubt, the oldest first.
    pub(crate) fn in_doubt(&mut self) -> Result<Vec<CallRecord>, Failure> {
        match &mut self.journal {
            Kinds::File(journal) => Ok(journal.book().in_doubt().cloned().collect()),
            Kinds::Database(journal, _) => journal.in_doubt().map_err(|error| {
                Failure::usage(format!("the journal {} cannot be read: {error}", self.at))
            }),
        }
    }

    /// Records a resolution, and returns the call.
    pub(super) fn resolve(
        &mut self,
        id: u64,
        resolution: Resolution,
    ) -> Result<CallRecord, Failure> {
        let missing = EntryError::NoSuchCall { id };
        match &mut self.journal {
            Kinds::File(journal) => {
                let resolved = journal.resolve(id, resolution);
                resolved.map_err(|error| match error {
                    JournalError::UnderWay(why) => under_way(&why),
                    JournalError::NoSuchCall { .. } | JournalError::NotInDoubt { .. } => {
                        wrong_number(&self.at, &error)
                    }
                    error => file::unusable_at(&self.at, &error),
                })?;
                let call = journal.book().call(id).cloned();
                call.ok_or_else(|| wrong_number(&self.at, &missing))
            }
            Kinds::Database(journal, reached) => {
                journal.resolve(id, resolution).map_err(|error| match error {
                    JournalPostgresError::Entry(why @ EntryError::UnderWay { .. }) => {
                        under_way(&why)
                    }
                    JournalPostgresError::Entry(why) => wrong_number(&self.at, &why),
                    error => reached.failed(&error),
                })?;
                let call = reached.asked(move |address| JournalPostgres::read_call(address, id))?;
                call.ok_or_else(|| wrong_number(&self.at, &missing))
            }
        }
    }
}

fn under_way(why: &EntryError) -> Failure {
    let message = format!("nothing was recorded: {why}");
    Failure::new(Kind::InProgress, Recovery::Retry { after: None }, message)
}

fn wrong_number(at: &JournalAt, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("{error}; see: imts journal list {at} --all"))
}

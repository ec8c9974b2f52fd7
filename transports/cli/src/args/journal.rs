//! `imts journal`.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

#[derive(Debug, Parser)]
pub(crate) struct Journal {
    #[command(subcommand)]
    pub(crate) command: JournalCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// List the calls in doubt: sent, and nothing says what became of them. Another process may
    /// have the journal open meanwhile.
    List {
        /// The journal.
        file: PathBuf,

        /// List every call, whatever became of it.
        #[arg(long)]
        all: bool,

        /// Print one JSON array of calls.
        #[arg(long)]
        json: bool,
    },
    /// Write down what was found out of a call in doubt. Ask the service first: its operations
    /// status, info or search say what became of a call.
    Resolve {
        /// The journal.
        file: PathBuf,

        /// The call's number, as `imts journal list` has it.
        id: u64,

        /// What was found out.
        #[arg(long = "as", value_enum, value_name = "WHAT")]
        ended: Ended,

        /// Print the call as one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// What became of a call.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Ended {
    /// The service did it.
    Done,
    /// It was refused, or never done.
    Refused,
}

impl JournalCommand {
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::List { json, .. } | Self::Resolve { json, .. } => *json,
        }
    }
}

//! What can be said on the command line, and the words that explain it: one module a command.

mod call;
mod demo;
mod journal;
mod operations;
mod sandbox;
mod service;
mod token;
mod watch;

use clap::{ArgAction, Parser, Subcommand};

pub(crate) use self::call::Call;
pub(crate) use self::demo::Demo;
pub(crate) use self::journal::{
    Accept, Compact, Ended, Folder, JournalCommand, List, Reconcile, Resolve,
};
pub(crate) use self::operations::Operations;
pub(crate) use self::sandbox::{RotationName, Sandbox};
pub(crate) use self::service::{Service, TransportName};
pub(crate) use self::token::Token;
pub(crate) use self::watch::Watch;
use crate::log::Log;

/// Freedom Pay's IMTS (International Money Transfer System) from the command line.
///
/// Nothing contacts the real service unless a base URL says so. To see what this does, without
/// credentials and without a network: `imts demo`.
#[derive(Debug, Parser)]
#[command(name = "imts", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Tell on stderr what is sent and received; twice tells more. Never a secret or a token.
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = 100)]
    verbose: u8,
}

impl Args {
    pub(crate) fn log(&self) -> Log {
        Log::new(self.verbose)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Walk a session through every phase of its life, and money through every fault, against a
    /// local sandbox. Needs nothing.
    Demo(Demo),
    /// Sign in once and tell how long the token lives.
    Token(Token),
    /// Keep a session alive and show it, until interrupted.
    Watch(Watch),
    /// Call one of the service's operations, with JSON in and out.
    Call(Box<Call>),
    /// List the service's operations: class, evidence, path.
    Operations(Operations),
    /// Look into a journal of calls that move money, and settle those in doubt.
    Journal(journal::Journal),
    /// Serve a local sandbox of the service until interrupted.
    Sandbox(Sandbox),
}

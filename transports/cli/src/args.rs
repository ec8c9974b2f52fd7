//! The command line and its help texts: one module for each command.

mod call;
mod demo;
mod journal;
mod operations;
mod sandbox;
mod service;
mod token;
mod value;
mod watch;

use clap::{ArgAction, Parser, Subcommand};

pub(crate) use self::call::Call;
pub(crate) use self::demo::Demo;
pub(crate) use self::journal::{
    Accept, Compact, Ended, Folder, JournalCommand, List, Reconcile, Resolve,
};
pub(crate) use self::operations::Operations;
pub(crate) use self::sandbox::{RotationName, Sandbox};
pub(crate) use self::service::{ServiceArgs, TransportName};
pub(crate) use self::token::Token;
pub(crate) use self::value::{Line, ProxyFrom};
pub(crate) use self::watch::Watch;
use crate::log::Log;

/// Freedom Pay's IMTS (International Money Transfer System) from the command line
#[derive(Debug, Parser)]
#[command(
    name = "imts",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "\
To see what it does, without credentials and without a network, run `imts demo`. No command contacts \
the real service unless you give its base URL."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Log requests to stderr (-vv for more). Secrets are never logged.
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
    /// Run a session and money calls under faults, on a local sandbox.
    Demo(Demo),
    /// Sign in once and print how long the access token lives.
    Token(Token),
    /// Keep a session alive and show it, until interrupted.
    Watch(Watch),
    /// Call an operation of the service, with JSON in and out.
    Call(Box<Call>),
    /// List the service's operations with class, evidence and path.
    Operations(Operations),
    /// Read a journal of calls, and resolve the calls in doubt.
    Journal(journal::Journal),
    /// Run a local sandbox of the service, until interrupted.
    Sandbox(Sandbox),
}

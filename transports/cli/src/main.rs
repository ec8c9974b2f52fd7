//! The command `imts`.
//!
//! Owns parsing, dispatch and exit codes. Does not know what a command does: each command has its
//! own module.

mod advice;
mod args;
mod call;
mod carrier;
mod client;
mod demo;
mod failure;
mod gate;
mod input;
mod interrupt;
mod journal;
mod log;
mod operations;
mod out;
mod sandbox;
mod service_file;
mod settings;
mod tasks;
mod terminal;
mod timeout;
mod token;
mod values;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::{Args, Command};
use crate::failure::Failure;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return mistake(&error),
    };
    let log = args.log();
    let (json, outcome) = match args.command {
        Command::Demo(demo) => (demo.json, demo::run(demo, log)),
        Command::Token(token) => (token.json, token::run(token, log)),
        Command::Watch(watch) => (watch.json, watch::run(watch, log)),
        Command::Call(call) => (call.json, call::run(*call, log)),
        Command::Operations(operations) => (operations.json, operations::run(operations)),
        Command::Journal(journal) => (journal.command.json(), journal::run(journal.command, log)),
        Command::Sandbox(sandbox) => (false, sandbox::run(sandbox, log)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json),
    }
}

/// Reports a mistake on the command line, or prints the help that was asked for.
fn mistake(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match out::printed(error.print()) {
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => Failure::from(error).report(false),
        };
    }
    let json = std::env::args_os().any(|arg| arg == "--json");
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && !json {
        out::note(error.render());
        return ExitCode::from(2);
    }
    words(error).report(json)
}

/// Says what is wrong, in clap's words. They quote what was typed, and it is not always safe to
/// repeat that.
fn words(error: &clap::Error) -> Failure {
    let stray = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(arg)) => !arg.starts_with('-'),
        _ => false,
    };
    if error.kind() == ErrorKind::UnknownArgument && stray {
        return Failure::usage(
            "unexpected argument (not repeated here, because it may be a secret): put the name of \
             its option before it; see --help",
        );
    }
    let text = error.render().to_string();
    Failure::usage(text.trim_start_matches("error:").trim())
}

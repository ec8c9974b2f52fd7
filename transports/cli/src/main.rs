//! The command `imts`.
//!
//! Owns parsing, dispatch and exit codes. What a command does is in its own module.

mod args;
mod demo;
mod failure;
mod log;
mod sandbox;
mod settings;
mod token;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::failure::Failure;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return mistake(&error),
    };
    let (json, outcome) = match &args.command {
        Command::Demo(demo) => (demo.json, demo::run(demo, args.log())),
        Command::Token(token) => (token.json, token::run(token, args.log())),
        Command::Sandbox(sandbox) => (false, sandbox::run(sandbox)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json),
    }
}

/// A mistake on the command line, or a request for help.
fn mistake(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let json = std::env::args_os().any(|arg| arg == "--json");
    let text = error.render().to_string();
    Failure::usage(text.trim_start_matches("error:").trim()).report(json)
}

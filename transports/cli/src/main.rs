//! The command `imts`.
//!
//! Owns parsing, dispatch and exit codes. Does not know what a command does: each command has its
//! own module.

mod advice;
mod args;
mod call;
mod carrier;
mod child;
mod client;
mod color;
mod completions;
mod config;
mod data;
mod demo;
mod exec;
mod failure;
mod gate;
mod input;
mod interrupt;
mod journal;
mod log;
mod man;
mod near;
mod operations;
mod out;
mod register;
mod sandbox;
mod service_file;
mod settings;
mod sign;
mod store;
mod suggest;
mod tasks;
mod terminal;
mod timeout;
mod token;
mod values;
mod verify;
mod watch;

use std::env;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::Command;
use crate::config::NotRead;
use crate::failure::Failure;

fn main() -> ExitCode {
    completions::answer();
    color::choose(color::chosen(env::args_os()));
    let args = match config::args() {
        Ok(args) => args,
        Err(NotRead::Mistake(error)) => return mistake(&error),
        Err(NotRead::Profile(failure)) => return unread(&failure),
    };
    color::choose(args.color());
    let log = args.log();
    let (json, outcome) = match args.command {
        Command::Demo(demo) => (demo.json, demo::run(demo, log)),
        Command::Token(token) => (token.json, token::run(token, log)),
        Command::Watch(watch) => (watch.json, watch::run(watch, log)),
        Command::Exec(exec) => return exec::run(*exec, log),
        Command::Call(call) => (call.json, call::run(*call, log)),
        Command::Operations(operations) => (operations.json, operations::run(operations)),
        Command::Journal(journal) => (journal.command.json(), journal::run(journal.command, log)),
        Command::Store(store) => (store.command.json(), register::run(store.command)),
        Command::Config(config) => (config.command.json(), config::run(config.command)),
        Command::Sandbox(sandbox) => (false, sandbox::run(sandbox, log)),
        Command::Sign(sign) => (sign.command.json(), sign::run(sign.command)),
        Command::Verify(verify) => (verify.command.json(), verify::run(verify.command)),
        Command::Completions(completions) => (false, completions::run(&completions)),
        Command::Man(man) => (false, man::run(&man)),
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
    let json = wants_json();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && !json {
        out::note(error.render());
        return ExitCode::from(2);
    }
    unread(&words(error))
}

/// Reports why a command line is not carried out.
fn unread(failure: &Failure) -> ExitCode {
    let code = failure.report(wants_json());
    if is_exec() { ExitCode::from(exec::NOT_RUN) } else { code }
}

/// Returns whether the command line is one of `imts exec`, also if it has a mistake.
fn is_exec() -> bool {
    let mut words = env::args_os().skip(1);
    words.find(|word| !word.as_encoded_bytes().starts_with(b"-")).is_some_and(|it| it == "exec")
}

/// Returns whether a command that was not understood is to report that in JSON.
fn wants_json() -> bool {
    if is_exec() {
        // Stdout belongs to the other command.
        return false;
    }
    let yes = ["y", "yes", "t", "true", "on", "1"];
    let variable = env::var("IMTS_JSON").unwrap_or_default().to_lowercase();
    yes.contains(&variable.trim()) || env::args_os().any(|arg| arg == "--json")
}

/// Says what is wrong, in clap's words. They quote what was typed, and it is not always safe to
/// repeat that.
fn words(error: &clap::Error) -> Failure {
    let stray = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(arg)) => !arg.starts_with('-'),
        _ => false,
    };
    if error.kind() == ErrorKind::UnknownArgument && stray && is_exec() {
        return Failure::usage("write -- before the command: imts exec [OPTIONS] -- COMMAND");
    }
    if error.kind() == ErrorKind::UnknownArgument && stray {
        return Failure::usage(
            "unexpected argument (not repeated here, because it may be a secret): put the name of \
             its option before it; see --help",
        );
    }
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(way) = other_way(error)
    {
        return Failure::usage(format!(
            "there is no option for a secret itself, because other users can read arguments: {way}"
        ));
    }
    let text = error.render().to_string();
    let text = text.trim_start_matches("error:").trim();
    match variable(error) {
        Some(variable) => Failure::usage(format!("{variable} cannot be used: {text}")),
        None => Failure::usage(text),
    }
}

/// Returns how to give the secret that the option that does not exist was to hold.
fn other_way(error: &clap::Error) -> Option<&'static str> {
    let Some(ContextValue::String(arg)) = error.get(ContextKind::InvalidArg) else { return None };
    match arg.split(['=', ' ']).next()? {
        "--agent-secret" | "--secret" | "--password" => {
            Some("set IMTS_AGENT_SECRET, or give --secret-file FILE")
        }
        "--key" => Some("set IMTS_KEY, or give --key-file FILE"),
        _ => None,
    }
}

/// Returns the variable that a wrong value comes from. clap names only the option.
fn variable(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(arg)) = error.get(ContextKind::InvalidArg) else { return None };
    let option = arg.split([' ', '=']).next()?.strip_prefix("--")?;
    let is_given = |given: std::ffi::OsString| {
        let given = given.to_string_lossy().into_owned();
        given.strip_prefix("--").and_then(|given| given.split('=').next()) == Some(option)
    };
    let is_wrong = matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation);
    if !is_wrong || env::args_os().any(is_given) {
        return None;
    }
    let variables = args::variables(&args::command(), option).into_iter();
    variables.into_iter().find(|variable| env::var_os(variable).is_some())
}

//! The command line and its help texts: one module for each command.

mod call;
mod completions;
mod config;
mod demo;
mod exec;
mod journal;
mod operations;
mod place;
mod sandbox;
mod service;
mod sharing;
mod sign;
mod store;
mod token;
mod value;
mod watch;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};

pub(crate) use self::call::{Call, Sending};
pub(crate) use self::completions::{Completions, Man};
pub(crate) use self::config::{ConfigCommand, Settings};
pub(crate) use self::demo::Demo;
pub(crate) use self::exec::{Exec, Form};
pub(crate) use self::journal::{
    Accept, Compact, Ended, Folder, JournalCommand, List, Migrate, Reconcile, Resolve, Server,
};
pub(crate) use self::operations::Operations;
pub(crate) use self::place::{Database, JournalAt, JournalPassword};
pub(crate) use self::sandbox::{RotationName, Sandbox};
pub(crate) use self::service::{ServiceArgs, TransportName};
pub(crate) use self::sharing::StoreFrom;
pub(crate) use self::sign::{
    AccountName, AlgorithmName, HeaderForm, JwsArgs, KeyArgs, MessageForm, Sign, SignCommand,
    SignJws, SignPgSig, Verify, VerifyCommand, VerifyJws, VerifyPgSig,
};
pub(crate) use self::store::{StoreCommand, StoreOf};
pub(crate) use self::token::Token;
use self::value::switch;
pub(crate) use self::value::{Line, ProxyFrom, VariableName};
pub(crate) use self::watch::Watch;
use crate::color::When;
use crate::log::Log;

/// Freedom Pay's IMTS (International Money Transfer System) from the command line
#[derive(Debug, Parser)]
#[command(
    name = "imts",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_long_help = "\
To see what it does, without credentials and without a network, run `imts demo`. No command contacts \
the real service unless you give its base URL."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Log requests (-vv: more), no secrets.
    ///
    /// The log goes to stderr.
    #[arg(short, long, global = true, env = "IMTS_VERBOSE", action = ArgAction::Count, display_order = 100)]
    verbose: u8,

    /// Print results and errors only.
    ///
    /// It leaves out progress and notes, and changes no JSON.
    #[arg(short, long, global = true, env = "IMTS_QUIET", value_parser = switch(), display_order = 101, conflicts_with = "verbose")]
    quiet: bool,

    /// Color texts: auto, always or never.
    ///
    /// With auto, texts are colored on a terminal. NO_COLOR and CLICOLOR_FORCE change that.
    #[arg(
        long,
        global = true,
        env = "IMTS_COLOR",
        value_enum,
        default_value_t,
        value_name = "WHEN",
        display_order = 102,
        hide_default_value = true,
        hide_possible_values = true
    )]
    color: When,
}

impl Args {
    pub(crate) fn log(&self) -> Log {
        Log::new(self.verbose, self.quiet)
    }

    pub(crate) fn color(&self) -> When {
        self.color
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
    /// Run a command with an access token on a file descriptor.
    Exec(Box<Exec>),
    /// Call an operation of the service, with JSON in and out.
    Call(Box<Call>),
    /// List the service's operations with class, evidence and path.
    Operations(Operations),
    /// Read a journal of calls, and resolve the calls in doubt.
    Journal(journal::Journal),
    /// Show or empty a session that processes share.
    Store(Box<store::Store>),
    /// Show and check the settings: profiles, variables, options.
    Config(Box<config::Config>),
    /// Sign a request or a message of the vendor's other services.
    Sign(Sign),
    /// Verify a signature, and explain a mismatch.
    Verify(Verify),
    /// Run a local sandbox of the service, until interrupted.
    Sandbox(Sandbox),
    /// Print the script that completes this command in a shell.
    Completions(Completions),
    /// Write the man pages of all commands into a folder.
    Man(Man),
}

impl Command {
    /// Returns the options of a command that contacts the service.
    pub(crate) fn service_mut(&mut self) -> Option<&mut ServiceArgs> {
        match self {
            Self::Token(args) => Some(&mut args.service),
            Self::Watch(args) => Some(&mut args.service),
            Self::Exec(args) => Some(&mut args.service),
            Self::Call(args) => Some(&mut args.service),
            Self::Store(args) => Some(&mut args.command.of_mut().service),
            Self::Config(args) => args.command.settings_mut().map(|args| &mut args.service),
            Self::Demo(_)
            | Self::Operations(_)
            | Self::Journal(_)
            | Self::Sandbox(_)
            | Self::Sign(_)
            | Self::Verify(_)
            | Self::Completions(_)
            | Self::Man(_) => None,
        }
    }
}

/// Returns the command line as clap has it. No help shows the value of a variable.
pub(crate) fn command() -> clap::Command {
    without_values(Args::command())
}

/// Returns the variables of an option: one, or several if commands have different ones.
pub(crate) fn variables(command: &clap::Command, option: &str) -> Vec<String> {
    let args = command.get_arguments().filter(|arg| arg.get_long() == Some(option));
    let own = args.filter_map(|arg| Some(arg.get_env()?.to_string_lossy().into_owned()));
    let below = command.get_subcommands().flat_map(|below| variables(below, option));
    own.chain(below).collect()
}

fn without_values(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| arg.hide_env_values(true)).mut_subcommands(without_values)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::command;

    /// Options without a variable. Each is about one run, and a variable lasts.
    const WITHOUT: [&str; 19] = [
        "help",
        "version",
        // A token would be printed wherever the variable is forgotten.
        "show",
        "header",
        // How one command gets a token.
        "fd",
        "env",
        // One request, one call, one decision.
        "data",
        "path",
        "reference",
        "resend-despite",
        "reason",
        "as",
        "all",
        // One message, as it was sent or came.
        "url",
        "method",
        "signature",
        "salt",
        "to",
        // What is forgotten may be sent again: someone asks for it each time.
        "keep-done",
    ];

    /// The variables of each option, below a command.
    fn variables(command: &clap::Command) -> BTreeMap<String, BTreeSet<Option<String>>> {
        let mut all = BTreeMap::<_, BTreeSet<_>>::new();
        for arg in command.get_arguments() {
            let Some(option) = arg.get_long() else { continue };
            let variable = arg.get_env().map(|name| name.to_str().unwrap().to_owned());
            all.entry(option.to_owned()).or_default().insert(variable);
        }
        for below in command.get_subcommands() {
            for (option, variables) in variables(below) {
                all.entry(option).or_default().extend(variables);
            }
        }
        all
    }

    #[test]
    fn each_option_that_is_a_setting_has_a_variable_of_its_own_name() {
        let mut command = command();
        command.build();
        let mut all = variables(&command);
        assert!(all.len() >= 30, "{all:?}");
        for option in WITHOUT {
            assert_eq!(all.remove(option), Some([None].into()), "{option}");
        }
        // What belongs to one command has its name in the variable.
        let longer = |option: &str, variable: &str| match option {
            "base-url" => variable == "IMTS_SANDBOX_URL",
            "with" | "pause" | "each" => variable.strip_prefix("IMTS_RECONCILE_").is_some(),
            _ => false,
        };
        for (option, variables) in all {
            let name = option.replace('-', "_").to_uppercase();
            for variable in variables {
                let variable = variable.unwrap_or_else(|| panic!("{option}"));
                let is_of_sandbox = variable == format!("IMTS_SANDBOX_{name}");
                assert!(
                    variable == format!("IMTS_{name}")
                        || is_of_sandbox
                        || longer(&option, &variable),
                    "{option}={variable}"
                );
            }
        }
    }

    #[test]
    fn each_setting_of_a_profile_is_an_option_of_the_same_name() {
        let command = command();
        let config = command.find_subcommand("config").unwrap();
        for name in ["show", "check"] {
            let with = config.find_subcommand(name).unwrap();
            for (key, _) in crate::config::KEYS {
                let mut args = with.get_arguments();
                let arg = args.find(|arg| arg.get_id() == key).unwrap_or_else(|| panic!("{key}"));
                assert_eq!(arg.get_long().unwrap().replace('-', "_"), key);
            }
        }
    }
}

//! `imts completions`: the script for a shell, and the answers to its questions.
//!
//! The script asks by running this program with the variable IMTS_COMPLETE. Does not know what can come
//! next: the parser of arguments does, and [`crate::suggest`] for what the parser does not know.

use clap::{Arg, Command};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;

use crate::args::{self, Completions};
use crate::config;
use crate::failure::Failure;
use crate::out;

/// The variable by which a script asks.
const ASKED: &str = "IMTS_COMPLETE";

/// Answers a script's question, and ends the process. Does nothing without one.
pub(crate) fn answer() {
    CompleteEnv::with_factory(|| with_profiles(args::command())).var(ASKED).complete();
}

/// Lets the names of the profiles be completed.
fn with_profiles(command: Command) -> Command {
    let names = || config::profile_names().into_iter().map(CompletionCandidate::new).collect();
    let with_names = move |arg: Arg| match arg.get_id() == "profile" {
        true => arg.add(ArgValueCandidates::new(names)),
        false => arg,
    };
    command.mut_args(with_names).mut_subcommands(with_profiles)
}

/// Prints the script.
pub(crate) fn run(args: &Completions) -> Result<(), Failure> {
    let shells = Shells::builtins();
    let mut script = Vec::new();
    shells
        .completer(args.shell.as_str())
        .ok_or(std::io::ErrorKind::Unsupported.into())
        .and_then(|shell| shell.write_registration(ASKED, "imts", "imts", "imts", &mut script))
        .map_err(|error: std::io::Error| Failure::usage(error))?;
    out::line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::Command;
    use clap_complete::engine::complete;

    use crate::args;

    /// What can follow these words.
    fn offered(words: &[&str], next: &str) -> Vec<String> {
        let line: Vec<_> = words.iter().copied().chain([next]).map(OsString::from).collect();
        let index = words.len();
        let candidates = complete(&mut args::command(), line, index, None).unwrap();
        candidates.iter().map(|it| it.get_value().to_string_lossy().into_owned()).collect()
    }

    fn assert_each(command: &Command, words: &[&str]) -> usize {
        let (flags, commands) = (offered(words, "--"), offered(words, ""));
        let mut count = 0;
        for long in command.get_arguments().filter_map(clap::Arg::get_long) {
            assert!(flags.contains(&format!("--{long}")), "{words:?}:{long}:{flags:?}");
            count += 1;
        }
        for below in command.get_subcommands() {
            let name = below.get_name();
            assert!(commands.iter().any(|it| it == name), "{words:?}:{name}:{commands:?}");
            if name != "help" {
                count += assert_each(below, &[words, &[name]].concat());
            }
        }
        count
    }

    #[test]
    fn each_command_and_each_flag_is_offered() {
        let mut command = args::command();
        command.build();
        assert!(assert_each(&command, &["imts"]) > 100);
    }
}

//! Where a profile's secret comes from, and how it is got from there.
//!
//! Owns the sources: a file, a variable, a command, the platform's keychain. Never shows a secret.
//! Of a command, it shows only the program: an argument may be secret too.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use imts::Recovery;
use zeroize::Zeroizing;

use super::keychain;
use super::place::Place;
use crate::child::{self, NoOutput};
use crate::failure::{Failure, Kind};
use crate::input::Source;
use crate::timeout::TimeLimit;

/// The longest secret that is read, in bytes.
pub(crate) const MAX_SECRET: u64 = 65_536;

/// The source of a profile's secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SecretFrom {
    File(PathBuf),
    Variable(String),
    /// A program and its arguments, run without a shell.
    Command(Vec<String>),
    /// An entry of the platform's keychain.
    Keyring {
        service: String,
        user: String,
    },
}

impl SecretFrom {
    /// Reads the secret within a time limit. `place` is where the profile names this source.
    pub(crate) fn read(
        &self,
        place: &Place,
        limit: TimeLimit,
    ) -> Result<Zeroizing<String>, Failure> {
        let secret = match self {
            Self::File(path) => {
                let source = Source::File(path.clone());
                limit.bound("reading the secret", move || source.line(SECRET, MAX_SECRET))
            }
            Self::Variable(name) => Source::Variable(name.clone()).line(SECRET, MAX_SECRET),
            Self::Command(words) => printed(words, limit),
            Self::Keyring { service, user } => {
                let (service, user) = (service.clone(), user.clone());
                limit.bound("reading the secret", move || keychain::secret(&service, &user))
            }
        };
        secret.map_err(|failure| failure.advising_also(&format!("It is named by {place}.")))
    }
}

/// Runs a command and returns the line that it prints. Its stderr is this command's.
fn printed(words: &[String], limit: TimeLimit) -> Result<Zeroizing<String>, Failure> {
    let mut command = Command::new(words.first().map_or("", String::as_str));
    command.args(words.iter().skip(1));
    let program = program(words);
    let again = |message| Failure::new(Kind::TimedOut, Recovery::Retry { after: None }, message);
    match child::output(&mut command, None, MAX_SECRET, limit, || false) {
        Ok(line) => Source::Command(program.to_owned()).line_of(SECRET, &line),
        Err(NoOutput::NotRun(error)) => {
            let failure =
                Failure::usage(format!("the secret's command `{program}` cannot be run: {error}"));
            let is_line = words.first().is_some_and(|word| word != program);
            Err(if is_line { failure.advising(APART) } else { failure })
        }
        Err(NoOutput::Failed(status)) => {
            Err(Failure::usage(format!("the secret's command `{program}` failed ({status})")))
        }
        Err(NoOutput::TooLong(most)) => Err(Failure::usage(format!(
            "the secret's command `{program}` printed more than {most} bytes"
        ))),
        Err(NoOutput::TimedOut) => Err(again(format!(
            "the secret's command `{program}` took longer than --timeout allows"
        ))
        .advising(
            "It cannot ask anything at the terminal: unlock what it reads from first, or set a \
             longer --timeout.",
        )),
        Err(NoOutput::Interrupted) => Err(Failure::usage("this command was interrupted")),
    }
}

impl fmt::Display for SecretFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::Command(words) => {
                write!(f, "the command `{}`", program(words))
            }
            Self::Keyring { service, user } => {
                write!(f, "the keychain's entry of service {service} and user {user}")
            }
        }
    }
}

/// Without the arguments of a command.
impl fmt::Debug for SecretFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The program without what follows it: a person may have written arguments there, too.
fn program(words: &[String]) -> &str {
    words.first().and_then(|word| word.split_whitespace().next()).unwrap_or_default()
}

const APART: &str = "No shell reads it: give the program and each argument as a text of its own.";
const SECRET: &str = "the secret";

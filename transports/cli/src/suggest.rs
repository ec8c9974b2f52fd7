//! What can come next on a command line, if the parser of arguments does not know it: operations and
//! files.
//!
//! A failure suggests nothing: its message would be printed into the line.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};

use crate::service_file;

/// How long reading a service file may take. A person waits for the answer.
const LONGEST_READ: Duration = Duration::from_secs(2);

/// Completes the name of an operation: the built-in ones, and those of the service file that the line
/// names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operations;

impl ValueCompleter for Operations {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let Some(begin) = current.to_str() else { return Vec::new() };
        let variable = || env::var_os("IMTS_SERVICE_FILE").map(PathBuf::from);
        let file = service_file_of(env::args_os()).or_else(variable);
        let service = service_file::of(file.as_deref(), LONGEST_READ)
            .or_else(|_| service_file::of(None, LONGEST_READ));
        let Ok(service) = service else { return Vec::new() };
        let operations = service.operations().iter().filter(|it| it.name().starts_with(begin));
        operations
            .map(|it| {
                let path = if it.path().is_some() { "" } else { ", path unknown" };
                let help = format!("{}{path}", it.class().as_str());
                CompletionCandidate::new(it.name()).help(Some(help.into()))
            })
            .collect()
    }
}

/// Completes the file after `@`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AfterAt;

impl ValueCompleter for AfterAt {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let path = current.to_str().and_then(|current| current.strip_prefix('@'));
        let Some(path) = path else { return Vec::new() };
        let files = PathCompleter::any().complete(OsStr::new(path));
        files.into_iter().map(|file| file.add_prefix("@")).collect()
    }
}

/// Returns the service file of a line, as it is written there.
fn service_file_of(mut line: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    while let Some(word) = line.next() {
        if word == "--service-file" {
            return line.next().map(PathBuf::from);
        }
        if let Some(file) = word.to_str().and_then(|word| word.strip_prefix("--service-file=")) {
            return Some(PathBuf::from(file));
        }
    }
    None
}

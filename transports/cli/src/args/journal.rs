//! `imts journal`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::service::time_limit;

#[derive(Debug, Parser)]
pub(crate) struct Journal {
    #[command(subcommand)]
    pub(crate) command: JournalCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// List the calls in doubt: they were sent, and no reply says what became of them.
    List(List),
    /// Write down what you found out about a call in doubt.
    Resolve(Resolve),
    /// Take a copy of a journal, such as a restored backup, for the journal from here on.
    Accept(Accept),
    /// Make a journal small: what ended leaves it, and of what was done a hash stays.
    Compact(Compact),
    /// Have a command of your own find out about each call in doubt, and write down its answers.
    Reconcile(Reconcile),
}

#[derive(Debug, Parser)]
#[command(after_long_help = "\
Another process may have the journal open meanwhile.

Exit codes: 0 done, whether or not a call is in doubt; 2 usage; 5 interrupted.")]
pub(crate) struct List {
    /// The journal.
    pub(crate) file: PathBuf,

    /// List every call, whatever became of it.
    #[arg(long)]
    pub(crate) all: bool,

    /// Print one JSON array of calls.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Parser)]
#[command(after_long_help = "\
Ask the service first: its operations status, info and search say what became of a call. What is \
written down here is believed from then on, and cannot be taken back.

If another process has the journal open, it is waited for within --timeout. A service that keeps its \
journal open for as long as it runs must be asked itself to resolve its calls.

While the call's sender may be alive, nothing is written down. A free journal proves that its senders are \
gone; those of the original of an accepted copy are waited for until their time is over.

Exit codes: 0 written down; 2 usage; 5 interrupted, and nothing was written down; 10 the call may still \
be under way; 12 another process has the journal open.")]
pub(crate) struct Resolve {
    /// The journal.
    pub(crate) file: PathBuf,

    /// The call's number, as `imts journal list` prints it.
    pub(crate) id: u64,

    /// What the service says became of the call.
    #[arg(long = "as", value_enum, value_name = "WHAT")]
    pub(crate) ended: Ended,

    /// How you found it out, such as the service's answer: it is written down with your user name.
    /// Never a card number.
    #[arg(long, value_name = "TEXT", value_parser = words)]
    pub(crate) reason: Option<String>,

    #[command(flatten)]
    pub(crate) folder: Folder,

    /// How long to wait for another process to close the journal, such as 500ms, 10s or 2m.
    #[arg(long, default_value = "10s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// Print the call as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Parser)]
#[command(after_long_help = "\
The command runs once for each call in doubt, the oldest first. It gets the call on stdin, as one line \
of JSON, as `imts journal list --json` prints it. It ends with exit code 0 and prints one word:

  done     the service did it: the call is written down as done, and its reference is not sent again
  refused  the service refused it, or never did it: the same reference may be sent again. If the \
service did it after all, it is then done twice
  unknown  nothing is known: the call stays in doubt

Whatever else it prints, and any other exit code, counts as unknown. The call itself is never sent \
from here. The journal stays locked all the while, so that nobody sends meanwhile what was just asked \
about.

Ctrl-C, SIGTERM and SIGHUP end it, and the command too, with all that it has started: by SIGTERM, and two \
seconds later by SIGKILL. The same ends a run that takes longer than --each. What was written down stays.

Exit codes: 0 nothing is in doubt any more; 2 usage; 5 interrupted; 7 some calls are still in doubt; 12 \
another process has the journal open.")]
pub(crate) struct Reconcile {
    /// The journal.
    pub(crate) file: PathBuf,

    /// The command, run by the shell (`sh -c`; on Windows `cmd /C`).
    #[arg(long = "with", value_name = "COMMAND")]
    pub(crate) command: String,

    #[command(flatten)]
    pub(crate) folder: Folder,

    /// How long to pause between two runs of the command: the service may ask for a pace.
    #[arg(long, default_value = "2s", value_parser = pause, value_name = "TIME")]
    pub(crate) pause: Duration,

    /// How long one run of the command may take. It is ended then, and the call stays in doubt.
    #[arg(long, default_value = "60s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) each: Duration,

    /// How long to wait for another process to close the journal, such as 500ms, 10s or 2m.
    #[arg(long, default_value = "10s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// Print one JSON object for each call, and last one for an error, if there is one.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Parser)]
#[command(after_long_help = "\
A copy of a journal does not know what the original has permitted since the copy was made: a call that \
was sent after that would be sent again. So a copy is refused until it is accepted. First ask the service \
what it has done since the copy was made. Every call in the copy that has no end is in doubt afterwards.

Exit codes: 0 accepted; 2 usage; 5 interrupted, and nothing was accepted; 12 another process has the journal \
open.")]
pub(crate) struct Accept {
    /// The journal: a copy, where the journal is to be from now on.
    pub(crate) file: PathBuf,

    /// Why the copy may be used, such as what the service was asked: it is written down with your user
    /// name. Never a card number.
    #[arg(long, value_name = "TEXT", value_parser = words)]
    pub(crate) reason: String,

    #[command(flatten)]
    pub(crate) folder: Folder,

    /// How long to wait for another process to close the journal, such as 500ms, 10s or 2m.
    #[arg(long, default_value = "10s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// Print one JSON object that says how many calls are in doubt.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Parser)]
#[command(after_long_help = "\
A call that was done becomes a hash, so that the same intent is still never sent again. What was refused \
or not sent leaves the journal. Calls in doubt, without an end, or resolved stay as they are.

The compact file is written beside the journal and then takes its place. If anything fails, or the \
command is killed, the journal is what it was. Versions of this program from before refuse a compact \
journal. A journal also compacts itself while calls are made, from 16 MiB on.

Exit codes: 0 compacted; 2 usage, or the journal cannot be compacted; 12 another process has the journal \
open.")]
pub(crate) struct Compact {
    /// The journal.
    pub(crate) file: PathBuf,

    /// Forget the calls that were done more than this many days ago. **Their intents may be sent again
    /// then**: without this, they are remembered for ever.
    #[arg(long, value_name = "DAYS")]
    pub(crate) keep_done: Option<NonZeroU32>,

    #[command(flatten)]
    pub(crate) folder: Folder,

    /// How long to wait for another process to close the journal, such as 500ms, 10s or 2m.
    #[arg(long, default_value = "10s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// Print one JSON object: bytes, calls and hashes before and after.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a journal's file system need not promise.
#[derive(Clone, Debug, Args)]
pub(crate) struct Folder {
    /// Use the journal though its file system cannot promise that a new file outlives a crash: some
    /// network file systems do not sync folders. Only if the file is kept by other means.
    #[arg(long)]
    pub(crate) allow_unsynced_folder: bool,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Ended {
    /// The service did it. Its reference is not sent again.
    Done,
    /// The service refused it, or never did it. The same reference may be sent again: if the service
    /// did it after all, it is then done twice.
    Refused,
}

impl JournalCommand {
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::List(args) => args.json,
            Self::Resolve(args) => args.json,
            Self::Accept(args) => args.json,
            Self::Compact(args) => args.json,
            Self::Reconcile(args) => args.json,
        }
    }
}

/// A pause, which may be none at all.
fn pause(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| error.to_string())
}

/// A reason, which is not to be blank.
pub(super) fn words(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("say why in a few words".to_owned()),
        words => Ok(words.to_owned()),
    }
}

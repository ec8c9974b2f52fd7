//! `imts journal`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::place::{JournalAt, JournalPassword};
use super::service::{duration, time_limit};
use super::value::{call_number, days, path, switch};

#[derive(Debug, Parser)]
#[command(before_help = "Example: imts journal list journal")]
pub(crate) struct Journal {
    #[command(subcommand)]
    pub(crate) command: JournalCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// List the calls in doubt: they were sent, and their outcome is unknown.
    List(List),
    /// Record what you found out about a call in doubt.
    Resolve(Resolve),
    /// Accept a copy of a journal, such as a restored backup, as the journal.
    Accept(Accept),
    /// Make a journal smaller: keep only a hash of each call that was done.
    Compact(Compact),
    /// Run a command that finds out about each call in doubt, and record its answers.
    Reconcile(Reconcile),
    /// Create the tables of a journal in a database, or bring them up to date.
    Migrate(Migrate),
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts journal list journal",
    after_long_help = "\
Another process may have the journal open.

Exit codes: 0 done, whether or not a call is in doubt; 2 usage; 5 interrupted."
)]
pub(crate) struct List {
    /// The journal: a file, or `postgres://USER@HOST/DATABASE`.
    #[arg(value_name = "JOURNAL")]
    pub(crate) at: JournalAt,

    #[command(flatten)]
    pub(crate) server: Server,

    /// List all calls, not only those in doubt.
    #[arg(long)]
    pub(crate) all: bool,

    /// Print one JSON array of calls.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts journal resolve journal 17 --as refused",
    after_long_help = "Ask the service first: its operations status, info and search return the \
                       outcome of a call. What you record here counts from then on, and cannot be \
                       taken back.

If another process has the journal open, the command waits for \
                       it, up to --timeout. If a server keeps its journal open for as long as it \
                       runs, resolve the calls through that server.

While the call's sender may \
                       be alive, nothing is recorded. If no process has the journal open, its \
                       senders are gone. The senders of the original of an accepted copy count as \
                       alive until their time limit has passed.

Exit codes: 0 recorded; 2 usage; \
                       5 interrupted, and nothing was recorded; 10 the call may still be under \
                       way; 12 another process has the journal open."
)]
pub(crate) struct Resolve {
    /// The journal: a file, or `postgres://USER@HOST/DATABASE`.
    #[arg(value_name = "JOURNAL")]
    pub(crate) at: JournalAt,

    #[command(flatten)]
    pub(crate) server: Server,

    /// The call's number, as `imts journal list` prints it.
    #[arg(value_parser = call_number)]
    pub(crate) id: u64,

    /// The outcome of the call, as the service says.
    #[arg(long = "as", value_enum, value_name = "WHAT")]
    pub(crate) ended: Ended,

    /// How you found it out, such as the service's answer. It is recorded with your user name. It must
    /// not hold a card number.
    #[arg(long, value_name = "TEXT", value_parser = words)]
    pub(crate) reason: Option<String>,

    #[command(flatten)]
    pub(crate) folder: Folder,

    /// How long to wait for another process to close the journal, such as 500ms, 10s or 2m.
    #[arg(long, env = "IMTS_TIMEOUT", default_value = "10s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// Print the call as one JSON object.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts journal reconcile journal --with './ask-the-service'",
    after_long_help = "\
The command runs once for each call in doubt, the oldest first. It reads the call from stdin: one line \
of JSON, as `imts journal list --json` prints it. It must end with exit code 0 and print one word:

  done     the service did it: the call is recorded as done, and its reference is not sent again
  refused  the service refused it, or never did it: the same reference may be sent again. If the \
service did it after all, it is then done twice
  unknown  nothing is known: the call stays in doubt

Any other output and any other exit code count as unknown. The call itself is never sent. The journal \
stays locked meanwhile, so that no process sends a call that is being asked about.

Ctrl-C, SIGTERM and SIGHUP end it, and the command with all its processes: by SIGTERM, and two seconds \
later by SIGKILL. A run that takes longer than --each ends in the same way. What was recorded stays.

Exit codes: 0 nothing is in doubt any more; 2 usage; 5 interrupted; 7 some calls are still in doubt; 12 \
another process has the journal open."
)]
pub(crate) struct Reconcile {
    /// The journal: a file, or `postgres://USER@HOST/DATABASE`.
    #[arg(value_name = "JOURNAL")]
    pub(crate) at: JournalAt,

    #[command(flatten)]
    pub(crate) server: Server,

    /// The command, run by the shell (`sh -c`; on Windows `cmd /C`).
    #[arg(long = "with", env = "IMTS_RECONCILE_WITH", value_name = "COMMAND", value_parser = shell_line)]
    pub(crate) command: String,

    #[command(flatten)]
    pub(crate) folder: Folder,

    /// How long to pause between two runs of the command.
    #[arg(long, env = "IMTS_RECONCILE_PAUSE", default_value = "2s", value_parser = pause, value_name = "TIME")]
    pub(crate) pause: Duration,

    /// How long one run of the command may take. After that it is ended, and the call stays in doubt.
    #[arg(long, env = "IMTS_RECONCILE_EACH", default_value = "60s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) each: Duration,

    /// How long to wait for another process to close the journal, such as 500ms, 10s or 2m.
    #[arg(long, env = "IMTS_TIMEOUT", default_value = "10s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// Print one JSON object for each call, and one for an error at the end, if there is one.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts journal accept journal --reason 'restored on Monday'",
    after_long_help = "\
A copy of a journal does not know the calls that were sent after it was made: they would be sent again. So \
a copy is refused until it is accepted. First ask the service what it has done since the copy was made. \
After that, each call in the copy that has no end is in doubt.

Exit codes: 0 accepted; 2 usage; 5 interrupted, and nothing was accepted; 12 another process has the journal \
open."
)]
pub(crate) struct Accept {
    /// The copy, in the place where the journal is to be; or `postgres://USER@HOST/DATABASE`, after a
    /// failover or a restore of the database.
    #[arg(value_name = "JOURNAL")]
    pub(crate) at: JournalAt,

    #[command(flatten)]
    pub(crate) server: Server,

    /// Why the copy may be used, such as what the service answered. It is recorded with your user name.
    /// It must not hold a card number.
    #[arg(long, value_name = "TEXT", value_parser = words)]
    pub(crate) reason: String,

    #[command(flatten)]
    pub(crate) folder: Folder,

    /// How long to wait for another process to close the journal, such as 500ms, 10s or 2m.
    #[arg(long, env = "IMTS_TIMEOUT", default_value = "10s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// Print one JSON object with the number of calls in doubt.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts journal compact journal",
    after_long_help = "\
A call that was done becomes a hash, so that the same intent is still not sent again. A call that was \
refused or not sent leaves the journal. Calls in doubt, without an end, or resolved stay as they are.

The compact file is written beside the journal and then replaces it. If anything fails, or the command is \
killed, the journal stays what it was. Earlier versions of this program refuse a compact journal. From \
16 MiB on, a journal also compacts itself while calls are made.

Exit codes: 0 compacted; 2 usage, or the journal cannot be compacted; 12 another process has the journal \
open."
)]
pub(crate) struct Compact {
    /// The journal: a file.
    #[arg(value_name = "FILE", value_parser = path())]
    pub(crate) file: PathBuf,

    /// Forget the calls that were done more than this many days ago. **Their intents may then be sent
    /// again.** Without this option, they are remembered for ever.
    #[arg(long, value_name = "DAYS", value_parser = days, allow_negative_numbers = true)]
    pub(crate) keep_done: Option<NonZeroU32>,

    #[command(flatten)]
    pub(crate) folder: Folder,

    /// How long to wait for another process to close the journal, such as 500ms, 10s or 2m.
    #[arg(long, env = "IMTS_TIMEOUT", default_value = "10s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// Print one JSON object: bytes, calls and hashes before and after.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts journal migrate postgres://payer@db.example/payments",
    after_long_help = "\
It may be run again, and by several processes at once. The user of the address becomes the owner of the \
tables. Give the users of the journal the rights to read and write them.

Exit codes: 0 the tables are up to date; 2 usage, or the tables are of a later version; 5 the database does not \
answer, or interrupted."
)]
pub(crate) struct Migrate {
    /// The database: `postgres://USER@HOST/DATABASE`.
    #[arg(value_name = "URL")]
    pub(crate) at: JournalAt,

    #[command(flatten)]
    pub(crate) server: Server,

    /// Print one JSON object with the versions before and after.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}

/// How a journal in a database is reached.
#[derive(Clone, Debug, Args)]
pub(crate) struct Server {
    #[command(flatten)]
    pub(crate) password: JournalPassword,

    /// A PEM file of certificates to trust beside the machine's own, for a database.
    #[arg(long, env = "IMTS_CA_FILE", value_name = "FILE", value_parser = path())]
    pub(crate) ca_file: Option<PathBuf>,
}

/// What a journal's file system does not need to promise.
#[derive(Clone, Debug, Args)]
pub(crate) struct Folder {
    /// Accept a file system that cannot promise that a new file survives a crash: some network file
    /// systems do not sync folders. Use this only if the file is kept safe by other means.
    #[arg(long, env = "IMTS_ALLOW_UNSYNCED_FOLDER", value_parser = switch())]
    pub(crate) allow_unsynced_folder: bool,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Ended {
    /// The service did it. Its reference is not sent again.
    Done,
    /// The service refused it, or never did it. The same reference may be sent again. If the service did
    /// it after all, it is then done twice.
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
            Self::Migrate(args) => args.json,
        }
    }
}

/// A pause, which may be zero.
fn pause(text: &str) -> Result<Duration, String> {
    duration(text)
}

/// A command for the shell, which must not be blank.
fn shell_line(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("give the command that asks the service, such as './ask-the-service'".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// A reason, which must not be blank.
pub(super) fn words(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("give a reason in a few words".to_owned()),
        words => Ok(words.to_owned()),
    }
}

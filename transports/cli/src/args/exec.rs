//! `imts exec`.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Parser, ValueEnum, ValueHint};

use super::ServiceArgs;
use super::service::time_limit;
use super::value::{VariableName, line};

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts exec --base-url https://host.example -- curl -H @/dev/fd/3 https://host.example/path",
    after_long_help = "\
The command replaces imts: it has the same process id, gets all signals, and its exit status is the one \
that you see. File descriptor 3 holds the header line `Authorization: Bearer …`; most programs read it as \
`/dev/fd/3`. On Linux, each opening reads it from the start; on other systems it can be read once. \
IMTS_TOKEN_FD holds the number. No argument and, without --env, no variable holds the token. \
IMTS_AGENT_SECRET, IMTS_STORE_PASSWORD and IMTS_JOURNAL_PASSWORD are removed from its environment.

The token is not renewed: it lives as long as the service says. See `imts token`.

Exit codes: those of the command, and 128+N if the shell reports that signal N ended it. If the command \
did not run, the code is 125 (imts failed; the message says why), 126 (the command cannot be run) or 127 \
(it was not found)."
)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,

    /// What to pass. The default is `header`; with --env, it is `token`.
    #[arg(long = "as", value_enum, value_name = "FORM")]
    pub(crate) form: Option<Form>,

    /// The file descriptor to pass it on. It must be free.
    #[arg(
        long,
        default_value_t = 3,
        value_parser = descriptor,
        value_name = "N"
    )]
    pub(crate) fd: i32,

    /// Pass it in this environment variable, and on no file descriptor. Other programs of the same user
    /// can read a program's variables.
    #[arg(long, value_name = "NAME", conflicts_with = "fd")]
    pub(crate) env: Option<VariableName>,

    /// How long getting the token may take, such as 500ms, 10s or 2m. The command has no time limit.
    #[arg(long, env = "IMTS_TIMEOUT", default_value = "10s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// The command and its arguments.
    #[arg(last = true, required = true, value_hint = ValueHint::CommandName)]
    pub(crate) command: Vec<OsString>,
}

/// What the command gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// The line `Authorization: Bearer TOKEN`.
    Header,
    /// The access token alone.
    Token,
}

fn descriptor(text: &str) -> Result<i32, String> {
    let number = line(text)?.parse().ok().filter(|number| (3..=255).contains(number));
    number.ok_or_else(|| "give a number from 3 to 255".to_owned())
}

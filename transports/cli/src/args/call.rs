//! `imts call`.

use std::time::Duration;

use clap::{Args, Parser};
use clap_complete::engine::ArgValueCompleter;

use super::journal::{Folder, words};
use super::service::time_limit;
use super::value::{call_number, line, switch};
use super::{JournalAt, JournalPassword, ServiceArgs};
use crate::suggest;

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts call fees -d @request.json --base-url https://host.example",
    after_long_help = "Most paths are printed only on the vendor's pages: give one with --path or in a \
                       service file. A call that creates something or moves money is sent once. It \
                       is sent again only with proof that it was not processed.

On success, the \
                       payload of the reply is printed unchanged. On failure, the next step is \
                       printed. Exit code 6 means that the request was sent and its outcome is \
                       unknown. Call status, info or search to find out. Do not send it again \
                       unless they say that it was not done.

With -d KEY=TEXT the field is a string: it \
                       holds the text as it is. With -d KEY:=JSON it is any JSON: a number keeps \
                       all its digits. KEY=@FILE and KEY:=@FILE read the text or the JSON from a \
                       file, and KEY=@- from stdin. A key begins with a letter or `_`, and has only \
                       letters, digits, `_` and `-`. Give an object inside the request as \
                       KEY:=JSON.

Credentials come from IMTS_AGENT_ID \
                       and IMTS_AGENT_SECRET, or from --agent-id and --secret-file.

Ctrl-C, \
                       SIGTERM and SIGHUP end the command with one outcome. If any byte of a call \
                       that creates something or moves money may have been sent, the exit code is \
                       6. Otherwise it is 5: nothing was sent, or the call only reads. The journal \
                       records what was not sent.

Exit codes: 0 done; 2 usage or endpoint; 3 \
                       refused by the service; 4 a reply that is malformed or unexpected; 5 \
                       transport failed, timed out or interrupted; 6 outcome unknown: it was sent. \
                       Codes 7 to 12 mean that nothing was sent: 7 an earlier call of this \
                       reference is in doubt; 8 it was done already; 9 the reference was used for \
                       another request; 10 another caller is sending it now; 11 there is no \
                       reference; 12 another process has the journal open.

To try it, run `imts \
                       sandbox`: it prints an example that works."
)]
pub(crate) struct Call {
    /// The operation's name, such as `fees`: see `imts operations`.
    #[arg(add = ArgValueCompleter::new(suggest::Operations))]
    pub(crate) operation: String,

    /// Use this path for the operation, such as `/v5/partner/transfer/fees`. Its class stays the one
    /// that `imts operations` prints.
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,

    /// The request: JSON, `@FILE`, or `-` for stdin. Or one field for each -d: `KEY=TEXT`,
    /// `KEY:=JSON`, `KEY=@FILE` or `KEY:=@FILE`. Without this option, it is `{}`. Do not pass secrets
    /// or personal data as an argument; use a file or stdin.
    #[arg(
        short,
        long,
        value_name = "JSON|@FILE|-|KEY=TEXT",
        add = ArgValueCompleter::new(suggest::AfterAt)
    )]
    pub(crate) data: Vec<String>,

    /// Your own name for the call, to find its outcome later. It is printed and recorded, so it must
    /// not be a card number. With --journal, a call that creates something or moves money needs one.
    /// Without this option, it is read from the field that the service file names as
    /// `reference_field`; for create-transfer, that is `client_uuid`.
    #[arg(long, value_name = "ID")]
    pub(crate) reference: Option<String>,

    #[command(flatten)]
    pub(crate) sending: Sending,

    /// Send although call ID of the journal is in doubt, or done, or had another request. THIS CAN MOVE
    /// THE MONEY TWICE. Ask the service first. If it says that call ID was not done, use the safe way:
    /// `imts journal resolve FILE ID --as refused`. The decision and --reason are recorded in the
    /// journal.
    #[arg(long, value_name = "ID", requires = "reason", value_parser = call_number)]
    pub(crate) resend_despite: Option<u64>,

    /// Why it is safe to send again, in your own words; for --resend-despite only.
    #[arg(long, value_name = "TEXT", requires = "resend_despite", value_parser = words)]
    pub(crate) reason: Option<String>,

    #[command(flatten)]
    pub(crate) service: ServiceArgs,

    /// How long the whole command may take, such as 500ms, 10s or 2m.
    #[arg(
        long,
        env = "IMTS_TIMEOUT",
        default_value = "30s",
        value_parser = time_limit,
        value_name = "TIME"
    )]
    pub(crate) timeout: Duration,

    /// Print one JSON object as the last line of stdout, for success and failure alike.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}

/// How calls are sent and recorded. A profile may say this too.
#[derive(Clone, Debug, Args)]
pub(crate) struct Sending {
    /// A journal file, created if it does not exist; or a journal in a database, which processes share:
    /// `postgres://USER@HOST/DATABASE`. A call that creates something or moves money is recorded there
    /// before it is sent. A reference that is in doubt or done there is not sent again. See
    /// `imts journal`.
    #[arg(long, env = "IMTS_JOURNAL", value_name = "FILE|URL")]
    pub(crate) journal: Option<JournalAt>,

    #[command(flatten)]
    pub(crate) password: JournalPassword,

    /// The longest reply to read, in bytes, up to 67108864. The default is the service file's
    /// `reply_limit`, or 65536.
    #[arg(long, env = "IMTS_REPLY_LIMIT", value_name = "BYTES", value_parser = reply_limit)]
    pub(crate) reply_limit: Option<usize>,

    #[command(flatten)]
    pub(crate) folder: Folder,
}

fn reply_limit(text: &str) -> Result<usize, String> {
    match line(text)?.parse() {
        Ok(limit) if (1..=imts::catalogue::MAX_REPLY_LIMIT).contains(&limit) => Ok(limit),
        _ => Err(format!("give a number of bytes from 1 to {}", imts::catalogue::MAX_REPLY_LIMIT)),
    }
}

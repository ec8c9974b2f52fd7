//! What can be said on the command line, and the words that explain it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

use crate::log::Log;

/// Freedom Pay's IMTS (International Money Transfer System) from the command line.
///
/// Nothing contacts the real service unless a base URL says so. To see what this does, without
/// credentials and without a network: `imts demo`.
#[derive(Debug, Parser)]
#[command(name = "imts", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Tell on stderr what is sent and received; twice tells more. Never a secret or a token.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

impl Args {
    pub(crate) fn log(&self) -> Log {
        Log::new(self.verbose)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Walk a session through every phase of its life, against a local sandbox. Needs nothing.
    Demo(Demo),
    /// Sign in once and tell how long the token lives.
    Token(Token),
    /// Serve a local sandbox of the service until interrupted.
    Sandbox(Sandbox),
}

#[derive(Debug, Parser)]
pub(crate) struct Demo {
    /// The HTTP client that carries the session.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) transport: TransportName,

    /// A sandbox that runs already (see `imts sandbox`), instead of one of the demo's own. The demo
    /// changes its settings.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// Print one JSON object a line; the last has the event `done`.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Parser)]
#[command(after_long_help = "\
Credentials come from IMTS_AGENT_ID and IMTS_AGENT_SECRET, or from --agent-id and --secret-file. A \
secret is never an argument: other users of the machine could read it.

Exit codes: 0 done; 2 usage or endpoint; 3 refused by the service; 4 a reply that is malformed or \
unexpected; 5 transport failed or timed out.")]
pub(crate) struct Token {
    /// The service's base URL, such as https://host.example. There is no default.
    #[arg(long, env = "IMTS_BASE_URL", value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// The agent's id.
    #[arg(long, env = "IMTS_AGENT_ID", value_name = "ID")]
    pub(crate) agent_id: Option<String>,

    /// A file with the agent's secret; `-` reads it from stdin, asking without echo on a terminal.
    /// Otherwise the secret is taken from IMTS_AGENT_SECRET.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,

    /// The HTTP client that carries the request.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) transport: TransportName,

    /// How long the whole command may take, such as 500ms, 10s or 2m.
    #[arg(long, default_value = "10s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// Permit http:// to this machine alone (127.0.0.0/8, [::1], localhost).
    #[arg(long)]
    pub(crate) plain_http: bool,

    /// Print one JSON object as the last line of stdout, for success and failure alike.
    #[arg(long)]
    pub(crate) json: bool,

    /// Print the access token itself: alone on stdout, or as `access_token` with --json.
    #[arg(long)]
    pub(crate) show: bool,
}

#[derive(Debug, Parser)]
pub(crate) struct Sandbox {
    /// The port to serve on, on loopback; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,

    /// How long access tokens live, such as 15m.
    #[arg(long, default_value = "15m", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) lifetime: Duration,

    /// How long refresh tokens live, such as 30d.
    #[arg(long, default_value = "30d", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) refresh_lifetime: Duration,

    /// Whether a refresh brings a new refresh token. What the real service does is unknown.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) rotation: RotationName,

    /// The id of the agent that may sign in; its secret is made up and printed.
    #[arg(long, default_value = "sandbox-agent", value_name = "ID")]
    pub(crate) agent: String,
}

/// The HTTP clients that are built in.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum TransportName {
    /// The blocking client ureq.
    #[default]
    Ureq,
}

impl TransportName {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ureq => "ureq",
        }
    }
}

/// What becomes of a refresh token that is used.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum RotationName {
    /// It stays good; the reply brings no new one.
    #[default]
    Never,
    /// It is retired; the reply brings a new one.
    Always,
}

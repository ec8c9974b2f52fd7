//! `imts store`.

use std::time::Duration;

use clap::{Parser, Subcommand};

use super::ServiceArgs;
use super::service::time_limit;
use super::value::switch;

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts store show --store file:/run/imts/session --base-url https://host.example --agent-id AGENT",
    after_long_help = "\
A store holds one session for all processes of an agent: one of them renews, and the others take its \
token. Before a renewal, a process claims it in the store, so that no refresh token is used twice. It is \
used with --store by `imts token`, `watch`, `exec` and `call`, and by programs over the library.

  file:PATH                the processes of one machine; a local disk; one file for each agent
  rediss://USER@HOST/0     several hosts, over TLS. Redis 5 to 8, or Valkey
  redis://127.0.0.1        without TLS, to this machine only
  unix:///run/redis.sock   a socket
  postgres://USER@HOST/DB  several hosts, by a table of PostgreSQL: create it with `imts store migrate`. Over \
TLS, other than to this machine

If a profile is named and no store is set, the session is cached in a file of your own: in the folder \
`imts/sessions` of XDG_STATE_HOME, or of `~/.local/state`. --no-store turns that off.

If the store does not answer, the command signs in by itself, and says so on stderr."
)]
pub(crate) struct Store {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Show what a store holds for an agent: never a token.
    Show(StoreOf),
    /// Empty an agent's entry: all its processes sign in again.
    #[command(before_help = "Example: imts store forget --profile production")]
    Forget(StoreOf),
    /// Create the table of a store in PostgreSQL.
    #[command(
        before_help = "Example: imts store migrate --store postgres://owner@db.example/payments",
        after_long_help = "\
It may be run again, and by several processes at once. The user of the address becomes the owner of the \
table. Give the users of the store the rights to select, insert and update. It needs neither the base URL \
nor an agent.

Exit codes: 0 the table is there; 2 usage, or the database refuses; 5 the store does not answer, or interrupted."
    )]
    Migrate(StoreOf),
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts store show --profile production",
    after_long_help = "\
The base URL and the agent name the entry. No secret is read, and the service gets no request. Without \
--store, it is the session that is cached for the profile.

Exit codes: 0 done; 2 usage, or an entry that cannot be used; 5 the store does not answer, or interrupted."
)]
pub(crate) struct StoreOf {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,

    /// How long the store may take, such as 500ms, 10s or 2m.
    #[arg(long, env = "IMTS_TIMEOUT", default_value = "10s", value_parser = time_limit, value_name = "TIME")]
    pub(crate) timeout: Duration,

    /// Print one JSON object.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}

impl StoreCommand {
    pub(crate) fn json(&self) -> bool {
        self.of().json
    }

    pub(crate) fn of(&self) -> &StoreOf {
        match self {
            Self::Show(args) | Self::Forget(args) | Self::Migrate(args) => args,
        }
    }

    pub(crate) fn of_mut(&mut self) -> &mut StoreOf {
        match self {
            Self::Show(args) | Self::Forget(args) | Self::Migrate(args) => args,
        }
    }
}

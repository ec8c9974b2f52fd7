//! `imts config`.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::service::time_limit;
use super::value::switch;
use super::{Sending, ServiceArgs};

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts config show --profile sandbox",
    after_long_help = "\
A setting comes from an option, else from its variable, else from the profile, else it has its default. \
A profile is used only if it is named, by --profile or IMTS_PROFILE. Profiles stand in \
`imts/config.toml` in the folder XDG_CONFIG_HOME, or `~/.config`:

  [profile.production]
  base_url = \"https://host.example\"
  agent_id = \"agent-7\"
  secret = { command = [\"pass\", \"show\", \"imts\"] }
  journal = \"journal\"                     # relative to this file's folder
  service_file = \"service.toml\"

The other keys are ca_file, proxy, transport, plain_http, plain_http_host, timeout, reply_limit, \
allow_unsynced_folder, store, no_store, store_password_file, store_key_file and journal_password_file. Each has the name of its option. The secret itself must not stand in the \
file. It comes from one of:

  secret = { file = \"PATH\" }
  secret = { variable = \"NAME\" }
  secret = { command = [\"PROGRAM\", \"ARGUMENT\"] }   # run without a shell; prints one line
  secret = { keyring = { service = \"imts\", user = \"agent-7\" } }

The file is refused if another user can write it, its folder or a folder above."
)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print each setting, and where it comes from.
    Show(Show),
    /// Try the settings, without a request to the service.
    Check(Check),
    /// List the profiles.
    List(List),
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts config show --profile sandbox",
    after_long_help = "\
The secret is not read, and not printed.

Exit codes: 0 done; 2 usage."
)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts config check --profile sandbox",
    after_long_help = "\
It reads each file, gets the secret from its source, reads the journal, and connects to the base URL: \
by TCP, through the proxy, and by TLS. It sends no request to the service, so it does not sign in. A \
check that needs a setting that is wrong is left out.

Exit codes: 0 all checks are ok; 2 a setting is wrong; 5 no connection, or interrupted."
)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts config list",
    after_long_help = "Exit codes: 0 done; 2 usage."
)]
pub(crate) struct List {
    /// Print one JSON object with the file and the names of its profiles.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}

/// Every setting that a profile may have.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,

    #[command(flatten)]
    pub(crate) sending: Sending,

    /// How long a command may take, such as 500ms, 10s or 2m. `imts call` has 30s by default.
    #[arg(
        long,
        env = "IMTS_TIMEOUT",
        default_value = "10s",
        value_parser = time_limit,
        value_name = "TIME"
    )]
    pub(crate) timeout: Duration,

    /// Print one JSON object.
    #[arg(long, env = "IMTS_JSON", value_parser = switch())]
    pub(crate) json: bool,
}

impl ConfigCommand {
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Show(args) => args.settings.json,
            Self::Check(args) => args.settings.json,
            Self::List(args) => args.json,
        }
    }

    pub(crate) fn settings_mut(&mut self) -> Option<&mut Settings> {
        match self {
            Self::Show(args) => Some(&mut args.settings),
            Self::Check(args) => Some(&mut args.settings),
            Self::List(_) => None,
        }
    }
}

//! The options of each command that contacts the service: its URL, the agent, the HTTP client.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::sharing::StoreArgs;
use super::value::{PlainHost, line, path, switch};
use super::{Line, ProxyFrom};
use crate::config::Chosen;

#[derive(Clone, Debug, Args)]
pub(crate) struct ServiceArgs {
    #[command(flatten)]
    pub(crate) profile: ProfileArg,

    /// The service's base URL, such as `https://host.example`. There is no default.
    #[arg(long, env = "IMTS_BASE_URL", value_name = "URL")]
    pub(crate) base_url: Option<Line>,

    /// The agent's id.
    #[arg(long, env = "IMTS_AGENT_ID", value_name = "ID")]
    pub(crate) agent_id: Option<Line>,

    /// A file with the agent's secret; `-` reads it from stdin, without echo on a terminal. Without this
    /// option, the secret is read from IMTS_AGENT_SECRET, or as the profile says.
    #[arg(long, env = "IMTS_SECRET_FILE", value_name = "FILE", value_parser = path())]
    pub(crate) secret_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) store: StoreArgs,

    /// The HTTP client.
    #[arg(long, env = "IMTS_TRANSPORT", value_enum, default_value_t)]
    pub(crate) transport: TransportName,

    /// Allow plain http, to this machine only: `127.0.0.0/8`, `[::1]`, `localhost`.
    #[arg(long, env = "IMTS_PLAIN_HTTP", value_parser = switch())]
    pub(crate) plain_http: bool,

    /// Allow plain http to this one host too, for a sandbox in another container, such as `sandbox`. The
    /// name must be the URL's host exactly, each of its addresses loopback or private, and not a host of
    /// the vendor. The secret and the tokens are in clear on that network: never do this with real ones.
    /// It goes through no proxy.
    #[arg(long, env = "IMTS_PLAIN_HTTP_HOST", value_name = "NAME")]
    pub(crate) plain_http_host: Option<PlainHost>,

    /// A PEM file of certificates to trust beside the machine's own, such as a company's CA.
    #[arg(long, env = "IMTS_CA_FILE", value_name = "FILE", value_parser = path())]
    pub(crate) ca_file: Option<PathBuf>,

    /// A proxy for https: `http://HOST:PORT`; or `env`, to use HTTPS_PROXY or ALL_PROXY; or `@FILE`, a
    /// file with the URL. Only the last two may have a user name and a password, as
    /// `http://USER:PASSWORD@HOST:PORT`. Without this option, no proxy is used. This machine is never
    /// reached through a proxy.
    #[arg(long, env = "IMTS_PROXY", value_name = "URL|env|@FILE")]
    pub(crate) proxy: Option<ProxyFrom>,

    /// A service file (TOML): the paths of operations, from the vendor's pages. See
    /// `imts operations --help`.
    #[arg(long, env = "IMTS_SERVICE_FILE", value_name = "FILE", value_parser = path())]
    pub(crate) service_file: Option<PathBuf>,

    /// What the profile says beside these options, and where each setting comes from.
    #[arg(skip)]
    pub(crate) chosen: Chosen,
}

/// The option that names a profile.
#[derive(Clone, Debug, Args)]
pub(crate) struct ProfileArg {
    /// A profile of `~/.config/imts/config.toml`: a base URL, an agent and other settings under one
    /// name. An option and a variable come before it. See `imts config --help`.
    #[arg(long, env = "IMTS_PROFILE", value_name = "NAME")]
    pub(crate) profile: Option<Line>,
}

/// The HTTP clients that are built in.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum TransportName {
    /// The blocking client ureq, on threads.
    #[default]
    Ureq,
    /// The client of hyper-util, on a tokio runtime.
    HyperUtil,
}

impl TransportName {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ureq => "ureq",
            Self::HyperUtil => "hyper-util",
        }
    }
}

/// The longest time that is waited for anything.
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// A time, such as `500ms`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(&line(text)?);
    time.map_err(|_| "give a number with a unit, such as 500ms, 10s or 2m".to_owned())
}

/// A time to wait at most; what is longer than a year counts as a year.
pub(super) fn time_limit(text: &str) -> Result<Duration, String> {
    let limit = duration(text)?;
    if limit.is_zero() {
        return Err("a time limit of 0 leaves no time: give more, such as 10s".to_owned());
    }
    Ok(limit.min(YEAR))
}

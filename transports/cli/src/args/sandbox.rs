//! `imts sandbox`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use super::value::{line, path};

#[derive(Debug, Parser)]
#[command(
    before_help = "Example: imts sandbox --lifetime 20s",
    after_long_help = "With --quiet, only its URL is printed.

Exit codes: 0 interrupted (Ctrl-C, SIGTERM or \
                       SIGHUP); 2 usage; 5 interrupted before it served."
)]
pub(crate) struct Sandbox {
    /// The address to listen on, such as 0.0.0.0 for all of this machine's IPv4 addresses. On any other
    /// address than loopback, anyone who reaches it can use and control the sandbox. Its secrets protect
    /// nothing. This is for the network of a few containers, or of a CI job.
    #[arg(
        long,
        env = "IMTS_SANDBOX_HOST",
        default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST),
        value_parser = address,
        value_name = "ADDR"
    )]
    pub(crate) host: IpAddr,

    /// The port to listen on; with 0, the system picks a free one.
    #[arg(long, env = "IMTS_SANDBOX_PORT", default_value_t = 0)]
    pub(crate) port: u16,

    /// How long access tokens live, such as 15m.
    #[arg(long, env = "IMTS_SANDBOX_LIFETIME", default_value = "15m", value_parser = lifetime, value_name = "TIME")]
    pub(crate) lifetime: Duration,

    /// How long refresh tokens live, such as 30d.
    #[arg(
        long,
        env = "IMTS_SANDBOX_REFRESH_LIFETIME",
        default_value = "30d",
        value_parser = lifetime,
        value_name = "TIME"
    )]
    pub(crate) refresh_lifetime: Duration,

    /// Whether a refresh brings a new refresh token. What the real service does is unknown.
    #[arg(long, env = "IMTS_SANDBOX_ROTATION", value_enum, default_value_t)]
    pub(crate) rotation: RotationName,

    /// The id of the agent that may sign in. Its secret is printed.
    #[arg(long, env = "IMTS_SANDBOX_AGENT", default_value = "sandbox-agent", value_name = "ID")]
    pub(crate) agent: String,

    /// A service file (TOML); its operations are served too. See `imts operations --help`.
    #[arg(long, env = "IMTS_SERVICE_FILE", value_name = "FILE", value_parser = path())]
    pub(crate) service_file: Option<PathBuf>,
}

/// What becomes of a refresh token that is used.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum RotationName {
    /// It stays valid; the reply brings no new one.
    #[default]
    Never,
    /// It expires; the reply brings a new one.
    Always,
    /// Like `always`; a second use revokes all tokens of the same sign-in.
    ReuseRevokesFamily,
    /// Like `always`; it may be used again for a minute.
    Grace,
}

fn address(text: &str) -> Result<IpAddr, String> {
    let address = line(text)?.parse();
    address.map_err(|_| {
        "give an IP address of this machine, such as 127.0.0.1 or 0.0.0.0; the port is --port"
            .to_owned()
    })
}

/// The longest lifetime that a sandbox grants.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = humantime::parse_duration(&line(text)?).map_err(|error| error.to_string())?;
    if lifetime < Duration::from_secs(1) {
        return Err("the service's dates have whole seconds: give 1s or more".to_owned());
    }
    if lifetime > LONGEST {
        return Err("give 100 years (36500d) or less".to_owned());
    }
    Ok(lifetime)
}

//! From flags and environment to an endpoint, credentials and a transport.

use std::env;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::mem;
use std::path::{Path, PathBuf};
use std::time::Duration;

use imts::endpoint::EndpointError;
use imts::{Builder, Credentials, Endpoint, Service};
use zeroize::{Zeroize, Zeroizing};

use crate::args::ServiceArgs;
use crate::carrier::{Carrier, Network};
use crate::failure::Failure;
use crate::terminal;
use crate::timeout::TimeLimit;

/// The longest secret that is read, in bytes.
const MAX_SECRET: u64 = 65_536;

/// Returns the endpoint for a base URL.
pub(crate) fn endpoint(url: Option<&str>, plain_http: bool) -> Result<Endpoint, Failure> {
    let url = url.ok_or_else(|| {
        Failure::usage(
            "no base URL: give --base-url or set IMTS_BASE_URL (there is no default; to \
                        try it, run `imts sandbox`)",
        )
    })?;
    let parsed = if plain_http { Endpoint::plain_loopback(url) } else { Endpoint::https(url) };
    parsed.map_err(|error| {
        let on_this_machine = Endpoint::plain_loopback(url).is_ok();
        match error {
            EndpointError::NotHttps if on_this_machine => Failure::endpoint(format!(
                "{error}; for a sandbox on this machine, add --plain-http"
            )),
            _ => Failure::endpoint(format!("the base URL cannot be used: {error}")),
        }
    })
}

/// All that is needed to connect to a service.
pub(crate) struct Connection {
    pub(crate) endpoint: Endpoint,
    pub(crate) builder: Builder,
    pub(crate) carrier: Carrier,
    /// How long the command may take, without the time in which a person types.
    pub(crate) limit: TimeLimit,
}

/// Collects the settings from flags, environment, files and the person at the terminal.
pub(crate) fn connection(
    service: &ServiceArgs,
    service_of: Service,
    timeout: Duration,
) -> Result<Connection, Failure> {
    let endpoint = endpoint(service.base_url.as_deref(), service.plain_http)?;
    let agent_id = service
        .agent_id
        .as_deref()
        .ok_or_else(|| Failure::usage("no agent id: give --agent-id or set IMTS_AGENT_ID"))?;
    let secret = Secret::given(service.secret_file.as_deref())?;
    let limit = TimeLimit::of(timeout);
    let mut secret = limit.bound("reading the secret", move || secret.read())?;
    let credentials =
        Credentials::new(agent_id, mem::take(&mut *secret)).map_err(Failure::usage)?;
    let (transport, network) = (service.transport, Network::of(service, &endpoint));
    let carrier = limit.bound("reading certificates", move || Carrier::new(transport, &network))?;
    let builder = Builder::new(endpoint.clone()).service(service_of).credentials(credentials);
    Ok(Connection { endpoint, builder, carrier, limit })
}

/// Where the secret comes from.
enum Secret {
    Known(Zeroizing<String>),
    File(PathBuf),
    Stdin,
}

impl Secret {
    /// Chooses the source. Asks the person at the terminal if the secret comes from there.
    fn given(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file else { return Self::of_environment() };
        if path != Path::new("-") {
            return Ok(Self::File(path.to_owned()));
        }
        if !io::stdin().is_terminal() {
            return Ok(Self::Stdin);
        }
        terminal::secret("Agent secret: ")
            .map(Self::Known)
            .map_err(|error| unreadable(path, &error))
    }

    fn of_environment() -> Result<Self, Failure> {
        match env::var("IMTS_AGENT_SECRET") {
            Ok(secret) => Ok(Self::Known(Zeroizing::new(secret))),
            Err(env::VarError::NotPresent) => Err(Failure::usage(
                "no secret: set IMTS_AGENT_SECRET, or give --secret-file FILE (- reads stdin)",
            )),
            Err(env::VarError::NotUnicode(_)) => {
                Err(Failure::usage("IMTS_AGENT_SECRET is not UTF-8"))
            }
        }
    }

    /// Reads the secret. A line break at its end is not part of it.
    fn read(self) -> Result<Zeroizing<String>, Failure> {
        let read = match self {
            Self::Known(secret) => return Ok(secret),
            Self::File(path) => {
                File::open(&path).and_then(read_all).map_err(|error| unreadable(&path, &error))
            }
            Self::Stdin => {
                read_all(io::stdin().lock()).map_err(|error| unreadable(Path::new("-"), &error))
            }
        };
        let mut secret = read?;
        let length = secret.trim_end_matches(['\r', '\n']).len();
        secret.truncate(length);
        Ok(secret)
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let place = if path == Path::new("-") { "stdin".into() } else { path.to_string_lossy() };
    Failure::usage(format!("cannot read the secret from {place}: {error}"))
}

fn read_all(source: impl Read) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4_096));
    source.take(MAX_SECRET + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SECRET {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "longer than 65536 bytes"));
    }
    String::from_utf8(mem::take(&mut *bytes)).map(Zeroizing::new).map_err(|error| {
        error.into_bytes().zeroize();
        io::Error::new(io::ErrorKind::InvalidData, "not UTF-8")
    })
}

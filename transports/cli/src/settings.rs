//! From flags and environment to an endpoint, credentials and a transport.

use std::env;
use std::io::{self, IsTerminal};
use std::mem;
use std::path::Path;
use std::time::Duration;

use imts::endpoint::{EndpointError, PlainHost};
use imts::{Builder, Credentials, Endpoint, Service};
use zeroize::Zeroizing;

use crate::args::ServiceArgs;
use crate::carrier::{Carrier, Network};
use crate::failure::Failure;
use crate::input::Source;
use crate::terminal;
use crate::timeout::TimeLimit;

/// The longest secret that is read, in bytes.
const MAX_SECRET: u64 = 65_536;

/// Returns the endpoint for a base URL. Plain http may go to this machine if `plain_http`, and to the
/// named host.
pub(crate) fn endpoint(
    url: Option<&str>,
    plain_http: bool,
    named: Option<&PlainHost>,
) -> Result<Endpoint, Failure> {
    let url = url.ok_or_else(|| {
        Failure::usage(
            "no base URL: give --base-url or set IMTS_BASE_URL (there is no default; to \
                        try it, run `imts sandbox`)",
        )
    })?;
    let parsed = match (plain_http, named) {
        (false, None) => Endpoint::https(url),
        (true, None) => Endpoint::plain_loopback(url),
        (false, Some(host)) => Endpoint::plain_named(url, host),
        (true, Some(host)) => {
            Endpoint::plain_loopback(url).or_else(|_| Endpoint::plain_named(url, host))
        }
    };
    parsed.map_err(|error| {
        let on_this_machine = Endpoint::plain_loopback(url).is_ok();
        match error {
            EndpointError::NotHttps | EndpointError::NotNamed if on_this_machine => {
                Failure::endpoint(format!(
                    "{error}; for a sandbox on this machine, add --plain-http"
                ))
            }
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
    let url = service.base_url.as_ref().map(|url| &*url.0);
    let named = service.plain_http_host.as_ref().map(|host| &host.0);
    let endpoint = endpoint(url, service.plain_http, named)?;
    let agent_id = service
        .agent_id
        .as_ref()
        .map(|agent_id| agent_id.0.as_str())
        .ok_or_else(|| Failure::usage("no agent id: give --agent-id or set IMTS_AGENT_ID"))?;
    let source = secret_source(service.secret_file.as_deref())?;
    let asked = if matches!(source, Source::Terminal) { Some(ask()?) } else { None };
    // The time in which a person types does not count.
    let limit = TimeLimit::of(timeout);
    let mut secret = match asked {
        Some(secret) => secret,
        None => limit.bound("reading the secret", move || source.line("the secret", MAX_SECRET))?,
    };
    is_no_argument(&secret)?;
    let credentials =
        Credentials::new(agent_id, mem::take(&mut *secret)).map_err(Failure::usage)?;
    let (transport, network) = (service.transport, Network::of(service, &endpoint));
    let carrier = limit.bound("reading certificates", move || Carrier::new(transport, &network))?;
    let builder = Builder::new(endpoint.clone()).service(service_of).credentials(credentials);
    Ok(Connection { endpoint, builder, carrier, limit })
}

/// Returns where the secret comes from.
fn secret_source(file: Option<&Path>) -> Result<Source, Failure> {
    match file {
        Some(path) if path == Path::new("-") && io::stdin().is_terminal() => Ok(Source::Terminal),
        Some(path) if path == Path::new("-") => Ok(Source::Stdin),
        Some(path) => Ok(Source::File(path.to_owned())),
        None if env::var_os(SECRET).is_some() => Ok(Source::Variable(SECRET)),
        None => Err(Failure::usage(
            "no secret: set IMTS_AGENT_SECRET, or give --secret-file FILE (- reads stdin)",
        )),
    }
}

/// Asks the person at the terminal for the secret.
fn ask() -> Result<Zeroizing<String>, Failure> {
    let secret = terminal::secret("Agent secret: ").map_err(|error| {
        Failure::usage(format!("cannot read the secret from the terminal: {error}"))
    })?;
    Source::Terminal.line_of("the secret", &secret)
}

/// Refuses a command line that holds the secret. A short secret may stand there by chance.
fn is_no_argument(secret: &str) -> Result<(), Failure> {
    const SHORTEST: usize = 12;
    let is_argument = || env::args_os().any(|arg| arg.to_string_lossy().contains(secret));
    if secret.len() >= SHORTEST && is_argument() {
        return Err(Failure::usage(
            "an argument holds the agent's secret, and other users of this machine can read \
             arguments: leave it out, and let the service give you another secret",
        ));
    }
    Ok(())
}

/// The variable of the secret.
const SECRET: &str = "IMTS_AGENT_SECRET";

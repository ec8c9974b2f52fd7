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
use crate::config::{MAX_SECRET, Place, SecretFrom};
use crate::failure::Failure;
use crate::input::Source;
use crate::store::{self, Shared};
use crate::terminal;
use crate::timeout::TimeLimit;

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

/// Returns the endpoint of these settings.
pub(crate) fn endpoint_of(service: &ServiceArgs) -> Result<Endpoint, Failure> {
    let url = service.base_url.as_ref().map(|url| &*url.0);
    let named = service.plain_http_host.as_ref().map(|host| &host.0);
    endpoint(url, service.plain_http, named)
}

/// All that is needed to connect to a service.
pub(crate) struct Connection {
    pub(crate) endpoint: Endpoint,
    pub(crate) builder: Builder,
    pub(crate) carrier: Carrier,
    /// Where the session is kept for other processes.
    pub(crate) store: Option<Shared>,
    /// How long the command may take, without the time in which a person types.
    pub(crate) limit: TimeLimit,
}

/// Collects the settings from flags, environment, files and the person at the terminal.
pub(crate) fn connection(
    service: &ServiceArgs,
    service_of: Service,
    timeout: Duration,
) -> Result<Connection, Failure> {
    let endpoint = endpoint_of(service)?;
    let agent_id = agent_id(service)?;
    let (mut secret, limit) = secret(service, timeout)?;
    let store = store::of(service, endpoint.as_str(), agent_id, limit)?;
    let credentials =
        Credentials::new(agent_id, mem::take(&mut *secret)).map_err(Failure::usage)?;
    let (transport, network) = (service.transport, Network::of(service, Some(&endpoint)));
    let carrier = limit.bound("reading certificates", move || Carrier::new(transport, &network))?;
    let mut builder = Builder::new(endpoint.clone()).service(service_of).credentials(credentials);
    if let Some(shared) = &store {
        builder = builder.store(shared.store.clone());
    }
    Ok(Connection { endpoint, builder, carrier, store, limit })
}

/// Returns the agent's id.
pub(crate) fn agent_id(service: &ServiceArgs) -> Result<&str, Failure> {
    let id = service.agent_id.as_ref().map(|id| id.0.as_str());
    id.ok_or_else(|| Failure::usage("no agent id: give --agent-id or set IMTS_AGENT_ID"))
}

/// Where the secret comes from.
pub(crate) enum SecretSource {
    Text(Source),
    Profile(SecretFrom, Place),
}

/// Returns where the secret comes from, if that is set: an option, a variable or the profile.
pub(crate) fn secret_source(service: &ServiceArgs) -> Result<Option<SecretSource>, Failure> {
    let is_variable = env::var_os(SECRET).is_some();
    let source = match service.secret_file.as_deref() {
        Some(_) if is_variable && !service.chosen.is_secret_file_given => {
            return Err(Failure::usage(
                "both IMTS_AGENT_SECRET and IMTS_SECRET_FILE are set: unset one of them",
            ));
        }
        Some(path) if path == Path::new("-") && io::stdin().is_terminal() => Source::Terminal,
        Some(path) if path == Path::new("-") => Source::Stdin,
        Some(path) => Source::File(path.to_owned()),
        None if is_variable => Source::Variable(SECRET.to_owned()),
        None => {
            let of_profile = service.chosen.secret().cloned();
            return Ok(of_profile.map(|(from, place)| SecretSource::Profile(from, place)));
        }
    };
    Ok(Some(SecretSource::Text(source)))
}

/// Gets the secret from its source. Returns what is left of the time limit too: the time in which a
/// person types does not count.
pub(crate) fn secret(
    service: &ServiceArgs,
    timeout: Duration,
) -> Result<(Zeroizing<String>, TimeLimit), Failure> {
    let source = secret_source(service)?.ok_or_else(|| {
        Failure::usage(
            "no secret: set IMTS_AGENT_SECRET, give --secret-file FILE (- reads stdin), or name \
             its source in a profile",
        )
    })?;
    let asked =
        if matches!(source, SecretSource::Text(Source::Terminal)) { Some(ask()?) } else { None };
    let limit = TimeLimit::of(timeout);
    let secret = match (asked, source) {
        (Some(secret), _) => secret,
        (None, SecretSource::Text(source)) => {
            let what = match source {
                Source::File(_) => "the secret (--secret-file)",
                _ => "the secret",
            };
            limit.bound("reading the secret", move || source.line(what, MAX_SECRET))?
        }
        (None, SecretSource::Profile(from, place)) => from.read(&place, limit)?,
    };
    is_no_argument(&secret)?;
    Ok((secret, limit))
}

/// Asks the person at the terminal for the secret.
fn ask() -> Result<Zeroizing<String>, Failure> {
    let secret = terminal::secret("Agent secret: ").map_err(|error| {
        Failure::usage(format!("cannot read the secret from the terminal: {error}"))
    })?;
    Source::Terminal.line_of("the secret", secret.as_bytes())
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
pub(crate) const SECRET: &str = "IMTS_AGENT_SECRET";

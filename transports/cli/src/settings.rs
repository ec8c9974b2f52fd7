//! From flags and environment to an endpoint and credentials.

use std::env;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use imts::{Credentials, Endpoint, EndpointError};
use zeroize::{Zeroize, Zeroizing};

use crate::failure::Failure;

/// The longest secret that is read, in bytes.
const MAX_SECRET: u64 = 65_536;

/// The endpoint that a base URL names.
pub(crate) fn endpoint(url: Option<&str>, plain_http: bool) -> Result<Endpoint, Failure> {
    let url = url.ok_or_else(|| {
        Failure::usage("no base URL: give --base-url or set IMTS_BASE_URL (there is no default)")
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

/// The credentials that flags and environment give.
pub(crate) fn credentials(
    agent_id: Option<&str>,
    secret_file: Option<&Path>,
) -> Result<Credentials, Failure> {
    let agent_id = agent_id
        .ok_or_else(|| Failure::usage("no agent id: give --agent-id or set IMTS_AGENT_ID"))?;
    let mut secret = match secret_file {
        Some(path) => read_secret(path)?,
        None => match env::var("IMTS_AGENT_SECRET") {
            Ok(secret) => Zeroizing::new(secret),
            Err(env::VarError::NotPresent) => {
                return Err(Failure::usage(
                    "no secret: set IMTS_AGENT_SECRET, or give --secret-file FILE (- reads stdin)",
                ));
            }
            Err(env::VarError::NotUnicode(_)) => {
                return Err(Failure::usage("IMTS_AGENT_SECRET is not UTF-8"));
            }
        },
    };
    Credentials::new(agent_id, std::mem::take(&mut *secret)).map_err(Failure::usage)
}

/// Reads a secret from a file, from stdin, or from the person at the terminal; a line break at its
/// end is not part of it.
fn read_secret(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let read = if path != Path::new("-") {
        File::open(path).and_then(read_all)
    } else if io::stdin().is_terminal() {
        rpassword::prompt_password("Agent secret: ").map(Zeroizing::new)
    } else {
        read_all(io::stdin().lock())
    };
    let mut secret = read.map_err(|error| {
        Failure::usage(format!("cannot read the secret from {}: {error}", path.display()))
    })?;
    let length = secret.trim_end_matches(['\r', '\n']).len();
    secret.truncate(length);
    Ok(secret)
}

fn read_all(source: impl Read) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4_096));
    source.take(MAX_SECRET + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SECRET {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "longer than 65536 bytes"));
    }
    String::from_utf8(std::mem::take(&mut *bytes)).map(Zeroizing::new).map_err(|error| {
        error.into_bytes().zeroize();
        io::Error::new(io::ErrorKind::InvalidData, "not UTF-8")
    })
}

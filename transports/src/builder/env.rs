//! A builder from environment variables, by the names and rules of the command `imts`.
//!
//! Owns the names. An error names the variable and never its value.

use std::env;
use std::ffi::OsString;
use std::mem;

use imts_core::endpoint::EndpointError;
use imts_core::secret::CredentialsError;
use imts_core::text::{self, TextError};
use imts_core::{Credentials, Endpoint};
use thiserror::Error;
use zeroize::Zeroizing;

use super::Builder;

const BASE_URL: &str = "IMTS_BASE_URL";
const AGENT_ID: &str = "IMTS_AGENT_ID";
const AGENT_SECRET: &str = "IMTS_AGENT_SECRET";

/// The longest accepted value, in bytes.
const MAX_LENGTH: usize = 65_536;

/// Why the environment does not have what a [`Builder`] needs. Each variant names the variable; none
/// holds its value, which may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnvError {
    /// The variable is not set.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// The value is longer than 65,536 bytes.
    #[error("{0} is longer than 65536 bytes")]
    TooLong(&'static str),
    /// The value is not a text of one line that its reader can see.
    #[error("{0} cannot be used: {1}")]
    Text(&'static str, TextError),
    /// `IMTS_BASE_URL` is not an https URL to send credentials to.
    #[error("{BASE_URL} cannot be used: {0}")]
    Endpoint(EndpointError),
    /// The credentials cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

impl Builder {
    /// Starts from environment variables: `IMTS_BASE_URL`, an https URL; `IMTS_AGENT_ID`; and
    /// `IMTS_AGENT_SECRET`. The command `imts` reads the same ones.
    ///
    /// One byte order mark at a value's start and one line break at its end are not part of it.
    /// Blank values and invisible characters are errors, so that a secret that was copied badly is
    /// not sent. The client keeps the credentials. The environment is read once, now; nothing else
    /// in this crate reads these variables.
    ///
    /// ```
    /// use imts::Builder;
    /// use imts::builder::EnvError;
    ///
    /// match Builder::from_env() {
    ///     Ok(builder) => println!("{builder:?}"), // the Debug form has no secret
    ///     Err(error) => assert!(error.to_string().contains("IMTS_"), "{error}"),
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`EnvError`] if a variable is missing or cannot be used.
    pub fn from_env() -> Result<Self, EnvError> {
        from(env::var_os::<&str>)
    }
}

fn from(variable: impl Fn(&'static str) -> Option<OsString>) -> Result<Builder, EnvError> {
    let value = |name| match variable(name) {
        Some(value) => read(name, value),
        None => Err(EnvError::Missing(name)),
    };
    let endpoint = Endpoint::https(&value(BASE_URL)?).map_err(EnvError::Endpoint)?;
    let (mut id, mut secret) = (value(AGENT_ID)?, value(AGENT_SECRET)?);
    let credentials = Credentials::new(mem::take(&mut *id), mem::take(&mut *secret))?;
    Ok(Builder::new(endpoint).credentials(credentials))
}

fn read(name: &'static str, value: OsString) -> Result<Zeroizing<String>, EnvError> {
    let bytes = Zeroizing::new(value.into_encoded_bytes());
    if bytes.len() > MAX_LENGTH {
        return Err(EnvError::TooLong(name));
    }
    let value = text::line(&bytes).map_err(|error| EnvError::Text(name, error))?;
    Ok(Zeroizing::new(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    use imts_core::endpoint::EndpointError;
    use imts_core::text::TextError;

    use super::{AGENT_ID, AGENT_SECRET, BASE_URL, EnvError, from, read};

    fn builder(changed: &[(&'static str, Option<&str>)]) -> Result<String, EnvError> {
        let mut variables = BTreeMap::from([
            (BASE_URL, "https://service.example\n"),
            (AGENT_ID, "\u{feff}agent-7"),
            (AGENT_SECRET, "s3cret\r\n"),
        ]);
        for (name, value) in changed {
            match value {
                Some(value) => variables.insert(name, value),
                None => variables.remove(name),
            };
        }
        from(|name| variables.get(name).map(OsString::from)).map(|builder| format!("{builder:?}"))
    }

    #[test]
    fn the_three_variables_make_a_builder_that_shows_no_secret() {
        let shown = builder(&[]).unwrap();
        assert!(shown.contains("https://service.example"), "{shown}");
        assert!(shown.contains("agent-7") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn what_is_missing_blank_or_invisible_is_an_error_that_names_the_variable_alone() {
        for name in [BASE_URL, AGENT_ID, AGENT_SECRET] {
            assert_eq!(builder(&[(name, None)]), Err(EnvError::Missing(name)));
            for blank in ["", " \t", "\u{feff}", "\n", "\n\n"] {
                assert_eq!(
                    builder(&[(name, Some(blank))]),
                    Err(EnvError::Text(name, TextError::Blank)),
                    "{blank:?}"
                );
            }
            let invisible = |character| TextError::Invisible { line: 1, character };
            for (odd, why) in [
                ('\n', TextError::Lines),
                ('\r', TextError::Lines),
                ('\t', invisible('\t')),
                ('\0', invisible('\0')),
                ('\u{200b}', invisible('\u{200b}')),
            ] {
                let error = builder(&[(name, Some(&format!("https://hidden{odd}.example")))]);
                assert_eq!(error, Err(EnvError::Text(name, why)));
                let error = error.unwrap_err().to_string();
                assert!(error.starts_with(name) && !error.contains("hidden"), "{error}");
            }
            let long = "x".repeat(65_537);
            assert_eq!(builder(&[(name, Some(&long))]), Err(EnvError::TooLong(name)));
        }
    }

    #[test]
    fn the_endpoint_is_https() {
        for url in ["http://service.example", "http://127.0.0.1:8080"] {
            let error = builder(&[(BASE_URL, Some(url))]).unwrap_err();
            assert_eq!(error, EnvError::Endpoint(EndpointError::NotHttps));
            assert!(error.to_string().starts_with("IMTS_BASE_URL cannot be used: "), "{error}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_value_that_is_not_utf_8_is_an_error() {
        use std::os::unix::ffi::OsStringExt;
        let value = OsString::from_vec(b"s\xff".to_vec());
        let error = EnvError::Text(AGENT_SECRET, TextError::NotUtf8 { line: 1 });
        assert_eq!(read(AGENT_SECRET, value).unwrap_err(), error);
        let wide: String = "\u{1}secret".chars().flat_map(|it| [it, '\0']).collect();
        let error = EnvError::Text(AGENT_SECRET, TextError::Utf16);
        assert_eq!(read(AGENT_SECRET, wide.into()).unwrap_err(), error);
    }
}

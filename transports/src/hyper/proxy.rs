//! Which proxy, if any, a connection goes through.
//!
//! Owns the reading of proxy URLs and, where that is asked for, of the environment. Loopback is
//! none of its business: it never goes through a proxy.

use std::fmt;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use thiserror::Error;

/// A proxy for https, reached by `CONNECT`.
pub struct Proxy(Matcher);

/// Why a proxy cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// Not `http://HOST:PORT` or `https://HOST:PORT`, with `USER:PASSWORD@` or without.
    #[error("the proxy is not http://HOST:PORT or https://HOST:PORT")]
    Malformed,
}

impl Proxy {
    /// The proxy at `http://HOST:PORT` or `https://HOST:PORT`; a user name and a password before
    /// the host are sent to it as `Proxy-Authorization`.
    ///
    /// # Errors
    ///
    /// [`ProxyError`].
    pub fn new(url: &str) -> Result<Self, ProxyError> {
        Self::with_exceptions(url, "")
    }

    /// The proxy that the environment names for https, `None` where it names none: the first of
    /// `HTTPS_PROXY`, `https_proxy`, `ALL_PROXY` and `all_proxy` that is set and not empty, except
    /// for what `NO_PROXY` or `no_proxy` lists.
    ///
    /// # Errors
    ///
    /// [`ProxyError`]: a variable that is set and cannot be used is not passed over.
    pub fn from_env() -> Result<Option<Self>, ProxyError> {
        let first = |names: &[&str]| {
            let value = |name| std::env::var_os(name).filter(|value| !value.is_empty());
            names.iter().find_map(value)
        };
        let Some(url) = first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]) else {
            return Ok(None);
        };
        let exceptions = first(&["NO_PROXY", "no_proxy"]).unwrap_or_default();
        let url = url.to_str().ok_or(ProxyError::Malformed)?;
        Self::with_exceptions(url, &exceptions.to_string_lossy()).map(Some)
    }

    fn with_exceptions(url: &str, exceptions: &str) -> Result<Self, ProxyError> {
        // The matcher drops a URL that it cannot use without a word.
        let any = Uri::from_static("https://host.invalid/");
        let proxy = Matcher::builder().https(url).build().intercept(&any);
        match proxy.as_ref().and_then(|proxy| proxy.uri().scheme_str()) {
            Some("http" | "https") => {
                Ok(Self(Matcher::builder().https(url).no(exceptions).build()))
            }
            _ => Err(ProxyError::Malformed),
        }
    }

    pub(super) fn intercept(&self, uri: &Uri) -> Option<Intercept> {
        self.0.intercept(uri)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy(..)")
    }
}

//! The merchant's own URLs, at which the gateway or the user's browser calls.
//!
//! Owns the check that a message for one of them is not accepted at another. Does not know what the
//! messages say.

use std::fmt;

use thiserror::Error;

use super::error::ScriptError;
use super::script::Script;

/// Which of the merchant's own URLs is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OwnUrl {
    /// The gateway asks before it takes money.
    Check,
    /// The gateway reports the result of a payment.
    Result,
    /// The gateway reports the result of a payout.
    Payout,
    /// The user's browser comes back after a payment.
    Success,
    /// The user's browser comes back without a payment.
    Failure,
}

impl fmt::Display for OwnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Check => "check",
            Self::Result => "result",
            Self::Payout => "payout",
            Self::Success => "success",
            Self::Failure => "failure",
        })
    }
}

/// The merchant's own URLs, each with a script of its own.
///
/// The script alone says which URL a message is for. If two URLs had the same last part, a user
/// could send the signed redirect of a browser to the URL for results.
///
/// ```
/// use imts_core::sign::pg_sig::{OwnUrl, OwnUrls};
///
/// let urls = OwnUrls::new([
///     (OwnUrl::Result, "https://shop.example/pay/result"),
///     (OwnUrl::Success, "https://shop.example/pay/success"),
/// ])?;
/// assert_eq!(urls.script(OwnUrl::Result).and_then(|it| it.name()), Some("result"));
///
/// let same = [
///     (OwnUrl::Result, "https://shop.example/result/pay"),
///     (OwnUrl::Success, "https://shop.example/success/pay"),
/// ];
/// assert!(OwnUrls::new(same).is_err());
/// # Ok::<(), imts_core::sign::pg_sig::OwnUrlError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OwnUrls(Vec<(OwnUrl, Script)>);

impl OwnUrls {
    /// Takes the URLs as they are configured.
    ///
    /// # Errors
    ///
    /// [`OwnUrlError`] if a URL has no script, or if two have the same one.
    pub fn new<'a>(urls: impl IntoIterator<Item = (OwnUrl, &'a str)>) -> Result<Self, OwnUrlError> {
        let mut scripts: Vec<(OwnUrl, Script)> = Vec::new();
        for (url, text) in urls {
            let script = Script::of(text).map_err(|why| OwnUrlError::Script { url, why })?;
            if scripts.iter().any(|(known, _)| *known == url) {
                return Err(OwnUrlError::Twice { url });
            }
            if let Some((other, _)) = scripts.iter().find(|(_, known)| *known == script) {
                return Err(OwnUrlError::Same { one: *other, other: url });
            }
            scripts.push((url, script));
        }
        Ok(Self(scripts))
    }

    /// Returns the script with which a message to this URL is signed.
    #[must_use]
    pub fn script(&self, url: OwnUrl) -> Option<&Script> {
        self.0.iter().find(|(known, _)| *known == url).map(|(_, script)| script)
    }

    /// Returns the URLs that are configured, in their order.
    pub fn iter(&self) -> impl Iterator<Item = OwnUrl> + '_ {
        self.0.iter().map(|(url, _)| *url)
    }

    /// Returns the URL to which a request came, by the last part of its path. An intermediary may
    /// have changed what stands before that.
    #[must_use]
    pub fn called_at(&self, path: &str) -> Option<OwnUrl> {
        let name = path.rsplit('/').next()?;
        let called = self.0.iter().find(|(_, script)| script.name() == Some(name));
        called.map(|(url, _)| *url)
    }
}

/// Why the merchant's own URLs cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OwnUrlError {
    /// A URL has no script.
    #[error("the {url} URL: {why}")]
    Script {
        /// The URL.
        url: OwnUrl,
        /// Why it has no script.
        why: ScriptError,
    },
    /// A URL is given twice.
    #[error("the {url} URL is given twice")]
    Twice {
        /// The URL.
        url: OwnUrl,
    },
    /// Two URLs have the same last part, so a signed message for one would be accepted at the
    /// other.
    #[error(
        "the {one} URL and the {other} URL end with the same name, so a message for one would be \
         accepted at the other: give them different last parts"
    )]
    Same {
        /// The first of them.
        one: OwnUrl,
        /// The second.
        other: OwnUrl,
    },
}

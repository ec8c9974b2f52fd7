//! The script: the name that a signature begins with.
//!
//! Owns the rule for it. Does not know whose URL it is.

use super::error::ScriptError;

/// The name that the string to sign begins with: the last part of the path of the called URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script(Option<String>);

impl Script {
    /// Returns the script of a URL or a path: what follows its last slash, up to `?`, `#` or the
    /// end (published).
    ///
    /// ```
    /// use imts_core::sign::pg_sig::Script;
    ///
    /// let script = Script::of("https://shop.example/pay/result?token=1")?;
    /// assert_eq!(script, Script::of("/pay/result")?);
    /// assert!(Script::of("https://shop.example/pay/result/").is_err());
    /// # Ok::<(), imts_core::sign::pg_sig::ScriptError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ScriptError`] if it is empty, or has other characters than ASCII letters, digits and
    /// `-._~`.
    pub fn of(url: &str) -> Result<Self, ScriptError> {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let path = match path.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map(|(_, path)| path),
            None => Some(path),
        };
        let name = path.and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        if name.is_empty() {
            return Err(ScriptError::Empty);
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !name.bytes().all(is_plain) {
            return Err(ScriptError::Character);
        }
        Ok(Self(Some(name.to_owned())))
    }

    /// Returns a script that does not follow the rule. Use it if the service is seen to sign with
    /// another name: one page prints `get_status.php` beside the URL `/get_status3.php`.
    #[must_use]
    pub fn exactly(name: impl Into<String>) -> Self {
        Self(Some(name.into()))
    }

    /// Returns the absent script: the string to sign then begins with the first value. One
    /// integrator says that the replies of `card/init` and `card/direct` are signed so. No page
    /// does.
    #[must_use]
    pub fn absent() -> Self {
        Self(None)
    }

    /// Returns the name, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

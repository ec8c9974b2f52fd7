//! What to persist of a session so that a restart, or a sibling process, goes on where it was.
//!
//! Owns the saved form: its fields, its version, its JSON. Knows nothing of files or databases, and
//! leaves it to the session what is restored and what is not believed.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::secret::Token;
use crate::time::Wall;

/// The tokens of a session and all that is needed to judge them later. **Holds secrets.**
///
/// It belongs to one endpoint and one agent, and is refused by a session of another. Its generation
/// grows with everything that is saved: of two states of one session, the higher is the newer.
#[derive(Clone)]
pub struct Saved {
    pub(crate) generation: u64,
    pub(crate) endpoint: String,
    pub(crate) agent_id: Option<String>,
    pub(crate) saved_at: Wall,
    /// Whether its access token replaces one that was rejected while it was young.
    pub(crate) after_rejection: bool,
    pub(crate) access: Option<SavedAccess>,
    pub(crate) refresh: Option<SavedRefresh>,
}

#[derive(Clone)]
pub(crate) struct SavedAccess {
    pub(crate) token: Token,
    /// Its end by the local wall clock.
    pub(crate) ends_at: Wall,
    pub(crate) lifetime: Duration,
    /// Its end by the server's clock.
    pub(crate) expire_at: Wall,
}

#[derive(Clone)]
pub(crate) struct SavedRefresh {
    pub(crate) token: Token,
    /// Its end by the local wall clock.
    pub(crate) ends_at: Wall,
    /// Its end by the server's clock.
    pub(crate) expire_at: Wall,
    /// Whether it may have been spent: its use had not ended when this was saved.
    pub(crate) in_doubt: bool,
}

/// The version of the saved form that this crate writes, and the only one that it reads.
pub(crate) const VERSION: u32 = 1;

/// The longest saved form that is read, in bytes.
#[cfg(feature = "persist")]
const MAX_LENGTH: usize = 65_536;

impl Saved {
    /// Which save of its session this is, across restarts and siblings; the first is 1.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The base URL of the service that its tokens belong to.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The agent that its tokens belong to.
    #[must_use]
    pub fn agent_id(&self) -> Option<&str> {
        self.agent_id.as_deref()
    }

    /// When it was made, by the wall clock of the machine that made it.
    #[must_use]
    pub fn saved_at(&self) -> Wall {
        self.saved_at
    }

    /// Whether its refresh token was about to be used when this was saved, so that a session which
    /// restores it takes that token for possibly spent.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.refresh.as_ref().is_some_and(|refresh| refresh.in_doubt)
    }
}

impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saved")
            .field("generation", &self.generation)
            .field("endpoint", &self.endpoint)
            .field("agent_id", &self.agent_id)
            .field("saved_at", &self.saved_at)
            .field("in_doubt", &self.is_in_doubt())
            .finish_non_exhaustive()
    }
}

/// Why bytes are no saved state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SavedError {
    /// Not the JSON of a saved state: cut off, damaged, or something else.
    #[error("not a saved session: damaged at line {line}, column {column}")]
    Damaged {
        /// Where, counted from 1.
        line: usize,
        /// Where in the line, counted in bytes from 1.
        column: usize,
    },
    /// Written by a version of this crate that saves in another form.
    #[error("the saved session has version {found}, and this library reads version {VERSION}")]
    Version {
        /// The version found.
        found: u32,
    },
    /// A token or a lifetime in it is not one that a session could have saved.
    #[error("the saved session's field `{field}` has a value that no session saves")]
    Value {
        /// The field's name.
        field: &'static str,
    },
    /// Longer than 65,536 bytes.
    #[error("longer than 65536 bytes: not a saved session")]
    TooLarge,
}

#[cfg(feature = "persist")]
mod json {
    use serde::{Deserialize, Serialize};
    use std::borrow::Cow;
    use zeroize::Zeroizing;

    use super::{
        Duration, MAX_LENGTH, Saved, SavedAccess, SavedError, SavedRefresh, VERSION, Wall,
    };
    use crate::secret::Token;
    use crate::wire::{Object, Text, is_token, json};

    /// Room for the form of the usual tokens.
    const ROOM: usize = 1_536;

    /// The form's fields. Times are microseconds since 1970-01-01T00:00:00Z.
    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form<'a> {
        version: u32,
        generation: u64,
        #[serde(borrow)]
        endpoint: Cow<'a, str>,
        #[serde(borrow)]
        agent_id: Option<Cow<'a, str>>,
        saved_at_us: i64,
        #[serde(default, skip_serializing_if = "is_false")]
        after_rejection: bool,
        #[serde(borrow)]
        access: Option<Object<AccessForm<'a>>>,
        #[serde(borrow)]
        refresh: Option<Object<RefreshForm<'a>>>,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct AccessForm<'a> {
        #[serde(borrow)]
        token: Text<'a>,
        ends_at_us: i64,
        lifetime_us: u64,
        expire_at_us: i64,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct RefreshForm<'a> {
        #[serde(borrow)]
        token: Text<'a>,
        ends_at_us: i64,
        expire_at_us: i64,
        in_doubt: bool,
    }

    impl Saved {
        /// The saved form: one line of JSON that **holds both tokens in clear**. Keep it as you
        /// would keep a password; it is wiped from memory on drop.
        #[must_use]
        pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
            let form = Form {
                version: VERSION,
                generation: self.generation,
                endpoint: Cow::Borrowed(&self.endpoint),
                agent_id: self.agent_id.as_deref().map(Cow::Borrowed),
                saved_at_us: self.saved_at.unix_micros(),
                after_rejection: self.after_rejection,
                access: self.access.as_ref().map(|access| {
                    Object(AccessForm {
                        token: Text::Borrowed(access.token.expose()),
                        ends_at_us: access.ends_at.unix_micros(),
                        lifetime_us: u64::try_from(access.lifetime.as_micros()).unwrap_or(u64::MAX),
                        expire_at_us: access.expire_at.unix_micros(),
                    })
                }),
                refresh: self.refresh.as_ref().map(|refresh| {
                    Object(RefreshForm {
                        token: Text::Borrowed(refresh.token.expose()),
                        ends_at_us: refresh.ends_at.unix_micros(),
                        expire_at_us: refresh.expire_at.unix_micros(),
                        in_doubt: refresh.in_doubt,
                    })
                }),
            };
            let json = json(&form, ROOM);
            debug_assert!(json.is_ok(), "strings and numbers have a JSON");
            json.unwrap_or_default()
        }

        /// Reads the saved form.
        ///
        /// # Errors
        ///
        /// [`SavedError`], whatever the bytes; it quotes none of them.
        pub fn from_json(bytes: &[u8]) -> Result<Self, SavedError> {
            if bytes.len() > MAX_LENGTH {
                return Err(SavedError::TooLarge);
            }
            let damaged = |error: serde_json::Error| SavedError::Damaged {
                line: error.line(),
                column: error.column(),
            };
            check_version(bytes)?;
            let Object(form): Object<Form<'_>> = serde_json::from_slice(bytes).map_err(damaged)?;
            if form.generation == 0 || form.generation > u64::MAX / 2 {
                return Err(SavedError::Value { field: "generation" });
            }
            let access = form.access.map(|Object(access)| {
                if access.lifetime_us == 0 {
                    return Err(SavedError::Value { field: "access.lifetime_us" });
                }
                Ok(SavedAccess {
                    token: token(&access.token, "access.token")?,
                    ends_at: Wall::from_unix_micros(access.ends_at_us),
                    lifetime: Duration::from_micros(access.lifetime_us),
                    expire_at: Wall::from_unix_micros(access.expire_at_us),
                })
            });
            let refresh = form.refresh.map(|Object(refresh)| {
                Ok(SavedRefresh {
                    token: token(&refresh.token, "refresh.token")?,
                    ends_at: Wall::from_unix_micros(refresh.ends_at_us),
                    expire_at: Wall::from_unix_micros(refresh.expire_at_us),
                    in_doubt: refresh.in_doubt,
                })
            });
            Ok(Self {
                generation: form.generation,
                endpoint: form.endpoint.into_owned(),
                agent_id: form.agent_id.map(Cow::into_owned),
                saved_at: Wall::from_unix_micros(form.saved_at_us),
                after_rejection: form.after_rejection,
                access: access.transpose()?,
                refresh: refresh.transpose()?,
            })
        }
    }

    /// Serde gives a reference.
    fn is_false(value: &bool) -> bool {
        !value
    }

    /// Tells a form of another version from a damaged one.
    fn check_version(bytes: &[u8]) -> Result<(), SavedError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        match serde_json::from_slice(bytes) {
            Ok(Object(Version { version: VERSION })) => Ok(()),
            Ok(Object(Version { version: found })) => Err(SavedError::Version { found }),
            Err(error) => Err(SavedError::Damaged { line: error.line(), column: error.column() }),
        }
    }

    fn token(text: &str, field: &'static str) -> Result<Token, SavedError> {
        if is_token(text) { Ok(Token::new(text)) } else { Err(SavedError::Value { field }) }
    }
}

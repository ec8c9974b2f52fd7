//! What to persist of a session, so that it continues after a restart or in a sibling process.
//!
//! Owns the saved form: its fields, its version, its JSON. Does not know about files or databases.
//! The session decides what is restored and what is not trusted.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::secret::Token;
use crate::time::Wall;

/// The tokens of a session and everything that is needed to judge them later. **Holds secrets.**
///
/// It belongs to one endpoint and one agent. A session of another endpoint or agent refuses it. Its
/// generation grows with each save: of two states of one session, the one with the higher
/// generation is newer.
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

/// The version of the saved form that this crate writes. It reads no other version.
pub(crate) const VERSION: u32 = 1;

/// The longest saved form that is read, in bytes.
#[cfg(feature = "persist")]
const MAX_LENGTH: usize = 65_536;

impl Saved {
    /// Returns the number of this save in its session, counted from 1 across restarts and siblings.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the base URL of the service that its tokens belong to.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the agent that its tokens belong to.
    #[must_use]
    pub fn agent_id(&self) -> Option<&str> {
        self.agent_id.as_deref()
    }

    /// Returns when it was saved, by the wall clock of the machine that saved it.
    #[must_use]
    pub fn saved_at(&self) -> Wall {
        self.saved_at
    }

    /// Returns whether its refresh token was about to be used when this was saved. If so, a session
    /// that restores it counts that token as possibly spent.
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

/// Why bytes are not a saved state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SavedError {
    /// The bytes are not the JSON of a saved state: cut off, damaged, or something else.
    #[error("not a saved session: damaged at line {line}, column {column}")]
    Damaged {
        /// The line, counted from 1.
        line: usize,
        /// The column in the line, counted in bytes from 1.
        column: usize,
    },
    /// A version of this crate with another saved form wrote it.
    #[error("the saved session has version {found}, and this library reads version {VERSION}")]
    Version {
        /// The version found.
        found: u32,
    },
    /// It has a token or a lifetime that a session could not have saved.
    #[error("the saved session's field `{field}` has a value that is not valid")]
    Value {
        /// The field's name.
        field: &'static str,
    },
    /// It is longer than 65,536 bytes.
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
    use crate::secret::{Token, is_token};
    use crate::wire::{Object, Text, json};

    /// Capacity for the form with tokens of usual length.
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
        /// Returns the saved form: one line of JSON that **holds both tokens in clear**. Store it
        /// like a password. It is wiped from memory on drop.
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
        /// [`SavedError`] if the bytes are not a saved form. It never quotes the bytes.
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

    /// Takes a reference because serde passes one.
    fn is_false(value: &bool) -> bool {
        !value
    }

    /// Distinguishes a form of another version from a damaged one.
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

//! The JSON of a saved state.
//!
//! Owns its fields, and which of them each version has. Does not decide what is trusted of a state.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use zeroize::Zeroizing;

use super::{
    Duration, MAX_LENGTH, RefreshUse, Saved, SavedAccess, SavedError, SavedRefresh, SavedTokenId,
    Stamp, VERSION, Wall,
};
use crate::secret::{Token, TokenId, is_token};
use crate::wire::{Object, Text, json};

/// Capacity for the form with tokens of usual length.
const ROOM: usize = 1_536;

/// The form's fields. Times are microseconds since 1970-01-01T00:00:00Z. Version 1 has none of
/// `holder`, `serial`, `service`, `subject`, `token_id`, `earlier_ids` and `failures`, and `in_doubt` for `use`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<'a> {
    version: u32,
    generation: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    holder: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    serial: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    service: Option<Cow<'a, str>>,
    #[serde(borrow)]
    endpoint: Cow<'a, str>,
    #[serde(borrow)]
    agent_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    subject: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    token_id: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    earlier_ids: Vec<Object<IdForm<'a>>>,
    saved_at_us: i64,
    #[serde(default, skip_serializing_if = "is_none_yet")]
    failures: u32,
    #[serde(default, skip_serializing_if = "is_false")]
    after_rejection: bool,
    #[serde(borrow)]
    access: Option<Object<AccessForm<'a>>>,
    #[serde(borrow)]
    refresh: Option<Object<RefreshForm<'a>>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdForm<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    ends_at_us: i64,
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
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    in_doubt: Option<bool>,
}

/// The words for what is known about the use of a refresh token.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Usage {
    Unspent,
    InDoubt,
    Replayed,
}

impl From<RefreshUse> for Usage {
    fn from(usage: RefreshUse) -> Self {
        match usage {
            RefreshUse::Unspent => Self::Unspent,
            RefreshUse::InDoubt => Self::InDoubt,
            RefreshUse::Replayed => Self::Replayed,
        }
    }
}

impl From<Usage> for RefreshUse {
    fn from(usage: Usage) -> Self {
        match usage {
            Usage::Unspent => Self::Unspent,
            Usage::InDoubt => Self::InDoubt,
            Usage::Replayed => Self::Replayed,
        }
    }
}

impl Saved {
    /// Returns the saved form: one line of JSON that **holds both tokens in clear**. Store it
    /// like a password. It is wiped from memory on drop.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let form = Form {
            version: VERSION,
            generation: self.stamp.generation,
            holder: self.stamp.holder,
            serial: self.stamp.serial,
            service: self.service.as_deref().map(Cow::Borrowed),
            endpoint: Cow::Borrowed(&self.endpoint),
            agent_id: self.agent_id.as_deref().map(Cow::Borrowed),
            subject: self.subject.as_deref().map(Cow::Borrowed),
            token_id: self.token_id.as_ref().map(|id| Text::Borrowed(id.expose())),
            earlier_ids: self.earlier_ids.iter().map(IdForm::of).collect(),
            saved_at_us: self.saved_at.unix_micros(),
            failures: self.failures,
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
                    usage: Some(refresh.usage.into()),
                    in_doubt: None,
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
        if form.version == 1 {
            form.check_first()?;
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
                usage: refresh.usage(form.version)?,
            })
        });
        let earlier_ids = form.earlier_ids.into_iter().map(|Object(it)| {
            let id = token_id(&it.id, "earlier_ids.id")?;
            Ok(SavedTokenId { id, ends_at: Wall::from_unix_micros(it.ends_at_us) })
        });
        let stamp = Stamp { generation: form.generation, holder: form.holder, serial: form.serial };
        Ok(Self {
            stamp,
            service: form.service.map(Cow::into_owned),
            endpoint: form.endpoint.into_owned(),
            agent_id: form.agent_id.map(Cow::into_owned),
            subject: form.subject.map(Cow::into_owned),
            token_id: form.token_id.map(|id| token_id(&id, "token_id")).transpose()?,
            earlier_ids: earlier_ids.collect::<Result<_, _>>()?,
            saved_at: Wall::from_unix_micros(form.saved_at_us),
            failures: form.failures,
            after_rejection: form.after_rejection,
            access: access.transpose()?,
            refresh: refresh.transpose()?,
        })
    }
}

impl<'a> IdForm<'a> {
    fn of(saved: &'a SavedTokenId) -> Object<Self> {
        let id = Text::Borrowed(saved.id.expose());
        Object(Self { id, ends_at_us: saved.ends_at.unix_micros() })
    }
}

impl Form<'_> {
    /// Refuses what the first version does not have.
    fn check_first(&self) -> Result<(), SavedError> {
        let later = [
            ("holder", self.holder != 0),
            ("serial", self.serial != 0),
            ("service", self.service.is_some()),
            ("subject", self.subject.is_some()),
            ("token_id", self.token_id.is_some()),
            ("earlier_ids", !self.earlier_ids.is_empty()),
            ("failures", self.failures != 0),
        ];
        let later = later.into_iter().find(|(_, is_there)| *is_there);
        later.map_or(Ok(()), |(field, _)| Err(SavedError::Value { field }))
    }
}

impl RefreshForm<'_> {
    /// The first version does not say whether a token in doubt was sent once more.
    fn usage(&self, version: u32) -> Result<RefreshUse, SavedError> {
        match (version, self.usage, self.in_doubt) {
            (1, None, Some(true)) => Ok(RefreshUse::InDoubt),
            (1, None, Some(false)) => Ok(RefreshUse::Unspent),
            (1, _, _) => Err(SavedError::Value { field: "refresh.in_doubt" }),
            (_, Some(usage), None) => Ok(usage.into()),
            _ => Err(SavedError::Value { field: "refresh.use" }),
        }
    }
}

// They take a reference because serde passes one.

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

fn is_none_yet(count: &u32) -> bool {
    *count == 0
}

/// Distinguishes a form of another version from a damaged one.
fn check_version(bytes: &[u8]) -> Result<(), SavedError> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    match serde_json::from_slice(bytes) {
        Ok(Object(Version { version: 1 | VERSION })) => Ok(()),
        Ok(Object(Version { version: 0 })) => Err(SavedError::Version { found: 0 }),
        Ok(Object(Version { version: found })) => Err(SavedError::Newer { found }),
        Err(error) => Err(SavedError::Damaged { line: error.line(), column: error.column() }),
    }
}

fn token(text: &str, field: &'static str) -> Result<Token, SavedError> {
    if is_token(text) { Ok(Token::new(text)) } else { Err(SavedError::Value { field }) }
}

fn token_id(text: &str, field: &'static str) -> Result<TokenId, SavedError> {
    TokenId::new(text).ok_or(SavedError::Value { field })
}

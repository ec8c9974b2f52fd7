//! One operation of the service as a type: its path, what it may do, how it is encoded and read.
//!
//! Owns the trait, and the safety classes that say when a request may be sent again. Knows nothing
//! of how a call goes ([`call`](crate::call)), nor where paths come from
//! ([`catalogue`](crate::catalogue)).

use std::fmt;

use crate::error::Malformed;
use crate::evidence::Evidence;
use crate::secret::Body;
use crate::wire::{Success, Unencodable};

/// An operation of the service: the type is its request.
///
/// All operations are `POST`, so the method says nothing about what may be repeated; the class
/// does. Where an operation stands in the catalogue, its class there is a floor: a type that claims
/// a lower one cannot be called.
///
/// ```
/// use imts_core::{Auth, Body, Class, Evidence, Malformed, Operation, Success, Unencodable};
///
/// /// A report that the service's pages do not print.
/// struct DailyReport { day: &'static str }
///
/// impl Operation for DailyReport {
///     const NAME: &'static str = "daily-report";
///     const PATH: Option<&'static str> = Some("/v5/partner/transfer/report");
///     const AUTH: Auth = Auth::Bearer;
///     const CLASS: Class = Class::Read;
///     const EVIDENCE: Evidence = Evidence::Assumed;
///     type Reply = imts_core::Json;
///
///     fn encode(&self) -> Result<Body, Unencodable> {
///         Body::json(&std::collections::BTreeMap::from([("day", self.day)]))
///     }
///
///     fn decode(success: Success<'_>) -> Result<Self::Reply, Malformed> {
///         success.payload()
///     }
/// }
/// # let body = DailyReport { day: "2026-11-29" }.encode()?;
/// # assert_eq!(body.as_ref(), br#"{"day":"2026-11-29"}"#);
/// # Ok::<(), Unencodable>(())
/// ```
pub trait Operation {
    /// Its name in the catalogue: lower case, with hyphens.
    const NAME: &'static str;
    /// Its path, where one is known; the contract's catalogue overrides it.
    const PATH: Option<&'static str>;
    /// Whether it takes the session's token.
    const AUTH: Auth;
    /// When its request may be sent again.
    const CLASS: Class;
    /// How surely its request and reply are known.
    const EVIDENCE: Evidence;
    /// The field of its request that names what is asked for, such as `client_uuid`: the
    /// [reference](Operation::reference) where none is given. The contract's catalogue overrides it.
    const REFERENCE_FIELD: Option<&'static str> = None;
    /// What a success holds.
    type Reply;

    /// The body of the request.
    ///
    /// # Errors
    ///
    /// [`Unencodable`], where the value is none that JSON has.
    fn encode(&self) -> Result<Body, Unencodable>;

    /// Reads a success. A body whose `state` is `false` counts as a refusal where this fails.
    ///
    /// # Errors
    ///
    /// [`Malformed`], where the body is not what the operation answers.
    fn decode(success: Success<'_>) -> Result<Self::Reply, Malformed>;

    /// The caller's own name for what is asked for, such as a transfer's `client_uuid`: by it the
    /// outcome can be found out later.
    fn reference(&self) -> Option<String> {
        None
    }
}

/// Whether a request carries the session's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Auth {
    /// `Authorization: Bearer …` (published, for all calls on transfers).
    Bearer,
    /// No `Authorization` header (published, for Get token).
    None,
}

/// When a request may be sent again: the verb, always `POST`, does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// It changes nothing that matters twice: it may be repeated.
    Read,
    /// It creates something, or spends a refresh token: a repetition needs proof that the first was
    /// not processed.
    Create,
    /// It moves money: a repetition needs proof that the first was not processed.
    Money,
}

impl Class {
    /// The name in lower case, as it stands in outputs and contract files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Money => "money",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Read, Self::Create, Self::Money].into_iter().find(|class| class.as_str() == name)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

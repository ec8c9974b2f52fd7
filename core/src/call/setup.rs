//! From an operation to a call: class, URL and bytes are fixed before anything is sent.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::Uri;
use thiserror::Error;

use super::{Call, Stage};
use crate::catalogue::{Decided, MAX_REPLY_LIMIT, OperationInfo};
use crate::endpoint::{Endpoint, EndpointError, ServicePath};
use crate::error::Malformed;
use crate::journal::{Despite, Digest, Intent, IntentError, Scope, fields};
use crate::json::Json;
use crate::operation::{Auth, Class, Operation};
use crate::policy::Policy;
use crate::secret::Body;
use crate::service::Service;
use crate::session::Session;
use crate::time::{Mono, Wall};
use crate::wire::{EncodeError, Success};

/// What is sent. It is the same in each attempt.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(super) name: Cow<'static, str>,
    pub(super) class: Class,
    pub(super) auth: Auth,
    pub(super) decided: Arc<Decided>,
    pub(super) endpoint: Endpoint,
    pub(super) uri: Uri,
    pub(super) body: Body,
    pub(super) reference: Option<String>,
    /// The agent that it is for, as far as the session knows.
    pub(super) agent: Option<Arc<str>>,
    pub(super) policy: Arc<Policy>,
    pub(super) reply_limit: usize,
    pub(super) written_to: WrittenTo,
    pub(super) despite: Option<Despite>,
}

/// Where the call is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrittenTo {
    Nothing,
    /// In memory: lost when the process ends.
    Memory,
    Journal,
}

/// Why an operation cannot be called. The caller must correct it; nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotCallable {
    /// The catalogue has no operation of this name.
    #[error("there is no operation `{name}` in the contract")]
    NoSuchOperation {
        /// The name.
        name: String,
    },
    /// The operation's path is not known.
    #[error(
        "the path of `{name}` is unknown: take it from the vendor's page and put it into the \
         service file, under [operation.{name}] as path = \"/…\", or give it to Catalogue::set_path"
    )]
    NoPath {
        /// The operation's name.
        name: String,
    },
    /// The type, or another name for the same path, claims a lower class than the operation has.
    #[error("`{name}` has the class {has}, and what calls it {claimed} cannot be called")]
    ClassLowered {
        /// The operation's name.
        name: String,
        /// The class that it has.
        has: Class,
        /// The class that is claimed.
        claimed: Class,
    },
    /// The path cannot be used, or does not make a URL with the endpoint.
    #[error(transparent)]
    Path(#[from] EndpointError),
    /// The request cannot be serialized to JSON.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The request is JSON, but not an object. The service accepts only objects (published for Get
    /// token, assumed for the rest).
    #[error("the request of `{name}` is not a JSON object with the operation's fields")]
    NotAnObject {
        /// The operation's name.
        name: String,
    },
    /// A record in the journal does not allow it.
    #[error(transparent)]
    Intent(#[from] IntentError),
}

impl Session {
    /// Makes a call of an operation. The call must end by `deadline`.
    ///
    /// # Errors
    ///
    /// [`NotCallable`], for example if it has no path, or its request cannot be JSON.
    pub fn call<O: Operation>(
        &self,
        operation: &O,
        deadline: Mono,
    ) -> Result<Call<O::Reply>, NotCallable> {
        let frozen = Frozen::of(operation, self)?;
        Ok(Call::thawed(Box::new(frozen), O::decode, deadline))
    }

    /// Makes a call of the operation with this name. Its request and its reply are JSON. The call
    /// must end by `deadline`.
    ///
    /// # Errors
    ///
    /// [`NotCallable`], for example if the contract lacks the operation or its path.
    pub fn call_named(
        &self,
        name: &str,
        request: &Json,
        deadline: Mono,
    ) -> Result<Call<Json>, NotCallable> {
        let body = Body::json(request)?;
        let frozen = Frozen::named(name, body, self)?;
        Ok(Call::thawed(Box::new(frozen), payload, deadline))
    }
}

impl<R> Call<R> {
    /// Declares a journal. If the call creates something or moves money, it then yields
    /// [`CallStep::Record`](super::CallStep::Record) before and after its request leaves. This
    /// changes nothing once the request was handed out.
    #[must_use]
    pub fn with_journal(self) -> Self {
        self.written_to(WrittenTo::Journal)
    }

    /// Records the call in memory, if it has a reference and no journal is declared. The same
    /// intent is then not sent twice while that memory lives.
    #[must_use]
    pub fn with_memory(self) -> Self {
        if self.reference().is_some() { self.written_to(WrittenTo::Memory) } else { self }
    }

    /// Returns whether a journal is declared. A record that is lost with the process is then not
    /// enough.
    #[must_use]
    pub fn needs_journal(&self) -> bool {
        self.frozen.as_ref().is_some_and(|frozen| frozen.written_to == WrittenTo::Journal)
    }

    fn written_to(mut self, place: WrittenTo) -> Self {
        let is_new = matches!(self.stage, Stage::Token | Stage::Intent)
            && (self.attempts, self.recorded, self.recording) == (0, None, false);
        let kept = self.frozen.as_mut().filter(|frozen| is_new && frozen.is_kept());
        if let Some(frozen) = kept.filter(|frozen| frozen.written_to != WrittenTo::Journal) {
            frozen.written_to = place;
            self.stage = Stage::Intent;
        }
        self
    }

    /// Permits sending it in spite of a record in the journal. The decision is recorded with its
    /// reason. If another record stands against the call, this changes nothing.
    #[must_use]
    pub fn despite(mut self, despite: Despite) -> Self {
        if let Some(frozen) = &mut self.frozen {
            frozen.despite = Some(despite);
        }
        self
    }

    /// Returns the caller's own name for what is asked for. It is the one that was given, or the
    /// one in the request field that the operation names.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.frozen.as_ref()?.reference.as_deref()
    }

    /// Gives the call another name for what is asked for.
    #[must_use]
    pub fn with_reference(mut self, reference: impl Into<String>) -> Self {
        if let Some(frozen) = &mut self.frozen {
            frozen.reference = Some(reference.into());
        }
        self
    }

    /// Sets the limit for the body of its reply, in bytes, instead of the operation's or the
    /// policy's. Zero counts as 1. Limits above [`MAX_REPLY_LIMIT`] are lowered to it.
    #[must_use]
    pub fn with_reply_limit(mut self, bytes: usize) -> Self {
        if let Some(frozen) = &mut self.frozen {
            frozen.reply_limit = bytes.clamp(1, MAX_REPLY_LIMIT);
        }
        self
    }

    /// Returns whether it goes to the service at this endpoint, or has ended. A session's token
    /// must go to no other endpoint. If a driver gets a call from elsewhere, it must check this
    /// before it gives a token.
    #[must_use]
    pub fn is_for(&self, endpoint: &Endpoint) -> bool {
        self.frozen.as_ref().is_none_or(|frozen| frozen.endpoint == *endpoint)
    }

    /// Sets the agent, if the session that made the call had none yet.
    #[must_use]
    pub fn for_agent(mut self, agent: Option<&str>) -> Self {
        if let Some(frozen) = self.frozen.as_mut().filter(|frozen| frozen.agent.is_none()) {
            frozen.agent = agent.map(Arc::from);
        }
        self
    }

    /// Returns whether it is recorded, and therefore belongs to one agent.
    #[must_use]
    pub fn is_for_one_agent(&self) -> bool {
        self.frozen.as_ref().is_some_and(|frozen| frozen.written_to != WrittenTo::Nothing)
    }

    /// Returns whether the token of this agent may carry it. A recorded call is recorded for one
    /// agent, and no other agent may send it.
    #[must_use]
    pub fn is_of_agent(&self, agent: Option<&str>) -> bool {
        let of_agent = |frozen: &Frozen| frozen.agent.as_deref() == agent;
        !self.is_for_one_agent() || self.frozen.as_deref().is_some_and(of_agent)
    }
}

impl Frozen {
    /// Builds the request of a typed operation.
    pub(super) fn of<O: Operation>(operation: &O, session: &Session) -> Result<Self, NotCallable> {
        let (endpoint, contract) = (session.endpoint(), session.service());
        let entry = contract.operations.entry(O::NAME);
        let has = entry.map_or(O::CLASS, OperationInfo::class);
        if O::CLASS < has {
            let name = O::NAME.to_owned();
            return Err(NotCallable::ClassLowered { name, has, claimed: O::CLASS });
        }
        let own;
        let path = match (entry.and_then(OperationInfo::path), O::PATH) {
            (Some(path), _) => path,
            (None, Some(path)) => {
                own = ServicePath::new(path)?;
                &own
            }
            (None, None) => return Err(NotCallable::NoPath { name: O::NAME.to_owned() }),
        };
        hold_class(contract, path, O::CLASS)?;
        let body = operation.encode()?;
        is_object(O::NAME, &body)?;
        let field = entry.and_then(OperationInfo::reference_field).or(O::REFERENCE_FIELD);
        Ok(Self {
            name: Cow::Borrowed(O::NAME),
            class: O::CLASS,
            auth: O::AUTH,
            decided: entry.map(OperationInfo::shared_decided).unwrap_or_default(),
            endpoint: endpoint.clone(),
            uri: url(endpoint, entry, path)?,
            reference: operation.reference().or_else(|| referred(&body, field)),
            body,
            agent: session.shared_agent_id(),
            policy: session.shared_policy(),
            reply_limit: reply_limit(entry, session.policy()),
            written_to: WrittenTo::Nothing,
            despite: None,
        })
    }

    /// Builds the request of the operation with this name in the catalogue.
    pub(super) fn named(name: &str, body: Body, session: &Session) -> Result<Self, NotCallable> {
        let (endpoint, contract) = (session.endpoint(), session.service());
        is_object(name, &body)?;
        let Some(entry) = contract.operations.entry(name) else {
            return Err(NotCallable::NoSuchOperation { name: name.to_owned() });
        };
        let Some(path) = entry.path() else {
            return Err(NotCallable::NoPath { name: name.to_owned() });
        };
        hold_class(contract, path, entry.class())?;
        Ok(Self {
            name: entry.shared_name(),
            class: entry.class(),
            auth: entry.auth(),
            decided: entry.shared_decided(),
            endpoint: endpoint.clone(),
            uri: url(endpoint, Some(entry), path)?,
            reference: referred(&body, entry.reference_field()),
            body,
            agent: session.shared_agent_id(),
            policy: session.shared_policy(),
            reply_limit: reply_limit(Some(entry), session.policy()),
            written_to: WrittenTo::Nothing,
            despite: None,
        })
    }

    /// Whether a journal keeps it. A call that only reads may be repeated. A call without a token
    /// is a token exchange.
    fn is_kept(&self) -> bool {
        self.class != Class::Read && self.auth == Auth::Bearer
    }

    /// The digest of the bytes that are sent.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(self.body.as_ref())
    }

    /// What is recorded of it.
    pub(super) fn intent(&self, at: Wall) -> Intent {
        let agent = self.agent.as_deref().unwrap_or_default().to_owned();
        Intent {
            operation: self.name.clone().into_owned(),
            scope: Some(Scope { url: self.uri.to_string(), agent }),
            reference: self.reference.clone(),
            digest: self.digest(),
            meaning: Some(Digest::of_meaning(self.body.as_ref())),
            at,
            despite: self.despite.clone(),
        }
    }
}

/// Checks that the body is an object. A list or a text is a mistake of the caller.
fn is_object(name: &str, body: &Body) -> Result<(), NotCallable> {
    let first = body.as_ref().iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        None | Some(b'{') => Ok(()),
        Some(_) => Err(NotCallable::NotAnObject { name: name.to_owned() }),
    }
}

/// The value of this field of the request, if the field occurs once and its value names something.
fn referred(body: &Body, field: Option<&str>) -> Option<String> {
    let (field, text) = (field?, std::str::from_utf8(body.as_ref()).ok()?);
    let mut found = fields(text)?.into_iter().filter(|(name, _)| name == field);
    let (_, value) = found.next().filter(|_| found.next().is_none())?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let reference = match value.get() {
        number if is_number(number) => number.to_owned(),
        text => serde_json::from_str(text).ok()?,
    };
    Some(reference).filter(|reference: &String| !reference.is_empty())
}

/// The operation's own reply limit if it has one, or else the policy's.
fn reply_limit(entry: Option<&OperationInfo>, policy: &Policy) -> usize {
    entry.and_then(OperationInfo::reply_limit).unwrap_or(policy.reply_limit)
}

/// The URL that the session has for the entry. A type outside the catalogue has none, so its URL is
/// made here; if the path does not make a URL with the endpoint, that is the error.
fn url(
    endpoint: &Endpoint,
    entry: Option<&OperationInfo>,
    path: &ServicePath,
) -> Result<Uri, EndpointError> {
    entry.and_then(OperationInfo::uri).map_or_else(|| endpoint.join(path), |uri| Ok(uri.clone()))
}

/// A path may have several names. The highest of their classes counts: with a lower one, a call
/// that moves money would be sent again.
fn hold_class(contract: &Service, path: &ServicePath, claimed: Class) -> Result<(), NotCallable> {
    let is_above = |entry: &&OperationInfo| entry.class() > claimed && entry.path() == Some(path);
    match contract.operations.iter().find(is_above) {
        Some(entry) => {
            let (name, has) = (entry.name().to_owned(), entry.class());
            Err(NotCallable::ClassLowered { name, has, claimed })
        }
        None => Ok(()),
    }
}

fn payload(success: Success<'_>) -> Result<Json, Malformed> {
    success.payload_text().map(Json::known)
}

impl<R> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.frozen.as_ref().map(|frozen| &*frozen.name);
        f.debug_struct("Call")
            .field("operation", &name)
            .field("attempts", &self.attempts)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

//! From an operation to a call: its class, its URL, its bytes, all fixed before anything is sent.

use http::Uri;
use thiserror::Error;

use super::{Call, Stage};
use crate::catalogue::{Decided, Entry, MAX_REPLY_LIMIT};
use crate::contract::Contract;
use crate::endpoint::{Endpoint, EndpointError, ServicePath};
use crate::error::Malformed;
use crate::journal::Digest;
use crate::json::Json;
use crate::operation::{Auth, Class, Operation, Unencodable};
use crate::policy::Policy;
use crate::secret::Body;
use crate::session::Session;
use crate::time::Mono;
use crate::wire::Success;

/// What is sent, in each attempt the same.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(super) name: String,
    pub(super) class: Class,
    pub(super) auth: Auth,
    pub(super) decided: Decided,
    pub(super) endpoint: Endpoint,
    pub(super) uri: Uri,
    pub(super) body: Body,
    pub(super) digest: Digest,
    pub(super) reference: Option<String>,
    pub(super) policy: Policy,
    pub(super) journal: bool,
}

/// Why an operation cannot be called. The caller's to mend; nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The catalogue has no operation of this name.
    #[error("there is no operation `{name}` in the contract")]
    NoSuchOperation {
        /// The name.
        name: String,
    },
    /// The operation's path is not known.
    #[error(
        "the path of `{name}` is unknown: take it from the vendor's page and put it into the \
         contract file, under [operation.{name}] as path = \"/…\", or give it to Catalogue::set_path"
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
    /// The path cannot be used, or makes no URL with the endpoint.
    #[error(transparent)]
    Path(#[from] EndpointError),
    /// The request has no JSON.
    #[error(transparent)]
    Encode(#[from] Unencodable),
}

impl Session {
    /// A call of an operation, to be over by this moment.
    ///
    /// # Errors
    ///
    /// [`OperationError`], where the operation has no path, or its request no JSON.
    pub fn call<O: Operation>(
        &self,
        operation: &O,
        deadline: Mono,
    ) -> Result<Call<O::Reply>, OperationError> {
        let frozen = Frozen::of(operation, self.endpoint(), self.contract(), self.policy())?;
        Ok(Call::thawed(Box::new(frozen), O::decode, deadline))
    }

    /// A call of the operation of this name, with a request and a reply that are JSON.
    ///
    /// # Errors
    ///
    /// [`OperationError`], where the contract has no such operation, or no path for it.
    pub fn call_named(
        &self,
        name: &str,
        request: &Json,
        deadline: Mono,
    ) -> Result<Call<Json>, OperationError> {
        let body = Body::json(request)?;
        let frozen = Frozen::named(name, body, self.endpoint(), self.contract(), self.policy())?;
        Ok(Call::thawed(Box::new(frozen), payload, deadline))
    }
}

impl<R> Call<R> {
    /// The same call with a journal declared: where it moves money, it yields
    /// [`CallStep::Record`](super::CallStep::Record) before and after its request leaves. Changes
    /// nothing once its request was handed out.
    #[must_use]
    pub fn with_journal(mut self) -> Self {
        let is_new = matches!(self.stage, Stage::Token) && self.attempts == 0;
        let money = self.frozen.as_mut().filter(|frozen| frozen.class == Class::Money);
        if let Some(frozen) = money.filter(|frozen| is_new && !frozen.journal) {
            frozen.journal = true;
            self.stage = Stage::Intent;
        }
        self
    }

    /// The same call under another name of the caller's for what is asked for.
    #[must_use]
    pub fn with_reference(mut self, reference: impl Into<String>) -> Self {
        if let Some(frozen) = &mut self.frozen {
            frozen.reference = Some(reference.into());
        }
        self
    }

    /// The same call with another limit for the body of its reply, in bytes, in place of its
    /// operation's or the policy's. Zero counts as 1, and a limit above [`MAX_REPLY_LIMIT`] as that.
    #[must_use]
    pub fn with_reply_limit(mut self, bytes: usize) -> Self {
        if let Some(frozen) = &mut self.frozen {
            frozen.policy.reply_limit = bytes.clamp(1, MAX_REPLY_LIMIT);
        }
        self
    }

    /// Whether it goes to the service at this endpoint, or has ended. The token of a session must go
    /// to no other: a driver that is handed a call from elsewhere looks before it gives one.
    #[must_use]
    pub fn is_for(&self, endpoint: &Endpoint) -> bool {
        self.frozen.as_ref().is_none_or(|frozen| frozen.endpoint == *endpoint)
    }
}

impl Frozen {
    /// A request by its type.
    pub(super) fn of<O: Operation>(
        operation: &O,
        endpoint: &Endpoint,
        contract: &Contract,
        policy: &Policy,
    ) -> Result<Self, OperationError> {
        let entry = contract.operations.entry(O::NAME);
        let has = entry.map_or(O::CLASS, Entry::class);
        if O::CLASS < has {
            let name = O::NAME.to_owned();
            return Err(OperationError::ClassLowered { name, has, claimed: O::CLASS });
        }
        let path = match (entry.and_then(Entry::path), O::PATH) {
            (Some(path), _) => path.clone(),
            (None, Some(path)) => ServicePath::new(path)?,
            (None, None) => return Err(OperationError::NoPath { name: O::NAME.to_owned() }),
        };
        hold_class(contract, &path, O::CLASS)?;
        let body = operation.encode()?;
        Ok(Self {
            name: O::NAME.to_owned(),
            class: O::CLASS,
            auth: O::AUTH,
            decided: entry.map(Entry::decided).cloned().unwrap_or_default(),
            endpoint: endpoint.clone(),
            uri: endpoint.join(&path)?,
            digest: Digest::of(body.as_ref()),
            body,
            reference: operation.reference(),
            policy: policy_of(entry, policy),
            journal: false,
        })
    }

    /// A request by its name in the catalogue.
    pub(super) fn named(
        name: &str,
        body: Body,
        endpoint: &Endpoint,
        contract: &Contract,
        policy: &Policy,
    ) -> Result<Self, OperationError> {
        let name = name.to_owned();
        let Some(entry) = contract.operations.entry(&name) else {
            return Err(OperationError::NoSuchOperation { name });
        };
        let Some(path) = entry.path() else { return Err(OperationError::NoPath { name }) };
        hold_class(contract, path, entry.class())?;
        Ok(Self {
            name,
            class: entry.class(),
            auth: entry.auth(),
            decided: entry.decided().clone(),
            endpoint: endpoint.clone(),
            uri: endpoint.join(path)?,
            digest: Digest::of(body.as_ref()),
            body,
            reference: None,
            policy: policy_of(Some(entry), policy),
            journal: false,
        })
    }
}

/// The policy, with the operation's own reply limit if it has one.
fn policy_of(entry: Option<&Entry>, policy: &Policy) -> Policy {
    let reply_limit = entry.and_then(Entry::reply_limit).unwrap_or(policy.reply_limit);
    Policy { reply_limit, ..policy.clone() }
}

/// What is at a path may have several names, of which the highest class holds: by a lower one, what
/// moves money would be sent again.
fn hold_class(
    contract: &Contract,
    path: &ServicePath,
    claimed: Class,
) -> Result<(), OperationError> {
    let is_above = |entry: &&Entry| entry.path() == Some(path) && entry.class() > claimed;
    match contract.operations.iter().find(is_above) {
        Some(entry) => {
            let (name, has) = (entry.name().to_owned(), entry.class());
            Err(OperationError::ClassLowered { name, has, claimed })
        }
        None => Ok(()),
    }
}

fn payload(success: Success<'_>) -> Result<Json, Malformed> {
    success.payload()
}

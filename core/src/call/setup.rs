//! From an operation to a call: class, URL and bytes are fixed before anything is sent.
//!
//! Owns what is sent, with a session or without one. `target` decides where it goes.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::{Method, Uri};

use super::extras::{Draft, Extras};
use super::target::{Target, referred};
use super::{Call, NotCallable};
use crate::catalogue::{Decided, MAX_REPLY_LIMIT, OperationInfo};
use crate::endpoint::{Endpoint, ServicePath};
use crate::error::Malformed;
use crate::journal::{Despite, fields};
use crate::json::Json;
use crate::operation::{Auth, Class, Operation};
use crate::policy::Policy;
use crate::secret::Body;
use crate::service::Service;
use crate::session::Session;
use crate::time::Mono;
use crate::wire::{Format, Success};

/// What is sent. It is the same in each attempt.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(super) name: Cow<'static, str>,
    pub(super) class: Class,
    pub(super) auth: Auth,
    pub(super) decided: Arc<Decided>,
    /// How the service writes its reply.
    pub(super) format: &'static Format,
    pub(super) endpoint: Endpoint,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) body: Body,
    /// What the request has beyond these, if there is more.
    pub(super) extras: Option<Box<Extras>>,
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
        Call::typed(operation, self.target(), deadline)
    }

    /// Makes a call of the operation with this name. Its request and its reply are JSON. The call
    /// must end by `deadline`.
    ///
    /// # Errors
    ///
    /// [`NotCallable`], for example if the service lacks the operation or its path.
    pub fn call_named(
        &self,
        name: &str,
        request: &Json,
        deadline: Mono,
    ) -> Result<Call<Json>, NotCallable> {
        Call::named(name, Body::json(request)?, self.target(), deadline)
    }

    fn target(&self) -> Target<'_> {
        Target {
            service: self.service(),
            endpoint: self.endpoint(),
            policy: self.shared_policy(),
            agent: self.shared_agent_id(),
            has_urls: true,
            pen: None,
        }
    }
}

impl<R> Call<R> {
    /// Makes a call of an operation without a session. The call must end by `deadline`.
    ///
    /// If the operation needs a token, the driver gets [`CallStep::Token`](super::CallStep::Token)
    /// and takes the token from a session of the same service.
    ///
    /// ```
    /// use imts_core::services::transfer::{Fees, Originator};
    /// use imts_core::time::{Mono, Wall};
    /// use imts_core::{Call, CallStep, Endpoint, Now, Policy, services};
    ///
    /// let fees = Fees {
    ///     originator_type: Originator::Person,
    ///     target_country: "UZB".parse()?,
    ///     amount_source: "15.4".parse()?,
    ///     currency_source: "KZT".parse()?,
    ///     currency_target: "UZS".parse()?,
    ///     pg_sig: None,
    /// };
    /// let endpoint = Endpoint::https("https://service.example")?;
    /// let deadline = Mono::from_micros(60_000_000);
    /// let mut call =
    ///     Call::new(&fees, &services::transfer(), &endpoint, Policy::default(), deadline)?;
    /// let now = Now { mono: Mono::default(), wall: Wall::from_unix_micros(0) };
    /// assert!(matches!(call.poll(now), CallStep::Token));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotCallable`], for example if the operation has no path, its request cannot be JSON, or it
    /// needs a token and the service has none.
    pub fn new<O: Operation<Reply = R>>(
        operation: &O,
        service: &Service,
        endpoint: &Endpoint,
        policy: impl Into<Arc<Policy>>,
        deadline: Mono,
    ) -> Result<Self, NotCallable> {
        let (policy, agent) = (policy.into(), None);
        let target = Target { service, endpoint, policy, agent, has_urls: false, pen: None };
        Self::typed(operation, target, deadline)
    }

    pub(super) fn typed<O: Operation<Reply = R>>(
        operation: &O,
        target: Target<'_>,
        deadline: Mono,
    ) -> Result<Self, NotCallable> {
        let frozen = Frozen::of(operation, target)?;
        Ok(Self::thawed(Box::new(frozen), O::decode, deadline))
    }
}

impl Call<Json> {
    pub(super) fn named(
        name: &str,
        body: Body,
        target: Target<'_>,
        deadline: Mono,
    ) -> Result<Self, NotCallable> {
        let frozen = Frozen::named(name, body, target)?;
        Ok(Self::thawed(Box::new(frozen), payload, deadline))
    }
}

impl<R> Call<R> {
    /// Returns the caller's own name for what is asked for. It is the one that was given, or the
    /// one in the request field that the operation names.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.frozen.as_ref()?.reference.as_deref()
    }

    /// Gives the call another name for what is asked for. This changes nothing once the call is
    /// recorded or was sent.
    #[must_use]
    pub fn with_reference(mut self, reference: impl Into<String>) -> Self {
        let is_new = self.attempts == 0 && self.recorded.is_none();
        if let Some(frozen) = self.frozen.as_mut().filter(|_| is_new) {
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
    fn of<O: Operation>(operation: &O, target: Target<'_>) -> Result<Self, NotCallable> {
        let info = target.service.operations.entry(O::NAME);
        let has = info.map_or(O::CLASS, OperationInfo::class);
        if O::CLASS < has {
            let name = O::NAME.to_owned();
            return Err(NotCallable::ClassLowered { name, has, claimed: O::CLASS });
        }
        let own;
        let path = match (info.and_then(OperationInfo::path), O::PATH) {
            (Some(path), _) => path,
            (None, Some(path)) => {
                own = ServicePath::new(path)?;
                &own
            }
            (None, None) => return Err(NotCallable::NoPath { name: O::NAME.to_owned() }),
        };
        let method = info.map_or(O::METHOD, |info| info.method().clone());
        let auth = auth_of::<O>(info);
        target.admits(O::NAME, (&method, path), auth, O::CLASS)?;
        let body = operation.encode()?;
        is_object(O::NAME, &body)?;
        if O::NEEDS_ENDPOINT && info.is_none() {
            return Err(NotCallable::NoEndpoint { name: O::NAME.to_owned() });
        }
        let field = info.and_then(OperationInfo::reference_field).or(O::REFERENCE_FIELD);
        let body_id = referred(&body, field);
        let (uri, body) = target.placed(O::NAME, info, (&method, path), body)?;
        let draft = Draft { auth, class: O::CLASS, info, body_id: body_id.as_deref() };
        let (body, extras) = target.sealed(O::NAME, draft, (&method, &uri), body)?;
        let reference = operation.reference().or(body_id);
        Ok(Self {
            name: Cow::Borrowed(O::NAME),
            class: O::CLASS,
            auth,
            decided: info.map(OperationInfo::shared_decided).unwrap_or_default(),
            format: target.service.format,
            endpoint: target.endpoint.clone(),
            method,
            uri,
            reference,
            body,
            extras,
            agent: target.agent,
            reply_limit: reply_limit(info, &target.policy),
            policy: target.policy,
            written_to: WrittenTo::Nothing,
            despite: None,
        })
    }

    /// Builds the request of the operation with this name in the catalogue.
    fn named(name: &str, body: Body, target: Target<'_>) -> Result<Self, NotCallable> {
        is_object(name, &body)?;
        let Some(info) = target.service.operations.entry(name) else {
            return Err(NotCallable::NoSuchOperation { name: name.to_owned() });
        };
        let Some(path) = info.path() else {
            return Err(NotCallable::NoPath { name: name.to_owned() });
        };
        target.admits(name, (info.method(), path), info.auth(), info.class())?;
        // Content has no meaning in such a request (RFC 9110, section 9.3.1).
        let is_nothing = info.method().is_safe() && is_empty(&body);
        let body = if is_nothing { Body::default() } else { body };
        let reference = referred(&body, info.reference_field());
        let (uri, body) = target.placed(name, Some(info), (info.method(), path), body)?;
        let (auth, class, body_id) = (info.auth(), info.class(), reference.as_deref());
        let draft = Draft { auth, class, info: Some(info), body_id };
        let (body, extras) = target.sealed(name, draft, (info.method(), &uri), body)?;
        Ok(Self {
            name: info.shared_name(),
            class: info.class(),
            auth: info.auth(),
            decided: info.shared_decided(),
            format: target.service.format,
            endpoint: target.endpoint.clone(),
            method: info.method().clone(),
            uri,
            reference,
            body,
            extras,
            agent: target.agent,
            reply_limit: reply_limit(Some(info), &target.policy),
            policy: target.policy,
            written_to: WrittenTo::Nothing,
            despite: None,
        })
    }
}

/// How the request of a typed operation says who sends it. The catalogue can ask for a signature.
pub(super) fn auth_of<O: Operation>(info: Option<&OperationInfo>) -> Auth {
    info.map(OperationInfo::auth).filter(|auth| auth.needs_keys()).unwrap_or(O::AUTH)
}

/// Checks that the body is an object. A list or a text is a mistake of the caller.
fn is_object(name: &str, body: &Body) -> Result<(), NotCallable> {
    let first = body.as_ref().iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        None | Some(b'{') => Ok(()),
        Some(_) => Err(NotCallable::NotAnObject { name: name.to_owned() }),
    }
}

fn is_empty(body: &Body) -> bool {
    let text = std::str::from_utf8(body.as_ref()).ok();
    text.and_then(fields).is_some_and(|fields| fields.is_empty())
}

/// The operation's own reply limit if it has one, or else the policy's.
fn reply_limit(entry: Option<&OperationInfo>, policy: &Policy) -> usize {
    entry.and_then(OperationInfo::reply_limit).unwrap_or(policy.reply_limit)
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

//! What a client is made of, whichever kind it is.
//!
//! Owns the settings and their checks. Knows nothing of how a client drives its session.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_TYPE, EXPECT, HOST, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use imts_core::journal::Journal;
use imts_core::{
    AdoptError, Contract, Credentials, Endpoint, EndpointError, Keep, Policy, Saved, Session,
};
use thiserror::Error;

use crate::blocking::Client;
use crate::clock::{self, Clock, SystemClock};
use crate::hub::{Driven, HookError, Hub, Kept, OnGrant};
use crate::nonblocking::{AsyncClient, Spawner};
use crate::transport::{AsyncTransport, BoxFuture, Transport};

/// Collects what a client needs; every part but the endpoint has a default.
pub struct Builder {
    endpoint: Endpoint,
    contract: Contract,
    policy: Policy,
    credentials: Option<(Credentials, Keep)>,
    restored: Option<Saved>,
    clock: clock::Source,
    on_grant: Option<OnGrant>,
    journal: Option<Box<dyn Journal + Send>>,
    user_agent: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    patience: Duration,
    spawner: Option<Spawner>,
    keeps_alive: bool,
}

impl Client {
    /// What a client is made of.
    #[must_use]
    pub fn builder(endpoint: Endpoint) -> Builder {
        Builder::new(endpoint)
    }
}

impl AsyncClient {
    /// What a client is made of.
    #[must_use]
    pub fn builder(endpoint: Endpoint) -> Builder {
        Builder::new(endpoint)
    }
}

impl Builder {
    /// A client of the service at this endpoint: IMTS's contract, the default policy, the machine's
    /// clocks, no credentials.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            contract: Contract::imts(),
            policy: Policy::default(),
            credentials: None,
            restored: None,
            clock: clock::Source::of(SystemClock),
            on_grant: None,
            journal: None,
            user_agent: concat!("imts/", env!("CARGO_PKG_VERSION")).to_owned(),
            headers: Vec::new(),
            patience: Duration::from_secs(60),
            spawner: None,
            keeps_alive: false,
        }
    }

    /// Credentials to hold: the client signs in by itself whenever that is needed.
    #[must_use]
    pub fn credentials(self, credentials: Credentials) -> Self {
        Self { credentials: Some((credentials, Keep::Held)), ..self }
    }

    /// How to sign in and to refresh, where it differs from IMTS's contract.
    #[must_use]
    pub fn contract(self, contract: Contract) -> Self {
        Self { contract, ..self }
    }

    /// Margins, waits and limits. A jitter seed of 0 is replaced by a random one.
    #[must_use]
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// A state to go on from, saved by an earlier process.
    #[must_use]
    pub fn restore(self, saved: Saved) -> Self {
        Self { restored: Some(saved), ..self }
    }

    /// Where the time is read.
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: clock::Source::of(clock), ..self }
    }

    /// A hook that persists: it receives each grant before its token is used, and, before a refresh
    /// token is spent, the state that marks it so ([`Saved::is_in_doubt`]).
    ///
    /// It runs on the thread, or in the task, of the renewal; while it runs, an old token that is
    /// still usable is served. If it fails, or takes longer than `policy.save_within`, the new
    /// token is used all the same, and the client's `save_failure` tells why.
    #[must_use]
    pub fn on_grant(
        self,
        hook: impl Fn(&Saved) -> Result<(), HookError> + Send + Sync + 'static,
    ) -> Self {
        Self { on_grant: Some(Box::new(hook)), ..self }
    }

    /// Where calls that create something or move money are written down before they are sent, and
    /// after; it permits each intent once, and each such call then needs a reference. Without one,
    /// calls with a reference are known as long as the client lives.
    #[must_use]
    pub fn journal(self, journal: impl Journal + Send + 'static) -> Self {
        Self { journal: Some(Box::new(journal)), ..self }
    }

    /// Text to add to `User-Agent: imts/VERSION`, such as `my-bank/1.2`.
    #[must_use]
    pub fn user_agent(mut self, suffix: &str) -> Self {
        self.user_agent.push(' ');
        self.user_agent.push_str(suffix);
        self
    }

    /// A header to send with each request, such as a gateway's key. A header that the protocol
    /// sets, or that frames a request, makes the client's construction fail with
    /// [`BuildError::Header`].
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Where a renewal of an [`AsyncClient`] goes on while nobody asks, such as
    /// `|renewal| drop(tokio::spawn(renewal))`. Without one, renewals are driven by those who ask.
    #[must_use]
    pub fn spawner(self, spawn: impl Fn(BoxFuture<'static, ()>) + Send + Sync + 'static) -> Self {
        Self { spawner: Some(Box::new(spawn)), ..self }
    }

    /// Renews also while nobody asks, so that an idle program's token does not expire. Off by default.
    ///
    /// The client signs in at once if it can, and renews each token when that is due, at the pace of
    /// its back-off. A blocking [`Client`] has one thread for it, an [`AsyncClient`] one task of its
    /// [`spawner`](Builder::spawner). Both sleep between renewals, and end with the last client, or
    /// with its `close`.
    #[must_use]
    pub fn keep_alive(self) -> Self {
        Self { keeps_alive: true, ..self }
    }

    /// How long a caller waits for a renewal, at most. Default 60 s; see also
    /// [`Client::with_patience`].
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// A blocking client over this transport.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub fn blocking(self, transport: impl Transport + 'static) -> Result<Client, BuildError> {
        let (patience, keeps_alive) = (self.patience, self.keeps_alive);
        let client = Client::new(self.hub(Driven::Thread)?, Arc::new(transport), patience);
        if keeps_alive && client.keep_alive().is_err() {
            return Err(BuildError::KeepAlive);
        }
        Ok(client)
    }

    /// A client for tasks over this transport.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub fn nonblocking(
        mut self,
        transport: impl AsyncTransport + 'static,
    ) -> Result<AsyncClient, BuildError> {
        let (patience, spawner) = (self.patience, self.spawner.take());
        let keeps_alive = self.keeps_alive;
        let driven = if spawner.is_some() { Driven::Spawner } else { Driven::Askers };
        let hub = self.hub(driven)?;
        let client = AsyncClient::new(hub, Arc::new(transport), spawner, patience);
        if keeps_alive && !client.keep_alive() {
            return Err(BuildError::KeepAlive);
        }
        Ok(client)
    }

    fn hub<F>(self, driven: Driven) -> Result<Hub<F>, BuildError> {
        let headers = headers(&self.user_agent, self.headers)?;
        let mut policy = self.policy;
        if policy.jitter_seed == 0 {
            policy.jitter_seed = RandomState::new().build_hasher().finish();
        }
        let now = self.clock.now();
        let mut session = Session::new(self.endpoint, self.contract, policy)?;
        if self.on_grant.is_some() {
            session = session.with_store();
        }
        if let Some((credentials, keep)) = self.credentials {
            session.sign_in(credentials, keep, now);
        }
        if let Some(saved) = self.restored {
            session.adopt(saved, now)?;
        }
        let kept = Kept::new(self.journal);
        Ok(Hub::new(session, self.clock, self.on_grant, kept, headers, driven))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("endpoint", &self.endpoint)
            .field("policy", &self.policy)
            .field("credentials", &self.credentials)
            .field("restored", &self.restored)
            .finish_non_exhaustive()
    }
}

/// Why a client could not be made. The caller's to mend.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Endpoint and contract make no URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The restored state is for another endpoint or agent.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// The client is to keep itself alive, and there is no thread for that; or no spawner, or one that
    /// took no task, such as tokio's outside a runtime.
    #[error("nothing can keep the client alive: it needs a thread, or a spawner that takes a task")]
    KeepAlive,
    /// The header is the protocol's own.
    #[error("the header `{0}` is set by the protocol and cannot be given")]
    Header(HeaderName),
    /// The text for `User-Agent` has characters that no header has.
    #[error("the text for User-Agent has characters that no header has")]
    UserAgent,
}

fn headers(
    user_agent: &str,
    given: Vec<(HeaderName, HeaderValue)>,
) -> Result<HeaderMap, BuildError> {
    let mut headers = HeaderMap::new();
    headers
        .insert(USER_AGENT, HeaderValue::from_str(user_agent).map_err(|_| BuildError::UserAgent)?);
    for (name, value) in given {
        if RESERVED.contains(&name) {
            return Err(BuildError::Header(name));
        }
        headers.append(name, value);
    }
    Ok(headers)
}

/// The headers that frame a request, say where it goes and who asks, or change what is answered.
/// A caller's own could split one request into two, or replace a token.
const RESERVED: [HeaderName; 17] = [
    ACCEPT,
    ACCEPT_ENCODING,
    AUTHORIZATION,
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    EXPECT,
    HOST,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    USER_AGENT,
];

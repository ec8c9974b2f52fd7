//! The settings that a client of either kind is built from.
//!
//! Owns the settings and their checks. Does not know how a client drives its session.

mod env;
mod error;
mod headers;
mod keys;
mod user;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use imts_core::call::{Keys, Signatory};
use imts_core::endpoint::PlainHost;
use imts_core::journal::Journal;
use imts_core::{Credentials, Endpoint, Keep, Policy, Saved, Service, Session, services};

pub use self::env::EnvError;
pub use self::error::BuildError;
use self::headers::headers;
use crate::client::{
    AsyncClient, CallJournal, Callback, Client, Common, Declared, Driven, HookError, Kept, OnGrant,
    SharedStore, Signer, Spawner,
};
use crate::clock::{self, Clock, SystemClock};
use crate::random::random;
use crate::store::{AsyncStore, Store};
use crate::transport::{AsyncTransport, BoxFuture, Transport};

/// Collects the settings of a client. Every setting except the endpoint has a default.
pub struct Builder {
    endpoint: Endpoint,
    service: Service,
    policy: Policy,
    credentials: Option<(Credentials, Keep)>,
    keys: Option<Keys>,
    callback: Option<Callback>,
    restored: Option<Saved>,
    clock: clock::Source,
    on_grant: Option<OnGrant>,
    store: Option<Declared>,
    agent: Option<String>,
    subject: Option<String>,
    journal: Option<Box<dyn Journal + Send>>,
    user_agent: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    patience: Duration,
    spawner: Option<Spawner>,
    keeps_alive: bool,
}

impl Client {
    /// Starts building a client for this endpoint.
    #[must_use]
    pub fn builder(endpoint: Endpoint) -> Builder {
        Builder::new(endpoint)
    }
}

impl AsyncClient {
    /// Starts building a client for this endpoint.
    #[must_use]
    pub fn builder(endpoint: Endpoint) -> Builder {
        Builder::new(endpoint)
    }
}

impl Builder {
    /// Creates a builder with the defaults: the service Transfer, the default policy, the machine's
    /// clocks, no credentials.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            service: services::transfer(),
            policy: Policy::default(),
            credentials: None,
            keys: None,
            callback: None,
            restored: None,
            clock: clock::Source::of(SystemClock),
            on_grant: None,
            store: None,
            agent: None,
            subject: None,
            journal: None,
            user_agent: concat!("imts/", env!("CARGO_PKG_VERSION")).to_owned(),
            headers: Vec::new(),
            patience: Duration::from_secs(60),
            spawner: None,
            keeps_alive: false,
        }
    }

    /// Sets credentials that the client keeps. It then signs in by itself whenever it needs to.
    #[must_use]
    pub fn credentials(self, credentials: Credentials) -> Self {
        Self { credentials: Some((credentials, Keep::Always)), ..self }
    }

    /// Sets a callback that returns credentials, such as the present ones from a secret store. So
    /// a secret can be replaced without a restart.
    ///
    /// The client keeps what the callback returns, and calls it only if it needs other credentials:
    /// when it has none, and when the service refuses those that it has. If a usable token is left,
    /// callers get it meanwhile. A secret that was refused and comes again is not new: the client
    /// then does what the [`Policy`] says about that secret. After a callback that fails or brings
    /// nothing new, the client waits as after a failed renewal. After a new secret that is refused,
    /// it waits [`Policy::forbidden_first`], and longer each time, because accounts get locked.
    ///
    /// The callback runs on the thread, or in the task, of the renewal, and never under a lock. It
    /// may take its time. A callback that never returns keeps the thread of a blocking client. If
    /// it fails or panics, the error is [`TokenError::Credentials`]. `sign_out` switches the
    /// callback off, `sign_in` switches it on again.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use imts::{Builder, Credentials, Endpoint};
    /// # let sandbox = Mutex::new(imts_sandbox::Sandbox::new(Default::default()));
    /// # let transport = move |request: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
    /// #     let request = request.map(|body| body.as_ref().to_vec());
    /// #     Ok(sandbox.lock().unwrap().handle(imts_sandbox::Time::from(std::time::SystemTime::now()), &request))
    /// # };
    ///
    /// let store = Arc::new(Mutex::new("sandbox-secret".to_owned())); // Vault, or a mounted file
    /// let current = Arc::clone(&store);
    /// let client = Builder::new(Endpoint::https("https://sandbox.example")?)
    ///     .credentials_from(move || {
    ///         Ok(Credentials::new("sandbox-agent", current.lock().unwrap().clone())?)
    ///     })
    ///     .blocking(transport)?;
    /// assert_eq!(client.token()?.epoch().count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`TokenError::Credentials`]: crate::TokenError::Credentials
    #[must_use]
    pub fn credentials_from(
        self,
        read: impl Fn() -> Result<Credentials, HookError> + Send + Sync + 'static,
    ) -> Self {
        Self { callback: Some(Callback::Blocks(Box::new(read))), ..self }
    }

    /// Sets a callback that returns a future of credentials, for an [`AsyncClient`]. Otherwise it is
    /// as [`credentials_from`](Builder::credentials_from) says.
    ///
    /// The future has [`Policy::time_limit`]. If it does not complete by then, it is dropped, and
    /// the callback has failed. If every caller that waits for it is cancelled, the next caller
    /// continues it. A blocking client cannot await it: building one fails with
    /// [`BuildError::AsyncCallback`].
    #[must_use]
    pub fn credentials_from_async<F>(self, read: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Credentials, HookError>> + Send + 'static,
    {
        Self { callback: Some(Callback::Waits(Box::new(move || Box::pin(read())))), ..self }
    }

    /// Sets how to sign in and to refresh, if this differs from the service Transfer.
    #[must_use]
    pub fn service(self, service: Service) -> Self {
        Self { service, ..self }
    }

    /// Sets margins, waits and limits. A jitter seed of 0 is replaced by a random one.
    #[must_use]
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Sets the state to continue from, saved by an earlier process.
    #[must_use]
    pub fn restore(self, saved: Saved) -> Self {
        Self { restored: Some(saved), ..self }
    }

    /// Sets the clock that the client reads.
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: clock::Source::of(clock), ..self }
    }

    /// Sets a hook that persists the session's state. The client calls it with each grant, before
    /// it uses the grant's token. Before the client spends a refresh token, it calls the hook with
    /// a state that is marked [in doubt](Saved::is_in_doubt).
    ///
    /// The hook runs on the thread, or in the task, of the renewal. While it runs, callers get the
    /// old token if that is still usable. If the hook fails, or takes longer than
    /// `policy.save_within`, the client uses the new token all the same. The client's
    /// `save_failure` then reports why. If the service has no
    /// [way back](crate::service::Tokens::has_way_back), nothing is used unsaved: the hook is called
    /// again after `policy.save_within`.
    #[must_use]
    pub fn on_grant(
        self,
        hook: impl Fn(&Saved) -> Result<(), HookError> + Send + Sync + 'static,
    ) -> Self {
        Self { on_grant: Some(Box::new(hook)), ..self }
    }

    /// Sets the store that this agent's processes share. One of them renews, and the others take its
    /// grant. The page "Share a session" says which store serves when, and what it costs.
    ///
    /// Before a renewal, the client claims it in the store. A grant is in use at once, and the
    /// store gets it next. If the store does not answer, a usable token is served. A client with
    /// credentials then signs in alone before that token ends; it never refreshes without a claim.
    /// [`Policy::lease`], [`Policy::store_within`] and [`Policy::alone`] set the limits.
    ///
    /// The store works on a thread of its own, of either kind of client, and no lock is held
    /// meanwhile. A process that forks must build its clients after the fork.
    ///
    /// A store and [`on_grant`](Builder::on_grant) exclude each other. If no credentials are given,
    /// name the [`agent`](Builder::agent).
    #[must_use]
    pub fn store(self, store: impl Store + 'static) -> Self {
        Self { store: Some(Declared::Blocks(Arc::new(store))), ..self }
    }

    /// Sets the store that this agent's processes share, over an async client of the caller's own.
    /// It is for an [`AsyncClient`] alone. Otherwise it is as [`store`](Builder::store) says.
    #[must_use]
    pub fn async_store(self, store: impl AsyncStore + 'static) -> Self {
        Self { store: Some(Declared::Waits(Arc::new(store))), ..self }
    }

    /// Names the agent whose session the [`store`](Builder::store) keeps, for a client that is built
    /// without credentials. Such a client uses what its siblings put into the store.
    #[must_use]
    pub fn agent(self, id: &str) -> Self {
        Self { agent: Some(id.to_owned()), ..self }
    }

    /// Sets the journal, which records calls that create something or move money, before they are
    /// sent and after. It permits each intent once, and each such call then needs a reference.
    /// Without a journal, the client remembers calls with a reference as long as it lives.
    #[must_use]
    pub fn journal(self, journal: impl Journal + Send + 'static) -> Self {
        Self { journal: Some(Box::new(journal)), ..self }
    }

    /// Adds text to `User-Agent: imts/VERSION`, such as `my-bank/1.2`.
    #[must_use]
    pub fn user_agent(mut self, suffix: &str) -> Self {
        self.user_agent.push(' ');
        self.user_agent.push_str(suffix);
        self
    }

    /// Adds a header to each request, such as a gateway's key. If the header is one that the
    /// protocol sets, or one that frames a request, building the client fails with
    /// [`BuildError::Header`].
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sets the function that runs a renewal of an [`AsyncClient`] while no one asks for a token,
    /// such as `|renewal| drop(tokio::spawn(renewal))`. Without a spawner, the callers that wait
    /// for a renewal drive it.
    #[must_use]
    pub fn spawner(self, spawn: impl Fn(BoxFuture<'static, ()>) + Send + Sync + 'static) -> Self {
        Self { spawner: Some(Box::new(spawn)), ..self }
    }

    /// Renews tokens even if no one asks, so that an idle program's token does not expire. Off by
    /// default.
    ///
    /// The client signs in at once if it can, and renews each token when that is due, at the pace
    /// of its back-off. A blocking [`Client`] uses one thread for this, an [`AsyncClient`] one task
    /// of its [`spawner`](Builder::spawner). The thread or task sleeps between renewals. It ends
    /// when the last client is dropped, or with the client's `close`.
    #[must_use]
    pub fn keep_alive(self) -> Self {
        Self { keeps_alive: true, ..self }
    }

    /// Sets how long a caller waits for a renewal at most. Default 60 s; see also
    /// [`Client::with_patience`].
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Builds a blocking client over this transport.
    ///
    /// # Errors
    ///
    /// Returns [`BuildError`] if a setting cannot be used.
    pub fn blocking(self, transport: impl Transport + 'static) -> Result<Client, BuildError> {
        let (patience, keeps_alive) = (self.patience, self.keeps_alive);
        if matches!(self.callback, Some(Callback::Waits(_))) {
            return Err(BuildError::AsyncCallback);
        }
        if matches!(self.store, Some(Declared::Waits(_))) {
            return Err(BuildError::AsyncStore);
        }
        self.check_plain_host(|host| transport.checks_plain_host(host))?;
        let client = Client::new(self.common(Driven::Thread)?, Arc::new(transport), patience);
        if keeps_alive && client.keep_alive().is_err() {
            return Err(BuildError::KeepAlive);
        }
        Ok(client)
    }

    /// Builds a client for tasks over this transport.
    ///
    /// # Errors
    ///
    /// Returns [`BuildError`] if a setting cannot be used.
    pub fn nonblocking(
        mut self,
        transport: impl AsyncTransport + 'static,
    ) -> Result<AsyncClient, BuildError> {
        let (patience, spawner) = (self.patience, self.spawner.take());
        let keeps_alive = self.keeps_alive;
        self.check_plain_host(|host| transport.checks_plain_host(host))?;
        let driven = if spawner.is_some() { Driven::Spawner } else { Driven::Askers };
        let common = self.common(driven)?;
        let client = AsyncClient::new(common, Arc::new(transport), spawner, patience);
        if keeps_alive && !client.keep_alive() {
            return Err(BuildError::KeepAlive);
        }
        Ok(client)
    }

    /// Checks that a transport is made for the host to which the endpoint is plain http.
    fn check_plain_host(&self, checks: impl FnOnce(&PlainHost) -> bool) -> Result<(), BuildError> {
        match self.endpoint.plain_host() {
            Some(host) if !checks(&host) => Err(BuildError::PlainHost(host)),
            _ => Ok(()),
        }
    }

    fn common<F>(self, driven: Driven) -> Result<Common<F>, BuildError> {
        let headers = headers(&self.user_agent, self.headers)?;
        let mut policy = self.policy;
        if policy.jitter_seed == 0 {
            policy.jitter_seed = random();
        }
        let now = self.clock.now();
        let signer = self.keys.map(|keys| {
            let (endpoint, service) = (self.endpoint.clone(), self.service.clone());
            Signer::new(Signatory::new(endpoint, service, policy.clone(), keys))
        });
        let mut session = Session::new(self.endpoint, self.service, policy)?;
        let kept = match (self.on_grant, self.store) {
            (Some(_), Some(_)) => return Err(BuildError::TwoStores),
            (Some(hook), None) => Kept::ByHook(hook),
            (None, Some(store)) => Kept::InStore(SharedStore::new(store)),
            (None, None) => Kept::Nowhere,
        };
        match &kept {
            Kept::Nowhere => {}
            Kept::ByHook(_) => session = session.with_store(),
            Kept::InStore(_) => session = session.with_shared_store(random()),
        }
        let given = self.credentials.as_ref().map(|(credentials, _)| credentials.agent_id());
        if let (Some(agent), Some(given)) = (&self.agent, given)
            && agent != given
        {
            return Err(BuildError::TwoAgents);
        }
        if let Some(agent) = &self.agent {
            session = session.with_agent(agent);
        }
        if let Some(subject) = &self.subject {
            session = session.with_subject(subject);
        }
        if let Some((credentials, keep)) = self.credentials {
            session.sign_in(credentials, keep, now);
        }
        if let Some(saved) = self.restored {
            session.adopt(saved, now)?;
        }
        if matches!(kept, Kept::InStore(_)) && session.agent_id().is_none() {
            return Err(BuildError::NoAgent);
        }
        let journal = CallJournal::new(self.journal);
        let common =
            Common::new(session, self.clock, kept, self.callback, journal, headers, driven);
        Ok(common.with_signer(signer))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("endpoint", &self.endpoint)
            .field("policy", &self.policy)
            .field("credentials", &self.credentials)
            .field("keys", &self.keys)
            .field("restored", &self.restored)
            .finish_non_exhaustive()
    }
}

//! A client for each user of a service that has a session for each, such as Freedom ID.
//!
//! Owns which users are in memory, and gives a revocation to all of them. Does not know how a client
//! is built: the integrator's function does that. Keeps no tokens: the clients do, and their stores.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use imts_core::secret::TokenId;

use crate::builder::BuildError;
use crate::client::{AsyncClient, Client};
use crate::sync::Mutex;

/// The clients of many users, one for each.
///
/// A client is built when its user is first asked for, by a function that names the user to the
/// [`Builder`](crate::Builder::subject). All clients can share one transport and one
/// [store](crate::Builder::store), which keeps an entry for each user. A client in memory is about
/// 8 KB, without a thread or a task of its own while nothing is renewed.
///
/// Clones share the clients.
///
/// ```
/// use std::sync::Arc;
/// use imts::{Builder, Client, Credentials, Endpoint, Keep, MemoryStore, services, users::Users};
/// use imts::services::freedom_id;
/// # use imts_sandbox::{Sandbox, Settings, Time};
/// # let transport = Arc::new(|_: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
/// #     Ok(http::Response::new(Vec::new()))
/// # });
///
/// let store = Arc::new(MemoryStore::new()); // in production: Redis, PostgreSQL
/// let users: Users<Client> = Users::new(move |user| {
///     Builder::new(Endpoint::https("https://passport.freedompay.kz").expect("it is one"))
///         .service(services::freedom_id())
///         .policy(freedom_id::policy())
///         .agent("client-1")
///         .subject(user)
///         .store(Arc::clone(&store))
///         .blocking(Arc::clone(&transport))
/// });
///
/// let client = users.for_user("user-17")?;
/// assert!(client.token().is_err()); // it needs a code: client.sign_in(credentials, Keep::Once)
/// assert_eq!(users.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Users<C> {
    shared: Arc<Shared<C>>,
}

struct Shared<C> {
    build: Build<C>,
    clients: Mutex<HashMap<Arc<str>, C>>,
}

type Build<C> = Box<dyn Fn(&str) -> Result<C, BuildError> + Send + Sync>;

/// A client of one user: [`Client`] or [`AsyncClient`].
pub trait UserClient: Clone + sealed::Sealed {
    /// Reports that the service has revoked the tokens of this id. Returns whether they are the
    /// client's.
    fn revoked(&self, id: &TokenId) -> bool;
}

impl<C: UserClient> Users<C> {
    /// Makes it without clients. `build` builds the client of the user that it is given.
    #[must_use]
    pub fn new(build: impl Fn(&str) -> Result<C, BuildError> + Send + Sync + 'static) -> Self {
        let (build, clients) = (Box::new(build) as Build<C>, Mutex::new(HashMap::new()));
        Self { shared: Arc::new(Shared { build, clients }) }
    }

    /// Returns the client of a user, which is built if it is not in memory. All who ask for one user
    /// get the same client.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if it cannot be built.
    pub fn for_user(&self, user: &str) -> Result<C, BuildError> {
        if let Some(client) = self.lock().get(user) {
            return Ok(client.clone());
        }
        // It is built outside the lock: a build may read a file or a keychain.
        let built = (self.shared.build)(user)?;
        Ok(self.lock().entry(user.into()).or_insert(built).clone())
    }

    /// Removes a user's client from memory, and returns it. What a store keeps stays there; without
    /// a store, the user must sign in again unless the returned client's state is kept.
    pub fn forget(&self, user: &str) -> Option<C> {
        self.lock().remove(user)
    }

    /// Gives a revocation to all clients in memory. Returns those that had the tokens; usually none
    /// or one.
    ///
    /// It takes the same time whether or not one of them has the tokens, and makes no request. If a
    /// store is declared, it is emptied by the next ask: let each returned client ask for a token,
    /// after the service has its answer.
    pub fn revoked(&self, id: &TokenId) -> Vec<C> {
        let clients: Vec<C> = self.lock().values().cloned().collect();
        clients.into_iter().filter(|client| client.revoked(id)).collect()
    }

    /// Returns how many clients are in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Returns whether no client is in memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> crate::sync::MutexGuard<'_, HashMap<Arc<str>, C>> {
        // A panic of `build` happens outside the lock.
        self.shared.clients.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl<C> Clone for Users<C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<C> fmt::Debug for Users<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").finish_non_exhaustive()
    }
}

impl UserClient for Client {
    fn revoked(&self, id: &TokenId) -> bool {
        Self::revoked(self, id)
    }
}

impl UserClient for AsyncClient {
    fn revoked(&self, id: &TokenId) -> bool {
        Self::revoked(self, id)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::client::Client {}
    impl Sealed for crate::client::AsyncClient {}
}

/// The receiver of Freedom ID's revocations, without its web server.
///
/// ```
/// use imts::users::{Revocations, Users};
/// # use imts::{Builder, Client, Endpoint, services};
/// # let users: Users<Client> = Users::new(|_| {
/// #     Builder::new(Endpoint::https("https://passport.example").expect("it is one"))
/// #         .blocking(|_: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
/// #             Ok(http::Response::new(Vec::new()))
/// #         })
/// # });
///
/// let revocations = Revocations::new(users);
/// let (answer, revoked) = revocations.receive(br#"{"id":"01953bd1-a6d3-739e-8aa3-83e881f09055"}"#);
/// assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 0));
/// assert!(revoked.is_empty()); // nobody has these tokens, and the answer does not say so
/// ```
#[derive(Clone, Debug)]
pub struct Revocations<C> {
    users: Users<C>,
}

impl<C: UserClient> Revocations<C> {
    /// Makes it for these users.
    #[must_use]
    pub fn new(users: Users<C>) -> Self {
        Self { users }
    }

    /// Takes the body of a callback. Returns the answer, which is always 200 and empty, and the
    /// clients whose tokens it has revoked.
    ///
    /// Never log the body: who knows the id can end the session. Answer first. Then let each client
    /// ask for a token, which empties its store and brings none.
    pub fn receive(&self, body: &[u8]) -> (http::Response<Vec<u8>>, Vec<C>) {
        let id = imts_core::services::freedom_id::revoked_id(body);
        let revoked = id.map(|id| self.users.revoked(&id)).unwrap_or_default();
        (http::Response::new(Vec::new()), revoked)
    }
}

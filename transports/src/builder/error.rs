//! Why a client could not be built.

use http::HeaderName;
use imts_core::endpoint::{EndpointError, PlainHost};
use imts_core::session::AdoptError;
use thiserror::Error;

#[cfg(doc)]
use crate::{AsyncClient, Builder};

/// Why a client could not be built. The caller must correct a setting.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The endpoint and a path of the service do not form a URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The restored state belongs to another endpoint or agent.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// [`Builder::keep_alive`] is set, but nothing can run it. Either no thread could be started,
    /// or no spawner was given, or the spawner did not take the task. tokio's spawner takes no task
    /// outside a runtime.
    #[error("the client cannot be kept alive: it needs a thread, or a spawner that accepts a task")]
    KeepAlive,
    /// The callback of [`Builder::credentials_from_async`] is for an [`AsyncClient`] alone.
    #[error("a blocking client cannot await its credentials: give a callback that returns them")]
    AsyncCallback,
    /// The store of [`Builder::async_store`] is for an [`AsyncClient`] alone.
    #[error("a blocking client cannot await its store: give a store that blocks")]
    AsyncStore,
    /// Both [`Builder::on_grant`] and [`Builder::store`] are set. A shared store saves by itself.
    #[error("both a store and an on_grant hook are set: give only one of them")]
    TwoStores,
    /// [`Builder::store`] is set, and nothing says which agent's session it keeps.
    #[error("the store needs to know the agent: name it, or give credentials")]
    NoAgent,
    /// [`Builder::agent`] names another agent than the credentials.
    #[error("the named agent is not the agent of the credentials")]
    TwoAgents,
    /// The endpoint is plain http to this host, and the transport does not check the host's
    /// addresses.
    #[error(
        "the transport does not allow plain http to `{0}`: set its plain_http_host to the same \
         host, or use https"
    )]
    PlainHost(PlainHost),
    /// The protocol sets this header itself.
    #[error("the header `{0}` is set by the protocol and cannot be given")]
    Header(HeaderName),
    /// The text for `User-Agent` contains characters that a header cannot contain.
    #[error("the text for User-Agent has characters that a header cannot have")]
    UserAgent,
}

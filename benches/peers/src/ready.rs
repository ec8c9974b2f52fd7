//! A client that holds a valid token, and the runtimes around it.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::runtime::{Builder, Runtime};

use crate::peer::{Peer, Start};
use crate::service::{Behaviour, Service};

/// A client that holds a token, and where it lives.
pub struct Ready<P> {
    /// The client.
    pub peer: Arc<P>,
    /// Where its own tasks run, if it has any.
    _home: Runtime,
    _service: Service,
}

impl<P: Peer> Ready<P> {
    /// A client that has asked once.
    ///
    /// # Panics
    ///
    /// Where it gets no token.
    #[must_use]
    pub fn new() -> Self {
        let (home, service) = (several(), Service::start(Behaviour::default()));
        let peer = home.block_on(async {
            let peer = P::new(&service, Start::Cold).await;
            peer.token().await.expect("the service grants");
            peer
        });
        Self { peer: Arc::new(peer), _home: home, _service: service }
    }
}

impl<P: Peer> Default for Ready<P> {
    fn default() -> Self {
        Self::new()
    }
}

/// A runtime of two workers.
///
/// # Panics
///
/// Where the system gives no threads.
#[must_use]
pub fn several() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("the system gives threads")
}

/// A runtime of this thread alone, to ask from.
///
/// # Panics
///
/// Where the system gives no reactor.
#[must_use]
pub fn here() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("the system gives a reactor")
}

/// The outcome of a future that waits for nothing: of a client that blocks its thread.
///
/// # Panics
///
/// Where it waits after all.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("it does not block"),
    }
}

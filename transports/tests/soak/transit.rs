//! Who has a request on the way: time does not pass over it, or a slow machine would shorten what it
//! brings.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{Request, Response};
use imts::secret::Body;
use imts::transport::{Bounds, BoxFuture};
use imts::{AsyncTransport, Transport, TransportError};

use crate::askers::Ground;

/// A transport whose requests are counted while they are on the way.
pub(crate) struct Counted<T> {
    transport: T,
    ground: Arc<Ground>,
}

impl<T> Counted<T> {
    pub(crate) fn new(transport: T, ground: &Arc<Ground>) -> Self {
        Self { transport, ground: Arc::clone(ground) }
    }
}

struct OnTheWay<'a>(&'a Ground);

impl<'a> OnTheWay<'a> {
    fn on(ground: &'a Ground) -> Self {
        ground.on_the_way.fetch_add(1, Ordering::SeqCst);
        Self(ground)
    }
}

impl Drop for OnTheWay<'_> {
    fn drop(&mut self) {
        self.0.on_the_way.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<T: Transport> Transport for Counted<T> {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let _counted = OnTheWay::on(&self.ground);
        self.transport.send(request, bounds)
    }
}

impl<T: AsyncTransport> AsyncTransport for Counted<T> {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        let counted = OnTheWay::on(&self.ground);
        Box::pin(async move {
            let _counted = counted;
            self.transport.send(request, bounds).await
        })
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.transport.sleep(duration)
    }
}

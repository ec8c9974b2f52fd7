//! Boxes and shared pointers of transports, which are transports too.
//!
//! Owns the forwarding: each method goes to the transport inside.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use imts_core::TransportError;
use imts_core::endpoint::PlainHost;
use imts_core::secret::Body;

use super::{AsyncTransport, Bounds, BoxFuture, Progress, Transport};

/// A transport that is chosen at run time. This is not written for every `Box<T>`, because a boxed
/// closure is a transport already.
impl Transport for Box<dyn Transport + '_> {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        (**self).send(request, bounds)
    }

    fn checks_plain_host(&self, host: &PlainHost) -> bool {
        (**self).checks_plain_host(host)
    }
}

/// A transport that several clients share, and with it its connections.
impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        (**self).send(request, bounds)
    }

    fn checks_plain_host(&self, host: &PlainHost) -> bool {
        (**self).checks_plain_host(host)
    }
}

/// Forwards each method to the transport inside.
macro_rules! forwards {
    ($($pointer:ident, $why:literal;)*) => {$(
        #[doc = $why]
        impl<T: AsyncTransport + ?Sized> AsyncTransport for $pointer<T> {
            fn send(
                &self,
                request: Request<Body>,
                bounds: Bounds,
            ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
                (**self).send(request, bounds)
            }

            fn send_reporting(
                &self,
                request: Request<Body>,
                bounds: Bounds,
                progress: Progress,
            ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
                (**self).send_reporting(request, bounds, progress)
            }

            fn keeps_time(&self) -> bool {
                (**self).keeps_time()
            }

            fn checks_plain_host(&self, host: &PlainHost) -> bool {
                (**self).checks_plain_host(host)
            }

            fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
                (**self).sleep(duration)
            }
        }
    )*};
}

forwards! {
    Box, "A transport that is chosen at run time.";
    Arc, "A transport that several clients share, and with it its connections.";
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use http::{Request, Response};
    use imts_core::TransportError;
    use imts_core::secret::Body;

    use crate::transport::{AsyncTransport, Bounds, BoxFuture, Progress, Transport};

    const BOUNDS: Bounds = Bounds { reply_limit: 7, time_limit: Duration::from_secs(7) };

    fn request() -> Request<Body> {
        Request::new(Body::from(Vec::new()))
    }

    #[test]
    fn a_boxed_or_shared_transport_sends_as_the_one_inside() {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let inside = move |_: Request<Body>, bounds: Bounds| {
            assert_eq!(bounds, BOUNDS);
            count.fetch_add(1, Ordering::SeqCst);
            Ok::<_, TransportError>(Response::new(b"inside".to_vec()))
        };
        let shared = Arc::new(inside);
        let erased: Arc<dyn Transport> = shared.clone();
        let boxed: Box<dyn Transport> = Box::new(shared.clone());
        let transports: [&dyn Transport; 3] = [&shared, &erased, &boxed];
        for transport in transports {
            assert_eq!(transport.send(request(), BOUNDS).unwrap().body(), b"inside");
        }
        assert_eq!(sent.load(Ordering::SeqCst), 3);
    }

    /// Answers each method in another way than the defaults.
    struct Odd;

    impl AsyncTransport for Odd {
        fn send(
            &self,
            _: Request<Body>,
            _: Bounds,
        ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
            Box::pin(ready(Ok(Response::new(b"sent".to_vec()))))
        }

        fn send_reporting(
            &self,
            _: Request<Body>,
            _: Bounds,
            progress: Progress,
        ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
            progress.hold();
            Box::pin(ready(Ok(Response::new(b"reported".to_vec()))))
        }

        fn keeps_time(&self) -> bool {
            true
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(ready(()))
        }
    }

    fn at_once<T>(mut future: BoxFuture<'_, T>) -> T {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it waits"),
        }
    }

    #[test]
    fn a_boxed_or_shared_async_transport_does_everything_as_the_one_inside() {
        let erased: Arc<dyn AsyncTransport> = Arc::new(Odd);
        let boxed: Box<dyn AsyncTransport> = Box::new(Odd);
        let transports: [&dyn AsyncTransport; 4] =
            [&Arc::new(Odd), &erased, &Box::new(Odd), &boxed];
        for transport in transports {
            let progress = Progress::default();
            let reply = |sending| at_once::<Result<Response<Vec<u8>>, _>>(sending).unwrap();
            assert_eq!(reply(transport.send(request(), BOUNDS)).body(), b"sent");
            let sending = transport.send_reporting(request(), BOUNDS, progress.clone());
            assert_eq!(reply(sending).body(), b"reported");
            assert!(progress.is_held() && transport.keeps_time());
            at_once(transport.sleep(Duration::from_secs(3_600)));
        }
    }
}

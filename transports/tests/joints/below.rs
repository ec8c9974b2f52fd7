//! A service below the layer: the sandbox in process. It panics if it is called before it is ready,
//! and takes one request at a time.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use http::header::CONTENT_TYPE;
use http::{Request, Response};
use imts_sandbox::ECHO_PATH;

use crate::Service;

/// A body that cannot be cloned.
#[derive(Debug)]
pub(crate) struct Once(pub(crate) Vec<u8>);

pub(crate) trait Bytes {
    fn bytes(self) -> Vec<u8>;
}

impl Bytes for Once {
    fn bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Bytes for Vec<u8> {
    fn bytes(self) -> Vec<u8> {
        self
    }
}

/// More replies than any test asks for.
pub(crate) const MANY: usize = 1_000;

/// The only place of a service: whose turn it is, and who waits.
#[derive(Default)]
struct Place {
    is_taken: bool,
    waiting: Vec<Waker>,
}

pub(crate) struct Below {
    service: Service,
    place: Arc<Mutex<Place>>,
    /// Held while this handle is ready.
    turn: Option<Turn>,
    /// How many replies may come.
    pub(crate) replies: Arc<AtomicUsize>,
}

/// The place, until it is dropped.
struct Turn(Arc<Mutex<Place>>);

impl Drop for Turn {
    fn drop(&mut self) {
        let mut place = self.0.lock().unwrap();
        place.is_taken = false;
        place.waiting.drain(..).for_each(Waker::wake);
    }
}

impl Below {
    pub(crate) fn new(service: &Service) -> Self {
        let replies = Arc::new(AtomicUsize::new(MANY));
        Self { service: service.clone(), place: Arc::default(), turn: None, replies }
    }

    pub(crate) fn is_taken(&self) -> bool {
        self.place.lock().unwrap().is_taken
    }
}

impl Clone for Below {
    /// A clone is not ready.
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            place: Arc::clone(&self.place),
            turn: None,
            replies: Arc::clone(&self.replies),
        }
    }
}

/// A response's body, which holds the place until it is dropped.
pub(crate) struct Held {
    pub(crate) bytes: Vec<u8>,
    _turn: Turn,
}

impl<B: Bytes> tower_service::Service<Request<B>> for Below {
    type Response = Response<Held>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Held>, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.turn.is_none() {
            let mut place = self.place.lock().unwrap();
            if place.is_taken {
                place.waiting.push(cx.waker().clone());
                return Poll::Pending;
            }
            place.is_taken = true;
            self.turn = Some(Turn(Arc::clone(&self.place)));
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let turn = self.turn.take().expect("it is called while it is ready");
        let (service, replies) = (self.service.clone(), Arc::clone(&self.replies));
        let mut request = request.map(B::bytes);
        request.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
        Box::pin(async move {
            let may_come = |left: usize| left.checked_sub(1);
            while replies.fetch_update(Ordering::SeqCst, Ordering::SeqCst, may_come).is_err() {
                tokio::task::yield_now().await;
            }
            Ok(service.answer(&request).map(|bytes| Held { bytes, _turn: turn }))
        })
    }
}

pub(crate) fn request<B>(body: B) -> Request<B> {
    Request::post(format!("https://sandbox.example{ECHO_PATH}")).body(body).unwrap()
}

//! One connection, and one exchange at a time over it.
//!
//! Owns hyper's side of a connection. The exchange that uses the connection polls it; no one polls
//! it while it is idle. So an exchange first reads what was received meanwhile. If the connection
//! was closed, or holds bytes that no request asked for, it takes no request, and hyper hands the
//! request back.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::HOST;
use http::{HeaderValue, Request, Response};
use hyper::client::conn::http1::{Builder, Connection as Work, SendRequest};
use hyper::rt::Timer;

use super::BUFFER;
use super::alarm::Timed;
use super::exchange::{HyperBody, read};
use super::filter::Filter;
use super::runtime::Time;
use super::wire::Watch;
use crate::reason::Reason;
use crate::transport::Progress;
use crate::within::within;

pub(super) struct Connection {
    requests: SendRequest<HyperBody>,
    /// `None` once it has ended.
    work: Option<Work<Filter, HyperBody>>,
    watch: Arc<Watch>,
    /// The host that it leads to, as requests name it.
    host: HeaderValue,
    /// The timer of the exchange before, for the next one.
    pub(super) timer: Option<Timed>,
}

/// Why there is no response.
pub(super) struct Unanswered {
    pub(super) why: Reason,
    /// The request, if the connection did not take it.
    pub(super) request: Option<Request<HyperBody>>,
}

impl Connection {
    pub(super) async fn over(
        io: Filter,
        watch: Arc<Watch>,
        host: HeaderValue,
    ) -> hyper::Result<Box<Self>> {
        let mut builder = Builder::new();
        builder.max_buf_size(BUFFER);
        let (requests, work) = builder.handshake(io).await?;
        Ok(Box::new(Self { requests, work: Some(work), watch, host, timer: None }))
    }

    /// Sends a request, and reads its response, at most one byte more than the limit. Returns the
    /// connection if it may be used again.
    pub(super) async fn exchange(
        mut self: Box<Self>,
        mut request: Request<HyperBody>,
        limit: usize,
        progress: &Progress,
    ) -> Result<(Response<Vec<u8>>, Option<Box<Self>>), Unanswered> {
        self.watch.begin(progress);
        request.headers_mut().entry(HOST).or_insert_with(|| self.host.clone());
        let mut answer = pin!(self.requests.try_send_request(request));
        let answer = poll_fn(|cx| {
            self.drive(cx);
            self.watch.settled();
            answer.as_mut().poll(cx)
        });
        let response = answer.await.map_err(|mut error| {
            let request = error.take_message();
            Unanswered { why: Reason::of(&error.into_error()), request }
        })?;
        let response = read(response, limit, |cx| self.drive(cx)).await;
        let response = response.map_err(|why| Unanswered { why, request: None })?;
        if !self.is_ready() {
            self.look().await;
        }
        let usable = self.is_ready().then_some(self);
        Ok((response, usable))
    }

    /// Lets the runtime turn once, and returns the connection if it is usable then. This is for a
    /// runtime whose streams report no more than the runtime has seen.
    pub(super) async fn survives_a_turn(mut self: Box<Self>, time: &Time) -> Option<Box<Self>> {
        let ended = poll_fn(|cx| {
            self.drive(cx);
            if self.work.is_none() { Poll::Ready(()) } else { Poll::Pending }
        });
        within(TURN, |beat| time.sleep(beat), pin!(ended)).await;
        self.work.is_some().then_some(self)
    }

    fn is_ready(&self) -> bool {
        self.work.is_some() && self.requests.is_ready()
    }

    async fn look(&mut self) {
        poll_fn(|cx| {
            self.drive(cx);
            Poll::Ready(())
        })
        .await;
    }

    /// Polls hyper's side of the connection. Once it has ended it is dropped, which wakes its
    /// waiters.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(work) = &mut self.work
            && Pin::new(work).poll(cx).is_ready()
        {
            self.work = None;
        }
    }
}

/// A runtime has turned when its shortest sleep has ended.
const TURN: Duration = Duration::from_millis(1);

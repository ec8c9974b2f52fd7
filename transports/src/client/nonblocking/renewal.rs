//! A renewal without a thread: a future that the client keeps, and that each caller polls.
//!
//! Owns the start of a flight, the polling by callers that do not wait for it, and the time limit
//! of one exchange. The session decides what to do.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use http::{Request, Response};
use imts_core::TransportError;
use imts_core::secret::Body;
use imts_core::swap::Swap;
use imts_core::transport_error::NotSent;

use super::flight::{Flight, discard};
use super::waiting::until;
use crate::client::bearer::BearerGuard;
use crate::client::common::{
    Answer, Ask, Begun, CallbackPanicked, CallbackTimedOut, Common, Locked, Next, Read,
    StorePanicked, Work,
};
use crate::store::StoreError;
use crate::token_error::TokenError;
use crate::transport::{AsyncTransport, Bounds, BoxFuture, Progress, TransportPanicked};
use crate::within::Limit;

/// Runs a future in the background.
pub(crate) type Spawner = Box<dyn Fn(BoxFuture<'static, ()>) + Send + Sync>;

/// What all clones of a client share.
pub(super) struct Shared {
    pub(super) common: Common<Flight>,
    pub(super) transport: Arc<dyn AsyncTransport>,
    pub(super) spawner: Option<Spawner>,
}

/// The result of an ask.
pub(super) enum Asked {
    Ready(BearerGuard),
    /// Wait for this, then ask again.
    Wait {
        /// `None` if the flight is no longer the current one: then only time helps.
        flight: Option<Flight>,
        /// When the session counts it as lost.
        overdue: Duration,
    },
}

impl Shared {
    /// Asks for a token with this much life left. `overdue` is the flight that the caller has
    /// waited for in vain.
    pub(super) fn ask(
        self: &Arc<Self>,
        locked: Locked<'_, Flight>,
        at_least: Duration,
        overdue: Option<&Flight>,
    ) -> Result<Asked, TokenError> {
        let mut state = locked;
        if let Some(flight) = state.flight.clone() {
            drop(state);
            flight.advance();
            state = match self.common.cached_or_lock(at_least) {
                Ok(bearer) => return Ok(Asked::Ready(bearer)),
                Err(locked) => locked,
            };
            state.flight.take_if(|flight| flight.has_ended());
            let is_under_way = state.flight.as_ref().is_some_and(|it| it.is(&flight));
            let is_overdue = overdue.is_some_and(|it| it.is(&flight));
            if is_under_way
                && !flight.is_on_this_thread()
                && self.common.gives_up(&mut state, is_overdue)
            {
                state.flight = None;
                drop(state);
                // The waiters of this flight ask again.
                flight.end(Ok(()));
                state = self.common.lock();
            }
        }
        let (work, meanwhile) = match self.common.ask(&mut state, at_least)? {
            Ask::Ready(bearer) => return Ok(Asked::Ready(bearer)),
            Ask::Join(overdue) | Ask::Rest(overdue) => {
                let flight = state.flight.clone();
                if flight.as_ref().is_some_and(Flight::is_on_this_thread) {
                    return Err(TokenError::Reentrant);
                }
                return Ok(Asked::Wait { flight, overdue });
            }
            Ask::Start(work, meanwhile) => (work, meanwhile),
        };
        let overdue = work.time_limit();
        let flight = self.flight_of(work);
        let former = state.flight.replace(flight.clone());
        drop(state);
        if let Some(former) = former {
            // The session has given up the former flight; its waiters ask again.
            former.end(Ok(()));
        }
        self.spawn(&flight);
        match meanwhile {
            Some(bearer) => {
                flight.advance();
                Ok(Asked::Ready(bearer))
            }
            None => Ok(Asked::Wait { flight: Some(flight), overdue }),
        }
    }

    fn flight_of(self: &Arc<Self>, work: Box<Work>) -> Flight {
        Flight::new(run(Arc::downgrade(self), Arc::clone(&self.transport), work))
    }

    /// Continues the flight that this thread polls as another one, for which no caller waits. It is
    /// polled once here: if it has no spawner, a store's thread begins to work all the same.
    fn follow(self: &Arc<Self>, work: Box<Work>) {
        let flight = self.flight_of(work);
        let mut state = self.common.lock();
        match state.flight.as_mut().filter(|current| current.is_on_this_thread()) {
            Some(current) => *current = flight.clone(),
            // The session has given this flight up, and another one has begun.
            None => return,
        }
        drop(state);
        self.spawn(&flight);
        flight.advance();
    }

    /// Runs a flight in the background, if there is a spawner. Without a spawner, or if it has no
    /// room, the callers drive the flight.
    fn spawn(self: &Arc<Self>, flight: &Flight) {
        let Some(spawner) = &self.spawner else { return };
        let (shared, ending) = (Arc::clone(self), flight.wait());
        let drive = Box::pin(async move {
            let _outcome = ending.await;
            drop(shared);
        });
        let _spawned = catch_unwind(AssertUnwindSafe(|| spawner(drive)));
    }
}

/// Runs a flight. It holds the client only while it reports to it.
async fn run(
    client: Weak<Shared>,
    transport: Arc<dyn AsyncTransport>,
    mut work: Box<Work>,
) -> Result<(), TokenError> {
    loop {
        let next = match *work {
            Work::Send(ticket, request, bounds, progress) => {
                let outcome = exchange(&*transport, request, bounds, progress.clone()).await;
                let client = client.upgrade().ok_or(TokenError::Closed)?;
                if progress.is_stranded() && client.common.begins_anew(ticket) {
                    return Ok(());
                }
                client.common.on_reply(ticket, outcome)
            }
            Work::Save(ticket, saved) => {
                let client = client.upgrade().ok_or(TokenError::Closed)?;
                client.common.save(ticket, &saved)
            }
            Work::Read(reading, time_limit) => {
                let began = client.upgrade().ok_or(TokenError::Closed)?.common.reading();
                let read = read(&*transport, began, time_limit).await;
                let client = client.upgrade().ok_or(TokenError::Closed)?;
                client.common.on_read(reading, read)
            }
            Work::Swap(ticket, swap) => {
                let begun = client.upgrade().ok_or(TokenError::Closed)?;
                let begun = begun.common.begin_swap(&swap, |work| work());
                let answer = swapped(&*transport, begun, &swap).await;
                let client = client.upgrade().ok_or(TokenError::Closed)?;
                client.common.on_swapped(ticket, &swap, &answer)
            }
            Work::Rest(seen, wait) => {
                let changes = client.upgrade().ok_or(TokenError::Closed)?;
                let changes = Arc::clone(changes.common.changes());
                until(&changes, seen, &*transport, Some(wait)).await;
                client.upgrade().ok_or(TokenError::Closed)?.common.rested()
            }
        };
        match next {
            Next::Work(more) => work = more,
            Next::Landed(outcome, rest) => {
                client.upgrade().ok_or(TokenError::Closed)?.follow(rest);
                return outcome;
            }
            Next::Ended(outcome) => return outcome,
        }
    }
}

/// Awaits what the credentials callback returns, within the time limit.
async fn read(
    transport: &dyn AsyncTransport,
    reading: BoxFuture<'static, Read>,
    time_limit: Duration,
) -> Read {
    cut(transport, reading, time_limit).await.unwrap_or_else(|cut| {
        Err(match cut {
            Cut::Panicked => CallbackPanicked.into(),
            Cut::TimedOut => CallbackTimedOut.into(),
            Cut::TimerPanicked => TransportPanicked.into(),
        })
    })
}

/// Awaits a store's answer, as long as the swap says.
async fn swapped(transport: &dyn AsyncTransport, begun: Option<Begun>, swap: &Swap) -> Answer {
    let answer = match &begun {
        None => return Err(StoreError::TimedOut),
        Some(Begun::OnThread(swapping)) => {
            cut(transport, Box::pin(swapping.clone()), swap.within()).await
        }
        Some(Begun::ToAwait(store)) => match catch_unwind(AssertUnwindSafe(|| store.swap(swap))) {
            Ok(swapping) => cut(transport, swapping, swap.within()).await,
            Err(_) => Err(Cut::Panicked),
        },
    };
    answer.unwrap_or_else(|cut| {
        Err(match cut {
            Cut::Panicked => StoreError::unreachable(StorePanicked),
            Cut::TimedOut => StoreError::TimedOut,
            Cut::TimerPanicked => StoreError::unreachable(TransportPanicked),
        })
    })
}

/// Why a foreign future brought nothing.
enum Cut {
    Panicked,
    TimedOut,
    /// The transport's timer panicked.
    TimerPanicked,
}

/// Awaits a foreign future within a time limit, by the transport's timer.
async fn cut<T>(
    transport: &dyn AsyncTransport,
    mut foreign: BoxFuture<'_, T>,
    time_limit: Duration,
) -> Result<T, Cut> {
    let mut limit = Limit::new(time_limit, |beat| transport.sleep(beat));
    let outcome = poll_fn(|cx| {
        let poll = AssertUnwindSafe(|| foreign.as_mut().poll(cx));
        match catch_unwind(poll) {
            Ok(Poll::Ready(value)) => return Poll::Ready(Ok(value)),
            Ok(Poll::Pending) => {}
            Err(_) => return Poll::Ready(Err(Cut::Panicked)),
        }
        match catch_unwind(AssertUnwindSafe(|| limit.poll(cx))) {
            Ok(over) => over.map(|()| Err(Cut::TimedOut)),
            Err(_) => Poll::Ready(Err(Cut::TimerPanicked)),
        }
    })
    .await;
    discard((foreign, limit));
    outcome
}

/// Sends one request within its time limit, by the transport's timer unless the transport keeps
/// time. If the transport panics, the request has failed with unknown outcome, unless it has
/// reported that nothing was sent.
pub(super) async fn exchange(
    transport: &dyn AsyncTransport,
    request: Request<Body>,
    bounds: Bounds,
    progress: Progress,
) -> Result<Response<Vec<u8>>, TransportError> {
    let (mut request, mut sending) = (Some(request), None);
    let limit = || Limit::new(bounds.time_limit, |beat| transport.sleep(beat));
    let mut limit = (!transport.keeps_time()).then(limit);
    let failure = || match progress.withdraw() {
        true => TransportError::not_sent(NotSent::vouch()),
        false => TransportError::unknown(),
    };
    let outcome = poll_fn(|cx| {
        let poll = || {
            if let Some(request) = request.take() {
                sending = Some(transport.send_reporting(request, bounds, progress.clone()));
            }
            // A result that is there comes first, however late it is polled.
            if let Some(Poll::Ready(outcome)) = sending.as_mut().map(|it| it.as_mut().poll(cx)) {
                return Poll::Ready(outcome);
            }
            let Some(limit) = &mut limit else { return Poll::Pending };
            limit.poll(cx).map(|()| Err(failure().timed_out()))
        };
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|_| {
            // Most likely its timer, or the transport's, belongs to a runtime that is gone.
            progress.strand();
            Poll::Ready(Err(failure().because(TransportPanicked)))
        })
    })
    .await;
    discard((sending, limit));
    outcome
}

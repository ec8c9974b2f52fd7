//! The timer of an exchange. Its connection keeps the timer for the next exchange: to reset a timer
//! that the runtime already knows costs a tenth of a new one.
//!
//! Owns how a timer is set. Does not know what it limits.

use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Sleep, Timer};

use super::runtime::Time;

/// A timer that its runtime knows.
pub(super) type Timed = Pin<Box<dyn Sleep>>;

/// The one timer of an exchange.
pub(super) struct Alarm<'a> {
    time: &'a Time,
    /// Between polls, the alarm or its ring may lock it.
    timer: Mutex<Option<Timed>>,
}

impl<'a> Alarm<'a> {
    pub(super) fn new(time: &'a Time) -> Self {
        Self { time, timer: Mutex::new(None) }
    }

    /// Takes over the timer of an exchange that is over, unless this one has a timer.
    pub(super) fn take_over(&self, timer: &mut Option<Timed>) {
        let mut own = self.lock();
        if own.is_none() {
            *own = timer.take();
        }
    }

    /// Gives the timer away. This alarm then no longer rings.
    pub(super) fn give_up(&self) -> Option<Timed> {
        self.lock().take()
    }

    /// Sets the timer. Only the last ring that was asked for counts.
    pub(super) fn ring_after(&self, time: Duration) -> Ring<'_> {
        let mut timer = self.lock();
        match (&mut *timer, self.time.now().checked_add(time)) {
            (Some(timer), Some(at)) => self.time.reset(timer, at),
            (timer, _) => *timer = Some(self.time.sleep(time)),
        }
        drop(timer);
        Ring(&self.timer)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Timed>> {
        lock(&self.timer)
    }
}

/// Completes when the alarm rings.
pub(super) struct Ring<'a>(&'a Mutex<Option<Timed>>);

impl Future for Ring<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut timer = lock(self.0);
        let Some(sleep) = &mut *timer else { return Poll::Pending };
        ready!(sleep.as_mut().poll(cx));
        // Only a timer that was taken over is reset: not every runtime can reset one.
        *timer = None;
        Poll::Ready(())
    }
}

fn lock(timer: &Mutex<Option<Timed>>) -> MutexGuard<'_, Option<Timed>> {
    timer.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll, Waker};
    use std::time::{Duration, Instant};

    use hyper::rt::{Sleep, Timer};

    use super::Alarm;
    use crate::hyper::runtime::Time;

    /// Counts the timers that are made, and stores until when each of them sleeps.
    #[derive(Clone)]
    struct Counted {
        made: Arc<AtomicUsize>,
        now: Instant,
        until: Arc<Mutex<Vec<Instant>>>,
    }

    struct Sleeping;

    impl Sleep for Sleeping {}

    impl Future for Sleeping {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            Poll::Ready(())
        }
    }

    impl Timer for Counted {
        fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
            self.made.fetch_add(1, Ordering::SeqCst);
            self.until.lock().unwrap().extend(self.now.checked_add(duration));
            Box::pin(Sleeping)
        }

        fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
            self.sleep(deadline - self.now)
        }

        fn now(&self) -> Instant {
            self.now
        }

        fn reset(&self, _: &mut Pin<Box<dyn Sleep>>, new_deadline: Instant) {
            self.until.lock().unwrap().push(new_deadline);
        }
    }

    #[test]
    fn a_timer_that_was_kept_is_set_anew_and_one_that_was_given_up_does_not_ring() {
        let (made, until) = Default::default();
        let counted = Counted { made, now: Instant::now(), until };
        let time = Time(Arc::new(counted.clone()));
        let second = Duration::from_secs(1);
        let mut cx = Context::from_waker(Waker::noop());

        let first = Alarm::new(&time);
        let mut ring = pin!(first.ring_after(second));
        let mut kept = first.give_up();
        assert!(ring.as_mut().poll(&mut cx).is_pending());

        let next = Alarm::new(&time);
        next.take_over(&mut kept);
        assert!(kept.is_none());
        let mut ring = pin!(next.ring_after(second * 2));
        assert_eq!(counted.made.load(Ordering::SeqCst), 1);
        assert_eq!(*counted.until.lock().unwrap(), [1, 2].map(|it| counted.now + second * it));

        kept = Some(time.sleep(second));
        next.take_over(&mut kept);
        assert!(kept.is_some(), "its own is set already");
        assert!(ring.as_mut().poll(&mut cx).is_ready());
        let _ring = next.ring_after(second);
        assert_eq!(counted.made.load(Ordering::SeqCst), 3, "one that rang is not set anew");
        let _ring = next.ring_after(Duration::MAX);
        assert_eq!(counted.made.load(Ordering::SeqCst), 4, "no clock shows that time");
    }
}

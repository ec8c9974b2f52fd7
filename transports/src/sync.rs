//! Locks, threads and what is published: the one place where a model can replace them. Also makes a
//! thread wait for what a task would await.
//!
//! Under `cfg(imts_loom)` they are loom's, which tries how threads may interleave. Everything that
//! threads share is built on this module.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

#[cfg(not(imts_loom))]
pub(crate) use self::machine::*;
#[cfg(imts_loom)]
pub(crate) use self::model::*;

/// The machine's own locks and threads.
#[cfg(not(imts_loom))]
mod machine {
    pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use std::{thread, thread_local};

    use std::sync::Arc;

    use arc_swap::{ArcSwapOption, Cache};

    /// A place that any thread reads without a lock.
    pub(crate) struct Published<T>(Arc<ArcSwapOption<T>>);

    /// A value that was read there, and is not kept for long.
    pub(crate) type Lent<T> = arc_swap::Guard<Option<Arc<T>>>;

    /// Returns the same, to be kept.
    pub(crate) fn owned<T>(value: Arc<T>) -> Lent<T> {
        arc_swap::Guard::from_inner(Some(value))
    }

    /// The value that one reader last found there.
    pub(crate) struct CachedRead<T>(Cache<Arc<ArcSwapOption<T>>, Option<Arc<T>>>);

    impl<T> Published<T> {
        pub(crate) fn nothing() -> Self {
            Self(Arc::new(ArcSwapOption::empty()))
        }

        #[inline]
        pub(crate) fn load(&self) -> Lent<T> {
            self.0.load()
        }

        pub(crate) fn store(&self, value: Option<T>) {
            self.0.store(value.map(Arc::new));
        }

        pub(crate) fn cached_read(&self) -> CachedRead<T> {
            CachedRead(Cache::new(Arc::clone(&self.0)))
        }
    }

    impl<T> CachedRead<T> {
        /// Returns the value that is there now.
        #[inline]
        pub(crate) fn load(&mut self) -> Option<&T> {
            self.0.load().as_deref()
        }
    }
}

/// Loom's locks and threads.
#[cfg(imts_loom)]
mod model {
    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use loom::thread;

    use std::sync::{Arc, PoisonError};

    /// Works as the standard macro does. Loom does not know its constant initializers.
    macro_rules! loom_local {
        ($(#[$meta:meta])* static $name:ident: $of:ty = const $value:block;) => {
            loom::thread_local! { $(#[$meta])* static $name: $of = $value; }
        };
    }
    pub(crate) use loom_local as thread_local;

    /// A place that any thread reads.
    pub(crate) struct Published<T>(Arc<Mutex<Option<Arc<T>>>>);

    pub(crate) type Lent<T> = Option<Arc<T>>;

    pub(crate) fn owned<T>(value: Arc<T>) -> Lent<T> {
        Some(value)
    }

    pub(crate) struct CachedRead<T> {
        place: Arc<Mutex<Option<Arc<T>>>>,
        seen: Option<Arc<T>>,
    }

    impl<T> Published<T> {
        pub(crate) fn nothing() -> Self {
            Self(Arc::new(Mutex::new(None)))
        }

        pub(crate) fn load(&self) -> Lent<T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }

        pub(crate) fn store(&self, value: Option<T>) {
            let value = value.map(Arc::new);
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
        }

        pub(crate) fn cached_read(&self) -> CachedRead<T> {
            CachedRead { place: Arc::clone(&self.0), seen: None }
        }
    }

    impl<T> CachedRead<T> {
        pub(crate) fn load(&mut self) -> Option<&T> {
            self.seen = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
            self.seen.as_deref()
        }
    }
}

struct Sleeper(Thread);

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future on this thread. The caller pins it: a future that is passed by value is
/// copied.
pub(crate) fn wait<T>(mut future: Pin<&mut impl Future<Output = T>>) -> T {
    // Most futures are ready at once, and then nothing has to wake this thread.
    if let Poll::Ready(outcome) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return outcome;
    }
    let waker = Waker::from(Arc::new(Sleeper(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => return outcome,
            Poll::Pending => std::thread::park(),
        }
    }
}

//! Connections that wait for their next request.
//!
//! Owns how long they wait, and where they are used: only in the runtime that drives them. Does not
//! check that a connection is alive: the exchange that uses it does. Does not know about requests.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::uri::{Authority, Scheme};
use hyper::rt::Timer;
use imts_core::Now;

use super::connection::Connection;
use super::runtime::{Home, Time};
use crate::clock::{Clock as _, SystemClock, age};

/// Where a connection leads to, and what drives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    pub(super) home: Home,
}

pub(super) struct Pool<C = Box<Connection>> {
    shelf: Mutex<Shelf<C>>,
    /// How long a connection may be idle.
    keep: Duration,
}

struct Shelf<C> {
    /// The connections, the longest idle first.
    idle: Vec<Idle<C>>,
    /// The runtimes in which a task closes connections when their time has come.
    tended: Vec<Home>,
}

struct Idle<C> {
    connection: C,
    key: Key,
    since: Now,
}

impl<C: Send + 'static> Pool<C> {
    pub(super) fn new(keep: Duration) -> Self {
        Self { shelf: Mutex::new(Shelf { idle: Vec::new(), tended: Vec::new() }), keep }
    }

    /// Takes the connection that was used last. Returns also how long ago that was.
    pub(super) fn take(&self, key: &Key, now: Now) -> Option<(C, Duration)> {
        loop {
            let taken = {
                let mut shelf = self.lock();
                let place = shelf.idle.iter().rposition(|idle| idle.key == *key)?;
                shelf.idle.remove(place)
            };
            let age = age(taken.since, now);
            if age < self.keep {
                return Some((taken.connection, age));
            }
        }
    }

    /// Keeps a connection for the next request. Returns a task for the connection's runtime, which
    /// closes the connection if no request comes. If such a task runs already, returns `None`.
    pub(super) fn put(self: &Arc<Self>, key: Key, connection: C, now: Now) -> Option<Tending<C>> {
        let home = key.home;
        let (oldest, is_tended) = {
            let mut shelf = self.lock();
            let is_full = shelf.idle.len() >= MOST;
            let oldest = is_full.then(|| shelf.idle.remove(0));
            shelf.idle.push(Idle { connection, key, since: now });
            let is_tended = shelf.tended.contains(&home);
            if !is_tended {
                shelf.tended.push(home);
            }
            (oldest, is_tended)
        };
        drop(oldest);
        (!is_tended).then(|| Tending { pool: Arc::downgrade(self), home })
    }

    /// Closes the connections that have been idle too long in this runtime. Returns how long the
    /// next one may still stay; `None` if there is none.
    fn sweep(&self, home: Home, now: Now) -> Option<Duration> {
        let (next, stale) = {
            let mut shelf = self.lock();
            let stale =
                shelf.past(|idle| idle.key.home == home && age(idle.since, now) >= self.keep);
            let of_home = shelf.idle.iter().filter(|idle| idle.key.home == home);
            let oldest = of_home.map(|idle| age(idle.since, now)).max();
            if oldest.is_none() {
                shelf.tended.retain(|other| *other != home);
            }
            (oldest.map(|age| self.keep.saturating_sub(age)), stale)
        };
        drop(stale);
        next
    }

    /// Forgets a runtime that no longer drives anything.
    fn forget(&self, home: Home) {
        let mut shelf = self.lock();
        let gone = shelf.past(|idle| idle.key.home == home);
        shelf.tended.retain(|other| *other != home);
        drop(shelf);
        drop(gone);
    }

    /// Locks the shelf. No connection is dropped while it is locked.
    fn lock(&self) -> MutexGuard<'_, Shelf<C>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Shelf<C> {
    fn past(&mut self, is_past: impl Fn(&Idle<C>) -> bool) -> Vec<Idle<C>> {
        if !self.idle.iter().any(&is_past) {
            return Vec::new();
        }
        let (past, rest) = mem::take(&mut self.idle).into_iter().partition(is_past);
        self.idle = rest;
        past
    }
}

/// Closes a runtime's connections when their time has come. If this is dropped earlier, its runtime
/// was dropped too.
pub(super) struct Tending<C: Send + 'static> {
    pool: Weak<Pool<C>>,
    home: Home,
}

impl<C: Send + 'static> Tending<C> {
    pub(super) async fn go_on(mut self, time: Time) {
        while let Some(pool) = self.pool.upgrade() {
            let Some(next) = pool.sweep(self.home, SystemClock.now()) else { break };
            drop(pool);
            time.sleep(next.max(SOONEST)).await;
        }
        self.pool = Weak::new();
    }
}

impl<C: Send + 'static> Drop for Tending<C> {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.forget(self.home);
        }
    }
}

/// How many connections wait at most.
const MOST: usize = 64;

/// The shortest sleep between two checks: timers are not exact.
const SOONEST: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use http::Uri;
    use imts_core::Now;

    use super::{Key, MOST, Pool, Tending};
    use crate::clock::{Clock as _, SystemClock};
    use crate::hyper::runtime::Home;

    const KEEP: Duration = Duration::from_secs(30);

    fn key(url: &'static str) -> Key {
        let uri = Uri::from_static(url);
        let (scheme, authority) = (uri.scheme().unwrap(), uri.authority().unwrap());
        Key { scheme: scheme.clone(), authority: authority.clone(), home: Home::Own }
    }

    fn later(now: Now, mono: u64, wall: u64) -> Now {
        let by = Duration::from_millis;
        Now { mono: now.mono.after(by(mono)), wall: now.wall.after(by(wall)) }
    }

    fn taken(pool: &Pool<usize>, key: &Key, now: Now) -> Option<usize> {
        pool.take(key, now).map(|(connection, _)| connection)
    }

    #[test]
    fn the_connection_that_was_used_last_is_lent_to_its_own_service_once() {
        let (pool, now) = (Arc::new(Pool::new(KEEP)), SystemClock.now());
        let (one, other) = (key("https://one.example"), key("https://one.example:8443"));
        let tending = pool.put(one.clone(), 1, now);
        assert!(tending.is_some());
        assert!(pool.put(one.clone(), 2, now).is_none(), "one task closes all");
        assert_eq!(taken(&pool, &other, now), None);
        assert_eq!(taken(&pool, &key("http://one.example"), now), None);
        let taken = |_| taken(&pool, &one, now);
        assert_eq!([1, 2, 3].map(taken), [Some(2), Some(1), None]);
    }

    #[test]
    fn a_connection_is_idle_for_as_long_as_either_clock_says() {
        let rows = [(29_999, 29_999, true), (30_000, 0, false), (0, 30_000, false)];
        for (mono, wall, is_lent) in rows {
            let (pool, now) = (Arc::new(Pool::new(KEEP)), SystemClock.now());
            let tending = pool.put(key("https://one.example"), 1, now);
            let now = later(now, mono, wall);
            assert_eq!(taken(&pool, &key("https://one.example"), now).is_some(), is_lent);
            drop(tending);
        }
    }

    #[test]
    fn the_longest_idle_is_closed_where_there_are_too_many() {
        let (pool, now) = (Arc::new(Pool::new(KEEP)), SystemClock.now());
        let key = key("https://one.example");
        let tending: Vec<_> = (0..=MOST).map(|it| pool.put(key.clone(), it, now)).collect();
        let lent: Vec<_> = std::iter::from_fn(|| taken(&pool, &key, now)).collect();
        assert_eq!(lent, (1..=MOST).rev().collect::<Vec<_>>());
        drop(tending);
    }

    #[test]
    fn whoever_tends_closes_what_is_past_and_forgets_all_when_its_runtime_ends() {
        let (pool, now) = (Arc::new(Pool::new(KEEP)), SystemClock.now());
        let key = key("https://one.example");
        let tending: Option<Tending<_>> = pool.put(key.clone(), 1, now);
        pool.put(key.clone(), 2, later(now, 10_000, 10_000));
        let next = pool.sweep(Home::Own, later(now, 30_000, 30_000));
        assert_eq!(next, Some(Duration::from_secs(10)));
        assert_eq!(pool.lock().idle.len(), 1);
        drop(tending);
        assert_eq!(pool.lock().idle.len(), 0);
        let tending = pool.put(key, 3, now);
        assert!(tending.is_some(), "who comes next is tended anew");
        assert_eq!(pool.sweep(Home::Own, later(now, 30_000, 30_000)), None);
        assert!(pool.lock().tended.is_empty());
    }
}

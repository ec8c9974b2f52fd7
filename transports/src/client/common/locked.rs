//! The shared state under its lock, and what happens when the lock is released.
//!
//! Owns two consequences of the lock. Before the release, it publishes what the session would now
//! answer. After the release, it emits the events that were noted meanwhile. So no one can change
//! the session and forget to publish the change.

use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::{PoisonError, TryLockError};
use std::time::Duration;

use imts_core::time::Mono;
use imts_core::transport_error::Source;
use imts_core::{Epoch, Now, Session, Ticket};

use super::Common;
use super::reading::Reading;
use super::sharing::Sharing;
use crate::client::changes::Changes;
use crate::client::trace::{Note, Notes};
use crate::clock::Clock;
use crate::sync::MutexGuard;
use crate::transport::Progress;

pub(crate) struct State<F> {
    pub(crate) session: Session,
    pub(crate) flight: Option<F>,
    /// The last request that was handed out, and how far it has come.
    pub(super) sending: Option<(Ticket, Progress)>,
    /// Whether the request before was given up because what drove it was gone.
    pub(super) is_begun_anew: bool,
    pub(super) lifecycle: Lifecycle,
    /// Why the last save failed.
    pub(super) save_failure: Option<Source>,
    pub(super) notes: Notes,
    pub(super) reading: Reading,
    pub(super) sharing: Sharing,
    shown: Option<Shown>,
    /// When to check again what is published, while a flight is under way.
    check_again: Option<Mono>,
    /// Whether waiting callers must ask again once the lock is released.
    changed: bool,
}

/// Whether a client still accepts asks, and whether its own flight still continues.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifecycle {
    Open,
    /// Asks are refused; a flight under way is completed.
    Closing,
    /// Nothing more is done.
    Closed,
}

/// The part of what is published that may change.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shown {
    epoch: Epoch,
    due: Option<Now>,
}

impl<F> State<F> {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session,
            flight: None,
            sending: None,
            is_begun_anew: false,
            lifecycle: Lifecycle::Open,
            save_failure: None,
            notes: Notes::default(),
            reading: Reading::default(),
            sharing: Sharing::default(),
            shown: None,
            check_again: None,
            changed: false,
        }
    }

    /// Marks that something has changed for waiting callers.
    pub(super) fn mark_changed(&mut self) {
        self.changed = true;
    }
}

/// Holds the state.
pub(crate) struct Locked<'a, F> {
    common: &'a Common<F>,
    state: MutexGuard<'a, State<F>>,
    /// Dropped after the guard: otherwise the woken callers would wait for it.
    notify: NotifyOnDrop<'a>,
    /// Dropped after the guard, because a listener may ask the same client for a token.
    events: Vec<Note>,
}

impl<F> Common<F> {
    /// Locks the shared state. A holder that panicked left it consistent: every change is one call.
    pub(crate) fn lock(&self) -> Locked<'_, F> {
        self.locked(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Locks the shared state, unless someone else has it.
    pub(super) fn try_lock(&self) -> Option<Locked<'_, F>> {
        match self.state.try_lock() {
            Ok(state) => Some(self.locked(state)),
            Err(TryLockError::Poisoned(poisoned)) => Some(self.locked(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn locked<'a>(&'a self, state: MutexGuard<'a, State<F>>) -> Locked<'a, F> {
        Locked { common: self, state, notify: NotifyOnDrop(None), events: Vec::new() }
    }
}

impl<F> Locked<'_, F> {
    /// Publishes what can be answered without the session.
    fn publish(&mut self) {
        let (state, common) = (&mut *self.state, self.common);
        let outlook = state.session.outlook().filter(|_| state.lifecycle == Lifecycle::Open);
        let renews = state.flight.is_some();
        let is_asked = renews && common.driven == Driven::Askers;
        let shown = outlook
            .map(|(bearer, due)| Shown { epoch: bearer.epoch(), due: due.filter(|_| !is_asked) });
        let is_watched = renews && common.driven == Driven::Spawner && shown.is_some();
        let now = is_watched.then(|| common.clock.now().mono);
        let is_old = now.is_some_and(|now| state.check_again.is_none_or(|at| now >= at));
        if shown == state.shown && !is_old {
            return;
        }
        state.changed |= shown != state.shown;
        state.shown = shown;
        state.check_again = now.map(|now| now.after(CHECK_EVERY));
        let at_most = state.check_again;
        let capped = |due: Now| Now { mono: due.mono.min(at_most.unwrap_or(due.mono)), ..due };
        let token = outlook.zip(shown);
        let token = token.map(|((bearer, _), shown)| (bearer, shown.due.map(capped)));
        common.token.publish(token);
    }
}

/// What brings a flight to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driven {
    /// Its own thread.
    Thread,
    /// A background task, whose runtime may stand still.
    Spawner,
    /// The callers that ask: each of them polls it.
    Askers,
}

/// How often a caller polls a flight that a background task should have driven.
const CHECK_EVERY: Duration = Duration::from_millis(100);

impl<F> Deref for Locked<'_, F> {
    type Target = State<F>;

    fn deref(&self) -> &State<F> {
        &self.state
    }
}

impl<F> DerefMut for Locked<'_, F> {
    fn deref_mut(&mut self) -> &mut State<F> {
        &mut self.state
    }
}

impl<F> Drop for Locked<'_, F> {
    fn drop(&mut self) {
        self.publish();
        if mem::take(&mut self.state.changed) {
            self.notify.0 = Some(&self.common.changes);
        }
        self.events = mem::take(&mut self.state.notes.noted);
    }
}

/// Rings when it is dropped, if it holds a notify.
struct NotifyOnDrop<'a>(Option<&'a Changes>);

impl Drop for NotifyOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(changes) = self.0 {
            changes.notify();
        }
    }
}

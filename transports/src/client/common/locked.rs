//! The shared state under its lock, and what happens when the lock is released.
//!
//! Owns two consequences of the lock. Before the release, it publishes what the session would now
//! answer. After the release, it emits the events that were noted meanwhile. So no one can change
//! the session and forget to publish the change.

use std::ops::{Deref, DerefMut};
use std::sync::{PoisonError, TryLockError};
use std::time::Duration;

use imts_core::{Epoch, Mono, Now, Session, Source, Ticket};

use super::Hub;
use crate::client::bearer::{Bearer, Snapshot};
use crate::client::notify::Bell;
use crate::client::trace::{Journal, Notes};
use crate::progress::Progress;
use crate::sync::MutexGuard;

pub(crate) struct State<F> {
    pub(crate) session: Session,
    pub(crate) flight: Option<F>,
    /// The last request that was handed out, and how far it has come.
    pub(super) sending: Option<(Ticket, Progress)>,
    /// Whether the request before was given up because what drove it was gone.
    pub(super) is_begun_anew: bool,
    pub(super) door: Door,
    /// Why the last save failed.
    pub(super) save_failure: Option<Source>,
    pub(super) journal: Journal,
    shown: Option<Shown>,
    /// When to check again what is published, while a flight is under way.
    look_again: Option<Mono>,
    /// Whether waiting callers must ask again once the lock is released.
    rings: bool,
}

/// Whether a client still accepts asks, and whether its own flight still continues.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
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
            door: Door::Open,
            save_failure: None,
            journal: Journal::default(),
            shown: None,
            look_again: None,
            rings: false,
        }
    }

    /// Marks that something has changed for waiting callers.
    pub(super) fn rings(&mut self) {
        self.rings = true;
    }
}

/// Holds the state.
pub(crate) struct Held<'a, F> {
    hub: &'a Hub<F>,
    state: MutexGuard<'a, State<F>>,
    /// Dropped after the guard: otherwise the woken callers would wait for it.
    bell: Rung<'a>,
    /// Dropped after the guard, because a listener may ask the same client for a token.
    notes: Notes,
}

impl<F> Hub<F> {
    /// Locks the shared state. A holder that panicked left it consistent: every change is one call.
    pub(crate) fn lock(&self) -> Held<'_, F> {
        self.held(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns what [`Hub::at_hand`] serves, for a caller that has waited. It is not inlined, so
    /// that `at_hand` stays inlined.
    #[cold]
    #[inline(never)]
    pub(crate) fn at_hand_now(&self, at_least: Duration) -> Option<Bearer> {
        let (published, clock) = (self.published.load(), &self.clock);
        let serves = |it: &Snapshot| it.is_calm(clock) && it.lasts(at_least, clock);
        if published.as_deref().is_some_and(serves) { Some(Bearer::lent(published)) } else { None }
    }

    /// Locks the shared state, unless someone else has it.
    pub(super) fn try_lock(&self) -> Option<Held<'_, F>> {
        match self.state.try_lock() {
            Ok(state) => Some(self.held(state)),
            Err(TryLockError::Poisoned(poisoned)) => Some(self.held(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn held<'a>(&'a self, state: MutexGuard<'a, State<F>>) -> Held<'a, F> {
        Held { hub: self, state, bell: Rung(None), notes: Notes::default() }
    }
}

impl<F> Held<'_, F> {
    /// Publishes what can be answered without the session.
    fn publish(&mut self) {
        let (state, hub) = (&mut *self.state, self.hub);
        let outlook = state.session.outlook().filter(|_| state.door == Door::Open);
        let flies = state.flight.is_some();
        let is_asked = flies && hub.driven == Driven::Askers;
        let shown = outlook.map(|outlook| Shown {
            epoch: outlook.bearer().epoch(),
            due: outlook.due().filter(|_| !is_asked),
        });
        let is_watched = flies && hub.driven == Driven::Spawner && shown.is_some();
        let now = is_watched.then(|| hub.now().mono);
        let is_old = now.is_some_and(|now| state.look_again.is_none_or(|at| now >= at));
        if shown == state.shown && !is_old {
            return;
        }
        state.rings |= shown != state.shown;
        state.shown = shown;
        state.look_again = now.map(|now| now.after(LOOK));
        let at_most = state.look_again;
        let capped = |due: Now| Now { mono: due.mono.min(at_most.unwrap_or(due.mono)), ..due };
        let snapshot = outlook
            .zip(shown)
            .map(|(outlook, shown)| Snapshot::new(outlook, shown.due.map(capped), hub.lag));
        hub.published.store(snapshot);
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
const LOOK: Duration = Duration::from_millis(100);

impl<F> Deref for Held<'_, F> {
    type Target = State<F>;

    fn deref(&self) -> &State<F> {
        &self.state
    }
}

impl<F> DerefMut for Held<'_, F> {
    fn deref_mut(&mut self) -> &mut State<F> {
        &mut self.state
    }
}

impl<F> Drop for Held<'_, F> {
    fn drop(&mut self) {
        self.publish();
        if std::mem::take(&mut self.state.rings) {
            self.bell.0 = Some(&self.hub.bell);
        }
        self.notes = self.state.journal.take();
    }
}

/// Rings when it is dropped, if it holds a bell.
struct Rung<'a>(Option<&'a Bell>);

impl Drop for Rung<'_> {
    fn drop(&mut self) {
        if let Some(bell) = self.0 {
            bell.ring();
        }
    }
}

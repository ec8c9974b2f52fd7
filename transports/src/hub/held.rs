//! The shared state in one's hands, and what follows from letting go of it.
//!
//! Owns the lock's two consequences: before it is let go, what the session would now tell an asker is
//! published; after, what was noted meanwhile is told. Nobody can change the session and forget it.

use std::ops::{Deref, DerefMut};
use std::sync::{PoisonError, TryLockError};
use std::time::Duration;

use imts_core::{Epoch, Mono, Now, Session, Source, Ticket};

use super::Hub;
use crate::bearer::{Bearer, Snapshot};
use crate::bell::Bell;
use crate::progress::Progress;
use crate::sync::MutexGuard;
use crate::trace::{Journal, Notes};

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
    /// When what is published is to be looked at again, while a flight is under way.
    look_again: Option<Mono>,
    /// Whether those who wait are to ask again once the state is let go.
    rings: bool,
}

/// Whether a client still takes asks, and a flight of its own still goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Open,
    /// No more asks; a flight under way is brought to its end.
    Closing,
    /// Nothing more is done.
    Closed,
}

/// What is published, as far as it may change.
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

    /// Something has changed for those who wait.
    pub(super) fn rings(&mut self) {
        self.rings = true;
    }
}

/// Holds the state.
pub(crate) struct Held<'a, F> {
    hub: &'a Hub<F>,
    state: MutexGuard<'a, State<F>>,
    /// Dropped after the guard, or those who are woken would wait for it.
    bell: Rung<'a>,
    /// Dropped after the guard, because whoever listens may ask the same client for a token.
    notes: Notes,
}

impl<F> Hub<F> {
    /// The shared state. A holder that panicked left it consistent: every change is one call.
    pub(crate) fn lock(&self) -> Held<'_, F> {
        self.held(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What [`Hub::at_hand`] serves, for one who has waited: out of line, so that it stays in line there.
    #[cold]
    #[inline(never)]
    pub(crate) fn at_hand_now(&self, at_least: Duration) -> Option<Bearer> {
        let (published, clock) = (self.published.load(), &self.clock);
        let serves = |it: &Snapshot| it.is_calm(clock) && it.lasts(at_least, clock);
        if published.as_deref().is_some_and(serves) { Some(Bearer::lent(published)) } else { None }
    }

    /// The shared state, unless someone else has it.
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
    /// Publishes what an asker may be told without the session.
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

/// Who brings a flight to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driven {
    /// A thread of its own.
    Thread,
    /// A task in the background, whose runtime may stand still.
    Spawner,
    /// Those who ask: each of them polls it on.
    Askers,
}

/// How often an asker polls a flight that a task in the background should have driven.
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

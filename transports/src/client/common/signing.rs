//! Calls that are signed with the client's keys, and the pace that their service asks for.
//!
//! Owns the time of the next call that moves money. Does not know how a call is signed, nor how a
//! client waits: the call asks for the wait.

use std::sync::PoisonError;
use std::time::Duration;

use imts_core::call::{NotCallable, Signatory};
use imts_core::operation::{Auth, Json};
use imts_core::time::Mono;
use imts_core::{Call, Now, Operation};

use crate::random::salt;
use crate::sync::Mutex;

/// The keys of a client, and when its next paced call may leave.
pub(crate) struct Signer {
    signatory: Signatory,
    next: Mutex<Mono>,
}

impl Signer {
    pub(crate) fn new(signatory: Signatory) -> Self {
        Self { signatory, next: Mutex::new(Mono::default()) }
    }

    /// Whether an operation needs a key, and no session.
    pub(super) fn signs<O: Operation>(&self) -> bool {
        O::AUTH.needs_keys() || self.signs_named(O::NAME)
    }

    /// Whether the operation of this name needs a key, and no session.
    pub(super) fn signs_named(&self, name: &str) -> bool {
        let info = self.signatory.service().operations().entry(name);
        info.is_some_and(|info| Auth::needs_keys(info.auth()))
    }

    pub(super) fn call<O: Operation>(
        &self,
        operation: &O,
        deadline: Mono,
    ) -> Result<Call<O::Reply>, NotCallable> {
        self.signatory.call(operation, salt(), deadline)
    }

    pub(super) fn call_named(
        &self,
        name: &str,
        request: &Json,
        deadline: Mono,
    ) -> Result<Call<Json>, NotCallable> {
        self.signatory.call_named(name, request, salt(), deadline)
    }

    /// The same call, which leaves no sooner than the pace allows.
    pub(super) fn paced<R>(&self, call: Call<R>, now: Now) -> Call<R> {
        match call.pace() {
            Some(pace) => call.not_before(self.slot(now.mono, pace)),
            None => call,
        }
    }

    /// Takes the next time at which a call may leave.
    fn slot(&self, now: Mono, pace: Duration) -> Mono {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = now.max(*next);
        *next = slot.after(pace);
        slot
    }
}

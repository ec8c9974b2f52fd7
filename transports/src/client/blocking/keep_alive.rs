//! A thread that renews while no one asks, and that ends with its client.
//!
//! Owns that thread. It sleeps until the next renewal is due or something has changed, and holds
//! the client only while it works.

use std::io;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use super::flight::Flight;
use super::renewal::Shared;
use crate::client::changes::Changes;
use crate::client::common::{Ask, NextCheck};
use crate::sync::thread;

impl Shared {
    pub(super) fn keep_alive(self: &Arc<Self>) -> io::Result<()> {
        let (shared, changes) = (Arc::downgrade(self), Arc::clone(self.common.changes()));
        let thread = thread::Builder::new().name("imts-keep-alive".to_owned());
        let thread = thread.spawn(move || keep(&shared, &changes))?;
        *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// Renews, if that is due.
    fn check(&self) -> NextCheck {
        let mut locked = self.common.lock();
        match self.common.ask(&mut locked, Duration::ZERO) {
            Ok(Ask::Ready(_)) => self.common.next_check(&locked),
            Ok(Ask::Join(until) | Ask::Rest(until)) => NextCheck::Rest(Some(until)),
            Ok(Ask::Start(work, _)) => {
                let flight = Flight::default();
                let former = locked.flight.replace(flight.clone());
                drop(locked);
                Flight::end_former(former);
                self.fly(flight, work);
                NextCheck::Rest(Some(Duration::ZERO))
            }
            Err(why) => self.common.next_check_after(&locked, &why),
        }
    }
}

fn keep(shared: &Weak<Shared>, changes: &Changes) {
    loop {
        let seen = changes.version();
        let Some(client) = shared.upgrade() else { return };
        let next = client.check();
        drop(client);
        match next {
            NextCheck::Rest(at_most) => changes.wait(seen, at_most.unwrap_or(Duration::MAX)),
            NextCheck::Over => return,
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.common.changes().notify();
    }
}

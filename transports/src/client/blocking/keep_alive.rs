//! A thread that renews while no one asks, and that ends with its client.
//!
//! Owns that thread. It sleeps until the next renewal is due or something has changed, and holds
//! the client only while it works.

use std::io;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use super::flight::Flight;
use super::renewal::Shared;
use crate::client::common::{Ask, Tended};
use crate::client::notify::Bell;
use crate::sync::thread;

impl Shared {
    pub(super) fn keep_alive(self: &Arc<Self>) -> io::Result<()> {
        let (shared, bell) = (Arc::downgrade(self), Arc::clone(self.hub.bell()));
        let thread = thread::Builder::new().name("imts-keep-alive".to_owned());
        let thread = thread.spawn(move || keep(&shared, &bell))?;
        *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// Renews, if that is due.
    fn tend(&self) -> Tended {
        let mut held = self.hub.lock();
        match self.hub.ask(&mut held, Duration::ZERO) {
            Ok(Ask::Ready(_)) => self.hub.rests(&held),
            Ok(Ask::Join(until)) => Tended::Rest(Some(until)),
            Ok(Ask::Fly(work, _)) => {
                let flight = Flight::default();
                held.flight = Some(flight.clone());
                drop(held);
                let outcome = flight.on_this_thread(|| self.fly(work));
                self.land(&flight, outcome);
                Tended::Rest(Some(Duration::ZERO))
            }
            Err(why) => Tended::without_token(&why),
        }
    }
}

fn keep(shared: &Weak<Shared>, bell: &Bell) {
    loop {
        let heard = bell.heard();
        let Some(client) = shared.upgrade() else { return };
        let tended = client.tend();
        drop(client);
        match tended {
            Tended::Rest(at_most) => bell.wait(heard, at_most.unwrap_or(Duration::MAX)),
            Tended::Over => return,
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.hub.bell().ring();
    }
}

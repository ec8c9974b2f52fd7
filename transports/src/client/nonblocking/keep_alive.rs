//! A task that renews while no one asks, and that ends with its client.
//!
//! Owns that task. It sleeps until the next renewal is due or something has changed, and holds the
//! client only while it works.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::renewal::{Asked, Shared};
use super::waiting::until;
use crate::client::common::Tended;

impl Shared {
    /// Starts the task. Returns whether the spawner took it.
    pub(super) fn keep_alive(self: &Arc<Self>) -> bool {
        let Some(spawner) = &self.spawner else { return false };
        let task = Box::pin(keep(Arc::downgrade(self)));
        catch_unwind(AssertUnwindSafe(|| spawner(task))).is_ok()
    }

    /// Begins a renewal, if that is due. The spawner completes it.
    fn tend(self: &Arc<Self>) -> Tended {
        match self.ask(self.hub.lock(), Duration::ZERO, None) {
            Ok(Asked::Ready(_)) => self.hub.rests(&self.hub.lock()),
            Ok(Asked::Wait { overdue, .. }) => Tended::Rest(Some(overdue)),
            Err(why) => Tended::without_token(&why),
        }
    }
}

async fn keep(shared: Weak<Shared>) {
    loop {
        let Some(client) = shared.upgrade() else { return };
        let (bell, transport) = (Arc::clone(client.hub.bell()), Arc::clone(&client.transport));
        let heard = bell.heard();
        let tended = client.tend();
        drop(client);
        match tended {
            Tended::Rest(at_most) => until(&bell, heard, &*transport, at_most).await,
            Tended::Over => return,
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.hub.bell().ring();
    }
}

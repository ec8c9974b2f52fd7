//! A task that renews while no one asks, and that ends with its client.
//!
//! Owns that task. It sleeps until the next renewal is due or something has changed, and holds the
//! client only while it works.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::renewal::{Asked, Shared};
use super::waiting::until;
use crate::client::common::NextCheck;

impl Shared {
    /// Starts the task. Returns whether the spawner took it.
    pub(super) fn keep_alive(self: &Arc<Self>) -> bool {
        let Some(spawner) = &self.spawner else { return false };
        let task = Box::pin(keep(Arc::downgrade(self)));
        catch_unwind(AssertUnwindSafe(|| spawner(task))).is_ok()
    }

    /// Begins a renewal, if that is due. The spawner completes it.
    fn check(self: &Arc<Self>) -> NextCheck {
        match self.ask(self.common.lock(), Duration::ZERO, None) {
            Ok(Asked::Ready(_)) => self.common.next_check(&self.common.lock()),
            Ok(Asked::Wait { overdue, .. }) => NextCheck::Rest(Some(overdue)),
            Err(why) => self.common.next_check_after(&self.common.lock(), &why),
        }
    }
}

async fn keep(shared: Weak<Shared>) {
    loop {
        let Some(client) = shared.upgrade() else { return };
        let (changes, transport) =
            (Arc::clone(client.common.changes()), Arc::clone(&client.transport));
        let seen = changes.version();
        let next = client.check();
        drop(client);
        match next {
            NextCheck::Rest(at_most) => until(&changes, seen, &*transport, at_most).await,
            NextCheck::Over => return,
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.common.changes().notify();
    }
}

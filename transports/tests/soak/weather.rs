//! The service's bad days, by the virtual second: outages, lost replies, server errors, revocations.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use imts_sandbox::{Delivery, Fault, Operation, Outage, Rule, When};

use crate::askers::Ground;

/// Longer than what may come together after a bad day: the last back-off of it, a lost refresh, a
/// sign-in that fails, each with a back-off of a minute after it.
const AFTERMATH_US: i64 = 4 * 61_000_000;

pub(crate) struct Weather {
    ground: Arc<Ground>,
    /// How many more grants than lifetimes there may be.
    pub(crate) faults: u64,
}

impl Weather {
    pub(crate) fn new(ground: &Arc<Ground>) -> Self {
        let ground = Arc::clone(ground);
        let rule = |operation, when, fault| Rule { operation: Some(operation), when, fault };
        ground.front.sandbox().settings_mut().faults = vec![
            // Applied, and its reply lost: the refresh token is spent.
            rule(Operation::Refresh, When::Every(4), Fault::Delivery(Delivery::ResetAfter(20))),
            rule(Operation::Refresh, When::Every(5), Fault::Dropped),
            rule(Operation::GetToken, When::Every(3), status(500)),
        ];
        Self { ground, faults: 0 }
    }

    /// The weather from this second on.
    pub(crate) fn change(&mut self, second: u64) {
        match second % 9_000 {
            // Dawns while a token is due, and outlives it.
            2_500 => self.outage(Some(Outage::default())),
            3_000 => self.outage(None),
            5_005 => {
                self.faults += 1;
                self.ground.front.sandbox().revoke_access_tokens();
                // The rejection may fall together with a fault of the rules.
                self.bad_for(AFTERMATH_US);
            }
            7_300 => self.ground.front.sandbox().revoke_refresh_tokens(),
            _ => {}
        }
    }

    /// The end of all bad weather. Every lost reply was a grant more.
    pub(crate) fn clear(&mut self) {
        self.outage(None);
        let sandbox = self.ground.front.sandbox();
        self.faults += u64::try_from(sandbox.count(Operation::Refresh) / 4).unwrap();
    }

    fn outage(&self, outage: Option<Outage>) {
        if outage.is_some() {
            self.ground.bad_until.store(i64::MAX, Ordering::SeqCst);
        } else {
            self.bad_for(AFTERMATH_US);
        }
        self.ground.front.sandbox().settings_mut().outage = outage;
    }

    fn bad_for(&self, micros: i64) {
        self.ground.bad_until.store(self.ground.wall() + micros, Ordering::SeqCst);
    }
}

fn status(status: u16) -> Fault {
    Fault::Status { status, retry_after_s: None }
}

//! A bearer as it is handed out, and the published one that most asks are served from.
//!
//! Owns the check of a published token against the clocks, at each ask. Knows nothing of sessions:
//! what is published, and when, is [`hub`](crate::hub)'s matter.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use imts_core::{Mono, Now, Outlook, Wall};

use crate::clock::Clock;
use crate::sync::{Lent, Sighted};

/// A bearer that was valid when a client handed it out: [`imts_core::Bearer`], lent.
///
/// Taking one and letting it go costs no allocation, and no count of references that threads would
/// contend for. A clone is for keeping.
pub struct Bearer(Share);

enum Share {
    Lent(Lent<Snapshot>),
    Own(imts_core::Bearer),
}

impl Bearer {
    /// `None` where nothing is published.
    pub(crate) fn lent(snapshot: Lent<Snapshot>) -> Option<Self> {
        snapshot.is_some().then_some(Self(Share::Lent(snapshot)))
    }

    /// The same, no longer lent.
    pub(crate) fn into_own(self) -> Self {
        Self::from(imts_core::Bearer::from(self))
    }
}

impl Deref for Bearer {
    type Target = imts_core::Bearer;

    fn deref(&self) -> &imts_core::Bearer {
        match &self.0 {
            Share::Own(bearer) => bearer,
            Share::Lent(lent) => match lent.as_ref() {
                Some(snapshot) => &snapshot.bearer,
                None => unreachable!("only what is there is lent"),
            },
        }
    }
}

impl Clone for Bearer {
    fn clone(&self) -> Self {
        Self::from(imts_core::Bearer::clone(self))
    }
}

impl AsRef<imts_core::Bearer> for Bearer {
    fn as_ref(&self) -> &imts_core::Bearer {
        self
    }
}

impl From<imts_core::Bearer> for Bearer {
    fn from(bearer: imts_core::Bearer) -> Self {
        Self(Share::Own(bearer))
    }
}

impl From<Bearer> for imts_core::Bearer {
    fn from(bearer: Bearer) -> Self {
        match bearer.0 {
            Share::Own(bearer) => bearer,
            Share::Lent(_) => Self::clone(&bearer),
        }
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// What is published of a session: its token, and until when asks need nothing else of it.
pub(crate) struct Snapshot {
    /// One of its own.
    bearer: Bearer,
    /// Both clocks' readings from which on a renewal is due, as coarse readings tell it.
    due: Option<Now>,
    /// How far a coarse reading may be behind.
    lag: Duration,
    /// Counts what was published, so that a reader knows one from another.
    serial: u64,
}

impl Snapshot {
    pub(crate) fn new(outlook: Outlook<'_>, due: Option<Now>, lag: Duration, serial: u64) -> Self {
        let by = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
        let due = due.map(|due| Now {
            mono: Mono::from_micros(due.mono.as_micros().saturating_sub(by)),
            wall: Wall::from_unix_micros(due.wall.unix_micros().saturating_sub_unsigned(by)),
        });
        Self { bearer: outlook.bearer().clone().into(), due, lag, serial }
    }

    /// Whether the token is good and no renewal due.
    pub(crate) fn is_calm(&self, coarse: Now) -> bool {
        self.due.is_some_and(|due| coarse.mono < due.mono && coarse.wall < due.wall)
    }

    /// Whether the token has so much life left, by a coarse reading.
    pub(crate) fn lasts(&self, at_least: Duration, coarse: Now) -> bool {
        at_least.is_zero() || self.bearer.remaining(coarse) >= at_least.saturating_add(self.lag)
    }

    /// Whether the token is good, due or not.
    pub(crate) fn is_usable(&self, now: Now) -> bool {
        !self.bearer.remaining(now).is_zero()
    }
}

/// What one thread or task found published, and when it was last checked.
pub(crate) struct Sight {
    snapshot: Sighted<Snapshot>,
    /// The snapshot that was found calm, and the tick of the clock at which it was.
    calm_at: Option<(u64, u64)>,
}

impl Sight {
    pub(crate) fn new(snapshot: Sighted<Snapshot>) -> Self {
        Self { snapshot, calm_at: None }
    }

    /// The published token, if it is good now and no renewal due.
    pub(crate) fn calm(&mut self, clock: &dyn Clock) -> Option<&Bearer> {
        let snapshot = self.snapshot.look()?;
        let seen = clock.tick().map(|tick| (snapshot.serial, tick));
        if seen.is_some() && seen == self.calm_at {
            return Some(&snapshot.bearer);
        }
        let is_calm = snapshot.is_calm(clock.coarse());
        self.calm_at = seen.filter(|_| is_calm);
        is_calm.then_some(&snapshot.bearer)
    }
}

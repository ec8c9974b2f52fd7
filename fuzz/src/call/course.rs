//! How a call must end, from its class and what its attempts have proved, and from nothing else.
//!
//! Knows neither the call's machine nor the service: it is a second opinion.

use std::time::Duration;

use imts_core::Class;
use imts_core::call::Ending;
use imts_core::operation::Auth;
use imts_core::time::Mono;

use super::sign::{Reading, Sign};

/// What a call may do, whatever happens to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) class: Class,
    pub(super) auth: Auth,
    pub(super) trusts_401: bool,
    /// How often it is sent at most.
    pub(super) attempts: usize,
    pub(super) deadline: Mono,
}

#[derive(Debug)]
pub(super) struct Course {
    rules: Rules,
    /// How it may end, if it is not sent again.
    endings: Vec<Ending>,
    /// Whether it may be sent again, and whether it must be, if time and attempts are left.
    again: Again,
    /// How often its token was refused.
    rejected: usize,
    /// Until when it may wait at the longest before it is sent again.
    pause: Option<Mono>,
    /// What the service has said of a success.
    payload: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    No,
    Perhaps,
    Yes,
}

/// The longest wait before the second and the third attempt, by the default policy.
const BACKOFF: Duration = Duration::from_secs(1);
/// The longest `Retry-After` that is obeyed.
const OBEYED: Duration = Duration::from_secs(900);

impl Course {
    pub(super) fn new(rules: Rules) -> Self {
        let endings = vec![Ending::NotSent];
        Self { rules, endings, again: Again::Yes, rejected: 0, pause: None, payload: None }
    }

    /// One more attempt has led to this. `waits`: the service may have asked to wait.
    pub(super) fn meet(&mut self, reading: &Reading, now: Mono, waits: bool) {
        let Rules { class, auth, trusts_401, .. } = self.rules;
        let is_first = self.rejected == 0 && auth == Auth::Bearer;
        let once = |may: bool| if may { Again::Yes } else { Again::No };
        let (ending, again) = match (&reading.sign, class) {
            (Sign::Done(payload), _) => {
                self.payload = Some(payload.clone());
                (Ending::Done, Again::No)
            }
            (Sign::No, _) | (Sign::CutNo, Class::Read) => (Ending::Refused, Again::No),
            (_, Class::Create | Class::Money) if reading.says_no => (Ending::Refused, Again::No),
            (Sign::NotSent, _) => (Ending::NotSent, Again::Yes),
            (Sign::Unauthorized, Class::Read) => (Ending::Refused, once(is_first)),
            (Sign::Unauthorized, _) if trusts_401 && auth == Auth::Bearer => {
                (Ending::NotSent, once(is_first))
            }
            (Sign::Busy { refuses: true }, Class::Read) => (Ending::Refused, Again::Yes),
            (Sign::Busy { .. } | Sign::Silence, Class::Read) => (Ending::NotSent, Again::Yes),
            (Sign::Nonsense | Sign::Open, Class::Read) => (Ending::NotSent, Again::No),
            _ => (Ending::Unknown, Again::No),
        };
        (self.endings, self.again) = (vec![ending], again);
        self.rejected += usize::from(reading.sign == Sign::Unauthorized);
        self.pause = Some(now.after(if waits { OBEYED } else { BACKOFF }));
        if reading.sign == Sign::Open {
            self.endings.push(Ending::Done);
        }
        if reading.may_be_decided {
            self.endings.push(Ending::Refused);
            self.again = if again == Again::Yes { Again::Perhaps } else { Again::No };
        }
    }

    /// Nothing more can be sent: no token came, or a record failed.
    pub(super) fn stops(&mut self) {
        (self.endings, self.again) = (vec![Ending::NotSent], Again::No);
    }

    /// Whether it may be sent, once more if it was sent `sent` times.
    pub(super) fn goes_on(&self, sent: usize) -> bool {
        self.again != Again::No && sent < self.rules.attempts
    }

    /// Whether it may end so now, after it was sent `sent` times.
    pub(super) fn allows(&self, ending: Ending, sent: usize, now: Mono) -> bool {
        let deadline = self.rules.deadline;
        let is_out_of_time = now >= deadline;
        let is_short_of_time = is_out_of_time || self.pause.is_some_and(|until| until >= deadline);
        let must_go_on = self.again == Again::Yes && sent < self.rules.attempts;
        // A question that waits for its next attempt has no answer once its time is over.
        let expires = is_out_of_time && self.again != Again::No && ending == Ending::NotSent;
        (expires || self.endings.contains(&ending)) && (is_short_of_time || !must_go_on)
    }

    /// Holds what is returned for a success to what the service has said.
    pub(super) fn returns(&self, told: Option<&str>) {
        match &self.payload {
            Some(payload) => assert_eq!(told, Some(payload.as_str()), "what was done"),
            None if self.endings.contains(&Ending::Done) => {}
            None => assert_eq!(told, None, "a success that was not said"),
        }
    }
}

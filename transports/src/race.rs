//! Decides which address of a host is tried next, and when (RFC 8305). Both ready-made transports
//! drive it.
//!
//! Owns the order of the addresses, the pace of the attempts, and the result of each. Does no I/O
//! and reads no clock: it takes addresses and the time, and returns the next action.

mod known;
mod order;

use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub(crate) use self::known::Known;
use self::order::interleaved;
use crate::connect::{BoxedError, ConnectError};
use crate::reason::Reason;

/// The attempts to reach one host.
#[derive(Debug, Default)]
pub(crate) struct Race {
    attempts: Vec<Attempt>,
    /// How many were started.
    started: usize,
    /// When the next attempt starts, unless a failure starts it sooner.
    next_at: Option<Instant>,
}

#[derive(Debug)]
struct Attempt {
    address: SocketAddr,
    failed: Option<String>,
}

/// What a driver of a race does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start the attempt with this number, and ask again.
    Start(usize, SocketAddr),
    /// Wait until an attempt ends or this time has come, and ask again.
    WaitUntil(Instant),
    /// Wait until an attempt ends, and ask again.
    Wait,
    /// Every attempt has failed.
    Lost,
}

impl Race {
    /// Creates a race over these addresses in the resolver's order, the one that worked last first.
    pub(crate) fn new(addresses: Vec<SocketAddr>, worked: Option<SocketAddr>) -> Self {
        let addresses = interleaved(addresses, worked);
        let attempts = addresses.into_iter().map(|address| Attempt { address, failed: None });
        Self { attempts: attempts.collect(), ..Self::default() }
    }

    /// Returns how many addresses take part.
    #[cfg(feature = "ureq")]
    pub(crate) fn len(&self) -> usize {
        self.attempts.len()
    }

    /// Returns whether the attempt that was started last is the only one under way.
    #[cfg(feature = "ureq")]
    pub(crate) fn is_alone(&self) -> bool {
        self.under_way() == 1
    }

    /// Returns what to do at this time.
    pub(crate) fn next(&mut self, now: Instant) -> Action {
        let under_way = self.under_way();
        let is_due = under_way == 0 || self.next_at.is_none_or(|at| now >= at);
        match self.attempts.get(self.started) {
            Some(attempt) if is_due => {
                let number = self.started;
                self.started += 1;
                self.next_at = now.checked_add(STEP);
                Action::Start(number, attempt.address)
            }
            Some(_) => self.next_at.map_or(Action::Wait, Action::WaitUntil),
            None if under_way == 0 => Action::Lost,
            None => Action::Wait,
        }
    }

    /// Reports that an attempt failed: the next one starts at once.
    pub(crate) fn failed(&mut self, number: usize, error: &ConnectError) {
        if let Some(attempt) = self.attempts.get_mut(number) {
            attempt.failed = Some(Reason::of(error).to_string());
            self.next_at = None;
        }
    }

    /// Returns the address of an attempt.
    pub(crate) fn address(&self, number: usize) -> Option<SocketAddr> {
        self.attempts.get(number).map(|attempt| attempt.address)
    }

    /// Returns why a race was lost. If there was a single attempt, returns its own error.
    pub(crate) fn error(&self, last: Option<ConnectError>) -> ConnectError {
        match last {
            Some(error) if self.attempts.len() == 1 => error,
            _ if self.attempts.is_empty() => ConnectError::Tcp(BoxedError::from(NO_ADDRESS)),
            _ => ConnectError::Each(self.report()),
        }
    }

    /// Returns the result of each attempt; empty if there was no choice of addresses.
    pub(crate) fn report(&self) -> String {
        let mut text = String::new();
        if self.attempts.len() < 2 {
            return text;
        }
        for (number, attempt) in self.attempts.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            let _infallible =
                write!(text, "{separator}{}", AttemptReport { attempt, race: self, number });
        }
        text
    }

    fn under_way(&self) -> usize {
        self.attempts.iter().take(self.started).filter(|it| it.failed.is_none()).count()
    }
}

/// One attempt as an error prints it.
struct AttemptReport<'a> {
    race: &'a Race,
    attempt: &'a Attempt,
    number: usize,
}

impl fmt::Display for AttemptReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let became = match &self.attempt.failed {
            Some(error) => error,
            None if self.number < self.race.started => "no reply",
            None => "not tried",
        };
        write!(f, "{}: {became}", self.attempt.address)
    }
}

/// The time from one attempt to the next (RFC 8305, section 5).
const STEP: Duration = Duration::from_millis(250);

const NO_ADDRESS: &str = "the host has no address";

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::{Duration, Instant};

    use super::{Action, Race};
    use crate::connect::ConnectError;

    const A: &str = "192.0.2.1:443";
    const B: &str = "192.0.2.2:443";
    const C: &str = "[2001:db8::1]:443";

    fn race(addresses: &[&str]) -> Race {
        Race::new(addresses.iter().map(|it| it.parse().unwrap()).collect(), None)
    }

    fn start(number: usize, address: &str) -> Action {
        Action::Start(number, address.parse().unwrap())
    }

    fn refused() -> ConnectError {
        ConnectError::Tcp(io::Error::from(io::ErrorKind::ConnectionRefused).into())
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn attempts_start_250_ms_apart_while_none_ends() {
        let (mut race, zero) = (race(&[A, B, C]), Instant::now());
        assert_eq!(race.next(zero), start(0, A));
        assert_eq!(race.next(zero), Action::WaitUntil(zero + ms(250)));
        assert_eq!(race.next(zero + ms(249)), Action::WaitUntil(zero + ms(250)));
        assert_eq!(race.next(zero + ms(250)), start(1, C));
        assert_eq!(race.next(zero + ms(251)), Action::WaitUntil(zero + ms(500)));
        // A driver that comes late starts one attempt, not all that would have been due.
        assert_eq!(race.next(zero + ms(9_000)), start(2, B));
        assert_eq!(race.next(zero + ms(9_000)), Action::Wait);
    }

    #[test]
    fn a_failed_attempt_starts_the_next_at_once() {
        let (mut race, zero) = (race(&[A, B, C]), Instant::now());
        assert_eq!(race.next(zero), start(0, A));
        race.failed(0, &refused());
        assert_eq!(race.next(zero + ms(1)), start(1, C));
        assert_eq!(race.next(zero + ms(1)), Action::WaitUntil(zero + ms(251)));
        race.failed(1, &refused());
        assert_eq!(race.next(zero + ms(2)), start(2, B));
        assert_eq!(race.next(zero + ms(2)), Action::Wait);
        race.failed(2, &refused());
        assert_eq!(race.next(zero + ms(3)), Action::Lost);
    }

    #[test]
    fn a_failure_of_an_earlier_attempt_starts_one_more_and_not_two() {
        let (mut race, zero) = (race(&[A, B, C]), Instant::now());
        assert_eq!(race.next(zero), start(0, A));
        assert_eq!(race.next(zero + ms(250)), start(1, C));
        race.failed(0, &refused());
        assert_eq!(race.next(zero + ms(260)), start(2, B));
        race.failed(2, &refused());
        assert_eq!(race.next(zero + ms(270)), Action::Wait, "one is still under way");
        race.failed(1, &refused());
        assert_eq!(race.next(zero + ms(280)), Action::Lost);
    }

    #[test]
    fn a_lost_race_names_what_happened_with_each_address() {
        let (mut race, zero) = (race(&[A, B, C]), Instant::now());
        race.next(zero);
        race.next(zero + ms(250));
        race.failed(0, &refused());
        let refused = format!("{A}: connection refused; {C}: no reply; {B}: not tried");
        assert_eq!(race.report(), refused);
        assert!(race.error(None).to_string().ends_with(&refused));
    }

    #[test]
    fn the_error_of_a_single_address_stands_for_itself() {
        let (mut race, zero) = (race(&[A]), Instant::now());
        race.next(zero);
        race.failed(0, &refused());
        assert_eq!(race.next(zero), Action::Lost);
        assert_eq!(race.error(Some(refused())).to_string(), "connection refused");
        assert_eq!(race.report(), "");
    }

    #[test]
    fn a_host_without_addresses_is_lost_at_once() {
        let mut race = race(&[]);
        assert_eq!(race.next(Instant::now()), Action::Lost);
        assert_eq!(race.error(None).to_string(), "the host has no address");
    }
}

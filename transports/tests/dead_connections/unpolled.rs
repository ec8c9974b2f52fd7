//! A client that is asked by `block_on` now and then, and polled by nobody in between: that time is not
//! the service's.

use std::thread;
use std::time::Duration;

use imts::{Builder, Clock, Credentials, Endpoint, HyperTransport, ManualClock, Tls};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Front, Operation, Sandbox, Settings, Time};

use crate::callers::Tasks;
use crate::{LIMIT, policy};

/// How long an exchange may take; longer is the time in which nobody polls.
const WHOLE: Duration = Duration::from_secs(1);
const NOBODY_POLLS: Duration = Duration::from_millis(1_200);

#[test]
fn no_ask_fails_and_no_refresh_token_is_in_doubt_for_want_of_polling() {
    let clock = ManualClock::default();
    let mut settings = Settings::default();
    settings.access_lifetime = Duration::from_secs(6);
    let time = clock.clone();
    let front = Front::builder(Sandbox::new(settings))
        .clock(move || Time::from_micros(time.now().wall.unix_micros()))
        .start()
        .unwrap();
    let mut hasty = policy();
    hasty.time_limit = WHOLE;
    let client = Builder::new(Endpoint::plain_loopback(&front.url()).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .policy(hasty)
        .clock(clock.clone())
        .nonblocking(HyperTransport::builder(Tls::platform().unwrap()).build())
        .unwrap();
    let runtime = Tasks::CurrentThread.runtime();
    for ask in 0..6 {
        let asked = runtime.block_on(client.token());
        asked.unwrap_or_else(|error| panic!("ask {ask}: {error}"));
        // Each ask finds a token that is about to expire, and begins a renewal that another one ends.
        thread::sleep(NOBODY_POLLS);
        clock.advance(Duration::from_millis(3_500));
    }
    let saved = runtime.block_on(client.close(LIMIT)).unwrap();
    assert!(!saved.is_in_doubt());
    // If a refresh token had been in doubt, the client would have signed in again.
    let seen: Vec<_> = front.log().iter().map(|entry| (entry.operation, entry.status)).collect();
    assert_eq!(seen[0], (Operation::GetToken, 200));
    assert!(
        seen.len() > 3 && seen[1..].iter().all(|it| *it == (Operation::Refresh, 200)),
        "{seen:?}"
    );
}

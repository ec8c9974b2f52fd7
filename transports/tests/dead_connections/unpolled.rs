//! A client that is asked by `block_on` now and then, and polled by nobody in between: that time is not
//! the service's.

use std::thread;
use std::time::Duration;

use imts::HyperTransport;
use imts::clock::ManualClock;

use crate::callers::{Place, Tasks};
use crate::service::{Idle, Service, certified};
use crate::wire::Close;
use crate::{LIMIT, builder, policy};

/// How long an exchange may take; longer is the time in which nobody polls.
const WHOLE: Duration = Duration::from_secs(1);
const NOBODY_POLLS: Duration = Duration::from_millis(1_200);

#[test]
fn no_ask_fails_and_no_refresh_token_is_in_doubt_for_want_of_polling() {
    thread::scope(|scope| {
        for is_secure in [false, true] {
            for closes in [false, true] {
                scope.spawn(move || asks_now_and_then(is_secure, closes));
            }
        }
    });
}

/// If the service closes its connections, each renewal has to open one, and waits more than once.
fn asks_now_and_then(is_secure: bool, closes: bool) {
    let (config, authority) = is_secure.then(certified).unzip();
    let service = Service::start(config, move || match closes {
        true => Idle::Ends(Duration::from_millis(1), Close::Fin),
        false => Idle::Stays,
    });
    let place = Place { url: service.url(), authority };
    let (clock, mut hasty) = (ManualClock::default(), policy());
    hasty.time_limit = WHOLE;
    let client = builder(place.endpoint())
        .policy(hasty)
        .clock(clock.clone())
        .nonblocking(HyperTransport::builder(place.tls()).build())
        .unwrap();
    let runtime = Tasks::CurrentThread.runtime();
    let about = format!("TLS: {is_secure}, closes: {closes}");
    for ask in 0..6 {
        let asked = runtime.block_on(client.token());
        asked.unwrap_or_else(|error| panic!("{about}, ask {ask}: {error}"));
        // The next one finds a token that is about to expire, or has: a renewal that one ask begins,
        // another one ends.
        thread::sleep(NOBODY_POLLS);
        clock.advance(Duration::from_secs(850));
    }
    let saved = runtime.block_on(client.close(LIMIT)).unwrap();
    assert!(!saved.is_in_doubt(), "{about}");
    // If a refresh token had been in doubt, the client would have signed in again.
    let grants = service.ledger().grants.clone();
    assert!(grants.len() > 3 && grants[0] == "auth", "{about}: {grants:?}");
    assert!(grants[1..].iter().all(|grant| grant == "refresh"), "{about}: {grants:?}");
}

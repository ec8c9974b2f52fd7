//! One client on several current-thread runtimes: a connection is lent to the runtime that drives it, and
//! to no other.

use std::thread;

use imts::{AsyncClient, HyperTransport, Outcome};
use tokio::runtime::Runtime;

use crate::callers::{Place, Tasks};
use crate::service::{Idle, Service, certified};
use crate::{builder, confirm, policy};

/// Over TCP and over TLS, with a service that leaves its connections open.
fn each(test: impl Fn(&Service, &AsyncClient)) {
    for tls in [None, Some(certified())] {
        let (config, authority) = tls.unzip();
        let service = Service::start(config, || Idle::Stays);
        let place = Place { url: service.url(), authority };
        let transport = HyperTransport::builder(place.tls()).build();
        // What was not sent is not sent again either: a connection of another runtime is not even tried.
        let mut once = policy();
        once.call_attempts = 1;
        let client = builder(place.endpoint()).policy(once).nonblocking(transport);
        test(&service, &client.unwrap());
    }
}

fn is_done(runtime: &Runtime, client: &AsyncClient, reference: &str) {
    let outcome = runtime.block_on(client.call(&confirm(reference))).unwrap();
    assert!(matches!(outcome, Outcome::Done(_)), "{reference}: {outcome:?}");
}

#[test]
fn of_two_runtimes_that_are_driven_in_turn_each_uses_its_own_connection() {
    each(|service, client| {
        let both = [Tasks::CurrentThread.runtime(), Tasks::CurrentThread.runtime()];
        for number in 0..10 {
            is_done(&both[number % 2], client, &number.to_string());
        }
        assert_eq!(service.ledger().connections, 2);
    });
}

#[test]
fn of_two_runtimes_that_are_driven_at_once_each_uses_its_own_connection() {
    each(|service, client| {
        Tasks::CurrentThread.runtime().block_on(client.warm_up()).unwrap();
        thread::scope(|scope| {
            for name in ["a", "b"] {
                scope.spawn(move || {
                    let runtime = Tasks::CurrentThread.runtime();
                    for number in 0..20 {
                        is_done(&runtime, client, &format!("{name}-{number}"));
                    }
                });
            }
        });
        // One more in which the client signed in.
        assert_eq!(service.ledger().connections, 3);
    });
}

#[test]
fn what_a_runtime_that_is_gone_has_driven_is_lent_to_nobody() {
    each(|service, client| {
        for (number, tasks) in
            [Tasks::CurrentThread, Tasks::MultiThread].iter().cycle().take(6).enumerate()
        {
            let runtime = tasks.runtime();
            is_done(&runtime, client, &format!("{number}-a"));
            is_done(&runtime, client, &format!("{number}-b"));
            assert_eq!(service.ledger().connections, number + 1, "{tasks:?}");
        }
    });
}

//! A client that is used now and then, and a service that has closed its connection each time.

use std::time::Duration;

use crate::callers::{Caller, End, Kind, Place};
use crate::service::{Certified, Idle, Service, certified};
use crate::wire::Close;

/// How many milliseconds after a reply the service ends the connection, and how.
const CLOSES: [(u64, Close); 5] = [
    (0, Close::Fin),
    (3, Close::Fin),
    (3, Close::Reset),
    (0, Close::Farewell),
    (3, Close::Farewell),
];

#[test]
fn a_service_that_closes_between_any_two_calls_has_each_of_them_done() {
    for kind in Kind::ALL.into_iter().filter(|kind| !kind.is_bare()) {
        for (idle, by) in CLOSES {
            for tls in [None, Some(certified())] {
                let about =
                    format!("{kind}, {by:?}, {}", if tls.is_some() { "TLS" } else { "TCP" });
                closes_between_any_two(kind, (idle, by), tls, &about);
            }
        }
    }
}

fn closes_between_any_two(
    kind: Kind,
    (idle, by): (u64, Close),
    tls: Option<Certified>,
    about: &str,
) {
    let (config, authority) = tls.unzip();
    let service = Service::start(config, move || Idle::Ends(Duration::from_millis(idle), by));
    let caller = Caller::new(kind, &Place { url: service.url(), authority }, || {});
    for number in 0..20 {
        service.has_open(0);
        let went = caller.calls(&[number.to_string()]);
        let ends: Vec<_> = went.iter().map(|went| went.end).collect();
        assert_eq!(ends, [End::Done], "{about}, call {number}");
    }
    assert_eq!(service.ledger().arrived.len(), 20);
}

//! A client that is used now and then, and a service that has closed its connection each time.

use std::time::Duration;

use crate::callers::{Caller, End, Kind, Place};
use crate::service::{Idle, Service};
use crate::wire::Close;

#[test]
fn a_service_that_closes_between_any_two_calls_has_each_of_them_done() {
    for kind in Kind::ALL.into_iter().filter(|kind| !kind.is_bare()) {
        for by in [Close::Fin, Close::Reset, Close::Farewell] {
            let service = Service::start(None, move || Idle::Ends(Duration::from_millis(3), by));
            let place = Place { url: service.url(), authority: None };
            let caller = Caller::new(kind, &place, || {});
            for number in 0..20 {
                service.has_open(0);
                let ends: Vec<_> =
                    caller.calls(&[number.to_string()]).iter().map(|went| went.end).collect();
                assert_eq!(ends, [End::Done], "{kind}, call {number}, {by:?}");
            }
            assert_eq!(service.ledger().arrived.len(), 20);
        }
    }
}

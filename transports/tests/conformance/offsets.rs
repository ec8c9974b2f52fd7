//! A connection that ends after each byte of the request and of the reply, by FIN and by RST: no
//! request that reached the service is said not to have been sent, and none comes twice.

use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use imts::TransportError;

use crate::raw::{Line, Raw, eventually};
use crate::{BODY, BOUNDS, Carrier, GRANT, ok};

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Fin,
    Reset,
}

/// A service whose treatment of a connection depends on where it is to end.
struct Cutting {
    service: Raw,
    at: Arc<AtomicUsize>,
    treated: Arc<AtomicUsize>,
}

impl Cutting {
    fn start(treat: impl Fn(&mut Line, usize) + Send + Sync + 'static) -> Self {
        let (at, treated) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (place, count) = (Arc::clone(&at), Arc::clone(&treated));
        let service = Raw::start(move |line| {
            treat(line, place.load(Ordering::SeqCst));
            count.fetch_add(1, Ordering::SeqCst);
        });
        Self { service, at, treated }
    }

    /// Sends one request, on a connection that ends there; says how it failed, if it did.
    fn send(&self, carrier: &Carrier, at: usize) -> Option<TransportError> {
        self.at.store(at, Ordering::SeqCst);
        let (treated, heard) = (self.treated.load(Ordering::SeqCst), self.service.heard().len());
        let failure = carrier.send(&self.service.url(), BOUNDS).err();
        eventually("the connection ends", || self.treated.load(Ordering::SeqCst) > treated);
        let heard = self.service.heard().len() - heard;
        if let Some(failure) = &failure {
            let is_false = failure.is_not_sent() && heard > 0;
            assert!(!is_false, "{carrier:?}: {heard} bytes came, and yet: {failure}");
        }
        assert_eq!(self.service.connections(), treated + 1, "{carrier:?}: nothing is sent twice");
        failure
    }
}

#[test]
fn a_connection_that_ends_within_the_request_proves_nothing() {
    for carrier in Carrier::untrusting() {
        let length = request(&carrier).len();
        assert!(length > BODY.len() + 50);
        for end in [End::Fin, End::Reset] {
            let cutting = Cutting::start(move |line, at| {
                line.take(at);
                match end {
                    End::Reset => line.reset(),
                    End::Fin => {
                        line.stream.shutdown(Shutdown::Write).unwrap();
                        line.listen();
                    }
                }
            });
            for at in 0..=length {
                let failure = cutting.send(&carrier, at).expect("there was no reply");
                assert!(!failure.is_timed_out(), "{carrier:?}, {end:?} at {at}: {failure}");
            }
        }
    }
}

#[test]
fn a_connection_that_ends_within_the_reply_proves_nothing() {
    let reply = ok(GRANT);
    for carrier in Carrier::untrusting() {
        for end in [End::Fin, End::Reset] {
            let said = reply.clone();
            let cutting = Cutting::start(move |line, at| {
                line.request();
                line.say(&said.as_bytes()[..at]);
                if end == End::Reset {
                    line.reset();
                }
            });
            for at in 0..=reply.len() {
                let failure = cutting.send(&carrier, at);
                // A reset may overtake a whole reply, or come after it.
                if at < reply.len() || end == End::Fin {
                    let is_whole = at == reply.len();
                    assert_eq!(failure.is_none(), is_whole, "{carrier:?}, {end:?} at {at}");
                }
            }
        }
    }
}

/// A request as it goes over the wire.
fn request(carrier: &Carrier) -> String {
    let service = Raw::saying(ok(GRANT));
    carrier.send(&service.url(), BOUNDS).unwrap();
    service.heard()
}

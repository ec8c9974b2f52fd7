//! The database is away for a while: calls that move money are not sent, and nothing else waits.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::{Request, Response};
use imts::call::CallError;
use imts::journal::CallState;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{JournalPostgres, Outcome, Transport, TransportError, UreqTransport};
use imts_sandbox::Operation;

use crate::servers::{Postgres, Stop};
use crate::service::{client, confirm, front};
use crate::{at, eventually, opened, server};

/// Far less than any time limit, and far more than a busy machine needs for a call.
const AT_ONCE: Duration = Duration::from_secs(3);

#[test]
fn while_the_journal_is_out_nothing_is_sent_and_tokens_are_given() {
    let (front, mut server) = (front(), server());
    let client = client(&front.url(), opened(&server), UreqTransport::new().unwrap());
    assert!(matches!(client.call(&confirm("17")).unwrap(), Outcome::Done(_)));
    server.stop(Stop::Immediate);
    let begun = Instant::now();
    for _ in 0..3 {
        let Outcome::Failed(failed) = client.call(&confirm("18")).unwrap() else {
            panic!("it was sent")
        };
        assert!(matches!(failed.why(), CallError::Journal(_)), "{failed:?}");
        let text = failed.why().to_string();
        assert!(text.contains("nothing was sent") && text.contains("database"), "{text}");
        client.token().unwrap();
    }
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert_eq!(front.sandbox().count(Operation::Confirm), 1);
    let error = client.in_doubt().unwrap_err().to_string();
    assert!(error.contains("database"), "{error}");
    server.run();
    eventually("it is connected again", || {
        matches!(client.call(&confirm("18")).unwrap(), Outcome::Done(_))
    });
    assert_eq!(front.sandbox().count(Operation::Confirm), 2);
}

/// A transport that stops the database while the first request of a call is under way.
struct Stops(UreqTransport, Arc<Mutex<Postgres>>);

impl Transport for Stops {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        if !request.uri().path().contains("/agent/") {
            self.1.lock().unwrap().stop(Stop::Immediate);
        }
        self.0.send(request, bounds)
    }
}

#[test]
fn an_end_that_could_not_be_recorded_is_recorded_once_the_database_is_back() {
    let (front, server) = (front(), Arc::new(Mutex::new(server())));
    let address = at(&server.lock().unwrap());
    let transport = Stops(UreqTransport::new().unwrap(), Arc::clone(&server));
    let journal = JournalPostgres::open(address.clone()).unwrap();
    let client = client(&front.url(), journal, transport);
    let outcome = client.call(&confirm("17")).unwrap();
    assert!(matches!(outcome, Outcome::Done(_)), "the caller learns it: {outcome:?}");
    server.lock().unwrap().run();
    eventually("the journal knows it", || {
        let calls = JournalPostgres::read_newest(&address, 10).unwrap();
        calls.len() == 1 && calls[0].state == CallState::Done
    });
    drop(client);
}

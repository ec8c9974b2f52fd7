//! Three journeys through the library, for a count of the source files that each one visits.
//!
//! Owns the line between the journey and what only prepares it, as [`counts`](crate::counts) does.
//! Knows nothing of how files are counted: `.ci/journeys` does that from outside.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::thread;

use imts::clock::{Clock, SystemClock};
use imts::endpoint::ServicePath;
use imts::journal::MemoryJournal;
use imts::operation::Custom;
use imts::services::transfer::Confirm;
use imts::{Builder, Evidence, Outcome, Reply, Step, TransportError, services};

use crate::counts::counted;
use crate::ready::{self, NOW};

/// A journey: its name, and how to take it once.
pub type Journey = (&'static str, fn());

/// Every journey, in the order of the table.
pub const JOURNEYS: &[Journey] =
    &[("reply_to_token", reply_to_token), ("ask", ask), ("lost_money_call", lost_money_call)];

/// From the reply to Get token, in the core alone, to the access token.
fn reply_to_token() {
    let reply = ready::reply();
    let (mut session, ticket) = ready::waiting();
    let step = counted(|| {
        session.on_reply(ticket, Reply::from(&reply), NOW).expect("the documented reply");
        session.poll(NOW)
    });
    assert!(matches!(step, Step::Ready(_)), "{step:?}");
}

/// A blocking client's token while it is valid, at the first ask after a tick of the clock: the longer
/// way, which reads the clock.
fn ask() {
    let client = ready::client();
    let seen = SystemClock.coarse();
    while SystemClock.coarse() == seen {
        thread::yield_now();
    }
    counted(|| drop(black_box(client.token().expect("the token is valid"))));
}

/// A call that moves money, recorded in a journal in memory, whose reply is lost.
fn lost_money_call() {
    let mut operations = services::transfer::catalogue();
    let path = ServicePath::new("/v5/partner/transfer/confirm").expect("the path is well formed");
    operations.set_path("confirm", path, Evidence::Assumed).expect("the operation is listed");
    let client = Builder::new(ready::endpoint())
        .credentials(ready::credentials())
        .service(services::transfer().with_operations(operations))
        .journal(MemoryJournal::default())
        .blocking(|request: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
            let is_call = request.uri().path().ends_with("/confirm");
            if is_call { Err(TransportError::unknown()) } else { Ok(ready::reply()) }
        })
        .expect("the parts make a client");
    client.token().expect("the transport grants");
    let request = BTreeMap::from([("client_uuid", "payment-1")]);
    let payment: Custom<Confirm, _> = Custom::new(request).with_reference("payment-1");
    let outcome = counted(|| client.call(&payment));
    assert!(matches!(outcome, Ok(Outcome::Unknown(_))), "{outcome:?}");
}

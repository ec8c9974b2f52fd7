//! The replies to a client's requests, and what is made of them.

use std::collections::BTreeMap;
use std::future::{Pending, pending, ready};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Request, Response};
use imts::clock::ManualClock;
use imts::endpoint::ServicePath;
use imts::operation::Custom;
use imts::secret::Body;
use imts::services::transfer::Status;
use imts::transport::Bounds;
use imts::{Builder, Credentials, Endpoint, Evidence, Outcome, TransportError, services};

use crate::memory::leaves_nothing;
use crate::sessions::{NOW, grant, joined};

/// Signs in with this text as its token, and answers a call with it.
fn service(
    text: &str,
    status: u16,
) -> impl Fn(Request<Body>, Bounds) -> Result<Response<Vec<u8>>, TransportError> + use<> {
    let text = joined(&[text]);
    move |request, _| {
        let response = Response::builder().header(CONTENT_TYPE, "application/json");
        if request.uri().path() != "/status" {
            return Ok(response.body(std::mem::take(&mut *grant(&text)).into_bytes()).unwrap());
        }
        let head = if status < 300 { r#"{"state":true"# } else { r#"{"state":false"# };
        let body = [head, r#","payload":{"of":""#, &text, r#""}}"#].concat();
        Ok(response.status(status).body(body.into_bytes()).unwrap())
    }
}

fn builder() -> Builder {
    let mut operations = services::transfer::catalogue();
    let path = ServicePath::new("/status").unwrap();
    operations.set_path("status", path, Evidence::Assumed).unwrap();
    Builder::new(Endpoint::https("https://service.example").unwrap())
        .service(services::transfer().with_operations(operations))
        .credentials(Credentials::new("agent", "secret").unwrap())
        .clock(ManualClock::at(NOW))
}

fn call() -> Custom<Status, BTreeMap<String, String>> {
    Custom::new(BTreeMap::new())
}

fn is_kept<R>(outcome: &Outcome<R>, status: u16) -> bool {
    match outcome {
        Outcome::Done(_) => status == 200,
        Outcome::Refused(refusal) => status == 422 && !refusal.expose_body().is_empty(),
        _ => false,
    }
}

#[test]
fn a_calls_reply_leaves_nothing_behind() {
    for status in [200, 422] {
        leaves_nothing(3, |marker| {
            let client = builder().blocking(service(marker, status)).unwrap();
            let outcome = client.call(&call()).unwrap();
            assert!(is_kept(&outcome, status), "{outcome:?}");
            (client, outcome)
        });
    }
}

#[test]
fn a_calls_reply_to_a_task_leaves_nothing_behind() {
    let no_timer = |_: Duration| -> Pending<()> { pending() };
    for status in [200, 422] {
        leaves_nothing(3, |marker| {
            let answer = service(marker, status);
            let send = move |request: Request<Body>, bounds: Bounds| ready(answer(request, bounds));
            let client = builder().nonblocking((send, no_timer)).unwrap();
            let outcome = smol::block_on(client.call(&call())).unwrap();
            assert!(is_kept(&outcome, status), "{outcome:?}");
            (client, outcome)
        });
    }
}

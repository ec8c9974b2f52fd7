//! Replies of odd forms, over real sockets: the body decides, whichever transport brought it.

use std::sync::atomic::{AtomicUsize, Ordering};

use imts::endpoint::ServicePath;
use imts::operation::Custom;
use imts::services::transfer::PrintApplication;
use imts::{Evidence, Outcome, services};
use serde_json::json;

use crate::raw::Raw;
use crate::{Carrier, GRANT, plain};

/// A whole answer with this head, after which the connection is closed.
fn said(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

const JSON: &str = "200 OK\r\ncontent-type: application/json";

/// Answers the first request with a grant, and each one after it with these bytes.
fn after_a_grant(answer: Vec<u8>) -> Raw {
    let requests = AtomicUsize::new(0);
    Raw::start(move |line| {
        line.request();
        match requests.fetch_add(1, Ordering::SeqCst) {
            0 => line.say(&said(JSON, GRANT.as_bytes())),
            _ => line.say(&answer),
        };
    })
}

#[test]
fn a_reply_of_70_kb_comes_whole_if_its_operation_may_be_so_long() {
    let text = "x".repeat(70_000);
    let body = json!({ "state": true, "payload": { "form": text } }).to_string();
    for (limit, comes) in [(body.len(), true), (body.len() - 1, false)] {
        for carrier in Carrier::each() {
            let service = after_a_grant(said(JSON, body.as_bytes()));
            let mut operations = services::transfer::catalogue();
            let path = ServicePath::new("/v5/partner/transfer/print").unwrap();
            operations.set_path("print-application", path, Evidence::Assumed).unwrap();
            operations.set_reply_limit("print-application", limit).unwrap();
            let with_paths = services::transfer().with_operations(operations);
            let client = carrier.client(plain(&service.url()).service(with_paths));
            let outcome = client.call(&Custom::<PrintApplication, _>::new(json!({ "id": 17 })));
            match outcome {
                Outcome::Done(reply) if comes => {
                    assert!(reply.as_str().contains(&text), "{carrier:?}");
                }
                Outcome::Failed(failed) if !comes => {
                    let why = failed.why().to_string();
                    assert!(why.contains(&format!("longer than {limit} bytes")), "{why}");
                }
                other => panic!("{carrier:?} {limit}: {other:?}"),
            }
        }
    }
}

//! A request of any method arrives as it was made, also one without content.

use http::Request;
use imts::secret::Body;

use crate::raw::Raw;
use crate::{BODY, BOUNDS, Carrier, ok};

#[test]
fn a_request_without_content_arrives_with_its_method() {
    for carrier in Carrier::each() {
        for method in ["GET", "DELETE"] {
            let service = Raw::saying(ok("{}"));
            let request = Request::builder().method(method).uri(service.url());
            let response = carrier.carry(request.body(Body::default()).unwrap(), BOUNDS).unwrap();
            assert_eq!(response.body(), b"{}", "{carrier:?} {method}");
            let heard = service.heard();
            assert!(heard.starts_with(&format!("{method} / HTTP/1.1\r\n")), "{carrier:?}: {heard}");
            assert!(heard.ends_with("\r\n\r\n"), "{carrier:?}: {heard}");
        }
    }
}

#[test]
fn a_request_with_content_arrives_with_its_method() {
    for carrier in Carrier::each() {
        let service = Raw::saying(ok("{}"));
        let request = Request::put(service.url()).body(Body::from(BODY.to_vec())).unwrap();
        let response = carrier.carry(request, BOUNDS).unwrap();
        assert_eq!(response.body(), b"{}", "{carrier:?}");
        let heard = service.heard().into_bytes();
        assert!(heard.starts_with(b"PUT / HTTP/1.1\r\n") && heard.ends_with(BODY), "{carrier:?}");
    }
}

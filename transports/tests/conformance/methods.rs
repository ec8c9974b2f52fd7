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

/// A service may read by a `GET` with a body, which is legal (RFC 9110, section 9.3.1) and rare.
#[test]
fn a_get_with_content_arrives_whole_with_its_length_and_no_type_but_its_own() {
    for carrier in Carrier::each() {
        for kind in [Some("application/json"), None] {
            let service = Raw::saying(ok("{}"));
            let mut request = Request::get(service.url());
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            let request = request.body(Body::from(BODY.to_vec())).unwrap();
            let response = carrier.carry(request, BOUNDS).unwrap();
            assert_eq!(response.body(), b"{}", "{carrier:?}");
            let heard = service.heard();
            let (head, body) = heard.split_once("\r\n\r\n").unwrap();
            assert_eq!(body.as_bytes(), BODY, "{carrier:?}");
            assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{carrier:?}: {head}");
            let head = head.to_lowercase();
            let values = |name: &str| -> Vec<&str> {
                let lines = head.lines().filter_map(|line| line.split_once(": "));
                lines.filter(|(found, _)| *found == name).map(|(_, value)| value).collect()
            };
            let length = BODY.len().to_string();
            assert_eq!(values("content-length"), [length.as_str()], "{carrier:?}");
            assert_eq!(values("content-type"), Vec::from_iter(kind), "{carrier:?}");
            assert_eq!(values("transfer-encoding"), Vec::<&str>::new(), "{carrier:?}");
        }
    }
}

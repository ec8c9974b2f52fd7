//! Plain http to a named host: only by its exact name, only to addresses that are loopback or
//! private, never through a proxy, and only by a transport that was made for it.

use std::collections::VecDeque;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use imts::builder::BuildError;
use imts::endpoint::PlainHost;
use imts::proxy::Proxy;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{AsyncTransport, Endpoint, HyperTransport, Transport, TransportError, UreqTransport};

use crate::raw::Raw;
use crate::{BOUNDS, Carrier, GRANT, Made, NOBODY, builder, ok};

fn sandbox() -> PlainHost {
    PlainHost::new("sandbox").unwrap()
}

/// Each of the two, made for plain http to the named host. Each lookup takes the next of these
/// answers, and the last one from then on.
fn named(lookups: &[&[SocketAddr]], proxy: Option<&Proxy>) -> [Carrier; 2] {
    let answers = || {
        let left: VecDeque<Vec<SocketAddr>> = lookups.iter().map(|it| it.to_vec()).collect();
        let left = Mutex::new(left);
        move || {
            let mut left = left.lock().unwrap();
            if left.len() > 1 { left.pop_front().unwrap() } else { left[0].clone() }
        }
    };
    let (of_ureq, of_hyper) = (answers(), answers());
    let mut ureq = UreqTransport::builder(NOBODY.clone())
        .plain_http_host(sandbox())
        .resolver(move |_, _| Ok(of_ureq()));
    let mut hyper = HyperTransport::builder(NOBODY.clone())
        .plain_http_host(sandbox())
        .resolver(move |_, _| ready(Ok(of_hyper())));
    if let Some(proxy) = proxy {
        ureq = ureq.proxy(proxy.clone());
        hyper = hyper.proxy(proxy.clone());
    }
    [Carrier::Ureq(ureq.build()), Carrier::Hyper(hyper.build())]
}

fn url(host: &str, port: u16) -> String {
    format!("http://{host}:{port}/path")
}

fn at(host: &str, port: u16) -> SocketAddr {
    SocketAddr::new(host.parse().unwrap(), port)
}

/// Asserts that a request was refused before a connection was opened, for this reason.
#[track_caller]
fn is_refused(carrier: &Carrier, url: &str, why: &str) {
    let failure = carrier.send(url, BOUNDS).unwrap_err();
    assert!(failure.is_not_sent(), "{carrier:?}: {failure}");
    assert!(failure.to_string().contains(why), "{carrier:?}, {url}: {failure}");
}

#[test]
fn a_client_signs_in_by_plain_http_to_the_host_that_was_named() {
    let service = Raw::saying(ok(GRANT));
    let port = service.address.port();
    for (carrier, nth) in named(&[&[service.address]], None).iter().zip(1..) {
        let endpoint = Endpoint::plain_named(&format!("http://SANDBOX:{port}"), &sandbox());
        let token = carrier.token(builder(endpoint.unwrap())).unwrap();
        assert_eq!(token.expose_token(), "access-1", "{carrier:?}");
        assert_eq!(service.requests(), nth, "{carrier:?}");
    }
    assert!(service.heard().contains(&format!("host: sandbox:{port}\r\n")), "{}", service.heard());
}

#[test]
fn plain_http_to_any_other_host_is_refused_before_a_lookup() {
    let service = Raw::saying(ok(GRANT));
    let port = service.address.port();
    for carrier in named(&[&[service.address]], None) {
        for host in
            ["SANDBOX", "sandbox.", "sandbox.example", "sub.sandbox", "sandbox2", "10.0.0.1"]
        {
            is_refused(&carrier, &url(host, port), "plain http to another machine");
        }
    }
    let service_alone = Made { addresses: Some(vec![service.address]), ..Made::default() };
    for carrier in Carrier::both(&service_alone) {
        is_refused(&carrier, &url("sandbox", port), "plain http to another machine");
    }
    assert_eq!(service.connections(), 0);
}

#[test]
fn a_name_with_one_address_that_is_not_private_is_refused_whichever_comes_first() {
    let service = Raw::saying(ok(GRANT));
    let port = service.address.port();
    for outside in [
        "203.0.113.7",
        "::ffff:203.0.113.7",
        "2001:db8::7",
        "169.254.169.254",
        "fe80::7",
        "0.0.0.0",
        "::",
        "100.64.0.7",
        "64:ff9b::7f00:1",
    ] {
        let outside = at(outside, port);
        for addresses in [
            &[outside][..],
            &[outside, service.address],
            &[service.address, outside],
            &[[service.address; 20].as_slice(), &[outside]].concat(),
        ] {
            for carrier in named(&[addresses], None) {
                is_refused(&carrier, &url("sandbox", port), &format!("has {}", outside.ip()));
            }
        }
    }
    assert_eq!(service.connections(), 0);
}

#[test]
fn each_connection_checks_the_addresses_that_the_name_has_then() {
    let service = Raw::saying(ok(GRANT));
    let port = service.address.port();
    let rebound = at("203.0.113.7", port);
    for (carrier, nth) in named(&[&[service.address], &[rebound]], None).iter().zip(1..) {
        assert_eq!(carrier.send(&url("sandbox", port), BOUNDS).unwrap().status(), 200);
        is_refused(carrier, &url("sandbox", port), "has 203.0.113.7");
        assert_eq!(service.connections(), nth, "{carrier:?}");
    }
}

#[test]
fn an_ipv4_address_that_is_mapped_into_ipv6_counts_as_itself() {
    let service = Raw::saying(ok(GRANT));
    let port = service.address.port();
    for carrier in named(&[&[at("::ffff:127.0.0.1", port)]], None) {
        assert_eq!(
            carrier.send(&url("sandbox", port), BOUNDS).unwrap().status(),
            200,
            "{carrier:?}"
        );
    }
}

#[test]
fn a_redirect_to_another_host_is_not_followed() {
    let other = Raw::saying(ok(GRANT));
    let location =
        format!("HTTP/1.1 307 x\r\nlocation: {}/\r\ncontent-length: 0\r\n\r\n", other.url());
    let service = Raw::saying(location);
    let port = service.address.port();
    for carrier in named(&[&[service.address]], None) {
        assert_eq!(
            carrier.send(&url("sandbox", port), BOUNDS).unwrap().status(),
            307,
            "{carrier:?}"
        );
    }
    assert_eq!(other.connections(), 0);
}

#[test]
fn plain_http_to_the_named_host_does_not_go_through_a_proxy() {
    let (service, trap) = (Raw::saying(ok(GRANT)), Raw::saying("HTTP/1.1 200 OK\r\n\r\n"));
    let proxy = Proxy::new(&trap.url()).unwrap();
    for carrier in named(&[&[service.address]], Some(&proxy)) {
        is_refused(&carrier, &url("sandbox", service.address.port()), "through a proxy");
    }
    assert_eq!((service.connections(), trap.connections()), (0, 0));
}

#[test]
fn a_runtime_that_looks_names_up_itself_needs_a_resolver() {
    let service = Raw::saying(ok(GRANT));
    let (address, port) = (service.address, service.address.port());
    let dial = move |_: String, _: u16| async move {
        tokio::net::TcpStream::connect(address).await.map(hyper_util::rt::TokioIo::new)
    };
    let hyper = HyperTransport::builder(NOBODY.clone()).plain_http_host(sandbox()).runtime(
        TokioExecutor::new(),
        TokioTimer::new(),
        dial,
    );
    is_refused(
        &Carrier::Hyper(hyper.build()),
        &url("sandbox", port),
        "give the transport a resolver",
    );
    assert_eq!(service.connections(), 0);
}

/// Whether a client for the named host was built. Asserts that only its host can prevent that.
fn is_built<T>(built: Result<T, BuildError>) -> bool {
    match built {
        Ok(_) => true,
        Err(BuildError::PlainHost(host)) => {
            assert_eq!(host, sandbox());
            false
        }
        Err(error) => panic!("{error}"),
    }
}

fn endpoint() -> Endpoint {
    Endpoint::plain_named("http://sandbox:8080", &sandbox()).unwrap()
}

fn builds(transport: impl Transport + 'static) -> bool {
    is_built(builder(endpoint()).blocking(transport))
}

fn builds_async(transport: impl AsyncTransport + 'static) -> bool {
    is_built(builder(endpoint()).nonblocking(transport))
}

#[test]
fn a_client_for_a_named_host_is_built_only_over_a_transport_that_checks_its_addresses() {
    let ureq = |host| UreqTransport::builder(NOBODY.clone()).plain_http_host(host).build();
    let hyper = |host| HyperTransport::builder(NOBODY.clone()).plain_http_host(host).build();
    let other = || PlainHost::new("sandbox.example").unwrap();
    assert!(builds(ureq(sandbox())) && builds(Arc::new(ureq(sandbox()))));
    assert!(builds(Box::new(ureq(sandbox())) as Box<dyn Transport>));
    assert!(builds_async(hyper(sandbox())) && builds_async(Arc::new(hyper(sandbox()))));
    assert!(builds_async(Box::new(hyper(sandbox()))));
    assert!(!builds(ureq(other())) && !builds_async(hyper(other())));

    let [ureq, hyper, reqwest] = Carrier::each();
    for carrier in [ureq, hyper, reqwest] {
        let is_built = match carrier {
            Carrier::Ureq(ureq) => builds(ureq),
            Carrier::Hyper(hyper) => builds_async(hyper),
            Carrier::Reqwest(reqwest) => builds_async(reqwest),
        };
        assert!(!is_built);
    }
    assert!(!builds(UreqTransport::over(ureq::Agent::new_with_defaults())));
    let legacy = legacy::Client::builder(TokioExecutor::new()).build_http();
    assert!(!builds_async(HyperTransport::over(legacy, TokioTimer::new())));
    type Answer = Result<Response<Vec<u8>>, TransportError>;
    let closure = |_: Request<Body>, _: Bounds| -> Answer { Err(TransportError::unknown()) };
    assert!(!builds(closure));
    let pair = (
        |_: Request<Body>, _: Bounds| ready::<Answer>(Err(TransportError::unknown())),
        |_: Duration| std::future::pending(),
    );
    assert!(!builds_async(pair));
}

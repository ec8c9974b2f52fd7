//! Servers that are trusted, and what holds of a connection to one.

use std::time::Duration;

use imts::Endpoint;
use imts::tls::{CryptoProvider, Tls};

use super::{Authority, EACH_VERSION, Secure, Speaking, trusting};
use crate::raw::Raw;
use crate::{BOUNDS, Carrier, GRANT, Made, builder, ok};

#[test]
fn a_private_authority_is_trusted_where_it_is_given() {
    let authority = Authority::new("Private");
    let service = Secure::start(&authority.server(), Speaking::default());
    let extra = Tls::builder().extra_roots(authority.roots()).build().unwrap();
    for made in [trusting(&authority), Made { tls: extra, ..Made::default() }] {
        for carrier in Carrier::all(&made) {
            for url in [service.url(), format!("https://{}/path", service.raw.address)] {
                let reply = carrier.send(&url, BOUNDS).unwrap();
                assert_eq!(reply.body(), GRANT.as_bytes(), "{carrier:?}");
            }
        }
    }
    assert_eq!(service.requests(), 12);
}

#[test]
fn roots_are_added_to_roots_and_each_is_trusted() {
    let both = [Authority::new("One"), Authority::new("Other")];
    let roots = both[0].roots().and(both[1].roots());
    let tls = Tls::builder().only_roots(roots).build().unwrap();
    for authority in &both {
        let service = Secure::start(&authority.server(), Speaking::default());
        for carrier in Carrier::all(&Made { tls: tls.clone(), ..Made::default() }) {
            carrier.send(&service.url(), BOUNDS).unwrap();
        }
        assert_eq!(service.requests(), 3);
    }
}

#[test]
fn a_client_gets_its_token_over_tls() {
    let authority = Authority::new("Private");
    let service = Secure::start(&authority.server(), Speaking::default());
    for carrier in Carrier::all(&trusting(&authority)) {
        let base = format!("https://localhost:{}", service.raw.address.port());
        let endpoint = Endpoint::https(&base).unwrap();
        assert_eq!(carrier.token(builder(endpoint)).unwrap().expose_token(), "access-1");
    }
    assert!(!service.raw.heard().contains("sandbox-secret"));
    assert!(service.heard().contains("sandbox-secret"));
}

#[test]
fn each_provider_works_and_none_is_made_the_default_of_the_process() {
    let providers = [
        CryptoProvider::Ring,
        #[cfg(feature = "aws-lc-rs")]
        CryptoProvider::AwsLcRs,
    ];
    let authority = Authority::new("Private");
    for versions in EACH_VERSION {
        let service = Secure::start(&authority.server(), Speaking::only(versions));
        for provider in providers {
            let tls = Tls::builder().only_roots(authority.roots()).provider(provider);
            let made = Made { tls: tls.build().unwrap(), ..Made::default() };
            for carrier in Carrier::all(&made) {
                carrier.send(&service.url(), BOUNDS).unwrap();
            }
        }
    }
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}

#[test]
fn a_connection_is_used_again() {
    let authority = Authority::new("Private");
    for versions in EACH_VERSION {
        let service = Secure::start(&authority.server(), Speaking::only(versions));
        for carrier in Carrier::all(&trusting(&authority)) {
            // Hyper's task gives a connection back when it comes to it.
            let is_used_again = |_| {
                let connections = service.raw.connections();
                carrier.send(&service.url(), BOUNDS).unwrap();
                std::thread::sleep(Duration::from_millis(50));
                service.raw.connections() == connections
            };
            assert!((0..50).any(is_used_again), "{carrier:?}");
        }
    }
}

#[test]
fn a_second_answer_nobody_asked_for_is_not_taken_for_a_later_one() {
    let authority = Authority::new("Private");
    let answer = (ok(GRANT) + &ok("forged")).into_bytes();
    let service = Secure::start(&authority.server(), Speaking { answer, ..Speaking::default() });
    for carrier in Carrier::all(&trusting(&authority)) {
        for _ in 0..3 {
            let reply = carrier.send(&service.url(), BOUNDS).unwrap();
            assert_eq!(reply.body(), GRANT.as_bytes(), "{carrier:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn a_redirect_to_plain_http_is_not_followed() {
    let authority = Authority::new("Private");
    let plain = Raw::saying(ok(GRANT));
    for status in [301, 302, 303, 307, 308] {
        let to = format!("{}/path", plain.url());
        let answer = format!("HTTP/1.1 {status} X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
        let answer = answer.into_bytes();
        let service =
            Secure::start(&authority.server(), Speaking { answer, ..Speaking::default() });
        for carrier in Carrier::all(&trusting(&authority)) {
            let reply = carrier.send(&service.url(), BOUNDS).unwrap();
            assert_eq!(reply.status().as_u16(), status, "{carrier:?}");
        }
    }
    assert_eq!(plain.connections(), 0);
}

#[test]
fn a_reply_without_a_length_that_tls_did_not_end_is_lost() {
    let authority = Authority::new("Private");
    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}".to_vec();
    let config = authority.server().config(&Speaking::default());
    let service = Raw::start(move |line| {
        let heard = std::sync::Mutex::default();
        let socket = line.stream.try_clone().unwrap();
        let connection = rustls::ServerConnection::new(std::sync::Arc::clone(&config)).unwrap();
        let mut tls = rustls::StreamOwned::new(connection, socket);
        if super::request(&mut tls, &heard) {
            std::io::Write::write_all(&mut tls, &answer).unwrap();
        }
        // TCP ends without a word from TLS: perhaps somebody cut the reply short.
    });
    for carrier in Carrier::all(&trusting(&authority)) {
        let failure = carrier.send(&format!("https://{}/", service.address), BOUNDS).unwrap_err();
        assert!(!failure.is_not_sent() && !failure.is_timed_out(), "{carrier:?}: {failure}");
    }
}

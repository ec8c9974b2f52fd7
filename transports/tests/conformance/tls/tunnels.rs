//! TLS through a proxy: the proxy gets a host and a port, and sees nothing else.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use imts::proxy::Proxy;
use rustls::{ServerConnection, StreamOwned};

use super::relay::{relay, unwrap};
use super::{Authority, Secure, Speaking, trusting};
use crate::raw::Raw;
use crate::{BOUNDS, Carrier, GRANT, Made};

/// A proxy whose every tunnel leads to one address.
fn leading_to(address: SocketAddr) -> Raw {
    Raw::start(move |line| {
        line.request();
        line.say(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n");
        relay(&line.stream, &TcpStream::connect(address).unwrap());
    })
}

/// The same proxy, reached by TLS.
fn over_tls(proxy: &Raw, authority: &Authority) -> Raw {
    let (to, config) = (proxy.address, authority.server().config(&Speaking::default()));
    Raw::start(move |line| {
        let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        let tls = StreamOwned::new(tls, line.stream.try_clone().unwrap());
        unwrap(tls, TcpStream::connect(to).unwrap());
    })
}

#[test]
fn a_tunnel_carries_tls_end_to_end() {
    let authority = Authority::new("Private");
    let service = Secure::start(&authority.server(), Speaking::default());
    let plain = leading_to(service.raw.address);
    let secure = over_tls(&plain, &authority);
    for url in [plain.url(), format!("https://localhost:{}", secure.address.port())] {
        let url = url.replace("://", "://user:word@");
        let made = Made { proxy: Some(Proxy::new(&url).unwrap()), ..trusting(&authority) };
        for carrier in Carrier::both(&made) {
            let reply = carrier.send("https://service.example/path", BOUNDS).unwrap();
            assert_eq!(reply.body(), GRANT.as_bytes(), "{carrier:?}");
        }
    }
    assert_eq!(service.requests(), 4);
    assert!(!service.heard().contains("roxy-"), "the proxy's credentials are for the proxy alone");
    assert_eq!(plain.connections(), 4);
    let heard = plain.heard();
    assert!(heard.starts_with("CONNECT service.example:443 HTTP/1.1\r\n"), "{heard}");
    assert!(!heard.contains("/path") && !heard.contains("secret"), "{heard}");
}

#[test]
fn a_server_behind_a_tunnel_has_to_be_the_one_that_was_asked_for() {
    let authority = Authority::new("Private");
    let service = Secure::start(&authority.server(), Speaking::default());
    let proxy = leading_to(service.raw.address);
    let made = Made { proxy: Some(Proxy::new(&proxy.url()).unwrap()), ..trusting(&authority) };
    for carrier in Carrier::both(&made) {
        let failure = carrier.send("https://other.example/path", BOUNDS).unwrap_err();
        assert!(failure.is_not_sent(), "{carrier:?}: {failure}");
        assert!(failure.to_string().contains("another host name"), "{carrier:?}: {failure}");
    }
    assert_eq!(service.requests(), 0);
}

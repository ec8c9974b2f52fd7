//! TLS in front of a service.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

#[allow(dead_code, reason = "it is shared with the conformance suite")]
#[path = "../conformance/tls/relay.rs"]
mod relay;

/// Takes TLS off each connection, and passes it on; yields its URL, and the certificate to trust.
pub(crate) fn before(service: std::net::SocketAddr) -> (String, String) {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()).into();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let tls = StreamOwned::new(connection, client.unwrap());
            let plain = TcpStream::connect(service).unwrap();
            thread::spawn(move || relay::unwrap(tls, plain));
        }
    });
    (url, own.cert.pem())
}

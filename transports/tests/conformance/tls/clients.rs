//! Servers that ask for a client's certificate.
//!
//! TLS 1.2 settles that within the handshake. TLS 1.3 lets a client go on before the server has
//! looked at its certificate: the request may be under way when the server says no, and a server
//! alone knows what it did with it. Such a failure proves nothing, but says what it was.

use imts::TransportError;
use imts::tls::Tls;

use super::authority::Leaf;
use super::{Authority, EACH_VERSION, Secure, Speaking};
use crate::{BOUNDS, Carrier, Made};

fn presenting(server: &Authority, client: Option<&Leaf>) -> [Carrier; 3] {
    let mut tls = Tls::builder().only_roots(server.roots());
    if let Some(client) = client {
        let (chain, key) = client.identity();
        tls = tls.identity(chain, key);
    }
    Carrier::all(&Made { tls: tls.build().unwrap(), ..Made::default() })
}

#[test]
fn a_client_that_presents_its_certificate_is_let_in() {
    let (servers, clients) = (Authority::new("Servers"), Authority::new("Clients"));
    for versions in EACH_VERSION {
        let speaking = Speaking { versions, clients: Some(&clients), ..Speaking::default() };
        let service = Secure::start(&servers.server(), speaking);
        for carrier in presenting(&servers, Some(&clients.client())) {
            carrier.send(&service.url(), BOUNDS).unwrap();
        }
        assert_eq!(service.requests(), 3);
    }
}

#[test]
fn a_client_is_told_that_a_certificate_is_asked_for_and_not_given() {
    let (servers, clients) = (Authority::new("Servers"), Authority::new("Clients"));
    let words = "it asks for a client certificate, and none was given";
    is_turned_away(&servers, &clients, None, words);
}

#[test]
fn a_client_is_told_that_its_certificate_is_not_accepted() {
    let (servers, clients) = (Authority::new("Servers"), Authority::new("Clients"));
    let stranger = Authority::new("Strangers").client();
    let words = "does not accept the client's certificate";
    is_turned_away(&servers, &clients, Some(&stranger), words);
}

fn is_turned_away(servers: &Authority, clients: &Authority, client: Option<&Leaf>, words: &str) {
    for versions in EACH_VERSION {
        let speaking = Speaking { versions, clients: Some(clients), ..Speaking::default() };
        let service = Secure::start(&servers.server(), speaking);
        for carrier in presenting(servers, client) {
            let failure: TransportError = carrier.send(&service.url(), BOUNDS).unwrap_err();
            // In TLS 1.3 the service refuses after the handshake. reqwest may find the connection
            // closed before it reads why.
            let may_be_late = matches!(carrier, Carrier::Reqwest(_)) && versions != EACH_VERSION[0];
            let says_why = failure.to_string().contains(words);
            assert!(says_why || may_be_late, "{carrier:?}: {failure}, not {words}");
            if versions == EACH_VERSION[0] {
                assert!(failure.is_not_sent(), "{carrier:?}: {failure}");
            }
        }
        assert_eq!(service.heard(), "", "not a byte of a request");
    }
}

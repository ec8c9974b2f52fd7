//! Servers that are refused: nothing was sent, and the text says why.

use imts::TransportError;
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, date_time_ymd};

use super::authority::{params, server_params};
use super::{Authority, Leaf, Secure, Speaking, trusting};
use crate::raw::Raw;
use crate::{BOUNDS, Carrier, GRANT, ok};

/// How both refuse a server, and that it has seen nothing.
fn refusals(
    authority: &Authority,
    leaf: &Leaf,
    speaking: Speaking<'_>,
) -> [(Carrier, TransportError); 3] {
    let service = Secure::start(leaf, speaking);
    let refused = Carrier::all(&trusting(authority)).map(|carrier| {
        let failure = carrier.send(&service.url(), BOUNDS).unwrap_err();
        (carrier, failure)
    });
    assert_eq!(service.heard(), "", "not a byte of a request");
    refused
}

fn is_refused(authority: &Authority, leaf: &Leaf, words: &str) {
    for (carrier, failure) in refusals(authority, leaf, Speaking::default()) {
        assert!(failure.is_not_sent() && !failure.is_timed_out(), "{carrier:?}: {failure}");
        let text = failure.to_string();
        // reqwest says only that it did not connect.
        let handshake = text.contains("TLS handshake failed") || carrier.is_over_reqwest();
        assert!(handshake, "{carrier:?}: {text}");
        assert!(text.contains(words), "{carrier:?}: {text}, not {words}");
    }
}

#[test]
fn an_unknown_authority() {
    let (authority, other) = (Authority::new("Private"), Authority::new("Other"));
    is_refused(&authority, &other.server(), "comes from an unknown issuer");
    is_refused(&authority, &other.server(), "add that authority's certificate to the roots");
}

#[test]
fn an_authority_of_the_same_name_with_another_key() {
    let (authority, other) = (Authority::new("Private"), Authority::new("Private"));
    is_refused(&authority, &other.server(), "the server's certificate ");
}

#[test]
fn a_certificate_that_nobody_made_but_itself() {
    is_refused(&Authority::new("Private"), &Leaf::self_signed(), "comes from an unknown issuer");
}

#[test]
fn an_expired_certificate() {
    let authority = Authority::new("Private");
    let mut params = server_params();
    params.not_after = date_time_ymd(2020, 1, 2);
    is_refused(&authority, &authority.leaf(&params), "has expired");
}

#[test]
fn a_certificate_that_is_not_valid_yet() {
    let authority = Authority::new("Private");
    let mut params = server_params();
    params.not_before = date_time_ymd(2198, 1, 1);
    is_refused(&authority, &authority.leaf(&params), "is not valid yet");
}

#[test]
fn a_certificate_for_another_host() {
    let authority = Authority::new("Private");
    let leaf = authority.leaf(&params(&["service.example", "*.example", "192.0.2.1"]));
    is_refused(&authority, &leaf, "is for another host name");
    is_refused(&authority, &authority.leaf(&params(&[])), "does not name a host");
}

#[test]
fn a_certificate_that_is_not_one_for_servers() {
    let authority = Authority::new("Private");
    let mut params = server_params();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    is_refused(&authority, &authority.leaf(&params), "is not for servers");
}

#[test]
fn a_certificate_of_an_authority_in_place_of_a_servers() {
    let authority = Authority::new("Private");
    let mut params = server_params();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    is_refused(&authority, &authority.leaf(&params), "CaUsedAsEndEntity");
}

#[test]
fn a_certificate_that_another_server_made() {
    let authority = Authority::new("Private");
    is_refused(&authority, &authority.below_a_server(), "EndEntityUsedAsCa");
}

#[test]
fn a_server_that_speaks_no_http_1_1() {
    let authority = Authority::new("Private");
    let speaking = Speaking { alpn: &["h2"], ..Speaking::default() };
    for (carrier, failure) in refusals(&authority, &authority.server(), speaking) {
        assert!(failure.is_not_sent(), "{carrier:?}: {failure}");
        assert!(failure.to_string().contains("NoApplicationProtocol"), "{carrier:?}: {failure}");
    }
}

#[test]
fn a_port_where_no_tls_is_spoken() {
    let service = Raw::start(|line| {
        line.say(ok(GRANT).as_bytes());
        line.listen();
    });
    for carrier in Carrier::each() {
        let failure = carrier.send(&format!("https://{}/", service.address), BOUNDS).unwrap_err();
        assert!(failure.is_not_sent(), "{carrier:?}: {failure}");
        assert!(failure.to_string().contains("is not TLS"), "{carrier:?}: {failure}");
    }
    assert!(!service.heard().contains("secret"));
}

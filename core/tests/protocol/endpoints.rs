//! Where credentials may be sent.

use imts_core::Endpoint;
use imts_core::endpoint::{EndpointError, ServicePath};
use proptest::prelude::*;

#[test]
fn an_endpoint_has_one_canonical_form() {
    for (url, canonical) in [
        ("https://host.example", "https://host.example"),
        ("HTTPS://Host.EXAMPLE/", "https://host.example"),
        ("https://host.example:443", "https://host.example"),
        ("https://host.example:8443/base/", "https://host.example:8443/base"),
        ("https://10.0.0.1", "https://10.0.0.1"),
        ("https://[::1]:9", "https://[::1]:9"),
        ("https://xn--80ak6aa92e.example", "https://xn--80ak6aa92e.example"),
    ] {
        assert_eq!(Endpoint::https(url).unwrap().as_str(), canonical);
        assert_eq!(Endpoint::https(canonical).unwrap(), Endpoint::https(url).unwrap());
    }
}

#[test]
fn an_endpoint_read_from_text_is_https_to_any_host_and_a_path_is_checked() {
    let read: Endpoint = "HTTPS://Host.EXAMPLE:443/".parse().unwrap();
    assert_eq!(read, Endpoint::https("https://host.example").unwrap());
    for url in ["http://host.example", "http://127.0.0.1:8080", "http://localhost"] {
        assert_eq!(url.parse::<Endpoint>(), Err(EndpointError::NotHttps), "{url}");
    }
    assert_eq!("/a/b".parse::<ServicePath>(), ServicePath::new("/a/b"));
    assert_eq!("/a/../b".parse::<ServicePath>(), Err(EndpointError::Path));
}

#[test]
fn plain_http_is_for_loopback_alone_and_never_by_default() {
    for url in
        ["http://127.0.0.1", "http://127.9.8.7:80", "http://[::1]:8080", "http://LOCALHOST/x"]
    {
        assert_eq!(Endpoint::https(url), Err(EndpointError::NotHttps));
        assert!(Endpoint::plain_loopback(url).is_ok(), "{url}");
    }
    for url in [
        "http://host.example",
        "http://128.0.0.1",
        "http://localhost.example",
        "http://[::2]",
        "http://[::ffff:127.0.0.1]",
        "http://0.0.0.0",
        "http://localhost.",
        "http://127.evil.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1.",
        "http://127-0-0-1.evil.example",
        "http://notlocalhost",
        "http://not-localhost",
        "http://evil.localhost",
        "http://evil.example.localhost",
        "http://localhost.localdomain",
        "http://localhost.evil.example:80/localhost",
        "http://localhost-evil.example",
        "http://ip6-localhost",
        "http://1.127.0.0",
        "http://126.255.255.255",
        "http://[::]",
        "http://[::ffff:7f00:1]",
        "http://[::127.0.0.1]",
        "http://[fe80::1]",
        "http://[64:ff9b::127.0.0.1]",
    ] {
        // A dot after an address makes it a name whose last label is a number: no host at all.
        let error = match url {
            "http://127.0.0.1." => EndpointError::Host,
            _ => EndpointError::NotLoopback,
        };
        assert_eq!(Endpoint::plain_loopback(url), Err(error), "{url}");
        assert!(Endpoint::https(url).is_err(), "{url}");
    }
    for url in [
        "http://127.1",
        "http://127.0.1",
        "http://2130706433",
        "http://0x7f.1",
        "http://0x7f000001",
        "http://0177.0.0.1",
        "http://127.0.0.01",
        "http://127.0.0.1%2eevil.example",
        "http://[::1%25lo]",
        "http://[::1%lo]",
        "http://[127.0.0.1]",
        "http://[localhost]",
        "http://127.0.0.256",
        "http://localhost..",
    ] {
        assert_eq!(Endpoint::plain_loopback(url), Err(EndpointError::Host), "{url}");
    }
    for url in ["http://[::1].evil.example", "http://localhost:80.evil.example"] {
        assert_eq!(Endpoint::plain_loopback(url), Err(EndpointError::Port), "{url}");
    }
    for url in ["http://localhost@evil.example", "http://127.0.0.1:80@evil.example"] {
        assert_eq!(Endpoint::plain_loopback(url), Err(EndpointError::UserInfo), "{url}");
    }
    assert!(Endpoint::plain_loopback("https://host.example").is_ok());
}

#[test]
fn what_could_lead_elsewhere_is_refused() {
    for (url, error) in [
        ("host.example", EndpointError::NoScheme),
        ("//host.example", EndpointError::NoScheme),
        ("ftp://host.example", EndpointError::Scheme),
        ("https://", EndpointError::Host),
        ("https:///path", EndpointError::Host),
        ("https://user@host.example", EndpointError::UserInfo),
        ("https://a:b@host.example", EndpointError::UserInfo),
        ("https://good.example@evil.example", EndpointError::UserInfo),
        ("https://host.example?x", EndpointError::QueryOrFragment),
        ("https://host.example/#x", EndpointError::QueryOrFragment),
        ("https://host.example:", EndpointError::Port),
        ("https://host.example:0", EndpointError::Port),
        ("https://host.example:65536", EndpointError::Port),
        ("https://host.example:+80", EndpointError::Port),
        ("https://host.example/a//b", EndpointError::Path),
        ("https://host.example//", EndpointError::Path),
        ("https://host.example/../b", EndpointError::Path),
        ("https://host.example/%2e%2e", EndpointError::Path),
        ("https://ho st.example", EndpointError::Malformed),
        ("https://host.example\r\n", EndpointError::Malformed),
        ("https://hôst.example", EndpointError::Malformed),
        ("https://0x7f.1", EndpointError::Host),
        ("https://127.1", EndpointError::Host),
        ("https://-host.example", EndpointError::Host),
        ("https://a..b", EndpointError::Host),
        ("https://[::1", EndpointError::Host),
        ("https://[v1.x]", EndpointError::Host),
        ("https://host\\evil.example", EndpointError::Host),
    ] {
        assert_eq!(Endpoint::https(url), Err(error), "{url}");
    }
    let long = |length: usize| format!("https://host.example/{:x<1$}", "", length - 21);
    assert!(Endpoint::https(&long(2_048)).is_ok());
    assert_eq!(Endpoint::https(&long(2_049)), Err(EndpointError::Malformed));
}

#[test]
fn a_path_stays_under_its_endpoint() {
    for good in ["/a", "/v5/partner/transfer/fees", "/a-b/c_d/e.f/~g/h@i:j"] {
        assert!(ServicePath::new(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "/",
        "a",
        "//host/x",
        "https://evil.example/x",
        "/a/../b",
        "/..",
        "/.",
        "/a/",
        "/a//b",
        "/a%2fb",
        "/%2e%2e/x",
        "/a?x",
        "/a#x",
        "/a\\b",
        "/a b",
        "/a\r\nb",
        "/é",
        "/a\0",
    ] {
        assert_eq!(ServicePath::new(bad), Err(EndpointError::Path), "{bad:?}");
    }
    let endpoint = Endpoint::https("https://host.example/base").unwrap();
    let joined = endpoint.join(&ServicePath::new("/v5/x").unwrap()).unwrap();
    assert_eq!(joined, "https://host.example/base/v5/x");
}

proptest! {
    #[test]
    fn no_text_gives_an_endpoint_that_is_plain_http_to_another_machine(
        url in "(https?|HTTP)://[a-z0-9.\\[\\]:@/%\\\\-]{0,24}|\\PC{0,40}",
    ) {
        if let Ok(endpoint) = Endpoint::https(&url) {
            prop_assert!(endpoint.as_str().starts_with("https://"));
        }
        if let Ok(endpoint) = Endpoint::plain_loopback(&url) {
            let uri = http::Uri::try_from(endpoint.as_str()).unwrap();
            let host = uri.host().unwrap();
            let is_loopback = host == "localhost" || host == "[::1]" || host.starts_with("127.")
                || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::Ipv6Addr| ip.is_loopback());
            prop_assert!(uri.scheme_str() == Some("https") || is_loopback, "{}", endpoint);
            prop_assert_eq!(Endpoint::plain_loopback(endpoint.as_str()).unwrap(), endpoint);
        }
    }

    #[test]
    fn a_joined_path_never_changes_the_host(path in "[/a-z.%@:?#\\\\]{0,12}|\\PC{0,16}") {
        let endpoint = Endpoint::https("https://host.example").unwrap();
        if let Ok(path) = ServicePath::new(path) {
            let uri = endpoint.join(&path).unwrap();
            prop_assert_eq!(uri.host(), Some("host.example"));
            prop_assert_eq!(uri.path(), path.as_str());
            prop_assert_eq!(uri.query(), None);
        }
    }
}

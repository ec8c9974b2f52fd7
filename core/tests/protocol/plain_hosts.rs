//! Plain http to a host that was named for it: which names, and which addresses.

use std::net::IpAddr;

use imts_core::Endpoint;
use imts_core::endpoint::{EndpointError, PlainHost, PlainHostError};

#[test]
fn plain_http_goes_to_the_named_host_alone_and_its_name_is_matched_exactly() {
    let sandbox = PlainHost::new("Sandbox").unwrap();
    assert_eq!(sandbox.as_str(), "sandbox");
    for url in ["http://sandbox", "http://SANDBOX:8080/base/", "http://sandbox:80"] {
        let endpoint = Endpoint::plain_named(url, &sandbox).unwrap();
        assert_eq!(endpoint.plain_host(), Some(sandbox.clone()), "{url}");
        assert_eq!(Endpoint::https(url), Err(EndpointError::NotHttps), "{url}");
        assert_eq!(Endpoint::plain_loopback(url), Err(EndpointError::NotLoopback), "{url}");
    }
    for url in [
        "http://sandbox.",
        "http://sandbox.example",
        "http://sub.sandbox",
        "http://sandbox2",
        "http://xsandbox",
        "http://sand-box",
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://10.0.0.1",
        "http://other/sandbox",
    ] {
        assert_eq!(Endpoint::plain_named(url, &sandbox), Err(EndpointError::NotNamed), "{url}");
    }
    let error = Endpoint::plain_named("http://sandbox@evil.example", &sandbox);
    assert_eq!(error, Err(EndpointError::UserInfo));
    let https = Endpoint::plain_named("https://service.example", &sandbox).unwrap();
    assert_eq!(https.plain_host(), None);
}

#[test]
fn an_endpoint_on_this_machine_has_no_plain_host() {
    for url in ["http://127.0.0.1:1", "http://[::1]:1/base", "http://localhost", "https://sandbox"]
    {
        assert_eq!(Endpoint::plain_loopback(url).unwrap().plain_host(), None, "{url}");
    }
    let six = PlainHost::new("[fd00::7]").unwrap();
    let endpoint = Endpoint::plain_named("http://[FD00::7]:8080/base", &six).unwrap();
    assert_eq!(endpoint.plain_host(), Some(six));
}

#[test]
fn a_host_of_the_vendor_or_one_that_is_not_exact_cannot_be_named() {
    for (name, error) in [
        ("", PlainHostError::Name),
        ("*", PlainHostError::Name),
        ("*.example", PlainHostError::Name),
        ("http://sandbox", PlainHostError::Name),
        ("sandbox:8080", PlainHostError::Name),
        ("sandbox ", PlainHostError::Name),
        ("127.1", PlainHostError::Name),
        ("0x0a000001", PlainHostError::Name),
        ("fd00::7", PlainHostError::Name),
        ("sandbox.", PlainHostError::Dot),
        ("api.freedompay.kz.", PlainHostError::Dot),
        ("api.freedompay.kz", PlainHostError::Vendor),
        ("TEST-API.FreedomPay.KZ", PlainHostError::Vendor),
        ("freedompay.uz", PlainHostError::Vendor),
        ("freedompay.money", PlainHostError::Vendor),
        ("api.paybox.money", PlainHostError::Vendor),
        ("freedompay", PlainHostError::Vendor),
        ("8.8.8.8", PlainHostError::Address),
        ("0.0.0.0", PlainHostError::Address),
        ("169.254.169.254", PlainHostError::Address),
        ("[2001:db8::1]", PlainHostError::Address),
        ("[::ffff:8.8.8.8]", PlainHostError::Address),
    ] {
        assert_eq!(PlainHost::new(name), Err(error), "{name}");
    }
    for name in ["sandbox", "imts-sandbox", "a.b.internal", "10.1.2.3", "[fd00::7]", "localhost"] {
        assert_eq!(name.parse::<PlainHost>().unwrap().to_string(), name);
    }
}

#[test]
fn an_address_is_allowed_only_if_it_is_loopback_or_private() {
    let allows = |text: &str| PlainHost::allows(text.parse::<IpAddr>().unwrap());
    for address in [
        "127.0.0.1",
        "127.9.8.7",
        "::1",
        "10.0.0.0",
        "10.255.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.168.0.0",
        "192.168.255.255",
        "fc00::",
        "fdff:ffff::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
    ] {
        assert!(allows(address), "{address}");
    }
    for address in [
        "0.0.0.0",
        "::",
        "9.255.255.255",
        "11.0.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "fbff::1",
        "fe00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::10.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:0a00:0001::1",
        "::ffff:8.8.8.8",
        "::ffff:169.254.169.254",
    ] {
        assert!(!allows(address), "{address}");
    }
}

//! TLS settings that cannot be used are errors that say what to mend, before anything is connected.

use std::sync::Arc;

use imts::text::TextError;
use imts::tls::{Certificates, PrivateKey, Tls, TlsError};
use rustls::RootCertStore;

use super::{Authority, Leaf};

fn pem(label: &str, text: &str) -> String {
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

#[test]
fn certificates_that_are_none_are_told_apart() {
    let certificate = Leaf::self_signed().pem();
    let cut = &certificate[..certificate.len() / 2];
    for (text, error) in [
        ("", TlsError::NoCertificate),
        ("not PEM", TlsError::NoCertificate),
        (&pem("PRIVATE KEY", "AAAA"), TlsError::NoCertificate),
        (&pem("CERTIFICATE", "!!!!"), TlsError::Pem),
        (cut, TlsError::Pem),
        (&pem("CERTIFICATE", "AAAA"), TlsError::Certificate { place: 1 }),
        (&(certificate.clone() + &pem("CERTIFICATE", "AAAA")), TlsError::Certificate { place: 2 }),
    ] {
        assert_eq!(Certificates::from_pem(text).unwrap_err(), error, "{text}");
    }
    assert_eq!(Certificates::from_der([0; 9]).unwrap_err(), TlsError::Certificate { place: 1 });
}

#[test]
fn private_keys_that_are_none_are_told_apart() {
    for (text, error) in [
        ("", TlsError::NoPrivateKey),
        (&pem("CERTIFICATE", "AAAA"), TlsError::NoPrivateKey),
        (&pem("ENCRYPTED PRIVATE KEY", "AAAA"), TlsError::NoPrivateKey),
        (&pem("PRIVATE KEY", "!!!!"), TlsError::Pem),
    ] {
        assert_eq!(PrivateKey::from_pem(text).unwrap_err(), error, "{text}");
    }
}

#[test]
fn a_byte_order_mark_before_pem_text_is_skipped() {
    let mark = |text: String| format!("\u{feff}{text}");
    assert!(Certificates::from_pem(mark(Leaf::self_signed().pem())).is_ok());
    assert!(PrivateKey::from_pem(mark(pem("PRIVATE KEY", "AAAA"))).is_ok());
    let twice = mark(mark(Leaf::self_signed().pem()));
    assert_eq!(Certificates::from_pem(twice).unwrap_err(), TlsError::NoCertificate);
}

#[test]
fn pem_text_in_utf_16_is_named_and_comments_of_any_encoding_are_skipped() {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let (certificate, key) = (Leaf::self_signed().pem(), pem("PRIVATE KEY", "AAAA"));
    let error = TlsError::Text(TextError::Utf16);
    assert_eq!(Certificates::from_pem(wide(&certificate)).unwrap_err(), error);
    assert_eq!(PrivateKey::from_pem(wide(&key)).unwrap_err(), error);
    let latin = [&b"friendlyName: M\xfcller\n"[..], certificate.as_bytes()].concat();
    assert!(Certificates::from_pem(latin).is_ok());
}

#[test]
fn a_key_has_to_belong_to_its_certificate() {
    let authority = Authority::new("Private");
    let (chain, key) = authority.client().identity();
    let (_, other) = authority.client().identity();
    let build = |chain: &Certificates, key| {
        let tls = Tls::builder().only_roots(authority.roots());
        tls.identity(chain.clone(), key).build().map(drop)
    };
    assert_eq!(build(&chain, other), Err(TlsError::KeyMismatch));
    let odd = PrivateKey::from_pem(pem("PRIVATE KEY", "AAAA")).unwrap();
    assert_eq!(build(&chain, odd), Err(TlsError::PrivateKey));
    assert_eq!(build(&chain, key), Ok(()));
}

#[test]
fn no_key_is_printed() {
    let (chain, key) = Authority::new("Private").client().identity();
    let builder = Tls::builder().identity(chain, key);
    let printed = format!("{builder:?} {:?}", Tls::platform());
    assert!(printed.contains("PrivateKey(..)") && printed.contains("Tls(..)"), "{printed}");
    assert!(!printed.contains("48, ") && !printed.contains("0x"), "no bytes: {printed}");
}

#[test]
fn a_configuration_of_the_callers_own_speaks_http_1_1_and_sends_no_early_data() {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut own = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let (h1, h2) = (b"http/1.1".to_vec(), b"h2".to_vec());
    for protocols in [vec![h2.clone(), h1.clone()], vec![h1.clone()], vec![h2], Vec::new()] {
        for early_data in [true, false] {
            own.alpn_protocols.clone_from(&protocols);
            own.enable_early_data = early_data;
            let own = Arc::new(own.clone());
            let tls = Tls::from(Arc::clone(&own)).client_config();
            assert_eq!(tls.alpn_protocols, [b"http/1.1"], "{protocols:?}");
            assert!(!tls.enable_early_data, "{protocols:?}");
            assert_eq!(own.alpn_protocols, protocols, "the caller's own is left as it was");
        }
    }
}

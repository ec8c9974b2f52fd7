//! What is left of secrets and of a call's texts in this process's memory once they are dropped:
//! nothing.
#![cfg(target_os = "linux")]

mod calls;
mod memory;
mod sessions;
#[cfg(all(feature = "jws", feature = "pg-sig"))]
mod signing;

use std::collections::BTreeMap;

use imts::operation::Json;
use imts::secret::Body;
use zeroize::Zeroizing;

use crate::memory::leaves_nothing;

#[test]
fn a_json_text_and_a_body_leave_nothing_behind() {
    leaves_nothing(6, |marker| {
        let text = Zeroizing::new(["{\"pan\": \"", marker, "\", \"n\": 1.50}"].concat());
        let parsed = Json::parse(&text).unwrap();
        let read: Json = parsed.clone().to().unwrap();
        let bodies = [&parsed, &read].map(|json| Body::json(json).unwrap());
        assert_eq!(bodies[0].as_ref(), text.as_bytes(), "to the byte");
        // As a whole it is longer than what most values need: memory is outgrown. Last, so that
        // nothing else takes that memory.
        let (less, more) = ("0".repeat(250), "0".repeat(2_000));
        let fields = BTreeMap::from([("first", less.as_str()), ("pan", marker), ("then", &more)]);
        let body = Body::json(&fields).unwrap();
        let of = Json::of(&fields).unwrap();
        assert!(of.as_str().contains(marker) && !of.as_str().contains(' '));
        (parsed, of, read, bodies, body)
    });
}

/// Base64, written into memory that is wiped (RFC 4648).
#[cfg(any(feature = "ureq", feature = "hyper-util"))]
fn base64(bytes: &[u8]) -> Zeroizing<String> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert_eq!(bytes.len() % 3, 0, "it needs no filling");
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() / 3 * 4));
    for three in bytes.chunks_exact(3) {
        let bits = three.iter().fold(0, |bits: usize, byte| bits << 8 | usize::from(*byte));
        for at in [18, 12, 6, 0] {
            text.push(char::from(LETTERS[bits >> at & 63]));
        }
    }
    text
}

#[test]
#[cfg(any(feature = "ureq", feature = "hyper-util"))]
fn a_private_key_leaves_nothing_behind() {
    leaves_nothing(1, |marker| {
        let text = base64(&marker.as_bytes()[..marker.len() / 3 * 3]);
        let (head, tail) = ("-----BEGIN PRIVATE KEY-----\n", "\n-----END PRIVATE KEY-----\n");
        let pem = Zeroizing::new([head, &text, tail].concat());
        imts::tls::PrivateKey::from_pem(pem.as_bytes()).unwrap()
    });
}

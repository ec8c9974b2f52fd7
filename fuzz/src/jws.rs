//! A token's header, and the request that it signs.
//!
//! An input is three lines: the path, the header's JSON, the body. What begins with `=` changes a
//! valid header, one change a line, up to an empty line. A line has a letter for the field and its
//! text: `u` uri, `a` auth id, `m` method, `p` params, `g` alg, `t` typ. With `!` before the
//! letter, the text is JSON; with `-`, the field is removed. `x` adds a member, `o` is the path
//! that is called. What follows the empty line is the body.
//!
//! The header is signed with the right key, so each input gets past the signature. A second reader
//! of JSON says whether it may be accepted. What is accepted is changed by one bit, and must then
//! be refused.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderValue, Request};
use imts_core::secret::Body;
use imts_core::sign::jws::{Algorithm, JwsError, JwsForm, JwsKey, JwsSigner};
use sha2::Sha256;

use crate::changes::{apply, changes, field, object};
use crate::oracle::json::{Value, document};
use crate::{Ran, Target};

/// This target.
pub const TARGET: Target = Target { name: "jws", goal: "an accepted signature", run };

const KEY: &str = "fuzz-key-of-a-partner";
const PARTY: &str = "123456";
const PATH: &str = "/v5/partner/wallet/add";
const HEADER: &str = "x-jws-signature";

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    let (structured, path, header, body) = match data.strip_prefix(b"=") {
        Some(lines) => {
            let (path, header, body) = changed(lines);
            (true, path, header, body)
        }
        None => {
            let mut lines = data.splitn(3, |byte| *byte == b'\n').map(<[u8]>::to_vec);
            let mut next = || lines.next().unwrap_or_default();
            (false, next(), next(), next())
        }
    };
    let key = JwsKey::new(KEY).expect("a key");
    let form = JwsForm::partner_with_typ(Algorithm::Hs256);
    let signer = JwsSigner::new(form, PARTY, &key).expect("a signer");
    let Some(request) = request(&path, &body) else { return Ran { structured, deepest: false } };
    check_signed(&signer, request.clone());
    let request = with_token(request, &token(&header, &body));
    let verified = signer.verify(&request);
    assert_eq!(verified.is_ok(), is_acceptable(&request, &header), "{verified:?}");
    match verified {
        Ok(()) => check_bits(&signer, &request, &body, data.len()),
        Err(error) => check_error(error),
    }
    Ran { structured, deepest: verified.is_ok() }
}

/// The path, the header and the body that changes make.
fn changed(data: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let end = data.windows(2).position(|two| two == b"\n\n");
    let (lines, body) = match end {
        Some(end) => (&data[..end], data[end + 2..].to_vec()),
        None => (data, b"{}".to_vec()),
    };
    let mut fields = [
        field(b'g', "alg", "HS256"),
        field(b't', "typ", "JWT"),
        field(b'a', "auth_id", PARTY),
        field(b'u', "uri", PATH),
        field(b'm', "method", "POST"),
        field(b'p', "params", ""),
    ];
    let (mut more, mut path) = (Vec::new(), PATH.as_bytes().to_vec());
    for change in changes(lines) {
        match change.letter {
            b'x' => more.push(change.rest.to_vec()),
            b'o' => path = change.rest.to_vec(),
            _ => apply(&mut fields, &change),
        }
    }
    (path, object(&fields, &more), body)
}

fn request(path: &[u8], body: &[u8]) -> Option<Request<Body>> {
    let url = [b"https://service.example".as_slice(), path].concat();
    Request::post(url.as_slice()).body(Body::from(body.to_vec())).ok()
}

fn token(header: &[u8], body: &[u8]) -> String {
    let header = BASE64_URL.encode(header);
    let mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("any length");
    let input = format!("{header}.{}", BASE64_URL.encode(body));
    let signature = mac.chain_update(input).finalize().into_bytes();
    format!("{header}..{}", BASE64_URL.encode(signature))
}

fn with_token(mut request: Request<Body>, token: &str) -> Request<Body> {
    let token = HeaderValue::from_str(token).expect("base64url and dots");
    request.headers_mut().insert(HEADER, token);
    request
}

/// What the signer itself makes of a request verifies, unless its URL has a query.
fn check_signed(signer: &JwsSigner, request: Request<Body>) {
    let has_query = request.uri().query().is_some();
    match signer.sign(request) {
        Ok(signed) => assert!(!has_query && signer.verify(&signed) == Ok(())),
        Err(error) => assert!(has_query && error == JwsError::Query),
    }
}

/// Whether the second reader accepts the header for this request.
fn is_acceptable(request: &Request<Body>, header: &[u8]) -> bool {
    let path = request.uri().path();
    let members = std::str::from_utf8(header).ok().and_then(document).and_then(Value::members);
    let Some(members) = members else { return false };
    let mut names: Vec<_> = members.iter().map(|(name, _)| name.clone()).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    // A name that cannot be decoded makes the whole header unreadable.
    if names.len() != count || names.contains(&None) {
        return false;
    }
    let value = |name: &str| {
        members.iter().find(|(known, _)| known.as_deref() == Some(name)).map(|(_, it)| *it)
    };
    let is = |name: &str, text: &str| value(name).map(|it| it.string().as_deref() == Some(text));
    let needed = [
        ("uri", path),
        ("auth_id", PARTY),
        ("method", "POST"),
        ("params", ""),
        ("alg", "HS256"),
        ("typ", "JWT"),
    ];
    request.uri().query().is_none()
        && value("crit").is_none()
        && needed.iter().all(|(name, text)| is(name, text) == Some(true))
        && is("path", path) != Some(false)
        && is("merchant_id", PARTY) != Some(false)
}

/// Neither the token nor the body can be changed by a bit.
fn check_bits(signer: &JwsSigner, request: &Request<Body>, body: &[u8], seed: usize) {
    let bit = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        if !bytes.is_empty() {
            let at = seed.wrapping_mul(0x9e37_79b9) % bytes.len();
            bytes[at] ^= 1 << (seed % 8);
        }
        bytes
    };
    let mut changed = request.clone();
    if let Ok(token) = HeaderValue::from_bytes(&bit(request.headers()[HEADER].as_bytes())) {
        changed.headers_mut().insert(HEADER, token);
        assert!(signer.verify(&changed).is_err(), "a changed token is accepted");
    }
    if !body.is_empty() {
        let changed = request.clone().map(|_| Body::from(bit(body)));
        assert_eq!(signer.verify(&changed), Err(JwsError::Signature), "a changed body");
    }
}

/// An error is short, and the signature is not the reason: it is right.
fn check_error(error: JwsError) {
    assert!(!matches!(error, JwsError::Signature | JwsError::NoSignature | JwsError::Repeated));
    let text = error.to_string();
    assert!(text.len() < 200 && !text.contains(KEY), "{text}");
}

//! The detached JWS of a request, as the sandbox reads the pages (RFC 7515, appendix F).
//!
//! Owns the check of a token: the signature over the bytes that came, and that method, path and party
//! agree. It shares no code with the core's, so that a mistake in one shows in the other.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use sha2::{Sha256, Sha512};

use super::row::{Algorithm, Party};

/// The header that holds the token.
pub(super) const HEADER: &str = "x-jws-signature";

/// The longest token that is read, in bytes.
const LONGEST: usize = 8_192;

/// Checks the token of a request. Returns the id of the party that signed it.
///
/// The algorithm is one that the operation's page names. What the token names must be the same.
pub(super) fn verify<'k>(
    request: &Request<Vec<u8>>,
    party: Party,
    algorithms: &[Algorithm],
    key_of: impl Fn(&str) -> Option<&'k str>,
) -> Result<String, &'static str> {
    let mut tokens = request.headers().get_all(HEADER).iter();
    let (Some(token), None) = (tokens.next(), tokens.next()) else {
        return Err("the request must have one X-JWS-Signature");
    };
    let token = token.to_str().ok().filter(|token| token.len() <= LONGEST);
    let parts: Vec<&str> = token.unwrap_or_default().split('.').collect();
    let [header, "", signature] = parts[..] else {
        return Err("X-JWS-Signature is not a header, two points and a signature");
    };
    let decoded =
        |text| BASE64_URL.decode(text).map_err(|_| "a part of the token is not base64url");
    let (claims, signature) = (decoded(header)?, decoded(signature)?);
    let claims: Claims =
        serde_json::from_slice(&claims).map_err(|_| "the token's header is not one JSON object")?;
    let algorithm = match claims.text("alg") {
        Some("HS256") => Algorithm::Hs256,
        Some("HS512") => Algorithm::Hs512,
        _ => return Err("the token's algorithm is not HS256 or HS512"),
    };
    if !algorithms.contains(&algorithm) {
        return Err("the operation's page names another algorithm");
    }
    let id = claims.party(party).ok_or("the token's header does not name who signed")?;
    let key = key_of(&id).ok_or("nobody with this id is known")?;
    if !is_signature(algorithm, key.as_bytes(), header, request.body(), &signature) {
        return Err("the signature is not right");
    }
    claims.check(request, party)?;
    Ok(id)
}

fn is_signature(algorithm: Algorithm, key: &[u8], header: &str, body: &[u8], found: &[u8]) -> bool {
    let payload = BASE64_URL.encode(body);
    let signed = [header.as_bytes(), b".", payload.as_bytes()];
    match algorithm {
        Algorithm::Hs256 => is_mac(Hmac::<Sha256>::new_from_slice(key).ok(), signed, found),
        Algorithm::Hs512 => is_mac(Hmac::<Sha512>::new_from_slice(key).ok(), signed, found),
    }
}

fn is_mac<M: Mac>(mac: Option<M>, signed: [&[u8]; 3], found: &[u8]) -> bool {
    let Some(mut mac) = mac else { return false };
    signed.iter().for_each(|part| mac.update(part));
    mac.verify_slice(found).is_ok()
}

/// The fields of a token's header. No name stands there twice.
struct Claims(Vec<(String, Value)>);

impl Claims {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    fn party(&self, party: Party) -> Option<String> {
        match party {
            Party::Partner | Party::Merchant => self.text("auth_id").map(str::to_owned),
            Party::Invoice => match self.get("merchant_id")? {
                Value::String(id) => Some(id.clone()),
                Value::Number(id) => Some(id.to_string()),
                _ => None,
            },
        }
    }

    fn check(&self, request: &Request<Vec<u8>>, party: Party) -> Result<(), &'static str> {
        if request.uri().query().is_some() {
            return Err("no page says how a query is signed");
        }
        // Merchant Invoice: the printed token has `path`, and its prose says `uri`.
        let path = match (self.get("uri"), self.get("path")) {
            (Some(uri), None) => uri.as_str(),
            (None, Some(path)) if party == Party::Invoice => path.as_str(),
            _ => None,
        };
        if path != Some(request.uri().path()) {
            return Err("the token is for another path");
        }
        if self.text("method") != Some(request.method().as_str()) {
            return Err("the token is for another method");
        }
        if self.text("params") != Some("") {
            return Err("the token's params must be an empty text");
        }
        if self.get("crit").is_some() || self.get("typ").is_some_and(|typ| typ != "JWT") {
            return Err("the token has a crit, or another typ than JWT");
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ClaimsVisitor)
    }
}

struct ClaimsVisitor;

impl<'de> Visitor<'de> for ClaimsVisitor {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
        let mut claims = Claims(Vec::new());
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if claims.get(&name).is_some() {
                return Err(A::Error::custom("a name stands there twice"));
            }
            claims.0.push((name, value));
        }
        Ok(claims)
    }
}

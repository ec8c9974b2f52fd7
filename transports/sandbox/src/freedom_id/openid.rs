//! OIDC: what the authorization endpoint takes, and a sample of an id token.
//!
//! The algorithm and the keys of the real id tokens are unknown. The sample is for clients that read
//! it as a hint; nobody can verify a real one yet.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::Sha256;

use super::error::{Invalid, Refused};
use super::login::{OpenId, Wish};
use super::person::GRANTS;
use super::request::text;
use super::settings::{FreedomIdSettings, IdTokens};
use crate::time::Time;
use crate::urlencoded;

/// The fields of the token exchange (published).
pub(super) const FIELDS: [&str; 3] = ["code", "redirect_uri", "grant_type"];

/// Reads the query of the authorization endpoint. All six fields are required (published). The text
/// of an error is for the user.
pub(super) fn wish(query: &str, settings: &FreedomIdSettings) -> Result<Wish, String> {
    let fields = urlencoded::read(query).ok_or("The address is damaged.")?;
    let field = |name: &str| match urlencoded::one(&fields, name) {
        Some(value) if !value.is_empty() => Ok(value.to_owned()),
        _ => Err(format!("{name} is missing.")),
    };
    let (client, redirect_uri) = (field("client_id")?, field("redirect_uri")?);
    let known = settings.clients.get(&client).ok_or("client_id is not known.")?;
    if !known.takes(&redirect_uri) {
        return Err("redirect_uri is not registered.".to_owned());
    }
    if field("response_type")? != "code" {
        return Err("response_type is not code.".to_owned());
    }
    let grants: Vec<_> = field("scope")?.split(' ').map(str::to_owned).collect();
    if !grants.iter().any(|grant| grant == "openid") {
        return Err("scope has no openid.".to_owned());
    }
    if !grants.iter().all(|grant| GRANTS.contains(&grant.as_str())) {
        return Err("scope has a grant that does not exist.".to_owned());
    }
    let openid = Some(OpenId { state: field("state")?, nonce: field("nonce")? });
    Ok(Wish { client, redirect_uri, grants, openid })
}

/// Reads the request of the token exchange: the code and the redirect URI.
pub(super) fn exchange(object: &Map<String, Value>) -> Result<(&str, &str), Refused> {
    let mut invalid = Invalid::default();
    let (code, redirect_uri) =
        (text(object, "code", &mut invalid), text(object, "redirect_uri", &mut invalid));
    if text(object, "grant_type", &mut invalid) != "authorization_code" {
        invalid.selected("grant_type");
    }
    invalid.check()?;
    Ok((code, redirect_uri))
}

/// The claims of the printed sample, in its order.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    nonce: &'a str,
}

/// Makes a sample of an id token. Its issuer is the printed one.
pub(super) fn id_token(
    now: Time,
    settings: &FreedomIdSettings,
    person: &str,
    wish: &Wish,
) -> String {
    let nonce = wish.openid.as_ref().map_or("", |openid| &openid.nonce);
    let claims = Claims {
        iss: "https://passport.freedompay.kz",
        sub: person,
        aud: &wish.client,
        exp: now.after(settings.access_lifetime).unix_seconds(),
        iat: now.unix_seconds(),
        nonce,
    };
    let head: &[u8] = match settings.id_tokens {
        IdTokens::Hs256 => br#"{"typ":"JWT","alg":"HS256"}"#,
        IdTokens::Unsigned => br#"{"typ":"JWT","alg":"none"}"#,
    };
    let claims = serde_json::to_vec(&claims).unwrap_or_default();
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
    let secret = settings.clients.get(&wish.client).map_or("", |client| &client.secret);
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok();
    let mac = mac.filter(|_| settings.id_tokens == IdTokens::Hs256);
    let signature = mac.map_or(String::new(), |mut mac| {
        mac.update(signed.as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    });
    format!("{signed}.{signature}")
}

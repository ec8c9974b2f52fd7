//! A detached JWS that came with a request, and the known mistakes that explain a mismatch.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL;
use http::HeaderValue;
use imts::sign::jws::{JwsError, JwsSigner};
use serde_json::{Map, Value, json};

use super::{Mismatch, Verified};
use crate::args::{AlgorithmName, VerifyJws};
use crate::failure::Failure;
use crate::sign::{Given, key, request, signer};

/// The parts of what is verified, each as one mistake would have it.
struct Attempt {
    body: Vec<u8>,
    by: String,
}

pub(super) fn verified(args: &VerifyJws) -> Result<Verified, Failure> {
    let (body, signature) = (Given::of(&args.request.data), Given::of(&args.signature));
    let key = key(&args.request.key, &[&body, &signature])?;
    let body = body.bytes("the body")?;
    let token = signature.bytes("the signature")?;
    let token = token.trim_ascii();
    let header = HeaderValue::from_bytes(token).map_err(|_| {
        Failure::usage("--signature is not the value of a header: give HEADER..SIGNATURE")
    })?;
    let verify = |signer: &JwsSigner, body: &[u8]| {
        let mut request = request(&args.request, body.to_vec())?;
        request.headers_mut().insert("x-jws-signature", header.clone());
        Ok::<_, Failure>(signer.verify(&request))
    };
    let own = signer(&args.request, args.request.algorithm, &key)?;
    let Err(error) = verify(&own, &body)? else {
        return Ok(Verified {
            text: format!("the signature fits: {} bytes of body", body.len()),
            json: json!({ "verified": true, "body_bytes": body.len() }),
        });
    };
    let mut used = vec![format!(
        "Verified with {} over {} bytes of body, for {} {}.",
        name(args.request.algorithm),
        body.len(),
        args.request.method.0.to_uppercase(),
        request(&args.request, Vec::new())?.uri().path(),
    )];
    used.extend(claims(token).map(|claims| format!("The token claims {claims}.")));
    if error != JwsError::Signature {
        let mismatch = Mismatch { used, explained_by: Vec::new(), tried: 0 };
        return Err(mismatch.into_failure(error));
    }
    let fits = |outcome: Result<(), JwsError>| {
        // The bytes are signed with this key. What the header claims is another matter.
        matches!(outcome, Ok(()) | Err(JwsError::Claim { .. }))
    };
    let attempts = attempts(&body);
    let (mut explained_by, tried) = (Vec::new(), attempts.len() + 1);
    let other = match args.request.algorithm {
        AlgorithmName::Hs256 => AlgorithmName::Hs512,
        AlgorithmName::Hs512 => AlgorithmName::Hs256,
    };
    let of_other = signer(&args.request, other, &key)?;
    if fits(verify(&of_other, &body)?) {
        explained_by.push(format!("with --algorithm {}", name(other).to_lowercase()));
    }
    for Attempt { body, by } in attempts {
        if fits(verify(&own, &body)?) {
            explained_by.push(by);
        } else if fits(verify(&of_other, &body)?) {
            explained_by.push(format!("{by}, and with --algorithm {}", name(other).to_lowercase()));
        }
    }
    Err(Mismatch { used, explained_by, tried }.into_failure(error))
}

fn name(algorithm: AlgorithmName) -> &'static str {
    match algorithm {
        AlgorithmName::Hs256 => "HS256",
        AlgorithmName::Hs512 => "HS512",
    }
}

/// The header of a token, as it came. It is not secret, and nothing vouches for it.
fn claims(token: &[u8]) -> Option<String> {
    let header = token.split(|byte| *byte == b'.').next()?;
    let header = BASE64_URL.decode(header).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&header).ok()?;
    let all = claims.iter().map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value: String = value.chars().take(LONGEST_CLAIM).collect();
        format!("{}={}", name.escape_debug(), value.escape_debug())
    });
    Some(all.take(MOST_CLAIMS).collect::<Vec<_>>().join(", "))
}

/// The body as it may have been when it was signed.
fn attempts(body: &[u8]) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    let mut attempt = |by: &str, changed: Option<Vec<u8>>| {
        // Some changes come to the same bytes: the first one names them.
        let is_new = |changed: &Vec<u8>| changed != body && !tried(&attempts, changed);
        if let Some(changed) = changed.filter(is_new) {
            attempts.push(Attempt { body: changed, by: by.to_owned() });
        }
    };
    let text = std::str::from_utf8(body).ok();
    let without_end = |body: &[u8]| body.trim_ascii_end().to_vec();
    attempt("without the line break at the end of the body", Some(without_end(body)));
    attempt("with a line break at the end of the body", Some([body, b"\n"].concat()));
    attempt("if the body is empty: the sender signed no body", Some(Vec::new()));
    attempt(
        "if the body is written without spaces and line breaks: it was serialized again after it was signed",
        text.map(|text| without_spaces(text).into_bytes()),
    );
    attempt(
        "if each / of the body is written as \\/: it was serialized again after it was signed",
        text.map(|text| without_spaces(text).replace("\\/", "/").replace('/', "\\/").into_bytes()),
    );
    attempt(
        "if each \\/ of the body is written as /: it was serialized again after it was signed",
        text.map(|text| without_spaces(text).replace("\\/", "/").into_bytes()),
    );
    attempt(
        "if letters outside ASCII are written as \\uXXXX: the body was serialized again after it was signed",
        text.map(|text| escaped(&without_spaces(text)).into_bytes()),
    );
    attempt(
        "if the letters are written as they are, not as \\uXXXX: the body was serialized again after it was signed",
        serde_json::from_slice::<Value>(body).ok().map(|value| value.to_string().into_bytes()),
    );
    attempts
}

fn tried(attempts: &[Attempt], body: &[u8]) -> bool {
    attempts.iter().any(|attempt| attempt.body == body)
}

/// Some JSON without the spaces between its tokens.
fn without_spaces(json: &str) -> String {
    let (mut is_text, mut is_escaped) = (false, false);
    json.chars()
        .filter(|c| {
            let is_part = is_text || !c.is_ascii_whitespace();
            if *c == '"' && !is_escaped {
                is_text = !is_text;
            }
            is_escaped = *c == '\\' && !is_escaped;
            is_part
        })
        .collect()
}

/// Some JSON with each letter outside ASCII as PHP and Python escape it.
fn escaped(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut all, c| {
        if c.is_ascii() {
            all.push(c);
        } else {
            let mut units = [0; 2];
            all.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
        all
    })
}

/// How much of a token's header a message repeats.
const LONGEST_CLAIM: usize = 128;
const MOST_CLAIMS: usize = 12;

#[cfg(test)]
mod tests {
    use super::{escaped, without_spaces};

    #[test]
    fn spaces_go_only_between_the_tokens_of_json() {
        let json = "{ \"a b\" : \"c \\\" d\",\n\t\"e\\\\\" : [ 1 ] }";
        assert_eq!(without_spaces(json), "{\"a b\":\"c \\\" d\",\"e\\\\\":[1]}");
    }

    #[test]
    fn letters_outside_ascii_are_escaped_by_their_utf_16_units() {
        assert_eq!(escaped("aБ😀"), "a\\u0411\\ud83d\\ude00");
    }
}

//! Makes the service's tokens: JWT, HS256, times with a fraction. Nothing here reads a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::time::Time;

/// Makes tokens. No two tokens are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mint {
    made: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    Refresh,
}

/// The claims of the published example, in its order.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'static str,
    aud: &'static str,
    jti: String,
    iat: f64,
    nbf: f64,
    exp: f64,
    sub: &'static str,
    r#type: &'static str,
    agent_id: &'a str,
}

impl Mint {
    /// Returns how many tokens it has made.
    pub(crate) const fn made(&self) -> u64 {
        self.made
    }

    pub(crate) fn make(&mut self, kind: Kind, agent: &str, now: Time, ends: Time) -> String {
        self.made += 1;
        let id = Sha256::digest(self.made.to_be_bytes());
        let jti: String = id.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let claims = Claims {
            iss: "imts-api",
            aud: "imts-backend",
            jti,
            iat: now.numeric_date(),
            nbf: now.numeric_date(),
            exp: ends.numeric_date(),
            sub: "1",
            r#type: match kind {
                Kind::Access => "access_token",
                Kind::Refresh => "refresh_token",
            },
            agent_id: agent,
        };
        let claims = serde_json::to_vec(&claims).unwrap_or_default();
        let head = URL_SAFE_NO_PAD.encode(br#"{"typ":"JWT","alg":"HS256"}"#);
        let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature(signed.as_bytes())))
    }
}

fn signature(signed: &[u8]) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(b"the sandbox's key is no secret") {
        Ok(mut mac) => {
            mac.update(signed);
            mac.finalize().into_bytes().to_vec()
        }
        Err(_) => Vec::new(),
    }
}

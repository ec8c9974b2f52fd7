//! The detached JWS of the v5 APIs (RFC 7515, appendix F): one request header that signs the
//! request's method, path and body.
//!
//! Owns how a request is signed and how such a signature is verified. The bytes that are signed are
//! the bytes that are sent: they are taken from the finished request, and never serialized again.
//! Which fields the signed header has is data ([`JwsForm`]).
//!
//! A signature has no time and no nonce, so a request that was intercepted can be sent again as it
//! is. Only the service's own check of a request id can prevent that (assumed).

mod claims;
mod error;
mod form;

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderValue, Method, Request};
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::key::{KeyError, KeyText};
use crate::secret::Body;

use self::claims::Claims;
pub use self::error::{JwsError, JwsFormError};
pub use self::form::{Algorithm, HeaderField, JwsForm};

/// The key of a partner or a merchant, for the HMAC of a JWS.
///
/// It is wiped from memory on drop, and no output shows it.
#[derive(Debug)]
pub struct JwsKey(KeyText);

impl JwsKey {
    /// Takes a key as the vendor gives it. Its bytes in UTF-8 are the key of the HMAC (assumed).
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is not one line that has only what its reader sees.
    pub fn new(key: impl Into<String>) -> Result<Self, KeyError> {
        KeyText::new(key).map(Self)
    }
}

/// Signs the requests of one partner, and verifies them.
///
/// ```
/// use http::Request;
/// use imts_core::secret::Body;
/// use imts_core::sign::jws::{Algorithm, JwsForm, JwsKey, JwsSigner};
///
/// let form = JwsForm::partner(Algorithm::Hs512);
/// let signer = JwsSigner::new(form, "123456", &JwsKey::new("secret")?)?;
///
/// let body = r#"{"request_id":"828cf71d-a447-4a67-a149-c1df8bc197ca"}"#;
/// let url = "https://api.freedompay.kz/v5/card-api/request/status";
/// let request = Request::post(url).body(Body::from(body.as_bytes().to_vec()))?;
///
/// let signed = signer.sign(request)?;
/// let token = signed.headers()["x-jws-signature"].to_str()?;
/// assert!(token.ends_with("..f1sQoeIpX_ZjOaykQzSeylvvKaVrEQV4gNM2ACFbEMkFDUV9Zk5WO1yQGEWez-vnQMVHodLBDVEyh5Xm2-3MjQ"));
/// assert_eq!(signed.body().as_ref(), body.as_bytes()); // the same bytes
/// signer.verify(&signed)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct JwsSigner {
    form: JwsForm,
    party: String,
    keyed: Keyed,
}

impl JwsSigner {
    /// Makes a signer for a partner or merchant with this id.
    ///
    /// # Errors
    ///
    /// [`JwsFormError`] if the id is longer than 128 bytes, or is not one line that has only what its
    /// reader sees. Also if the form writes it as a number and it is not a decimal integer without leading zeros.
    pub fn new(
        form: JwsForm,
        party: impl Into<String>,
        key: &JwsKey,
    ) -> Result<Self, JwsFormError> {
        let party = party.into();
        form.check_party(&party)?;
        let keyed = Keyed::new(form.algorithm(), key.0.as_bytes())?;
        Ok(Self { form, party, keyed })
    }

    /// Signs a finished request, and adds the signature as a header that is marked sensitive.
    ///
    /// The method, the path and the body's bytes are those of the request. Do not change them
    /// afterwards. A signature that the request already has is replaced.
    ///
    /// # Errors
    ///
    /// [`JwsError::Query`] if the URL has a query: no page says how one is signed.
    pub fn sign(&self, mut request: Request<Body>) -> Result<Request<Body>, JwsError> {
        let path = signed_path(&request)?;
        let token = self.token(request.method(), path, request.body().as_ref())?;
        request.headers_mut().insert(self.form.header_name(), token);
        Ok(request)
    }

    /// Verifies the signature of a request: that its bytes are signed with this key, and that it is
    /// signed for this partner, method and path.
    ///
    /// The algorithm is the form's, whatever the token says. The signature is over the header as it
    /// came. All of its fields are signed, those that this crate does not know included. The
    /// comparison takes constant time.
    ///
    /// # Errors
    ///
    /// [`JwsError`] says what does not hold, and has no expected signature.
    pub fn verify<B: AsRef<[u8]>>(&self, request: &Request<B>) -> Result<(), JwsError> {
        let path = signed_path(request)?;
        let mut tokens = request.headers().get_all(self.form.header_name()).iter();
        let token = tokens.next().ok_or(JwsError::NoSignature)?;
        if tokens.next().is_some() {
            return Err(JwsError::Repeated);
        }
        let (header, signature) = split(token.as_bytes()).ok_or(JwsError::Malformed)?;
        let claims = BASE64_URL.decode(header).map_err(|_| JwsError::Malformed)?;
        let signature = BASE64_URL.decode(signature).map_err(|_| JwsError::Malformed)?;
        if !self.keyed.is_signature(header, request.body().as_ref(), &signature) {
            return Err(JwsError::Signature);
        }
        Claims::read(&claims)?.check(&self.form, &self.party, request.method(), path)
    }

    /// The header's value: `HEADER..SIGNATURE`, both in base64url without padding.
    fn token(&self, method: &Method, path: &str, body: &[u8]) -> Result<HeaderValue, JwsError> {
        let header = BASE64_URL.encode(self.form.header(&self.party, method, path)?);
        let signature = self.keyed.signature(header.as_bytes(), body);
        let token = format!("{header}..{}", BASE64_URL.encode(signature));
        let mut value = HeaderValue::try_from(token).map_err(|_| JwsError::Malformed)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for JwsSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwsSigner")
            .field("form", &self.form)
            .field("party", &self.party)
            .finish_non_exhaustive()
    }
}

/// An HMAC with its key, which is wiped on drop.
#[derive(Clone)]
enum Keyed {
    Hs256(Hmac<Sha256>),
    Hs512(Hmac<Sha512>),
}

impl Keyed {
    fn new(algorithm: Algorithm, key: &[u8]) -> Result<Self, JwsFormError> {
        let keyed = match algorithm {
            Algorithm::Hs256 => Hmac::new_from_slice(key).map(Self::Hs256),
            Algorithm::Hs512 => Hmac::new_from_slice(key).map(Self::Hs512),
        };
        keyed.map_err(|_| JwsFormError::Key)
    }

    fn signature(&self, header: &[u8], body: &[u8]) -> Vec<u8> {
        match self {
            Self::Hs256(mac) => fed(mac, header, body).finalize().into_bytes().to_vec(),
            Self::Hs512(mac) => fed(mac, header, body).finalize().into_bytes().to_vec(),
        }
    }

    /// Whether this is the signature. Takes constant time, and compares all bytes.
    fn is_signature(&self, header: &[u8], body: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hs256(mac) => fed(mac, header, body).verify_slice(signature).is_ok(),
            Self::Hs512(mac) => fed(mac, header, body).verify_slice(signature).is_ok(),
        }
    }
}

/// Takes in what is signed: `header.body`, the body in base64url. Its text is wiped afterwards.
fn fed<M: Mac + Clone>(mac: &M, header: &[u8], body: &[u8]) -> M {
    let body = Zeroizing::new(BASE64_URL.encode(body));
    mac.clone().chain_update(header).chain_update(b".").chain_update(body.as_bytes())
}

/// The path that is called, from its first slash.
fn signed_path<B>(request: &Request<B>) -> Result<&str, JwsError> {
    match request.uri().query() {
        Some(_) => Err(JwsError::Query),
        None => Ok(request.uri().path()),
    }
}

/// The two parts of a detached token: `HEADER..SIGNATURE`.
fn split(token: &[u8]) -> Option<(&[u8], &[u8])> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    let mut parts = token.split(|byte| *byte == b'.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    (payload.is_empty() && parts.next().is_none()).then_some((header, signature))
}

/// The longest token that is read, in bytes.
const MAX_TOKEN: usize = 8_192;

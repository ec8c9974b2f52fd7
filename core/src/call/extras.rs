//! What a request has beyond method, URL and body: its signature, its own headers, and the rules of
//! its operation.
//!
//! Owns the order in which a request is made final: the body is written, signed, and never touched
//! again. Each attempt sends the same bytes and headers. Draws no random number: the bytes of a salt
//! come in. Does not know what a reply means.

use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
#[cfg(feature = "pg-sig")]
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use zeroize::Zeroizing;

use super::keys::Keys;
use super::sign_error::SignError;
use crate::catalogue::{Conduct, OperationInfo};
use crate::journal::Digest;
#[cfg(feature = "pg-sig")]
use crate::operation::{Account, AskedBy, PgBody, PgForm, ReplyScript};
use crate::operation::{Auth, Class, Repeat};
use crate::secret::Body;
use crate::service::Signing;
#[cfg(feature = "jws")]
use crate::sign::jws::JwsSigner;
#[cfg(feature = "pg-sig")]
use crate::sign::pg_sig::{PgFields, PgValue, Salt, Script, SignedFields};
use crate::wire::request;

/// What a request has beyond method, URL and body. It is fixed with the request.
#[derive(Debug)]
pub(super) struct Extras {
    /// The headers of each attempt, the signature among them.
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) conduct: Arc<Conduct>,
    /// The id by which the service recognizes a repeated request, if it stands in the body.
    body_id: Option<String>,
    /// The field that has it.
    #[cfg(feature = "pg-sig")]
    id_field: Option<String>,
    /// The digest of what is asked for, if the sent bytes have a salt.
    pub(super) meaning: Option<Digest>,
    pub(super) reply_headers: &'static [&'static str],
    pub(super) pace: Option<Duration>,
    /// What a refusal could quote of the signature.
    secrets: Vec<Zeroizing<String>>,
    #[cfg(feature = "pg-sig")]
    pub(super) verifier: Option<Verifier>,
}

/// With what a reply is verified.
#[cfg(feature = "pg-sig")]
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) keys: Arc<Keys>,
    pub(super) account: Account,
    pub(super) script: Script,
    /// The fields that say what the request is about. A reply that has them says the same.
    pub(super) about: Vec<(String, Zeroizing<String>)>,
}

/// The keys of a call, and the random bytes of its salt.
#[derive(Clone, Copy)]
pub(super) struct Pen<'a> {
    pub(super) keys: &'a Arc<Keys>,
    #[cfg(feature = "pg-sig")]
    pub(super) random: [u8; 16],
}

/// What is known of a request before it is final.
#[derive(Clone, Copy)]
pub(super) struct Draft<'a> {
    pub(super) auth: Auth,
    pub(super) class: Class,
    pub(super) info: Option<&'a OperationInfo>,
    /// The reference as the request has it in its own field.
    pub(super) body_id: Option<&'a str>,
}

impl Draft<'_> {
    /// Makes the request final. A plain request stays as it is, and has no extras.
    pub(super) fn seal(
        self,
        signing: &Signing,
        (method, uri): (&Method, &Uri),
        body: Body,
        pen: Option<Pen<'_>>,
    ) -> Result<(Body, Option<Box<Extras>>), SignError> {
        let conduct = self.info.and_then(OperationInfo::shared_conduct);
        if conduct.is_none() && !self.auth.needs_keys() {
            return Ok((body, None));
        }
        let conduct = conduct.unwrap_or_default();
        let mut extras = Extras {
            headers: conduct.headers.clone(),
            conduct,
            body_id: self.body_id.map(str::to_owned),
            #[cfg(feature = "pg-sig")]
            id_field: self.info.and_then(OperationInfo::reference_field).map(str::to_owned),
            meaning: None,
            reply_headers: signing.reply_headers,
            pace: signing.pace.filter(|_| self.class == Class::Money),
            secrets: Vec::new(),
            #[cfg(feature = "pg-sig")]
            verifier: None,
        };
        let request = request(method.clone(), uri, body);
        let body = match self.auth {
            Auth::Bearer | Auth::None => request.into_body(),
            Auth::Basic => extras.add_basic(request, pen)?,
            Auth::Jws => extras.add_jws(request, pen, signing)?,
            #[cfg(feature = "pg-sig")]
            Auth::PgSig(account) => extras.add_pg_sig(&request, pen, account, signing)?,
            #[cfg(not(feature = "pg-sig"))]
            Auth::PgSig(_) => return Err(SignError::NoFeature { feature: "pg-sig" }),
        };
        Ok((body, Some(Box::new(extras))))
    }
}

impl Extras {
    /// The id by which the service recognizes a repeated request.
    pub(super) fn id<'a>(&'a self, reference: Option<&'a str>) -> Option<&'a str> {
        match self.conduct.reference_header {
            Some(_) => reference,
            None => self.body_id.as_deref(),
        }
    }

    /// Adds the headers of each attempt.
    pub(super) fn put_into(&self, headers: &mut HeaderMap, reference: Option<&str>) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        if let (Some(name), Some(value)) =
            (&self.conduct.reference_header, reference.and_then(visible))
        {
            headers.insert(name, value);
        }
    }

    /// Whether the service could not recognize the request: it needs an id, and has none that can be
    /// sent.
    pub(super) fn lacks_id(&self, class: Class, reference: Option<&str>) -> bool {
        match &self.conduct.reference_header {
            Some(_) => reference.and_then(visible).is_none(),
            None => {
                class != Class::Read
                    && self.conduct.repeat != Repeat::Unknown
                    && self.body_id.is_none()
            }
        }
    }

    /// What a refusal could quote of the signature.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(|secret| secret.as_str())
    }

    fn add_basic(
        &mut self,
        request: Request<Body>,
        pen: Option<Pen<'_>>,
    ) -> Result<Body, SignError> {
        let known = pen.and_then(|pen| pen.keys.basic());
        let (header, secret) = known.ok_or(SignError::NoKey { what: "Basic" })?;
        let shown = header.to_str().unwrap_or_default().trim_start_matches("Basic ");
        self.secrets.extend([secret, shown].map(|text| Zeroizing::new(text.to_owned())));
        self.headers.push((AUTHORIZATION, header));
        Ok(request.into_body())
    }

    #[cfg(feature = "jws")]
    fn add_jws(
        &mut self,
        request: Request<Body>,
        pen: Option<Pen<'_>>,
        signing: &Signing,
    ) -> Result<Body, SignError> {
        let known = pen.and_then(|pen| pen.keys.jws.as_ref());
        let (party, key) = known.ok_or(SignError::NoKey { what: "a JWS" })?;
        let form = self.conduct.jws_form.as_ref().or(signing.jws_form.as_ref());
        let form = form.ok_or(SignError::NoForm)?;
        let signed = JwsSigner::new(form.clone(), party.clone(), key)?.sign(request)?;
        let name = form.header_name();
        if let Some(token) = signed.headers().get(name) {
            let text = token.to_str().unwrap_or_default();
            self.secrets.push(Zeroizing::new(text.to_owned()));
            self.headers.push((name.clone(), token.clone()));
        }
        Ok(signed.into_body())
    }

    #[cfg(not(feature = "jws"))]
    fn add_jws(
        &mut self,
        _: Request<Body>,
        _: Option<Pen<'_>>,
        _: &Signing,
    ) -> Result<Body, SignError> {
        Err(SignError::NoFeature { feature: "jws" })
    }

    #[cfg(feature = "pg-sig")]
    fn add_pg_sig(
        &mut self,
        request: &Request<Body>,
        pen: Option<Pen<'_>>,
        account: Account,
        signing: &Signing,
    ) -> Result<Body, SignError> {
        let no_key = SignError::NoKey { what: "pg_sig" };
        let pen = pen.ok_or(no_key.clone())?;
        let (merchant, signer) = pen.keys.pg_sig.as_ref().ok_or(no_key)?;
        if request.method().is_safe() {
            return Err(SignError::Method);
        }
        self.meaning = Some(Digest::of_meaning(request.body().as_ref()));
        let fields = match request.body().as_ref() {
            [] => PgFields::new(),
            json => PgFields::from_json(json)?,
        };
        let fields = fields.with_merchant(merchant).ok_or(SignError::Party { field: MERCHANT })?;
        let script = Script::of(request.uri().path())?;
        let about = self.about(&fields);
        let signed = signer.sign(account, &script, fields, &Salt::from_random(pen.random))?;
        self.secrets.push(Zeroizing::new(signed.pg_sig().to_owned()));
        let form: &PgForm = self.conduct.pg_form.as_ref().unwrap_or(&signing.pg_form);
        let script = match &form.reply_script {
            ReplyScript::Called => script,
            ReplyScript::Absent => Script::absent(),
            ReplyScript::Exactly(name) => Script::exactly(name.clone()),
        };
        let (body, content_type) = written(&signed, form.body)?;
        self.verifier = Some(Verifier { keys: Arc::clone(pen.keys), account, script, about });
        self.headers.push((CONTENT_TYPE, HeaderValue::from_static(content_type)));
        Ok(body)
    }

    /// The fields that say what a request is about: its own id, and what it can be asked for by.
    #[cfg(feature = "pg-sig")]
    fn about(&self, fields: &PgFields) -> Vec<(String, Zeroizing<String>)> {
        let asked_by = self.conduct.asked_by.as_ref().map(AskedBy::field);
        let is_one = |name: &str| Some(name) == asked_by || Some(name) == self.id_field.as_deref();
        let all = fields.iter_unverified().filter(|(name, _)| is_one(name));
        let text = |(name, value): (&str, &PgValue)| {
            Some((name.to_owned(), Zeroizing::new(value.as_text()?.to_owned())))
        };
        all.filter_map(text).collect()
    }
}

/// The message as it is sent, and its content type.
#[cfg(feature = "pg-sig")]
fn written(signed: &SignedFields, body: PgBody) -> Result<(Body, &'static str), SignError> {
    Ok(match body {
        PgBody::Form => (signed.to_form(), FORM),
        PgBody::XmlField => (signed.to_xml_field()?, FORM),
        PgBody::Json => (signed.to_json().map_err(|_| SignError::Unwritable)?, JSON),
    })
}

/// A reference as the value of a header: 1 to 128 visible ASCII characters.
fn visible(reference: &str) -> Option<HeaderValue> {
    let is_visible = reference.bytes().all(|byte| byte.is_ascii_graphic());
    let fits = (1..=MAX_REFERENCE).contains(&reference.len());
    (is_visible && fits).then(|| HeaderValue::from_str(reference).ok()).flatten()
}

/// The longest reference that a header carries, in bytes.
const MAX_REFERENCE: usize = 128;

#[cfg(feature = "pg-sig")]
const FORM: &str = "application/x-www-form-urlencoded";
#[cfg(feature = "pg-sig")]
const JSON: &str = "application/json";
#[cfg(feature = "pg-sig")]
const MERCHANT: &str = "pg_merchant_id";

//! What of a reply to a signed call is believed, before anything is read from it.
//!
//! Owns three rules. A reply that must be signed is verified as a whole, and what does not verify is
//! empty. A web page with 403 is no reply of an operation. A result that stands in headers becomes
//! the content. Does not know what a reply means for the call.

use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::extras::Extras;
use crate::error::ReplyError;
use crate::secret::Body;
#[cfg(feature = "pg-sig")]
use crate::wire::Format;
use crate::wire::{Reply, without_mark};

/// What else is known when a reply comes.
pub(super) struct Circumstances {
    /// How long the body may be, in bytes.
    pub(super) limit: usize,
    #[cfg(feature = "pg-sig")]
    pub(super) format: &'static Format,
    /// Whether the request is signed.
    pub(super) is_signed: bool,
    /// Whether an earlier attempt may have arrived.
    #[cfg(feature = "pg-sig")]
    pub(super) may_have_arrived: bool,
}

/// What is left of a reply.
pub(super) enum Heard {
    /// It is read as it came.
    AsItCame,
    /// This is read in place of its body.
    Instead(Body),
    /// Nothing of its body is believed.
    Nothing(ReplyError),
}

impl Extras {
    /// What of a reply is believed.
    pub(super) fn hear(&self, reply: Reply<'_>, known: &Circumstances) -> Heard {
        if known.is_signed && reply.status == StatusCode::FORBIDDEN && is_page(reply) {
            return Heard::Nothing(ReplyError::UnknownPath);
        }
        #[cfg(feature = "pg-sig")]
        if let Some(verifier) = &self.verifier {
            return verifier.hear(reply, known);
        }
        if reply.body.len() > known.limit {
            return Heard::AsItCame;
        }
        self.result_in_headers(reply).map_or(Heard::AsItCame, Heard::Instead)
    }

    /// The result that stands in headers, if the body has none.
    fn result_in_headers(&self, reply: Reply<'_>) -> Option<Body> {
        if self.reply_headers.is_empty() || !reply.status.is_success() || has_content(reply.body) {
            return None;
        }
        let value = |name: &&'static str| {
            let value = reply.headers.get(*name)?.to_str().ok()?;
            Some((*name, value))
        };
        let fields: std::collections::BTreeMap<_, _> =
            self.reply_headers.iter().filter_map(value).collect();
        Body::json(&fields).ok()
    }
}

/// Whether a body is more than white space or an empty object.
fn has_content(body: &[u8]) -> bool {
    let mut rest = without_mark(body).iter().filter(|byte| !byte.is_ascii_whitespace());
    !matches!((rest.next(), rest.next(), rest.next()), (None, ..) | (Some(b'{'), Some(b'}'), None))
}

/// Whether it is a web page, by its type or its beginning.
fn is_page(reply: Reply<'_>) -> bool {
    let of_type = reply.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let begins = |start: &str| {
        let body = without_mark(reply.body).trim_ascii_start();
        body.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start.as_bytes()))
    };
    of_type.is_some_and(|it| it.trim_start().to_ascii_lowercase().starts_with("text/html"))
        || begins("<!doctype html")
        || begins("<html")
}

#[cfg(feature = "pg-sig")]
mod pg_sig {
    use super::{Circumstances, Heard, Reply, ReplyError, without_mark};
    use crate::call::extras::Verifier;
    use crate::error::Malformed;
    use crate::secret::Body;
    use crate::sign::pg_sig::{
        AsObject, FieldError, PgFields, PgReadError, PgVerifyError, VerifiedFields,
    };
    use zeroize::Zeroizing;

    impl Verifier {
        pub(super) fn hear(&self, reply: Reply<'_>, known: &Circumstances) -> Heard {
            let is_readable = reply.status.is_success() || reply.status.is_client_error();
            if !is_readable {
                // Such a status is no answer of an operation, and its body is not looked at.
                return Heard::Instead(Body::default());
            }
            if reply.body.len() > known.limit {
                return Heard::Nothing(Malformed::TooLarge { limit: known.limit }.into());
            }
            self.verified(reply, known).map_or_else(Heard::Nothing, Heard::Instead)
        }

        fn verified(&self, reply: Reply<'_>, known: &Circumstances) -> Result<Body, ReplyError> {
            let status = reply.status;
            let unbelieved = |why: String| ReplyError::Unbelieved { status, why };
            let fields = read(reply.body).map_err(|error| unbelieved(error.to_string()))?;
            let Some((_, signer)) = &self.keys.pg_sig else {
                return Err(unbelieved("there is no key to verify it with".to_owned()));
            };
            let json = |fields: AsObject<'_>| {
                Body::json(&fields).map_err(|error| unbelieved(error.to_string()))
            };
            match signer.verify(self.account, &self.script, fields.clone()) {
                Ok(verified) => match self.other(&verified) {
                    Some(name) => Err(unbelieved(format!("it is about another {name}"))),
                    None => json(AsObject::of(verified.iter())),
                },
                // The gateway could not tell who the merchant is, so it could not sign, nor take
                // the merchant's order (published). TLS says that it is the gateway. Only a refusal
                // is believed, and only if no earlier attempt may have arrived.
                Err(error @ PgVerifyError::MerchantUnknown) => {
                    let body = json(AsObject::of(fields.iter_unverified()))?;
                    if known.may_have_arrived || !(known.format.refuses)(body.as_ref()) {
                        return Err(unbelieved(error.to_string()));
                    }
                    Ok(body)
                }
                Err(error) => Err(unbelieved(error.to_string())),
            }
        }

        /// The field in which a reply is about something else than its request. A signature fits
        /// any message of the merchant, whatever it was the reply to.
        fn other(&self, reply: &VerifiedFields) -> Option<&str> {
            let differs = |(name, value): &&(String, Zeroizing<String>)| match reply.text(name) {
                Ok(text) => text != value.as_str(),
                Err(FieldError::Missing) => false,
                Err(_) => true,
            };
            self.about.iter().find(differs).map(|(name, _)| name.as_str())
        }
    }

    /// The fields of a reply, in the form that its first character shows.
    fn read(body: &[u8]) -> Result<PgFields, PgReadError> {
        match without_mark(body).trim_ascii_start().first() {
            Some(b'<') => PgFields::from_xml(body),
            Some(b'{') => PgFields::from_json(body),
            _ => PgFields::from_form(body),
        }
    }
}

//! How the signed services answer, as far as it is the same for all.
//!
//! Owns form replies, which a fault can still change: they are signed when they are written.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use crate::evidence::Evidence;
use crate::pg_sig::{self, Fields, SIG};
use crate::reply;
use crate::time::Time;
use crate::xml;

/// A response's extension: a form reply before it is written. It is removed before the response leaves.
#[derive(Clone)]
pub(crate) struct FormReply {
    pub(super) fields: Fields,
    pub(super) signed: Option<Signature>,
    pub(super) is_json: bool,
}

/// What a form reply is signed with.
#[derive(Clone)]
pub(super) struct Signature {
    /// `None`: without a script's name and its semicolon.
    pub(super) script: Option<String>,
    pub(super) key: String,
}

impl FormReply {
    /// Makes the response. It can still be [changed](Self::change).
    pub(super) fn response(
        self,
        status: StatusCode,
        now: Time,
        evidence: Evidence,
    ) -> Response<Vec<u8>> {
        let mut response = reply::empty(status, now, evidence);
        self.write(&mut response);
        response.extensions_mut().insert(self);
        response
    }

    /// Changes the reply in a response, and writes it again, with a signature that is right.
    ///
    /// Returns whether the response is a form reply.
    pub(crate) fn change(
        response: &mut Response<Vec<u8>>,
        change: impl FnOnce(&mut Fields),
    ) -> bool {
        let Some(mut reply) = response.extensions_mut().remove::<Self>() else { return false };
        change(&mut reply.fields);
        reply.write(response);
        response.extensions_mut().insert(reply);
        true
    }

    /// Changes the signature in a response: to none, or to one that is made with another key.
    pub(crate) fn spoil(response: &mut Response<Vec<u8>>, is_there: bool) {
        let Some(mut reply) = response.extensions_mut().remove::<Self>() else { return };
        match (is_there, &mut reply.signed) {
            (true, Some(signature)) => signature.key.push('?'),
            (_, signature) => *signature = None,
        }
        reply.write(response);
        response.extensions_mut().insert(reply);
    }

    fn write(&self, response: &mut Response<Vec<u8>>) {
        let mut fields = self.fields.clone();
        match &self.signed {
            Some(Signature { script: Some(script), key }) => pg_sig::sign(script, &mut fields, key),
            Some(Signature { script: None, key }) => {
                let signature = pg_sig::signature_without_script(&fields, key);
                fields.push((SIG.to_owned(), signature));
            }
            None => {}
        }
        let (kind, body) = if self.is_json {
            let fields = fields.into_iter().map(|(name, value)| (name, Value::String(value)));
            ("application/json", Value::Object(fields.collect::<Map<_, _>>()).to_string())
        } else {
            ("application/xml; charset=utf-8", xml::write("response", &fields))
        };
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        *response.body_mut() = body.into_bytes();
    }
}

/// Returns a page of HTML, such as a firewall sends.
pub(crate) fn html(status: StatusCode) -> Response<Vec<u8>> {
    let mut response = Response::new(b"<html><h1>Not here</h1></html>".to_vec());
    *response.status_mut() = status;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}

/// Sets a field of a form reply. Returns whether the response is one.
pub(crate) fn set_field(response: &mut Response<Vec<u8>>, name: &str, value: &Value) -> bool {
    FormReply::change(response, |fields| {
        fields.retain(|(known, _)| known != name);
        if !value.is_null() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            fields.push((name.to_owned(), text));
        }
    })
}

/// The names of the fields that say which order, payment or request a reply is about.
const IDS: [&str; 5] = ["pg_order_id", "pg_payment_id", "request_id", "order_id", "invoice_id"];

/// Makes a reply one about another order, payment and request. A form reply is signed again.
pub(crate) fn of_another(response: &mut Response<Vec<u8>>) {
    let is_form = FormReply::change(response, |fields| {
        for (_, value) in fields.iter_mut().filter(|(name, _)| IDS.contains(&name.as_str())) {
            *value = another(value);
        }
    });
    if let Some(id) = response.headers_mut().get_mut("x-request-id")
        && let Ok(other) = HeaderValue::try_from(another(id.to_str().unwrap_or_default()))
    {
        *id = other;
    }
    if is_form {
        return;
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(response.body()) else { return };
    for (name, value) in &mut fields {
        if let (true, Some(text)) = (IDS.contains(&name.as_str()), value.as_str()) {
            *value = another(text).into();
        }
    }
    *response.body_mut() = Value::Object(fields).to_string().into_bytes();
}

/// Returns another id of the same form: its last character is another digit.
fn another(id: &str) -> String {
    let mut letters: Vec<char> = id.chars().collect();
    let last = letters.pop();
    letters.push(if last == Some('7') { '8' } else { '7' });
    letters.into_iter().collect()
}

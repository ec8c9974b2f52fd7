//! The forms in which a form message comes: a query, a urlencoded or multipart body, XML in `pg_xml`,
//! JSON.
//!
//! Owns reading. Does not know any field but `pg_xml`.

use http::header::CONTENT_TYPE;
use http::{Method, Request};

use super::tree::Tree;
use crate::pg_sig::Fields;
use crate::request::{Refusal, bad_request};
use crate::urlencoded;
use crate::xml::Element;

/// The field that holds a whole message in XML.
const XML: &str = "pg_xml";

/// Reads the fields of a request. JSON is read if the operation's page has it.
pub(super) fn read(request: &Request<Vec<u8>>, takes_json: bool) -> Result<Tree, Refusal> {
    if *request.method() == Method::GET {
        let pairs = urlencoded::read(request.uri().query().unwrap_or_default());
        return fields(pairs.ok_or_else(|| bad_request(400, "the query cannot be read"))?);
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let body = request.body();
    let unreadable = || bad_request(400, "the body cannot be read");
    match essence.as_str() {
        "application/x-www-form-urlencoded" => {
            let text = std::str::from_utf8(body).map_err(|_| unreadable())?;
            fields(urlencoded::read(text).ok_or_else(unreadable)?)
        }
        "multipart/form-data" => {
            let pairs = boundary(content_type).and_then(|boundary| multipart(body, boundary));
            fields(pairs.ok_or_else(unreadable)?)
        }
        "application/json" if takes_json => {
            let value = serde_json::from_slice(body).map_err(|_| unreadable())?;
            Tree::from_json(&value).ok_or_else(|| {
                bad_request(400, "each value must be a text, a number, an object or a list")
            })
        }
        _ => Err(bad_request(415, "the content type must be one of a form")),
    }
}

fn fields(pairs: Fields) -> Result<Tree, Refusal> {
    let message = match &pairs[..] {
        [(name, xml)] if name == XML => Element::read(xml.as_bytes())
            .filter(|root| root.name == "request")
            .map(|root| Tree::from_xml(&root)),
        _ => Tree::from_pairs(pairs),
    };
    message.ok_or_else(|| bad_request(400, "the fields cannot be read"))
}

fn boundary(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1);
    let mut parameters = parameters.filter_map(|parameter| parameter.trim().split_once('='));
    let (_, boundary) = parameters.find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    Some(boundary.trim_matches('"')).filter(|boundary| (1..=70).contains(&boundary.len()))
}

/// Reads a multipart body of texts (RFC 7578). A file is not read.
fn multipart(body: &[u8], boundary: &str) -> Option<Fields> {
    let text = std::str::from_utf8(body).ok()?;
    let delimiter = format!("--{boundary}");
    let mut parts = text.split(delimiter.as_str());
    let mut pairs = Fields::new();
    parts.next().filter(|preamble| preamble.is_empty())?;
    for part in parts {
        if part.trim_end() == "--" {
            return Some(pairs);
        }
        let (head, value) = part.strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
        pairs.push((name(head)?.to_owned(), value.strip_suffix("\r\n")?.to_owned()));
    }
    None
}

/// Returns the name in the head of a part.
fn name(head: &str) -> Option<&str> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, disposition) =
        lines.find(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))?;
    let mut parameters = disposition.split(';').map(str::trim);
    if parameters.next()? != "form-data" || disposition.contains("filename") {
        return None;
    }
    parameters.find_map(|parameter| parameter.strip_prefix("name=\"")?.strip_suffix('"'))
}

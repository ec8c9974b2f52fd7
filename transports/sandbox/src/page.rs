//! The sandbox's pages for a browser: plain HTML, one style, no script.
//!
//! Owns the frame of a page and its headers. Does not know what a page asks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use sha2::{Digest, Sha256};

use crate::time::Time;
use crate::{reply, served::Evidence, xml};

/// The one style. Colors follow the reader's setting for dark or light.
const STYLE: &str = include_str!("page/style.css");

/// One page: a title and its content in HTML, every text in it escaped.
pub(crate) struct Page<'a> {
    pub(crate) status: StatusCode,
    pub(crate) title: &'a str,
    pub(crate) content: String,
    /// Where its form may lead, besides the sandbox: the origin of a URL.
    pub(crate) leads_to: Option<String>,
    /// Whether the browser asks again after a second.
    pub(crate) waits: bool,
}

impl<'a> Page<'a> {
    pub(crate) fn new(title: &'a str, content: String) -> Self {
        Self { status: StatusCode::OK, title, content, leads_to: None, waits: false }
    }

    /// Returns the page as a response.
    pub(crate) fn response(&self, now: Time) -> Response<Vec<u8>> {
        let title = xml::escaped(self.title);
        let refresh = if self.waits { "<meta http-equiv=\"refresh\" content=\"1\">\n" } else { "" };
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n{refresh}\
             <title>{title} (sandbox)</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <p class=\"mark\">Sandbox: no real account, no money</p>\n<h1>{title}</h1>\n{}\n\
             </main>\n</body>\n</html>\n",
            self.content
        );
        let mut response = reply::empty(self.status, now, Evidence::Assumed);
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            (REFERRER_POLICY, "no-referrer"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        // Browsers hold a form's redirect to `form-action` too.
        let leads_to = self.leads_to.as_deref().unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; form-action 'self' {leads_to}; \
             base-uri 'none'; frame-ancestors 'none'",
            STANDARD.encode(Sha256::digest(STYLE))
        );
        if let Ok(policy) = HeaderValue::try_from(policy) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        *response.body_mut() = html.into_bytes();
        response
    }
}

/// Sends a browser elsewhere by `GET`.
pub(crate) fn see_other(url: &str, now: Time) -> Response<Vec<u8>> {
    let mut response = reply::empty(StatusCode::SEE_OTHER, now, Evidence::Assumed);
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::try_from(url) {
        headers.insert(LOCATION, location);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Returns the origin of an absolute URL: scheme and authority. `None` if it is not one of http or
/// https.
pub(crate) fn origin(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme))?;
    let authority = uri.authority()?;
    let host = authority.host();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    (!host.is_empty() && authority.as_str().bytes().all(is_plain))
        .then(|| format!("{scheme}://{authority}"))
}

//! When two spellings mean the same thing, for a URL or a reference.
//!
//! Owns what the identity of an intent leaves out. If two spellings are not known to mean the same,
//! they count as different.

use std::net::Ipv6Addr;

/// The URL in one form: two spellings of one host are one service. Letter case, a dot at the end of
/// a host name, and the abbreviation of an IPv6 address do not count.
pub(super) fn url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = match rest.find('/').and_then(|at| rest.split_at_checked(at)) {
        Some(parts) => parts,
        None => (rest, ""),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = match address.and_then(|address| address.parse::<Ipv6Addr>().ok()) {
        Some(address) => format!("[{address}]"),
        None => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}{path}")
}

/// The reference in one form: white space around it does not count, nor does the letter case of a
/// UUID. The letter case of other references counts, for example in base 62.
pub(super) fn reference(reference: &str) -> String {
    let reference = reference.trim();
    if is_uuid(reference) { reference.to_ascii_lowercase() } else { reference.to_owned() }
}

/// Whether it has the form of RFC 9562, section 4.
fn is_uuid(text: &str) -> bool {
    let groups = text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    groups && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

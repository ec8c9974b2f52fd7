//! Where the sandbox may send a request by itself: this machine and private networks, nowhere else.
//!
//! Owns which URLs it takes. Which hosts and addresses are private is the core's rule for plain http:
//! it is about safety and not about the service, and there is one such rule. Resolves no name: the
//! socket front does, and asks about each address.

use std::net::{IpAddr, Ipv4Addr};

use http::Uri;
use imts_core::endpoint::PlainHost;

/// A URL that the sandbox may send a request to: plain http, a path, and a host that is this machine or
/// may be in a private network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    uri: Uri,
}

impl Target {
    /// Takes a URL. The text of an error says what is wrong with it.
    pub(crate) fn new(url: &str) -> Result<Self, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "it is not a URL")?;
        let authority = uri.authority().ok_or("it is not an absolute URL")?;
        if uri.scheme_str() != Some("http") {
            return Err("the sandbox sends plain http only, to this machine or a private network");
        }
        if authority.as_str().contains('@') || url.contains('#') {
            return Err("it has a user or a fragment");
        }
        let host = authority.host();
        let is_here = host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
        if !is_here && host != "localhost" {
            PlainHost::new(host).map_err(|_| "its host cannot be in a private network")?;
        }
        Ok(Self { uri })
    }

    /// Takes a URL whose last segment can be a script's name. A URL that ends in a slash is ambiguous
    /// (unknown), and is refused.
    pub(crate) fn scripted(url: &str) -> Result<Self, &'static str> {
        match Self::has_script(url) {
            true => Self::new(url),
            false => Err("its path is empty or ends in a slash: no script's name is in it"),
        }
    }

    /// Returns whether the path of a URL ends in a script's name.
    pub(crate) fn has_script(url: &str) -> bool {
        url.parse::<Uri>().is_ok_and(|uri| !uri.path().ends_with('/'))
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns whether a request may go to this address, which the host has.
    pub(crate) fn allows(address: IpAddr) -> bool {
        PlainHost::allows(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_private_networks_are_targets() {
        for url in [
            "http://127.0.0.1:8080/result",
            "http://localhost/result?shop=1",
            "http://[::1]:8080/result",
            "http://10.0.0.7/result",
            "http://receiver:8080/result",
        ] {
            assert!(Target::scripted(url).is_ok(), "{url}");
        }
        for url in [
            "https://127.0.0.1/result",
            "http://203.0.113.7/result",
            "http://169.254.169.254/latest",
            "http://0.0.0.0/result",
            "http://api.freedompay.kz/result",
            "http://api.paybox.money/result",
            "http://user@127.0.0.1/result",
            "http://127.0.0.1/",
            "http://127.0.0.1",
            "/result",
            "",
        ] {
            assert!(Target::scripted(url).is_err(), "{url}");
        }
        assert!(!Target::allows([203, 0, 113, 7].into()));
    }
}

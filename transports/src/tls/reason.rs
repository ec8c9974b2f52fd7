//! Explains rustls' errors, and what to do about them.
//!
//! Owns the texts. Does not know whether a request was sent: the transports know.

use std::error::Error as StdError;
use std::fmt;

use rustls::{AlertDescription, CertificateError, Error};

/// Why a TLS handshake failed, in one line without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason(String);

impl Reason {
    pub(crate) fn of(error: &Error) -> Self {
        Self(match error {
            Error::InvalidCertificate(error) => certificate(error),
            Error::AlertReceived(alert) => received(*alert),
            Error::PeerIncompatible(_) => {
                "the server does not offer a safe form of TLS 1.2 or 1.3".to_owned()
            }
            Error::InvalidMessage(_) => {
                "the server's answer is not TLS: check that the port is for https".to_owned()
            }
            Error::NoApplicationProtocol => "the server does not offer HTTP/1.1".to_owned(),
            other => other.to_string(),
        })
    }
}

fn certificate(error: &CertificateError) -> String {
    use CertificateError as E;
    let what = match error {
        E::UnknownIssuer => {
            "comes from an unknown issuer: if a private authority made it, add that authority's \
             certificate to the roots"
        }
        E::Expired | E::ExpiredContext { .. } => "has expired: check this machine's clock too",
        E::NotValidYet | E::NotValidYetContext { .. } => {
            "is not valid yet: check this machine's clock"
        }
        E::Revoked => "has been revoked",
        E::BadEncoding => "cannot be read",
        E::BadSignature => "has a signature that is wrong",
        E::NotValidForName => "is for another host name",
        E::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            return format!("the server's certificate is for another host name: {error}");
        }
        E::NotValidForNameContext { .. } => "does not name a host",
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => "is not for servers",
        other => return format!("the server's certificate was refused: {other}"),
    };
    format!("the server's certificate {what}")
}

fn received(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let what = match alert {
        A::CertificateRequired => ": it asks for a client certificate, and none was given",
        A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA
        | A::AccessDenied => ": it does not accept the client's certificate",
        A::UnrecognisedName => ": it does not serve this host name",
        A::HandshakeFailure => {
            ": it shares no cipher with this client, or asks for a client certificate that was not \
             given"
        }
        A::ProtocolVersion => ": it does not offer TLS 1.2 or 1.3",
        _ => "",
    };
    format!("the server broke off TLS with {alert:?}{what}")
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Reason {}

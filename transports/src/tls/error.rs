//! Why TLS settings cannot be used. The caller must correct a setting.

use imts_core::text::TextError;
use rustls::Error;
use thiserror::Error;

/// Why TLS settings cannot be used. The caller must correct a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The PEM text holds no certificate.
    #[error(
        "no certificate was found: give PEM text with at least one \
         -----BEGIN CERTIFICATE----- section"
    )]
    NoCertificate,
    /// A PEM section is cut off or is not base64.
    #[error("the PEM text is damaged: a section is cut off or is not base64; copy the file again")]
    Pem,
    /// The PEM text has an encoding without ASCII, such as UTF-16.
    #[error("the PEM text cannot be used: {0}")]
    Text(TextError),
    /// A certificate is not an X.509 certificate.
    #[error("certificate {place} is not a valid X.509 certificate: copy it again, or leave it out")]
    Certificate {
        /// The position of the certificate, counted from 1.
        place: usize,
    },
    /// The PEM text holds no private key that can be read.
    #[error(
        "no private key was found: give PEM text with a PKCS #8, PKCS #1 or SEC1 key that is not \
         encrypted"
    )]
    NoPrivateKey,
    /// The crypto provider cannot use the private key.
    #[error("the private key cannot be used: give an RSA, ECDSA (P-256, P-384) or Ed25519 key")]
    PrivateKey,
    /// The private key does not belong to the client's certificate.
    #[error(
        "the private key does not belong to the client's certificate: the chain must begin with \
         the certificate that was made for this key"
    )]
    KeyMismatch,
    /// The platform has no certificate roots.
    #[error(
        "the platform has no certificate roots: install them (such as the package \
         ca-certificates), or give your own roots"
    )]
    PlatformRoots,
    /// The crypto provider lacks what TLS 1.2 or 1.3 needs.
    #[error("the crypto provider cannot do TLS 1.2 and 1.3: choose another one")]
    Provider,
}

impl TlsError {
    pub(super) fn identity(error: &Error) -> Self {
        match error {
            Error::InconsistentKeys(_) => Self::KeyMismatch,
            Error::InvalidCertificate(_) => Self::Certificate { place: 1 },
            Error::NoCertificatesPresented => Self::NoCertificate,
            _ => Self::PrivateKey,
        }
    }
}

//! Certificates and private keys, parsed from PEM or DER.
//!
//! Owns their parsing. Does not know what a certificate is for, or where its bytes came from.

use std::fmt;

use imts_core::text;
use rustls::RootCertStore;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroize;

use super::error::TlsError;

/// One or more X.509 certificates: roots to trust, or the client's own chain.
#[derive(Clone)]
pub struct Certificates(Vec<CertificateDer<'static>>);

impl Certificates {
    /// Reads all certificates of a PEM text, in its order. Other sections are skipped, and so is one
    /// byte order mark at the start.
    ///
    /// # Errors
    ///
    /// Returns [`TlsError::NoCertificate`], [`TlsError::Pem`], [`TlsError::Text`] or
    /// [`TlsError::Certificate`].
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        let pem = text::unmarked(pem.as_ref()).map_err(TlsError::Text)?;
        let all = CertificateDer::pem_slice_iter(pem);
        Self::of(all.collect::<Result<_, _>>().map_err(|_| TlsError::Pem)?)
    }

    /// Reads one certificate in DER.
    ///
    /// # Errors
    ///
    /// Returns [`TlsError::Certificate`] if it is not an X.509 certificate.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, TlsError> {
        Self::of(vec![CertificateDer::from(der.into())])
    }

    /// Appends other certificates to these.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn into_der(self) -> Vec<CertificateDer<'static>> {
        self.0
    }

    fn of(all: Vec<CertificateDer<'static>>) -> Result<Self, TlsError> {
        if all.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        for (index, certificate) in all.iter().enumerate() {
            let parsed = RootCertStore::empty().add(certificate.clone());
            parsed.map_err(|_| TlsError::Certificate { place: index + 1 })?;
        }
        Ok(Self(all))
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificates({})", self.0.len())
    }
}

/// The private key of a client's certificate. It is wiped when it is dropped, and never printed.
pub struct PrivateKey(PrivateKeyDer<'static>);

impl PrivateKey {
    /// Reads the first private key of a PEM text: PKCS #8, PKCS #1 or SEC1, not encrypted. One byte
    /// order mark at the start is skipped.
    ///
    /// # Errors
    ///
    /// Returns [`TlsError::NoPrivateKey`], [`TlsError::Pem`] or [`TlsError::Text`].
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        let pem = text::unmarked(pem.as_ref()).map_err(TlsError::Text)?;
        PrivateKeyDer::from_pem_slice(pem).map(Self).map_err(|error| match error {
            PemError::NoItemsFound => TlsError::NoPrivateKey,
            _ => TlsError::Pem,
        })
    }

    /// Returns the key as rustls takes it. rustls owns that copy.
    pub(super) fn into_der(self) -> PrivateKeyDer<'static> {
        self.0.clone_key()
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

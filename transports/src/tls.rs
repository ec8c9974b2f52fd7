//! The TLS settings that both transports share: what a transport trusts, and how it proves its
//! identity.
//!
//! Owns certificate roots, the client's own certificate, the crypto provider and the protocol
//! versions. Reads no file except the platform's own roots, and does not use rustls' process-wide
//! provider. Does not know about connections.

mod error;
mod parts;
mod reason;

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use rustls_platform_verifier::Verifier;

pub use self::error::TlsError;
pub use self::parts::{Certificates, PrivateKey};
pub(crate) use self::reason::Reason;

/// TLS settings that are ready to use: versions 1.2 and 1.3, HTTP/1.1 only.
///
/// ```
/// use imts::tls::{Certificates, Tls};
///
/// // What the platform trusts.
/// let tls = Tls::platform()?;
/// # fn own(ca_pem: &[u8]) -> Result<(), imts::tls::TlsError> {
/// // A private authority, and nothing else.
/// let tls = Tls::builder().only_roots(Certificates::from_pem(ca_pem)?).build()?;
/// # Ok(()) }
/// # assert!(own(b"").is_err());
/// # Ok::<(), imts::tls::TlsError>(())
/// ```
#[derive(Clone)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Trusts what the platform trusts, and presents no client certificate.
    ///
    /// On Linux and the BSDs, `SSL_CERT_FILE` and `SSL_CERT_DIR` set the location of the platform's
    /// roots, as they do for OpenSSL. [`TlsBuilder::only_roots`] reads neither.
    ///
    /// # Errors
    ///
    /// Returns [`TlsError::PlatformRoots`] if the platform has no roots.
    pub fn platform() -> Result<Self, TlsError> {
        Self::builder().build()
    }

    /// Starts building other settings.
    pub fn builder() -> TlsBuilder {
        TlsBuilder {
            roots: Roots::Platform(Certificates::none()),
            identity: None,
            provider: CryptoProvider::default(),
        }
    }

    /// Returns the settings in the form that rustls takes.
    #[must_use]
    pub fn client_config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

/// Uses the caller's own configuration. The caller is responsible for what it trusts. ALPN is set
/// to HTTP/1.1, the only protocol that the transports speak. Early data, which may be replayed, is
/// switched off.
impl From<Arc<ClientConfig>> for Tls {
    fn from(mut config: Arc<ClientConfig>) -> Self {
        if config.alpn_protocols != [HTTP_1_1] || config.enable_early_data {
            let config = Arc::make_mut(&mut config);
            config.alpn_protocols = vec![HTTP_1_1.to_vec()];
            config.enable_early_data = false;
        }
        Self(config)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(..)")
    }
}

/// Collects the settings of a [`Tls`].
#[derive(Debug)]
#[must_use]
pub struct TlsBuilder {
    roots: Roots,
    identity: Option<(Certificates, PrivateKey)>,
    provider: CryptoProvider,
}

impl TlsBuilder {
    /// Trusts these roots in addition to the platform's.
    pub fn extra_roots(self, roots: Certificates) -> Self {
        Self { roots: Roots::Platform(roots), ..self }
    }

    /// Trusts only these roots: neither the platform's nor those of
    /// [`extra_roots`](Self::extra_roots).
    pub fn only_roots(self, roots: Certificates) -> Self {
        Self { roots: Roots::Only(roots), ..self }
    }

    /// Presents a client certificate: its chain, which starts with the client's own certificate,
    /// and the matching private key.
    pub fn identity(self, chain: Certificates, key: PrivateKey) -> Self {
        Self { identity: Some((chain, key)), ..self }
    }

    /// Sets the crypto provider. Default [`CryptoProvider::Ring`].
    pub fn provider(self, provider: CryptoProvider) -> Self {
        Self { provider, ..self }
    }

    /// Checks the settings and builds them.
    ///
    /// # Errors
    ///
    /// Returns [`TlsError`], which says what is wrong with a root, with the identity, or with the
    /// platform.
    pub fn build(self) -> Result<Tls, TlsError> {
        let config = self.verified()?;
        let mut config = match self.identity {
            None => config.with_no_client_auth(),
            Some((chain, key)) => config
                .with_client_auth_cert(chain.into_der(), key.into_der())
                .map_err(|error| TlsError::identity(&error))?,
        };
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Tls(Arc::new(config)))
    }

    fn verified(&self) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, TlsError> {
        let provider = self.provider.provider();
        let verifier: Arc<dyn ServerCertVerifier> = match &self.roots {
            Roots::Platform(extra) => Arc::new(
                Verifier::new_with_extra_roots(extra.clone().into_der(), Arc::clone(&provider))
                    .map_err(|_| TlsError::PlatformRoots)?,
            ),
            Roots::Only(roots) => {
                let mut store = RootCertStore::empty();
                for root in roots.clone().into_der() {
                    store
                        .add(root)
                        .map_err(|_| TlsError::Certificate { place: store.len() + 1 })?;
                }
                WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider))
                    .build()
                    .map_err(|_| TlsError::NoCertificate)?
            }
        };
        Ok(ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|_| TlsError::Provider)?
            .dangerous()
            .with_custom_certificate_verifier(verifier))
    }
}

/// The crate that does the cryptography. It is passed to rustls explicitly: the process-wide
/// default is neither read nor set. Other compiled-in providers change nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CryptoProvider {
    /// The crate `ring`.
    #[default]
    Ring,
    /// The crate `aws-lc-rs`.
    #[cfg(feature = "aws-lc-rs")]
    AwsLcRs,
}

impl CryptoProvider {
    fn provider(self) -> Arc<rustls::crypto::CryptoProvider> {
        Arc::new(match self {
            Self::Ring => rustls::crypto::ring::default_provider(),
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLcRs => rustls::crypto::aws_lc_rs::default_provider(),
        })
    }
}

#[derive(Debug)]
enum Roots {
    /// The platform's roots, and these.
    Platform(Certificates),
    Only(Certificates),
}

const HTTP_1_1: &[u8] = b"http/1.1";

//! An authority of the tests' own, and what it certifies.

use imts::tls::{Certificates, PrivateKey};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate, its key, and the certificates that come with it.
pub(crate) struct Leaf {
    certificate: rcgen::Certificate,
    key: KeyPair,
    above: Vec<CertificateDer<'static>>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn roots(&self) -> Certificates {
        Certificates::from_pem(self.root()).unwrap()
    }

    /// Its own certificate.
    pub(crate) fn root(&self) -> String {
        self.0.pem()
    }

    pub(super) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A server on this machine.
    pub(crate) fn server(&self) -> Leaf {
        self.leaf(&server_params())
    }

    pub(super) fn client(&self) -> Leaf {
        let mut params = params(&[]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.leaf(&params)
    }

    pub(super) fn leaf(&self, params: &CertificateParams) -> Leaf {
        let key = KeyPair::generate().unwrap();
        Leaf { certificate: params.signed_by(&key, &self.0).unwrap(), key, above: Vec::new() }
    }

    /// A server that is certified by another server, which is no authority.
    pub(super) fn below_a_server(&self) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let server = CertifiedIssuer::signed_by(server_params(), key, &self.0).unwrap();
        Leaf { above: vec![server.der().clone()], ..Self(server).server() }
    }
}

impl Leaf {
    /// One that nobody certified but itself.
    pub(super) fn self_signed() -> Self {
        let key = KeyPair::generate().unwrap();
        Self { certificate: server_params().self_signed(&key).unwrap(), key, above: Vec::new() }
    }

    pub(super) fn chain(&self) -> Vec<CertificateDer<'static>> {
        [vec![self.certificate.der().clone()], self.above.clone()].concat()
    }

    pub(super) fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// What a client presents.
    pub(super) fn identity(&self) -> (Certificates, PrivateKey) {
        let chain = Certificates::from_pem(self.pem()).unwrap();
        (chain, PrivateKey::from_pem(self.key.serialize_pem()).unwrap())
    }
}

/// A server on this machine, by name and by address.
pub(super) fn server_params() -> CertificateParams {
    params(&["localhost", "127.0.0.1", "service.example"])
}

/// A certificate for servers of these names, valid for long.
pub(super) fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2199, 1, 1);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

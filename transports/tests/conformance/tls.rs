//! TLS over real sockets: whom both transports trust, whom they refuse and in which words, and that
//! a refused server never sees a byte of a request.

mod authority;
mod clients;
mod offsets;
mod refused;
mod relay;
mod settings;
mod trusted;
mod tunnels;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};

use imts::tls::{Certificates, Tls};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};

pub(crate) use self::authority::Authority;
use self::authority::Leaf;
use crate::raw::{Line, Raw, is_whole};
use crate::{GRANT, Made, ok};

pub(crate) type Versions = &'static [&'static SupportedProtocolVersion];

/// Each version alone.
pub(crate) static EACH_VERSION: [Versions; 2] = [&[&TLS12], &[&TLS13]];

/// How a server is to speak TLS.
pub(crate) struct Speaking<'a> {
    pub(crate) versions: Versions,
    /// Whose clients it lets in; anyone where `None`.
    pub(crate) clients: Option<&'a Authority>,
    pub(crate) alpn: &'static [&'static str],
    pub(crate) answer: Vec<u8>,
}

impl Default for Speaking<'_> {
    fn default() -> Self {
        let answer = ok(GRANT).into_bytes();
        Self { versions: rustls::ALL_VERSIONS, clients: None, alpn: &["http/1.1"], answer }
    }
}

impl Speaking<'_> {
    fn only(versions: Versions) -> Self {
        Self { versions, ..Self::default() }
    }
}

/// A service that speaks HTTP over TLS.
pub(crate) struct Secure {
    pub(crate) raw: Raw,
    /// What came out of TLS, over all connections.
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Secure {
    pub(crate) fn start(leaf: &Leaf, speaking: Speaking<'_>) -> Self {
        let (config, answer) = (leaf.config(&speaking), speaking.answer);
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let ear = Arc::clone(&heard);
        let raw = Raw::start(move |line| serve(line, &config, &answer, &ear));
        Self { raw, heard }
    }

    /// Its URL, by a name that is never looked up.
    fn url(&self) -> String {
        format!("https://localhost:{}/path", self.raw.address.port())
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }

    pub(crate) fn requests(&self) -> usize {
        self.heard().matches(" HTTP/1.1\r\n").count()
    }
}

/// Answers each request on a connection in the same way.
pub(crate) fn serve(
    line: &Line,
    config: &Arc<ServerConfig>,
    answer: &[u8],
    heard: &Mutex<Vec<u8>>,
) {
    let socket = line.stream.try_clone().unwrap();
    let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), socket);
    while request(&mut tls, heard) && tls.write_all(answer).is_ok() && tls.flush().is_ok() {}
    // Whatever TLS has to say at the end must arrive: an early close would reset it away.
    let mut socket = tls.sock;
    drop(tls.conn.write_tls(&mut socket));
    drop(socket.shutdown(Shutdown::Write));
    drop(std::io::copy(&mut socket, &mut std::io::sink()));
}

/// Reads one request, if a whole one comes.
fn request(tls: &mut StreamOwned<ServerConnection, TcpStream>, heard: &Mutex<Vec<u8>>) -> bool {
    let (mut request, mut buffer) = (Vec::new(), [0; 4_096]);
    while !is_whole(&request) {
        let Ok(read @ 1..) = tls.read(&mut buffer) else { return false };
        request.extend_from_slice(&buffer[..read]);
        heard.lock().unwrap().extend_from_slice(&buffer[..read]);
    }
    true
}

impl Leaf {
    pub(crate) fn config(&self, speaking: &Speaking<'_>) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(speaking.versions)
            .unwrap();
        let config = match speaking.clients {
            None => config.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der()).unwrap();
                config.with_client_cert_verifier(
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                        .build()
                        .unwrap(),
                )
            }
        };
        let mut config = config.with_single_cert(self.chain(), self.key()).unwrap();
        config.alpn_protocols = speaking.alpn.iter().map(|it| it.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

/// Trusts this authority alone.
pub(crate) fn trusting(authority: &Authority) -> Made {
    Made { tls: only(authority.roots()), ..Made::default() }
}

fn only(roots: Certificates) -> Tls {
    Tls::builder().only_roots(roots).build().unwrap()
}

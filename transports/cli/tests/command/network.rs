//! Which way the requests of `imts token` go: through TLS that trusts a given authority, through a
//! proxy where one is asked for, and never through one to this machine.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, fs, process};

use http::Request;
use imts_sandbox::{Front, GET_TOKEN_PATH, Sandbox, Time};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::replies::message;
use crate::{AGENT, SECRET, TRANSPORTS, run, token};

/// Serves one connection after another; yields the port.
fn serve<T: Send + 'static>(
    times: usize,
    act: impl Fn(TcpStream) -> T + Send + 'static,
) -> (u16, JoinHandle<Vec<T>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server =
        thread::spawn(move || (0..times).map(|_| act(listener.accept().unwrap().0)).collect());
    (port, server)
}

/// A reply as the service gives it to the sandbox's agent.
fn grant() -> Vec<u8> {
    let body = format!(r#"{{"agent_id":"{AGENT}","agent_secret":"{SECRET}"}}"#);
    let request = Request::post(GET_TOKEN_PATH)
        .header("content-type", "application/json")
        .body(body.into_bytes())
        .unwrap();
    let now = Time::from(std::time::SystemTime::now());
    let body = Sandbox::default().handle(now, &request).into_body();
    let mut reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    reply.extend(body);
    reply
}

/// A service over TLS with a certificate of its own, in a file.
pub(crate) struct Secured {
    pub(crate) port: u16,
    pub(crate) pem: PathBuf,
    pub(crate) served: JoinHandle<Vec<bool>>,
}

impl Secured {
    /// Each connection yields whether its handshake went well.
    pub(crate) fn start(name: &str, times: usize) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        let pem = env::temp_dir().join(format!("imts-{name}-{}.pem", process::id()));
        fs::write(&pem, certificate.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let (config, reply) = (Arc::new(config), grant());
        let (port, served) = serve(times, move |stream| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(session, stream);
            if message(&mut stream).is_empty() {
                return false;
            }
            stream.write_all(&reply).is_ok() && stream.flush().is_ok()
        });
        Self { port, pem, served }
    }
}

#[test]
fn an_authority_of_ones_own_is_trusted_where_its_file_is_given_and_only_there() {
    let secured = Secured::start("own-ca", 4);
    let (url, pem) =
        (format!("https://localhost:{}", secured.port), secured.pem.to_str().unwrap().to_owned());
    for transport in TRANSPORTS {
        let trusted =
            run(&mut token(&url, &["--json", "--ca-file", &pem, "--transport", transport]));
        assert_eq!(trusted.code, 0, "{transport}: {trusted:?}");
        let distrusted = run(&mut token(&url, &["--json", "--transport", transport]));
        assert_eq!(distrusted.error(), ("transport".into(), "retry".into()), "{transport}");
        assert!(!distrusted.out.contains(SECRET), "{distrusted:?}");
    }
    assert_eq!(secured.served.join().unwrap(), [true, false, true, false]);
    fs::remove_file(secured.pem).unwrap();
}

#[test]
fn a_proxy_is_used_where_it_is_asked_for_and_its_password_stays_with_it() {
    let (told, asked) = mpsc::channel();
    let (port, _proxy) = serve(4, move |mut stream| {
        told.send(message(&mut stream)).unwrap();
        stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").unwrap();
    });
    let proxy_url = format!("http://user:canary-7f3a@127.0.0.1:{port}");
    let folder = crate::Folder::new("proxy");
    let file = format!("@{}", folder.write("proxy", format!("\u{feff}{proxy_url}\n")));
    for transport in TRANSPORTS {
        let flags = ["--json", "-vv", "--transport", transport, "--proxy"];
        let given = run(token("https://host.invalid", &flags).arg(&file));
        let of_environment =
            run(token("https://host.invalid", &flags).arg("env").env("HTTPS_PROXY", &proxy_url));
        for ran in [given, of_environment] {
            assert_eq!(ran.error().0, "transport", "{transport}: {ran:?}");
            assert!(!ran.out.contains("canary") && !ran.err.contains("canary"), "{ran:?}");
        }
    }
    for _ in 0..4 {
        let asked = asked.recv_timeout(Duration::from_secs(60)).expect("the proxy is asked");
        assert!(asked.starts_with("CONNECT host.invalid:443 "), "{asked}");
        let asked = asked.to_lowercase();
        assert!(asked.contains("proxy-authorization: basic") && !asked.contains("sandbox-"));
    }
}

#[test]
fn without_being_asked_no_proxy_is_used_and_to_this_machine_never() {
    let idle = TcpListener::bind("127.0.0.1:0").unwrap();
    idle.set_nonblocking(true).unwrap();
    let proxy = format!("http://{}", idle.local_addr().unwrap());
    let front = Front::start(Sandbox::default()).unwrap();
    for transport in TRANSPORTS {
        for asked in [&proxy[..], "env"] {
            let flags = ["--transport", transport, "--proxy", asked];
            let ran = run(token(&front.url(), &flags).env("HTTPS_PROXY", &proxy));
            assert_eq!(ran.code, 0, "{transport}: {ran:?}");
        }
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy"] {
            let flags = ["--transport", transport];
            let ran = run(token(&front.url(), &flags).env(name, &proxy));
            assert_eq!(ran.code, 0, "{transport} {name}: {ran:?}");
            // A name that nobody has, by the standard that reserves it.
            let flags = ["--transport", transport, "--timeout", "2s"];
            let ran = run(token("https://host.invalid", &flags).env(name, &proxy));
            assert_eq!(ran.code, 5, "{transport} {name}: {ran:?}");
        }
    }
    let asked = idle.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(asked, Err(std::io::ErrorKind::WouldBlock), "the proxy was spoken to");
}

#[test]
fn what_no_proxy_lists_with_its_port_is_reached_without_the_proxy() {
    let idle = TcpListener::bind("127.0.0.1:0").unwrap();
    idle.set_nonblocking(true).unwrap();
    let proxy = format!("http://{}\n", idle.local_addr().unwrap());
    for transport in TRANSPORTS {
        for exceptions in ["host.invalid:8443", "a.test\thost.invalid", ".invalid:8443\n"] {
            let flags = ["--json", "--transport", transport, "--proxy", "env", "--timeout", "9s"];
            let mut command = token("https://host.invalid:8443", &flags);
            let ran = run(command.env("HTTPS_PROXY", &proxy).env("NO_PROXY", exceptions));
            assert_eq!(ran.code, 5, "{transport} {exceptions:?}: {ran:?}");
        }
    }
    let asked = idle.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(asked, Err(std::io::ErrorKind::WouldBlock), "the proxy was spoken to");
}

#[test]
fn a_machine_without_certificates_speaks_to_a_sandbox_and_says_what_it_lacks_for_https() {
    let front = Front::start(Sandbox::default()).unwrap();
    for transport in TRANSPORTS {
        let bare = |url: &str| {
            let mut command = token(url, &["--json", "--transport", transport]);
            command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/no/such/directory");
            run(&mut command)
        };
        assert_eq!(bare(&front.url()).code, 0, "{transport}");
        if cfg!(target_os = "linux") {
            let ran = bare("https://host.invalid");
            assert_eq!(ran.error(), ("usage".into(), "fix".into()), "{transport}: {ran:?}");
            assert!(ran.out.contains("ca-certificates"), "{ran:?}");
        }
    }
}

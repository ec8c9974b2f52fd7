//! The ways to a server: plain, TLS, a socket, the caller's own client. And what the key looks like.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::sync::Mutex;

use imts::Store;
use imts::store::redis::{RedisStore, RedisValue};
use imts::swap::Stamp;
use imts::tls::{Certificates, Tls};

use super::{FIRST, KEY, SECOND, done, failed, found, look, put, store};
use crate::redis_server::{RedisServer, ask_over, free_port};

#[test]
fn each_agent_has_one_key_which_ends_a_day_after_its_tokens() {
    let server = RedisServer::start();
    assert!(!done(&store(&server).prefix("other"), &put(Stamp::NONE, FIRST)));
    let key = KEY.replace("imts:", "other:");
    let left: u64 = server.text(&["PTTL", &key]).parse().unwrap();
    // The refresh token of these tests lives for 30 days.
    let days = 31 * 86_400_000;
    assert!(left <= days && left > days - 600_000, "{left}");
    assert_eq!(server.text(&["DBSIZE"]), "1");
    assert_eq!(found(&store(&server)).stamp(), Stamp::NONE, "another prefix, another key");
}

#[test]
fn plain_connections_to_other_machines_are_refused_unless_they_are_allowed() {
    let address = "redis://imts@192.0.2.1:6379";
    let store = RedisStore::new(address.parse().unwrap()).password("canary-password");
    let (kind, text) = failed(store.swap(&look()));
    assert_eq!(kind, "unreachable");
    assert!(text.contains("use rediss://") && !text.contains("canary"), "{text}");
    // What is allowed is a private network, and this address is public (RFC 5737).
    let store = RedisStore::new(address.parse().unwrap()).plain_on_a_private_network();
    assert!(failed(store.swap(&look())).1.contains("use rediss://"));
    // A sentinel may not lead there either.
    let sentinel = address.parse().unwrap();
    let store =
        RedisStore::new("redis://localhost".parse().unwrap()).sentinels([sentinel], "group");
    assert!(failed(store.swap(&look())).1.contains("use rediss://"));
}

#[test]
fn over_tls_the_server_must_have_a_certificate_that_is_trusted() {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let secure = free_port();
    let _server = RedisServer::prepared(|folder, _| {
        let (certificate, key) = (folder.join("certificate"), folder.join("key"));
        fs::write(&certificate, own.cert.pem()).unwrap();
        fs::write(&key, own.signing_key.serialize_pem()).unwrap();
        let files = [certificate, key].map(|file| file.to_str().unwrap().to_owned());
        let [certificate, key] = files;
        let settings = [
            "--tls-port",
            &secure.to_string(),
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-auth-clients",
            "no",
        ];
        settings.map(str::to_owned).to_vec()
    });
    let address = || format!("rediss://127.0.0.1:{secure}").parse().unwrap();
    let roots = Certificates::from_pem(own.cert.pem()).unwrap();
    let tls = Tls::builder().only_roots(roots).build().unwrap();
    let store = RedisStore::new(address()).tls(&tls);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    assert!(!done(&store, &put(FIRST, SECOND)));
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let roots = Certificates::from_pem(other.cert.pem()).unwrap();
    let tls = Tls::builder().only_roots(roots).build().unwrap();
    let (kind, text) = failed(RedisStore::new(address()).tls(&tls).swap(&look()));
    assert_eq!(kind, "unreachable");
    assert!(text.contains("TLS handshake") && text.contains("certificate"), "{text}");
}

#[test]
fn a_socket_and_a_database_of_its_own() {
    let server = RedisServer::prepared(|folder, _| {
        let socket = folder.join("socket").to_str().unwrap().to_owned();
        vec!["--unixsocket".to_owned(), socket]
    });
    let path = server.folder().join("socket");
    let store = |database: u32| {
        let address = format!("unix://{}?db={database}", path.display());
        RedisStore::new(address.parse().unwrap())
    };
    assert!(!done(&store(3), &put(Stamp::NONE, FIRST)));
    assert_eq!(found(&store(0)).stamp(), Stamp::NONE);
    assert_eq!(found(&store(3)).stamp(), FIRST);
    let (kind, text) = failed(store(99).swap(&look()));
    assert_eq!(kind, "unreachable");
    assert!(text.contains("DB index is out of range"), "{text}");
}

/// A store over a client of the caller's own: here, one socket.
fn over(server: &RedisServer) -> RedisStore {
    let socket = Mutex::new(TcpStream::connect(("127.0.0.1", server.port())).unwrap());
    RedisStore::over(move |parts: &[&[u8]]| {
        let reply = ask_over(&mut socket.lock().unwrap(), parts);
        let lost = || io::Error::other("the connection of the caller's client broke");
        reply.ok_or_else(|| std::sync::Arc::new(lost()) as imts::transport_error::Source)
    })
}

#[test]
fn the_callers_own_client_does_the_same() {
    let mut server = RedisServer::start();
    let own = over(&server);
    assert!(!done(&own, &put(Stamp::NONE, FIRST)));
    server.ask(&["SCRIPT", "FLUSH"]);
    assert!(!done(&own, &put(FIRST, SECOND)));
    assert_eq!(found(&store(&server)).stamp(), SECOND);
    server.kill();
    let (kind, text) = failed(own.swap(&look()));
    assert_eq!(kind, "unreachable");
    assert!(text.contains("the caller's client broke"), "{text}");
}

#[test]
fn a_client_that_mixes_answers_up_is_noticed() {
    let server = RedisServer::start();
    let socket = Mutex::new(TcpStream::connect(("127.0.0.1", server.port())).unwrap());
    let before = Mutex::new(None::<RedisValue>);
    // Each question gets the answer to the one before it.
    let store = RedisStore::over(move |parts: &[&[u8]]| {
        let reply = ask_over(&mut socket.lock().unwrap(), parts).unwrap();
        Ok(before.lock().unwrap().replace(reply.clone()).unwrap_or(reply))
    });
    drop(store.swap(&look()));
    drop(store.swap(&look()));
    let (kind, text) = failed(store.swap(&look()));
    assert_eq!(kind, "unreachable");
    assert!(text.contains("another question"), "{text}");
}

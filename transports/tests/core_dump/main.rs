//! What is left of secrets and tokens in the memory of a process that has dropped its client: nothing
//! in this library's memory, and in the HTTP client's own buffers what is said here.
//!
//! A child signs in, calls, refreshes, and drops all of it; before and after, all of its memory that
//! can be written is searched from outside, as it would stand in a core dump.
#![cfg(all(
    target_os = "linux",
    feature = "ureq",
    feature = "hyper-util",
    feature = "store-file",
    feature = "store-redis",
    feature = "store-seal"
))]

mod child;
#[allow(dead_code, reason = "it is shared with the core's own hunt")]
#[path = "../../../core/tests/canary/hunt.rs"]
mod hunt;
mod memory;
#[cfg(feature = "test-servers")]
#[path = "../servers/redis.rs"]
mod redis_server;
mod tls;

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use imts_sandbox::Settings;
use imts_sandbox::{Class, DEFAULT_AGENT, Evidence, Front, Operation, Rotation, Sandbox, Served};
use serde_json::Value;

use self::child::GRANTS;
use self::hunt::Hunt;

/// Stands nowhere in the child's program, and is too long for what is freed of it to be soon in use again.
fn secret() -> String {
    let piece = |n: u64| format!("{:016x}", (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (0..60).map(piece).collect()
}

fn service() -> Front {
    let mut settings = Settings::default();
    settings.agents = [(DEFAULT_AGENT.to_owned(), secret())].into();
    settings.rotation = Rotation::Always;
    let served = Served::new(child::STATUS, Class::Read, Evidence::Assumed);
    settings.operations.insert(Operation::Status, served);
    Front::start(Sandbox::new(settings)).unwrap()
}

/// Every piece of every secret that is in no other one: half a secret is found too, and what all tokens
/// have in common is none.
fn hunt(secrets: &[(String, String)]) -> Hunt {
    let mut hunt = Hunt::default();
    for (what, secret) in secrets {
        let pieces = hunt.secrets();
        for end in (16..secret.len()).step_by(16).chain([secret.len()]) {
            let elsewhere = |(_, other): &&(String, String)| other.contains(&secret[end - 16..end]);
            if secrets.iter().filter(elsewhere).count() == 1 {
                hunt.add(what, &secret[..end]);
            }
        }
        assert!(hunt.secrets() > pieces, "{what} has nothing of its own");
    }
    hunt
}

/// What a child's memory has of its secrets: what each is, and the text that it stands in.
#[derive(Debug)]
struct Found(BTreeSet<(String, String)>);

impl Found {
    fn new(hunt: &Hunt, texts: &str) -> Self {
        let found = |text: &str| {
            let text = text.to_owned();
            let names = hunt.find(&text).into_iter().map(|(what, _)| what.to_owned());
            names.map(move |what| (what, text.clone())).collect::<Vec<_>>()
        };
        Self(texts.lines().flat_map(found).collect())
    }

    fn names(&self) -> BTreeSet<&str> {
        self.0.iter().map(|(what, _)| what.as_str()).collect()
    }

    fn texts(&self) -> BTreeSet<&str> {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// What is left after the drop, in a child that was seen to hold it all before.
fn left(transport: &str) -> Found {
    left_with(transport, None)
}

/// The same, with a session that is shared by a store.
fn left_with(transport: &str, store: Option<&str>) -> Found {
    let service = service();
    let (url, certificate) = match transport.ends_with("over TLS") {
        true => tls::before(service.address()),
        false => (service.url(), String::new()),
    };
    let control = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "child::child", "--nocapture"])
        .env(child::CONTROL, control.local_addr().unwrap().to_string())
        .env(child::URL, url)
        .env(child::CERTIFICATE, certificate)
        .env(child::TRANSPORT, transport)
        .envs(store.map(|store| (child::STORE, store)))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut control = BufReader::new(control.accept().unwrap().0);
    control.get_mut().write_all((secret() + "\n").as_bytes()).unwrap();
    let mut secrets = vec![("secret".to_owned(), secret())];
    for grant in 1..=GRANTS {
        let mut saved = String::new();
        control.read_line(&mut saved).unwrap();
        let saved: Value = serde_json::from_str(&saved).unwrap();
        for name in ["access", "refresh"] {
            let token = saved[name]["token"].as_str().unwrap();
            secrets.push((format!("{name} token {grant}"), token.to_owned()));
        }
    }
    let hunt = hunt(&secrets);
    let held = Found::new(&hunt, &memory::texts(child.id()));
    control.get_mut().write_all(b"drop\n").unwrap();
    control.read_line(&mut String::new()).unwrap();
    let left = Found::new(&hunt, &memory::texts(child.id()));
    control.get_mut().write_all(b"end\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert!(service.sandbox().count(Operation::Refresh) == 1, "a refresh token was sent");
    for in_use in ["secret", "access token 2", "refresh token 2"] {
        assert!(held.names().contains(in_use), "{in_use} is not seen: {:?}", held.names());
    }
    left
}

#[test]
fn a_dropped_client_leaves_nothing_of_its_own_in_memory() {
    for transport in ["closure", "two closures"] {
        let left = left(transport);
        assert!(left.names().is_empty(), "over {transport}: {left:#?}");
    }
}

#[test]
fn a_client_with_a_store_in_a_file_leaves_nothing_in_memory_either() {
    use std::os::unix::fs::PermissionsExt;
    for kind in ["file", "sealed"] {
        let name = format!("imts-core-dump-{}-{kind}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
        let path = folder.join("session");
        let left = left_with("closure", Some(&format!("{kind} {}", path.display())));
        assert!(left.names().is_empty(), "with a {kind} store: {left:#?}");
        assert!(path.metadata().unwrap().len() > 0, "the session was stored");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[cfg(feature = "test-servers")]
#[test]
fn a_client_with_a_store_in_redis_leaves_nothing_in_memory_either() {
    let server = redis_server::RedisServer::start();
    let left = left_with("closure", Some(&format!("redis {}", server.address())));
    assert!(left.names().is_empty(), "{left:#?}");
    assert_eq!(server.text(&["DBSIZE"]), "1", "the session was stored");
}

#[test]
fn over_ureq_nothing_is_left_in_memory_either() {
    let left = left("ureq");
    assert!(left.names().is_empty(), "{left:#?}");
}

/// The TLS library decrypts replies in memory of its own, and frees it as it is. What it encrypts is
/// gone.
#[test]
fn over_ureq_with_tls_the_tls_library_leaves_replies_and_no_request() {
    let left = left("ureq over TLS");
    assert_no_request(&left);
    assert!(!left.texts().iter().any(|text| text.contains("authorization")), "{left:#?}");
    assert!(left.texts().len() <= 2 * GRANTS, "two pieces of a reply for each grant: {left:#?}");
}

/// Hyper reads into buffers that it shares with the owners of pieces of them, and writes heads from one of
/// its own: neither can be wiped from outside. Bodies that go out it does not copy.
#[test]
fn over_hyper_util_its_buffers_are_left_with_heads_and_replies_and_with_no_request() {
    let plain = left("hyper-util");
    assert_no_request(&plain);
    assert!(plain.texts().len() <= 2 * GRANTS, "a head and a reply for each grant: {plain:#?}");
    let tls = left("hyper-util over TLS");
    assert_no_request(&tls);
    assert!(tls.texts().len() <= 4 * GRANTS, "and what TLS leaves of them: {tls:#?}");
}

/// Neither a sign-in, nor a refresh.
#[track_caller]
fn assert_no_request(left: &Found) {
    assert!(!left.names().contains("secret"), "{left:#?}");
    assert!(!left.texts().iter().any(|text| text.contains("{\"refresh_token\"")), "{left:#?}");
}

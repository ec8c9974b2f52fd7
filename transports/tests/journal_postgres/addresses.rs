//! How a server is reached: TLS, passwords, and what may go in clear.

use std::time::{Duration, Instant};

use imts::JournalPostgres;
use imts::journal_postgres::JournalPostgresError;
use imts::postgres::{PostgresAddress, PostgresError};
use imts::tls::{Certificates, Tls};

use crate::servers::Stop;
use crate::{leaves, server};

const CANARY: &str = "c4n4ry-p4ssw0rd";

fn why_not(address: PostgresAddress) -> PostgresError {
    match JournalPostgres::open(address).unwrap_err() {
        JournalPostgresError::Database(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_password_is_given_apart_and_is_printed_nowhere() {
    let server = server();
    server.ask_for_password(CANARY);
    let address = || PostgresAddress::new(&server.address()).unwrap();
    leaves(&mut JournalPostgres::open(address().password(CANARY)).unwrap(), "17");
    let none = why_not(address());
    let wrong = why_not(address().password(format!("{CANARY}x")));
    assert!(wrong.to_string().contains("password authentication failed"), "{wrong}");
    let journal = JournalPostgres::open(address().password(CANARY)).unwrap();
    let inside = server.address().replace("payer@", &format!("payer:{CANARY}@"));
    let refused = PostgresAddress::new(&inside).unwrap_err();
    assert_eq!(refused, PostgresError::PasswordInAddress);
    let odd = PostgresAddress::new(&format!("postgres://payer:{CANARY}@h:x/db")).unwrap_err();
    let address = address().password(CANARY);
    let shown = format!("{none:?} {wrong:?} {journal:?} {refused} {odd} {odd:?} {address:?}");
    assert!(!shown.contains(CANARY), "{shown}");
}

#[test]
fn another_machine_is_reached_over_tls_or_by_its_name() {
    let to = |address: &str| PostgresAddress::new(address).unwrap();
    for address in ["postgres://u@db.example/d", "host=192.0.2.1 user=u", "host=::ffff:1.2.3.4"] {
        let error = why_not(to(address));
        assert!(matches!(error, PostgresError::NeedsTls { .. }), "{error}");
    }
    let mixed = to("host=localhost,db.example user=u");
    assert!(matches!(why_not(mixed), PostgresError::NeedsTls { .. }));
    // The name permits a private address, and no public one.
    let named = to("host=192.0.2.1 user=u").plain_host("192.0.2.1");
    assert!(matches!(why_not(named), PostgresError::NotPrivate { .. }));
    let other = to("host=192.0.2.1 user=u").plain_host("192.0.2.2");
    assert!(matches!(why_not(other), PostgresError::NeedsTls { .. }));
    for address in ["postgres://u@h/d?sslmode=disable", "host=h sslmode=prefer"] {
        assert_eq!(PostgresAddress::new(address).unwrap_err(), PostgresError::SslMode);
    }
    for address in ["", "db.example", "host=h hostaddr=1.2.3.4", "host=a,b port=1,2,3", "user=u"] {
        let error = PostgresAddress::new(address).unwrap_err();
        assert_eq!(error, PostgresError::Address, "{address}");
    }
}

/// A certificate for `localhost`, and its key.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

fn trusting(pem: &str) -> Tls {
    let roots = Certificates::from_pem(pem.as_bytes()).unwrap();
    Tls::builder().only_roots(roots).build().unwrap()
}

#[test]
fn over_tls_the_servers_certificate_must_be_for_its_host_and_trusted() {
    let mut server = server();
    let (pem, key) = certificate();
    let port = server.port();
    let to = |host: &str| PostgresAddress::new(&address(host, port)).unwrap();
    let error = why_not(to("localhost").tls(trusting(&pem)));
    assert!(error.to_string().contains("TLS"), "a server without TLS is refused: {error}");
    server.put("server.crt", &pem);
    server.put("server.key", &key);
    server.stop(Stop::Fast);
    server.set(&["ssl=on"]);
    server.run();
    let journal = JournalPostgres::open(to("localhost").tls(trusting(&pem))).unwrap();
    assert_eq!(server.sql("SELECT count(*) FROM pg_stat_ssl WHERE ssl"), "1");
    drop(journal);
    let error = why_not(to("127.0.0.1").tls(trusting(&pem)));
    assert!(matches!(error, PostgresError::Unreachable { .. }), "another host: {error}");
    let error = why_not(to("localhost").tls(trusting(&certificate().0)));
    assert!(matches!(error, PostgresError::Unreachable { .. }), "not trusted: {error}");
}

fn address(host: &str, port: u16) -> String {
    format!("postgres://payer@{host}:{port}/postgres")
}

#[test]
fn a_server_that_says_nothing_is_given_up_after_the_time_limit() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = address("127.0.0.1", listener.local_addr().unwrap().port());
    let begun = Instant::now();
    let address = PostgresAddress::new(&address).unwrap();
    let limit = Duration::from_millis(300);
    let error = JournalPostgres::open_within(address, limit).unwrap_err();
    assert!(error.to_string().contains("did not answer"), "{error}");
    assert!(begun.elapsed() >= limit && begun.elapsed() < Duration::from_secs(60));
}

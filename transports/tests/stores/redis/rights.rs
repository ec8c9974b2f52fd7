//! The rights that a server's user needs, and what is reported without them.

use imts::Store;
use imts::store::redis::{RedisAddress, RedisStore};
use imts::swap::Stamp;

use super::{FIRST, SECOND, done, failed, found, put};
use crate::redis_server::RedisServer;

const RIGHTS: [&str; 8] =
    ["~imts:*", "+eval", "+evalsha", "+info", "+time", "+hmget", "+hset", "+pexpire"];
const PASSWORD: &str = "canary-password";

/// A server with a user that has these rights and nothing else.
fn server(rights: &[&str]) -> (RedisServer, RedisAddress) {
    let server = RedisServer::start();
    let password = format!(">{PASSWORD}");
    server.ask(&[&["ACL", "SETUSER", "imts", "on", &password], rights].concat());
    let address = format!("redis://imts@127.0.0.1:{}", server.port()).parse().unwrap();
    (server, address)
}

#[test]
fn the_rights_that_the_documentation_names_are_enough() {
    let (_server, address) = server(&RIGHTS);
    let store = RedisStore::new(address).password(PASSWORD);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    assert!(!done(&store, &put(FIRST, SECOND).with_lease(super::WITHIN, false)));
    assert_eq!(found(&store).stamp(), SECOND);
}

#[test]
fn each_of_them_is_needed() {
    for missing in RIGHTS {
        let rights: Vec<_> = RIGHTS.into_iter().filter(|right| *right != missing).collect();
        let (_server, address) = server(&rights);
        let store = RedisStore::new(address).password(PASSWORD);
        let answer = store.swap(&put(Stamp::NONE, FIRST));
        // With either command, the other one is a matter of speed: the first swap needs both.
        let (kind, text) = failed(answer);
        let expected = if missing == "+info" { "no incarnation" } else { "unreachable" };
        assert_eq!(kind, expected, "without {missing}: {text}");
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn without_a_known_incarnation_nothing_is_put_unless_the_server_never_loses_a_write() {
    let rights: Vec<_> = RIGHTS.into_iter().filter(|right| *right != "+info").collect();
    let (server, address) = server(&rights);
    let store = RedisStore::new(address.clone()).password(PASSWORD);
    for swap in [super::look(), put(Stamp::NONE, FIRST)] {
        assert_eq!(failed(store.swap(&swap)).0, "no incarnation");
    }
    assert_eq!(server.text(&["DBSIZE"]), "0");
    let store = RedisStore::new(address).password(PASSWORD).never_loses_a_write();
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    assert!(!done(&store, &put(FIRST, SECOND)));
}

#[test]
fn replicas_need_the_right_to_wait() {
    let (_server, address) = server(&RIGHTS);
    let store = RedisStore::new(address).password(PASSWORD).replicas(1);
    let claim = put(Stamp::NONE, FIRST).with_lease(super::WITHIN, false);
    let (kind, text) = failed(store.swap(&claim));
    assert_eq!(kind, "unreachable");
    assert!(text.contains("NOPERM"), "{text}");
}

#[test]
fn a_wrong_or_missing_password_is_named_and_not_shown() {
    let server = RedisServer::with(&["--requirepass", PASSWORD]);
    let (kind, text) = failed(super::store(&server).swap(&super::look()));
    assert_eq!(kind, "unreachable");
    assert!(text.contains("NOAUTH") && text.contains("asks for a password"), "{text}");
    let store = super::store(&server).password("canary-wrong-one");
    let (_, text) = failed(store.swap(&super::look()));
    assert!(text.contains("WRONGPASS") && !text.contains("canary"), "{text}");
    let store = super::store(&server).password(PASSWORD);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    assert!(!format!("{store:?}").contains("canary"));
}

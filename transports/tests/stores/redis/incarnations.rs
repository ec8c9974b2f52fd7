//! Whether a server may have lost a write: after a restart, a failover and a split, `moved` says so.

use std::fs;

use imts::Store;
use imts::store::redis::{RedisStore, RedisValue};
use imts::swap::Stamp;

use super::{
    FIRST, KEY, SECOND, THIRD, done, eventually, failed, found, look, put, replica_of, store,
};
use crate::redis_server::{RedisServer, free_port, try_ask};

#[test]
fn a_server_that_runs_on_has_not_moved() {
    let server = RedisServer::start();
    assert!(!done(&store(&server), &put(Stamp::NONE, FIRST)));
    assert!(!done(&store(&server), &put(FIRST, SECOND)));
    server.ask(&["SCRIPT", "FLUSH"]);
    server.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    assert!(!done(&store(&server), &put(SECOND, THIRD)));
}

#[test]
fn a_server_that_restarts_empty_holds_nothing_and_nothing_is_no_loss() {
    let mut server = RedisServer::start();
    let store = store(&server);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    server.kill();
    server.start_again();
    assert_eq!(found(&store).stamp(), Stamp::NONE);
    assert!(!done(&store, &put(Stamp::NONE, SECOND)));
}

#[test]
fn a_server_that_restarts_with_an_old_dump_has_moved() {
    let mut server = RedisServer::start();
    let store = store(&server);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    server.ask(&["SAVE"]);
    // The mark that the refresh token was sent is not in the dump.
    assert!(!done(&store, &put(FIRST, SECOND)));
    server.kill();
    server.start_again();
    assert_eq!(found(&store).stamp(), FIRST, "the server has gone back");
    let again = put(FIRST, THIRD);
    assert!(done(&store, &again));
    // A lost answer is repeated, and another one who looks learns it too.
    assert!(done(&store, &again));
    assert!(found(&store).is_moved());
    let next = Stamp { generation: 4, ..THIRD };
    assert!(!done(&store, &put(THIRD, next)));
}

#[test]
fn a_replica_takes_no_swap_and_answers_no_look() {
    let master = RedisServer::start();
    assert!(!done(&store(&master), &put(Stamp::NONE, FIRST)));
    let replica = replica_of(&master);
    for swap in [look(), put(FIRST, SECOND)] {
        let (kind, text) = failed(store(&replica).swap(&swap));
        assert_eq!(kind, "unreachable");
        assert!(text.contains("READONLY"), "{text}");
    }
}

#[test]
fn both_sides_of_a_split_brain_have_moved_but_the_one_that_ran_on() {
    let old = RedisServer::start();
    // A server begins another history when its first replica comes.
    let new = replica_of(&old);
    assert!(!done(&store(&old), &put(Stamp::NONE, FIRST)));
    eventually("the replica has the first state", || new.text(&["DBSIZE"]) == "1");
    new.ask(&["REPLICAOF", "NO", "ONE"]);
    // Each has a claim on the same state now. The service may see the token from one of them only.
    let (by_old, by_new) =
        (done(&store(&old), &put(FIRST, SECOND)), done(&store(&new), &put(FIRST, THIRD)));
    assert_eq!((by_old, by_new), (false, true));
    // The split ends: the old one becomes a replica, and then the master again.
    old.ask(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]);
    eventually("the old master has what the new one has", || {
        old.text(&["INFO", "replication"]).contains("master_link_status:up")
    });
    old.ask(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(found(&store(&old)).stamp(), THIRD);
    assert!(done(&store(&old), &put(THIRD, Stamp { generation: 4, ..SECOND })));
}

#[test]
fn after_a_failover_by_a_sentinel_the_new_master_is_found_and_has_moved() {
    let mut master = RedisServer::start();
    let replica = replica_of(&master);
    let sentinel = RedisServer::prepared(|folder, _| {
        let file = folder.join("sentinel.conf");
        let settings = format!(
            "sentinel monitor group 127.0.0.1 {} 1\nsentinel down-after-milliseconds group 200\n\
             sentinel failover-timeout group 2000\n",
            master.port()
        );
        fs::write(&file, settings).unwrap();
        vec![file.to_str().unwrap().to_owned(), "--sentinel".to_owned()]
    });
    // The store's own address leads nowhere, and the first sentinel does not answer.
    let nowhere = format!("redis://127.0.0.1:{}", free_port());
    let store = RedisStore::new(nowhere.parse().unwrap())
        .sentinels([nowhere.parse().unwrap(), sentinel.address()], "group");
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    assert!(!done(&store, &put(FIRST, SECOND)));
    eventually("the replica has the last write", || {
        replica.ask(&["HGET", KEY, "g"]) == RedisValue::bytes("2")
    });
    eventually("the sentinel knows the replica", || {
        sentinel.text(&["INFO", "sentinel"]).contains("slaves=1")
    });
    master.kill();
    // A sentinel closes the connections of the server that it makes the master.
    eventually("the sentinel has made the replica the master", || {
        let role = try_ask(replica.port(), &["INFO", "replication"]);
        let Some(RedisValue::Bytes(role)) = role else { return false };
        String::from_utf8_lossy(&role).contains("role:master")
    });
    eventually("the store finds the new master", || store.swap(&look()).is_ok());
    assert_eq!(found(&store).stamp(), SECOND);
    assert!(done(&store, &put(SECOND, THIRD)));
    assert!(try_ask(master.port(), &["PING"]).is_none());
    let other =
        RedisStore::new(nowhere.parse().unwrap()).sentinels([sentinel.address()], "another group");
    let (kind, text) = failed(other.swap(&look()));
    assert_eq!(kind, "unreachable");
    assert!(text.contains("another group") && text.contains("does not know"), "{text}");
}

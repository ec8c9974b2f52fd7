//! Whether a server may have lost a write: after a restart, a failover and a restore, `moved` says so.

use imts::Store;
use imts::store::postgres::PostgresStore;
use imts::swap::Stamp;

use super::{FIRST, SECOND, THIRD, at, done, failed, found, look, put, server, store};
use crate::clients::eventually;
use crate::postgres_server::Stop;

#[test]
fn a_server_that_runs_on_has_not_moved() {
    let server = server();
    assert!(!done(&store(&server), &put(Stamp::NONE, FIRST)));
    assert!(!done(&store(&server), &put(FIRST, SECOND)));
    server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    );
    assert!(!done(&store(&server), &put(SECOND, THIRD)));
}

#[test]
fn a_restart_has_moved_once_unless_the_server_never_loses_a_write() {
    let mut server = server();
    let (store, sure) = (store(&server), store(&server).never_loses_a_write());
    assert!(!done(&sure, &put(Stamp::NONE, FIRST)));
    server.stop(Stop::Immediate);
    server.run();
    assert!(!done(&sure, &put(FIRST, SECOND)));
    assert!(done(&store, &put(SECOND, THIRD)), "the other one counts restarts");
    let [fourth, fifth] = [4, 5].map(|generation| Stamp { generation, ..FIRST });
    assert!(!done(&store, &put(THIRD, fourth)));
    server.stop(Stop::Immediate);
    server.run();
    let again = put(fourth, fifth);
    assert!(done(&store, &again));
    // A lost answer is repeated, and another one who looks learns it too.
    assert!(done(&store, &again));
    assert!(found(&store).is_moved());
}

#[test]
fn what_was_answered_as_done_survives_a_crash_although_the_server_commits_late() {
    let mut server = server();
    server.sql("ALTER SYSTEM SET synchronous_commit = off");
    server.sql("ALTER SYSTEM SET wal_writer_delay = '10s'");
    server.sql("SELECT pg_reload_conf()");
    let store = store(&server);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    for (expects, of) in [(FIRST, SECOND), (SECOND, THIRD)] {
        assert!(!done(&store, &put(expects, of)));
    }
    server.stop(Stop::Immediate);
    server.run();
    assert_eq!(found(&store).stamp(), THIRD);
}

#[test]
fn an_older_copy_in_the_servers_place_has_moved() {
    let mut server = server();
    let store = store(&server);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    server.stop(Stop::Fast);
    let copy = server.back_up();
    server.run();
    // The mark that the refresh token was sent is not in the copy.
    assert!(done(&store, &put(FIRST, SECOND)));
    server.stop(Stop::Fast);
    server.restore(&copy);
    server.run();
    assert_eq!(found(&store).stamp(), FIRST, "the server has gone back");
    assert!(done(&store, &put(FIRST, THIRD)));
}

#[test]
fn a_standby_takes_no_swap_and_once_it_is_promoted_it_has_moved() {
    let mut server = server();
    assert!(!done(&store(&server), &put(Stamp::NONE, FIRST)));
    let standby = server.standby();
    for swap in [look(), put(FIRST, SECOND)] {
        let (kind, text) = failed(store(&standby).swap(&swap));
        assert_eq!(kind, "unreachable");
        assert!(text.contains("standby"), "{text}");
    }
    let both = format!(
        "postgres://payer@127.0.0.1:{},127.0.0.1:{}/postgres",
        standby.port(),
        server.port()
    );
    // With both in its address, a client finds the primary, and the new one after a failover.
    let store = PostgresStore::new(at(&both)).never_loses_a_write();
    assert_eq!(found(&store).stamp(), FIRST);
    server.stop(Stop::Immediate);
    standby.promote();
    eventually("the standby is the primary", || standby.sql("SELECT pg_is_in_recovery()") == "f");
    assert!(done(&store, &put(FIRST, SECOND)));
    assert!(!done(&store, &put(SECOND, THIRD)));
}

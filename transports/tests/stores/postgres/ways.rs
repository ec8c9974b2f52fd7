//! The ways to a server: one connection, the caller's client, a runtime around it; time limits.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use imts::Store;
use imts::store::postgres::PostgresStore;
use imts::swap::{Stamp, Swap, Swapped};

use super::{FIRST, SECOND, THIRD, done, failed, found, look, put, server, store};
use crate::clients::eventually;
use crate::conformance::{AGENT, ENDPOINT, plain};
use crate::postgres_server::{Postgres, Stop};

const IDLE: &str = "SELECT count(*) FROM pg_stat_activity \
     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

#[test]
fn one_connection_serves_all_swaps_and_ends_with_the_store() {
    let server = server();
    let store = store(&server);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    let process = "SELECT pid FROM pg_stat_activity \
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let before = server.sql(process);
    for _ in 0..20 {
        found(&store);
    }
    assert_eq!(server.sql(process), before, "one, and the same");
    drop(store);
    eventually("the connection has ended", || server.sql(IDLE) == "0");
}

#[test]
fn a_connection_that_was_closed_while_it_was_idle_costs_no_error() {
    let mut server = server();
    let store = store(&server);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    server.stop(Stop::Fast);
    let (kind, text) = failed(store.swap(&look()));
    assert_eq!(kind, "unreachable");
    assert!(text.contains(&format!("127.0.0.1:{}", server.port())), "{text}");
    server.run();
    assert_eq!(found(&store).stamp(), FIRST);
    server.stop(Stop::Fast);
    server.run();
    assert!(done(&store, &put(FIRST, SECOND)));
}

#[test]
fn a_swap_that_waits_for_the_row_ends_in_time_and_is_not_done_later() {
    let server = server();
    let store = store(&server);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    let made = store.swap(&look()).unwrap().at();
    let locked = server.holding("SELECT FROM imts_session FOR UPDATE");
    let within = Duration::from_millis(300);
    let swap = Swap::look(ENDPOINT, AGENT, within).putting(FIRST, plain(SECOND)).made_at(made);
    let asked = Instant::now();
    let answer = store.swap(&swap);
    assert!(matches!(answer, Err(imts::StoreError::TimedOut)), "{answer:?}");
    assert!(asked.elapsed() >= within && asked.elapsed() < Duration::from_secs(10));
    drop(locked);
    // The server does that statement now, and finds that nobody awaits it any more.
    eventually("the server is done with it", || server.sql(IDLE) == "0");
    assert_eq!(found(&store).stamp(), FIRST);
}

#[test]
fn a_clock_that_was_set_back_makes_no_lease_longer() {
    let server = server();
    let (store, lease) = (store(&server), Duration::from_secs(600));
    assert!(!done(&store, &put(Stamp::NONE, FIRST).with_lease(lease, false)));
    // As if the server's clock had been an hour ahead when the lease began.
    server.sql("UPDATE imts_session SET lease_until = lease_until + 3600000000");
    for swap in [look(), put(FIRST, SECOND)] {
        let answer = store.swap(&swap).unwrap();
        let Swapped::Other(found) = answer else { panic!("the lease is over: {answer:?}") };
        assert!(found.held().is_some_and(|held| held.left() <= lease), "{found:?}");
    }
}

#[test]
fn it_works_on_a_thread_of_a_runtime_and_may_be_dropped_there() {
    let server = server();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = store(&server);
        assert!(!done(&store, &put(Stamp::NONE, FIRST)));
        assert_eq!(found(&store).stamp(), FIRST);
    });
}

/// As a caller does who has a client of its own: here PostgreSQL's.
fn psql(server: &Postgres, sql: &str, parameters: &[&str]) -> String {
    let values: Vec<_> = parameters.iter().map(|it| format!("'{it}'")).collect();
    let names = vec!["text"; parameters.len()].join(", ");
    server.sql(&format!(
        "PREPARE it ({names}) AS {sql}; EXECUTE it ({}); DEALLOCATE it",
        values.join(", ")
    ))
}

#[test]
fn the_callers_own_client_sends_texts_and_returns_a_text() {
    let server = Arc::new(Mutex::new(server()));
    let theirs = Arc::clone(&server);
    let store = PostgresStore::over(move |sql, parameters| {
        let answer = psql(&theirs.lock().unwrap(), sql, parameters);
        Ok(answer
            .lines()
            .find(|line| !line.starts_with(|it: char| it.is_uppercase()))
            .unwrap()
            .to_owned())
    });
    assert_eq!(found(&store).stamp(), Stamp::NONE);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    assert!(matches!(store.swap(&put(SECOND, THIRD)).unwrap(), Swapped::Other(_)));
    assert!(!done(&store, &put(FIRST, SECOND)));
    assert_eq!(*found(&store).saved().unwrap().to_json(), *plain(SECOND).to_json());
    let own = super::store(&server.lock().unwrap());
    assert_eq!(found(&own).stamp(), SECOND, "both ways lead to one row");
}

#[test]
fn an_error_of_the_callers_client_is_the_stores_error() {
    let broken = || Arc::new(std::io::Error::other("the pool is empty"));
    let store = PostgresStore::over(move |_, _| Err(broken()));
    let (kind, text) = failed(store.swap(&look()));
    assert_eq!(kind, "unreachable");
    assert!(text.contains("the pool is empty"), "{text}");
    let store = PostgresStore::over(|_, _| Ok("canary".to_owned()));
    let (_, text) = failed(store.swap(&look()));
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn a_row_says_when_it_may_be_deleted() {
    let server = server();
    assert!(!done(&store(&server), &put(Stamp::NONE, FIRST)));
    let left = "SELECT (keep_until - made_at) / 1000000 FROM imts_session";
    let left: u64 = server.sql(left).parse().unwrap();
    // The refresh token of these tests had 30 days left when it was saved.
    assert_eq!(left, 31 * 86_400);
}

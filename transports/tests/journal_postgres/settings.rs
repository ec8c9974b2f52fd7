//! A server that may lose what it has committed, one that is read-only, and tables of another
//! version: each is refused, when the journal is opened and while it is open.

use std::thread;

use imts::JournalPostgres;
use imts::journal::RecordError;
use imts::journal_postgres::JournalPostgresError;
use imts::postgres::PostgresAddress;

use crate::servers::{Postgres, Stop};
use crate::{at, intends, leaves, opened, sends, server};

fn why_not(server: &Postgres) -> JournalPostgresError {
    JournalPostgres::open(at(server)).unwrap_err()
}

#[test]
fn a_server_that_may_lose_what_it_committed_is_refused() {
    let mut server = server();
    for (off, setting) in [
        ("synchronous_commit=off", "synchronous_commit"),
        ("fsync=off", "fsync"),
        ("full_page_writes=off", "full_page_writes"),
    ] {
        server.stop(Stop::Fast);
        server.set(&[off]);
        server.run();
        let error = why_not(&server);
        let expected = JournalPostgresError::NotDurable { setting, value: "off".to_owned() };
        assert_eq!(error, expected, "{off}");
        assert!(error.to_string().contains(&format!("{setting} is off")), "{error}");
    }
    for on in ["synchronous_commit=local", "synchronous_commit=remote_apply"] {
        server.stop(Stop::Fast);
        server.set(&[on]);
        server.run();
        opened(&server);
    }
}

#[test]
fn a_setting_that_is_changed_while_a_journal_is_open_is_found_before_the_next_call() {
    let server = server();
    let mut journal = opened(&server);
    leaves(&mut journal, "17");
    let id = intends(&mut journal, "18").unwrap();
    server.sql("ALTER SYSTEM SET synchronous_commit = off");
    server.sql("SELECT pg_reload_conf()");
    let mut error = None;
    // The server's processes take note of it one after the other.
    crate::eventually("the setting counts", || {
        error = intends(&mut journal, "19").err();
        error.is_some()
    });
    assert!(error.unwrap().to_string().contains("synchronous_commit is off"));
    sends(&mut journal, id, None).unwrap_err();
    assert_eq!(server.sql("SELECT count(*) FROM imts_journal_call"), "1");
}

#[test]
fn a_database_without_a_journal_and_tables_of_another_version_are_refused_politely() {
    let server = Postgres::start();
    let error = why_not(&server);
    assert_eq!(error, JournalPostgresError::NoJournal);
    assert!(error.to_string().contains("JournalPostgres::migrate"), "{error}");
    let before = JournalPostgres::migrate(&at(&server)).unwrap();
    assert_eq!((before.from, before.to), (0, 1));
    let again = JournalPostgres::migrate(&at(&server)).unwrap();
    assert_eq!((again.from, again.to), (1, 1));
    let mut journal = opened(&server);
    server.sql("UPDATE imts_journal SET version = 2");
    let too_new = JournalPostgresError::TooNew { found: 2, known: 1 };
    assert_eq!(why_not(&server), too_new);
    assert_eq!(JournalPostgres::migrate(&at(&server)), Err(too_new.clone()));
    assert_eq!(JournalPostgres::read_in_doubt(&at(&server)), Err(too_new.clone()));
    assert_eq!(JournalPostgres::accept(&at(&server), "r", None), Err(too_new.clone()));
    let Err(RecordError::Failed(error)) = intends(&mut journal, "17") else { panic!("it records") };
    assert_eq!(error.to_string(), too_new.to_string());
    server.sql("UPDATE imts_journal SET version = 0");
    assert_eq!(why_not(&server), JournalPostgresError::Outdated { found: 0, needed: 1 });
}

#[test]
fn several_processes_may_migrate_at_once() {
    let server = Postgres::start();
    let address = at(&server);
    let results = thread::scope(|scope| {
        let all: Vec<_> =
            (0..8).map(|_| scope.spawn(|| JournalPostgres::migrate(&address))).collect();
        all.into_iter().map(|it| it.join().unwrap().unwrap().from).collect::<Vec<_>>()
    });
    assert_eq!(results.iter().filter(|from| **from == 0).count(), 1, "{results:?}");
    leaves(&mut opened(&server), "17");
}

#[test]
fn a_user_without_rights_to_the_tables_is_refused_with_the_servers_own_words() {
    let server = server();
    server.sql("CREATE ROLE guest LOGIN");
    let address = server.address().replace("payer@", "guest@");
    let error = JournalPostgres::open(PostgresAddress::new(&address).unwrap()).unwrap_err();
    assert!(error.to_string().contains("permission denied"), "{error}");
    // These rights are enough to make calls.
    server.sql(
        "GRANT SELECT, UPDATE ON imts_journal TO guest; \
         GRANT SELECT, INSERT, UPDATE ON imts_journal_call TO guest; \
         GRANT USAGE ON SEQUENCE imts_journal_number TO guest",
    );
    leaves(&mut JournalPostgres::open(PostgresAddress::new(&address).unwrap()).unwrap(), "17");
}

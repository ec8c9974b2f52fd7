//! A standby, a promoted standby, a copy on another server, and an older copy in the server's place.

use imts::JournalPostgres;
use imts::journal::{Entry, Journal};
use imts::journal_postgres::JournalPostgresError;
use imts::postgres::PostgresAddress;

use crate::servers::{Postgres, Stop};
use crate::{at, eventually, intends, intent, leaves, opened, server};

fn why_not(journal: &mut JournalPostgres, reference: &str) -> String {
    journal.record(&Entry::Intent(intent(reference))).unwrap_err().to_string()
}

#[test]
fn a_standby_is_refused_and_after_its_promotion_nothing_is_sent_until_it_is_accepted() {
    let mut server = server();
    let mut journal = opened(&server);
    let id = leaves(&mut journal, "17");
    let standby = server.standby();
    let error = JournalPostgres::open(at(&standby)).unwrap_err();
    assert_eq!(error, JournalPostgresError::Standby);
    assert_eq!(JournalPostgres::read_in_doubt(&at(&standby)).unwrap()[0].id, id);
    // With both in its address, a client finds the primary.
    let both = format!(
        "postgres://payer@127.0.0.1:{},127.0.0.1:{}/postgres",
        standby.port(),
        server.port()
    );
    let both = PostgresAddress::new(&both).unwrap();
    let mut journal = JournalPostgres::open(both.clone()).unwrap();
    leaves(&mut journal, "18");
    eventually("the standby has it", || {
        JournalPostgres::read_in_doubt(&at(&standby)).unwrap().len() == 2
    });
    server.stop(Stop::Immediate);
    standby.promote();
    eventually("the standby is the primary", || standby.sql("SELECT pg_is_in_recovery()") == "f");
    let moved = JournalPostgresError::Moved.to_string();
    eventually("the client has found it", || why_not(&mut journal, "19") == moved);
    assert_eq!(JournalPostgres::open(both.clone()).unwrap_err(), JournalPostgresError::Moved);
    JournalPostgres::accept(&both, "asked the service", Some("ops")).unwrap();
    leaves(&mut journal, "19");
    leaves(&mut JournalPostgres::open(both).unwrap(), "20");
    assert!(why_not(&mut journal, "17").contains("outcome is unknown"), "it has not forgotten");
    let accepted = standby.sql("SELECT reason, by FROM imts_journal_accepted");
    assert_eq!(accepted, "asked the service|ops");
}

#[test]
fn a_dump_that_is_read_into_another_server_is_refused_until_it_is_accepted() {
    let (server, other) = (server(), Postgres::start_unlike());
    leaves(&mut opened(&server), "17");
    server.dump_into(&other);
    assert_eq!(JournalPostgres::open(at(&other)).unwrap_err(), JournalPostgresError::Moved);
    JournalPostgres::accept(&at(&other), "moved it", None).unwrap();
    let mut journal = opened(&other);
    assert!(why_not(&mut journal, "17").contains("outcome is unknown"));
    leaves(&mut journal, "18");
}

#[test]
fn an_older_copy_in_the_servers_place_is_found_and_every_client_is_told() {
    let mut server = server();
    let mut journal = opened(&server);
    leaves(&mut journal, "17");
    server.stop(Stop::Fast);
    let copy = server.back_up();
    server.run();
    eventually("it is connected again", || intends(&mut journal, "x").is_ok());
    leaves(&mut journal, "18");
    server.stop(Stop::Fast);
    server.restore(&copy);
    server.run();
    let rewound = JournalPostgresError::Rewound.to_string();
    let mut errors = Vec::new();
    eventually("the client has found it", || {
        errors.push(why_not(&mut journal, "18"));
        errors.last() == Some(&rewound)
    });
    assert_eq!(JournalPostgres::open(at(&server)).unwrap_err(), JournalPostgresError::Rewound);
    assert_eq!(server.sql("SELECT count(*) FROM imts_journal_call"), "1", "18 is forgotten");
    JournalPostgres::accept(&at(&server), "asked the service", None).unwrap();
    leaves(&mut journal, "19");
    leaves(&mut opened(&server), "20");
}

#[test]
fn a_crash_of_the_server_is_not_taken_for_a_copy() {
    let mut server = server();
    let mut journal = opened(&server);
    for round in 0..5 {
        leaves(&mut journal, &round.to_string());
        server.stop(Stop::Immediate);
        server.run();
        eventually("it is connected again", || intends(&mut journal, "x").is_ok());
        assert_eq!(journal.in_doubt().unwrap().len(), round + 1);
    }
}

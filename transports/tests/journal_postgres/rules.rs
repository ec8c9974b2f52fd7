//! The rules of every journal, kept by the one in PostgreSQL: directly, and through a pooler that
//! gives each transaction to another session.

use imts::JournalPostgres;
use imts::journal::{CallRecord, Journal};
use imts::postgres::PostgresAddress;

use crate::every::{Place, RULES};
use crate::servers::{Pooler, Postgres};
use crate::{at, server};

struct There<'a>(&'a Postgres, PostgresAddress);

impl Place for There<'_> {
    fn open(&mut self) -> Box<dyn Journal> {
        Box::new(JournalPostgres::open(self.1.clone()).unwrap())
    }

    fn call(&mut self, id: u64) -> Option<CallRecord> {
        JournalPostgres::read_call(&at(self.0), id).unwrap()
    }
}

fn keeps_all(server: &Postgres, address: &PostgresAddress) {
    for (name, rule) in RULES {
        println!("{name}");
        rule(&mut There(server, address.clone()));
        server.sql("TRUNCATE imts_journal_call");
    }
}

#[test]
fn a_journal_in_postgresql_keeps_the_rules_of_every_journal() {
    let server = server();
    keeps_all(&server, &at(&server));
}

#[test]
fn it_keeps_them_over_a_unix_socket_and_where_transactions_are_stricter_by_default() {
    let server = server();
    server.sql("ALTER ROLE payer SET default_transaction_isolation = 'serializable'");
    keeps_all(&server, &PostgresAddress::new(&server.socket_address()).unwrap());
}

#[test]
fn it_keeps_them_through_a_pooler_that_gives_each_transaction_to_any_session() {
    let server = server();
    let pooler = Pooler::start(&server);
    let address = PostgresAddress::new(&pooler.address()).unwrap();
    let others: Vec<_> = (0..3).map(|_| JournalPostgres::open(address.clone()).unwrap()).collect();
    keeps_all(&server, &address);
    drop(others);
    let sessions: usize = server
        .sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pooled'")
        .parse()
        .unwrap();
    assert!((1..=2).contains(&sessions), "four clients shared {sessions} sessions");
}

//! The rights that a server's user needs, and what is reported without them.

use imts::Store;
use imts::store::postgres::PostgresStore;
use imts::swap::Stamp;

use super::{FIRST, SECOND, at, done, failed, found, look, put, server};
use crate::postgres_server::Postgres;

const RIGHTS: [&str; 3] = ["select", "insert", "update"];

/// A store whose user has these rights on the table, and nothing else.
fn with(server: &Postgres, rights: &[&str]) -> PostgresStore {
    server.sql("DROP OWNED BY clerk");
    if !rights.is_empty() {
        server.sql(&format!("GRANT {} ON imts_session TO clerk", rights.join(", ")));
    }
    PostgresStore::new(at(&format!("postgres://clerk@127.0.0.1:{}/postgres", server.port())))
}

#[test]
fn the_rights_that_the_documentation_names_are_enough_and_each_of_them_is_needed() {
    let server = server();
    server.sql("CREATE ROLE clerk LOGIN");
    for missing in RIGHTS {
        let rights: Vec<_> = RIGHTS.into_iter().filter(|right| *right != missing).collect();
        let (kind, text) = failed(with(&server, &rights).swap(&put(Stamp::NONE, FIRST)));
        assert_eq!(kind, "unreachable");
        assert!(text.contains("42501: the user needs the rights"), "without {missing}: {text}");
    }
    let store = with(&server, &RIGHTS);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    assert!(!done(&store, &put(FIRST, SECOND)));
    assert_eq!(found(&store).stamp(), SECOND);
}

#[test]
fn the_right_to_read_the_servers_identifier_is_not_needed() {
    let server = server();
    server.sql("CREATE ROLE clerk LOGIN");
    server.sql("REVOKE ALL ON FUNCTION pg_control_system() FROM PUBLIC");
    let store = with(&server, &RIGHTS);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    assert!(!done(&store, &put(FIRST, SECOND)));
}

#[test]
fn a_missing_table_is_named_and_may_be_created_twice() {
    let server = Postgres::start();
    let address = at(&server.address());
    let store = PostgresStore::new(address.clone());
    for swap in [look(), put(Stamp::NONE, FIRST)] {
        let (kind, text) = failed(store.swap(&swap));
        assert_eq!(kind, "unreachable");
        assert!(text.contains("PostgresStore::migrate"), "{text}");
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| PostgresStore::migrate(&address).unwrap());
        }
    });
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    PostgresStore::migrate(&address).unwrap();
    assert_eq!(found(&store).stamp(), FIRST);
}

#[test]
fn a_server_that_quotes_what_it_received_is_not_quoted() {
    let server = server();
    server.sql(
        "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'it holds %', convert_from(NEW.state, 'UTF8'); END $$; \
         CREATE TRIGGER tell BEFORE INSERT ON imts_session FOR EACH ROW EXECUTE FUNCTION tell()",
    );
    let canary = crate::conformance::state(FIRST, "canary-access", "canary-refresh");
    let store = PostgresStore::new(at(&server.address()));
    let (kind, text) = failed(store.swap(&look().putting(Stamp::NONE, canary)));
    assert_eq!((kind, text.contains("P0001")), ("unreachable", true), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn a_password_is_neither_shown_by_the_store_nor_by_its_errors() {
    let server = server();
    server.ask_for_password("canary-password");
    let store = |password: &str| PostgresStore::new(at(&server.address()).password(password));
    let (_, text) = failed(store("canary-wrong").swap(&look()));
    assert!(text.contains("password authentication failed") && !text.contains("canary"), "{text}");
    let store = store("canary-password");
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    assert!(!format!("{store:?}").contains("canary"));
}

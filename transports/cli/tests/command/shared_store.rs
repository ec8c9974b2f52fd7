//! A session that processes share in a server: Redis or PostgreSQL.

use imts_sandbox::{Front, Operation, Sandbox};

use crate::servers::{Postgres, RedisServer, Stop};
use crate::store::store_of;
use crate::{Folder, Ran, imts, run, token};

/// Not a password that a test may find by chance.
const PASSWORD: &str = "zq7x-store-canary";

fn front() -> Front {
    Front::start(Sandbox::default()).unwrap()
}

#[test]
fn processes_share_a_session_over_a_server_with_a_password() {
    let (front, folder) = (front(), Folder::new("shared-store"));
    let server = RedisServer::with(&["--requirepass", PASSWORD]);
    let store = format!("redis://127.0.0.1:{}", server.port());
    let file = folder.write("password", format!("{PASSWORD}\n"));
    let flags = ["--json", "--store", &store];
    let by_variable = run(token(&front.url(), &flags).env("IMTS_STORE_PASSWORD", PASSWORD));
    assert_eq!(by_variable.json()["store"]["outcome"], "renewed", "{by_variable:?}");
    let by_file = run(token(&front.url(), &flags).args(["--store-password-file", &file]));
    assert_eq!(by_file.json()["store"]["outcome"], "found", "{by_file:?}");
    assert_eq!(front.sandbox().count(Operation::GetToken), 1);
    let mut show = store_of(&front, "show", &store, &["--store-password-file", &file]);
    let shown = run(&mut show);
    assert!(shown.code == 0 && shown.out.contains("session        valid"), "{shown:?}");
    let wrong = run(token(&front.url(), &flags).env("IMTS_STORE_PASSWORD", "wrong"));
    assert_eq!((wrong.code, &wrong.json()["store"]["outcome"]), (0, &"alone".into()));
    for ran in [by_variable, by_file, shown, wrong] {
        assert!(!ran.out.contains(PASSWORD) && !ran.err.contains(PASSWORD), "{ran:?}");
    }
}

#[test]
fn a_server_that_stops_costs_a_sign_in_and_a_line() {
    let front = front();
    let mut server = RedisServer::start();
    let store = format!("redis://127.0.0.1:{}", server.port());
    let flags = ["--json", "--store", &store];
    assert_eq!(run(&mut token(&front.url(), &flags)).json()["store"]["outcome"], "renewed");
    server.kill();
    let alone = run(&mut token(&front.url(), &flags));
    assert_eq!((alone.code, &alone.json()["store"]["outcome"]), (0, &"alone".into()));
    assert_eq!(alone.err.lines().count(), 1, "{alone:?}");
    server.start_again();
    assert_eq!(run(&mut token(&front.url(), &flags)).json()["store"]["outcome"], "renewed");
}

/// A PostgreSQL server whose table is there.
fn migrated() -> Postgres {
    let server = Postgres::start();
    let ran = run(&mut migrate(&server.address()));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    server
}

fn migrate(store: &str) -> std::process::Command {
    imts(&["store", "migrate", "--store", store])
}

/// Where a token came from, and the exit code.
fn outcome(ran: &Ran) -> (i32, String) {
    (ran.code, ran.json()["store"]["outcome"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn processes_share_a_session_in_a_database() {
    let (front, server, folder) = (front(), migrated(), Folder::new("shared-store-database"));
    let store = server.address();
    let key = folder.write("key", "A".repeat(43) + "=\n");
    let flags = ["--json", "--store", &store, "--store-key-file", &key];
    let first = run(&mut token(&front.url(), &flags));
    assert_eq!(outcome(&first), (0, "renewed".into()), "{first:?}");
    assert_eq!(first.json()["store"]["kind"], "postgres");
    let kept = server.sql("SELECT count(*), bool_or(position('access' in encode(state, 'escape')) > 0) FROM imts_session");
    assert_eq!(kept, "1|f", "the row is sealed");
    assert_eq!(outcome(&run(&mut token(&front.url(), &flags))), (0, "found".into()));
    assert_eq!(front.sandbox().count(Operation::GetToken), 1);
    let with_key = ["--store-key-file", key.as_str()];
    let shown = run(&mut store_of(&front, "show", &store, &with_key));
    assert!(shown.code == 0 && shown.out.contains("session        valid"), "{shown:?}");
    assert!(shown.out.starts_with(&store), "{shown:?}");
    let forgotten = run(&mut store_of(&front, "forget", &store, &with_key));
    assert_eq!(forgotten.code, 0, "{forgotten:?}");
    assert_eq!(outcome(&run(&mut token(&front.url(), &flags))), (0, "renewed".into()));
}

#[test]
fn a_table_that_is_missing_is_named_and_migrate_creates_it() {
    let (front, server) = (front(), Postgres::start());
    let store = server.address();
    let flags = ["--json", "--store", &store];
    let advice = format!("Create it: imts store migrate --store {store}");
    let alone = run(&mut token(&front.url(), &flags));
    assert_eq!(outcome(&alone), (0, "alone".into()), "{alone:?}");
    assert!(alone.err.contains(&advice) && alone.err.lines().count() == 1, "{alone:?}");
    let shown = run(&mut store_of(&front, "show", &store, &[]));
    assert!(shown.code == 2 && shown.err.contains(&advice), "{shown:?}");
    for _ in 0..2 {
        let ran = run(migrate(&store).arg("--json"));
        assert_eq!((ran.code, &ran.json()["migrated"]), (0, &true.into()), "{ran:?}");
    }
    assert_eq!(outcome(&run(&mut token(&front.url(), &flags))), (0, "renewed".into()));
    server.sql("CREATE ROLE reader LOGIN");
    server.sql("DROP TABLE imts_session");
    let reader = store.replace("payer@", "reader@");
    let refused = run(&mut migrate(&reader));
    assert!(refused.code == 2 && refused.err.contains("may create tables"), "{refused:?}");
}

#[test]
fn a_database_asks_for_its_password_which_no_address_holds() {
    let (front, server, folder) = (front(), migrated(), Folder::new("shared-store-password"));
    server.ask_for_password(PASSWORD);
    let store = server.address();
    let file = folder.write("password", format!("{PASSWORD}\n"));
    let flags = ["--json", "--store", &store];
    let by_variable = run(token(&front.url(), &flags).env("IMTS_STORE_PASSWORD", PASSWORD));
    assert_eq!(outcome(&by_variable), (0, "renewed".into()), "{by_variable:?}");
    let by_file = run(token(&front.url(), &flags).args(["--store-password-file", &file]));
    assert_eq!(outcome(&by_file), (0, "found".into()), "{by_file:?}");
    let wrong = run(token(&front.url(), &flags).env("IMTS_STORE_PASSWORD", "wrong"));
    assert_eq!(outcome(&wrong), (0, "alone".into()), "{wrong:?}");
    assert_eq!(wrong.err.lines().count(), 1, "{wrong:?}");
    let refused = run(migrate(&store).env("IMTS_STORE_PASSWORD", "wrong"));
    assert!(refused.code == 2 && refused.err.contains("Check the address"), "{refused:?}");
    let inside = store.replace("payer@", &format!("payer:{PASSWORD}@"));
    let usage = run(&mut token(&front.url(), &["--store", &inside]));
    let by_environment = run(token(&front.url(), &[]).env("IMTS_STORE", &inside));
    for ran in [&usage, &by_environment] {
        assert!(ran.code == 2 && ran.err.contains("--store-password-file"), "{ran:?}");
    }
    for ran in [by_variable, by_file, wrong, refused, usage, by_environment] {
        assert!(!ran.out.contains(PASSWORD) && !ran.err.contains(PASSWORD), "{ran:?}");
    }
}

#[test]
fn a_database_that_is_out_costs_a_sign_in_and_a_line() {
    let (front, mut server) = (front(), migrated());
    let store = server.address();
    let flags = ["--json", "--store", &store];
    assert_eq!(outcome(&run(&mut token(&front.url(), &flags))), (0, "renewed".into()));
    server.stop(Stop::Fast);
    let alone = run(&mut token(&front.url(), &flags));
    assert_eq!(outcome(&alone), (0, "alone".into()), "{alone:?}");
    assert_eq!(alone.err.lines().count(), 1, "{alone:?}");
    let wrong = token(&front.url(), &["--store", &store])
        .env("IMTS_AGENT_SECRET", "wrong")
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(3), "the exit code is that of the sign-in");
    let shown = run(&mut store_of(&front, "show", &store, &["--json"]));
    assert_eq!((shown.code, shown.error().0.as_str()), (5, "transport"), "{shown:?}");
}

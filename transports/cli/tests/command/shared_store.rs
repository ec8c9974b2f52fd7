//! A session that processes share in a Redis server.

use imts_sandbox::{Front, Operation, Sandbox};

use crate::servers::RedisServer;
use crate::store::store_of;
use crate::{Folder, run, token};

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

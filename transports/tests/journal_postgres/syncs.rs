//! How often the server syncs its log: callers share a commit.

use std::sync::Mutex;
use std::thread;

use http::Request;
use imts::Outcome;
use imts::clock::{Clock as _, SystemClock};
use imts::secret::Body;
use imts::transport::Bounds;
use imts_sandbox::{Sandbox, Time};

use crate::servers::Postgres;
use crate::service::{SERVICE_FILE, client, confirm};
use crate::{eventually, opened, server};

const CALLS: usize = 640;

/// Makes calls by so many callers. Returns how many syncs the server needed for them.
fn syncs(server: &Postgres, callers: usize) -> u64 {
    let sandbox = Mutex::new(Sandbox::with_service_file(SERVICE_FILE).unwrap());
    let send = move |request: Request<Body>, _: Bounds| {
        let request = request.map(|body| body.as_ref().to_vec());
        let now = Time::from_micros(SystemClock.now().wall.unix_micros());
        Ok(sandbox.lock().unwrap().handle(now, &request))
    };
    let client = client("http://127.0.0.1:1", opened(server), send);
    server.sql("SELECT pg_stat_reset_shared('wal')");
    thread::scope(|scope| {
        for caller in 0..callers {
            let client = &client;
            scope.spawn(move || {
                for number in 0..CALLS / callers {
                    let id = format!("{callers}-{caller}-{number}");
                    let outcome = client.call(&confirm(&id)).unwrap();
                    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
                }
            });
        }
    });
    drop(client);
    // A session reports its counts at its end.
    eventually("the journal's session is over", || {
        server.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
            == "1"
    });
    let done = server.sql("SELECT count(*) FROM imts_journal_call WHERE state = 'done'");
    assert_eq!(done, CALLS.to_string());
    server.sql("TRUNCATE imts_journal_call");
    let syncs = server.sql("SELECT wal_sync FROM pg_stat_wal").parse().unwrap();
    println!("{CALLS} calls by {callers} callers: {syncs} syncs");
    syncs
}

#[test]
fn thirty_two_callers_need_at_most_half_a_sync_a_call() {
    let server = server();
    let (one, many) = (syncs(&server, 1), syncs(&server, 32));
    let calls = u64::try_from(CALLS).unwrap();
    assert!(one >= calls, "each call of a caller alone is durable before it is sent: {one}");
    assert!(many <= calls / 2, "{many}");
}

//! The same fleets over a PostgreSQL server, which crashes and is restored meanwhile.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use super::{KILLS, Plan, STOPS, fleets, nothing, play};
use crate::postgres_server::{Postgres, Stop};

fn servers() -> Vec<Mutex<Postgres>> {
    (0..fleets(1).0).map(|_| Mutex::new(crate::postgres::server())).collect()
}

#[test]
fn killed_processes_over_postgresql_neither_replay_a_refresh_token_nor_fail_an_ask() {
    let servers = servers();
    play(&KILLS, 8, |number| servers[number].lock().unwrap().address(), nothing);
}

#[test]
fn processes_stopped_for_longer_than_their_lease_over_postgresql_do_no_harm() {
    let servers = servers();
    play(&STOPS, 8, |number| servers[number].lock().unwrap().address(), nothing);
}

/// Such a server starts for longer than a token of these tests lives: each process signs in alone.
const RESTARTS: Plan =
    Plan { store_backoff_cap: Some(Duration::from_millis(300)), alone: 200, ..KILLS };

#[test]
fn a_postgresql_server_that_crashes_or_is_restored_costs_sign_ins_and_no_replay() {
    let servers = servers();
    play(
        &RESTARTS,
        12,
        |number| servers[number].lock().unwrap().address(),
        |number| {
            let (server, mut seconds, mut copy) = (&servers[number], 0, None::<PathBuf>);
            move || {
                let mut server = server.lock().unwrap();
                seconds += 1;
                match seconds % 4 {
                    // What is copied is two seconds old when it comes back: a token lives that long.
                    1 => {
                        server.stop(Stop::Immediate);
                        copy = Some(server.back_up());
                        server.run();
                    }
                    3 => {
                        server.stop(Stop::Immediate);
                        server.restore(copy.as_ref().unwrap());
                        server.run();
                    }
                    _ => {}
                }
            }
        },
    );
}

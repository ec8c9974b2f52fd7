//! The same fleets over a Redis server, which is restarted meanwhile.

use std::sync::Mutex;

use super::{KILLS, STOPS, fleets, nothing, play};
use crate::redis_server::RedisServer;

fn address(server: &RedisServer) -> String {
    format!("redis://127.0.0.1:{}", server.port())
}

fn servers() -> Vec<Mutex<RedisServer>> {
    (0..fleets(1).0).map(|_| Mutex::new(RedisServer::start())).collect()
}

#[test]
fn killed_processes_over_a_server_neither_replay_a_refresh_token_nor_fail_an_ask() {
    let servers = servers();
    play(&KILLS, 8, |number| address(&servers[number].lock().unwrap()), nothing);
}

#[test]
fn processes_stopped_for_longer_than_their_lease_over_a_server_do_no_harm() {
    let servers = servers();
    play(&STOPS, 8, |number| address(&servers[number].lock().unwrap()), nothing);
}

#[test]
fn a_server_that_is_restarted_empty_costs_sign_ins_and_no_replay() {
    let servers = servers();
    play(
        &KILLS,
        10,
        |number| address(&servers[number].lock().unwrap()),
        |number| {
            let server = &servers[number];
            move || {
                let mut server = server.lock().unwrap();
                server.kill();
                server.start_again();
            }
        },
    );
}

#[test]
fn a_server_that_is_restarted_with_an_old_state_costs_sign_ins_and_no_replay() {
    let servers = servers();
    play(
        &KILLS,
        12,
        |number| address(&servers[number].lock().unwrap()),
        |number| {
            let (server, mut seconds) = (&servers[number], 0);
            move || {
                let mut server = server.lock().unwrap();
                seconds += 1;
                match seconds % 3 {
                    // What is saved is two seconds old when it comes back: a token lives that long.
                    1 => assert_eq!(server.text(&["SAVE"]), "OK"),
                    0 => {
                        server.kill();
                        server.start_again();
                    }
                    _ => {}
                }
            }
        },
    );
}

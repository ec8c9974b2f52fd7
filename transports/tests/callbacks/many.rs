//! Many deliveries: repeats, in any order, to two processes that share their answers and are killed.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::folder::Folder;
use crate::message::{KEY, is_signed, paid};
use crate::process::{Server, deliver};

/// How many deliveries: 10,000 is the long form.
const DELIVERIES: &str = "IMTS_CALLBACK_DELIVERIES";

/// How often each payment is delivered, by how many threads, and how often a process is killed.
const REPEATS: usize = 5;
const THREADS: usize = 8;
const KILLS: usize = 4;

/// The deliveries in an order that is the same in each run: payment, and number of the repeat.
fn shuffled(count: usize) -> Vec<(usize, usize)> {
    let mut all: Vec<_> = (0..count).map(|at| (at / REPEATS + 1, at % REPEATS)).collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for place in (1..all.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        all.swap(place, (state % (place as u64 + 1)) as usize);
    }
    all
}

#[test]
fn each_payment_is_decided_once_and_all_its_answers_are_equal() {
    let count = std::env::var(DELIVERIES).map_or(1_000, |it| it.parse().unwrap());
    let folder = Folder::new();
    let start = || Server::start(folder.path(), None);
    let mut servers = [start(), start()];
    let addresses: Mutex<Vec<SocketAddr>> =
        Mutex::new(servers.iter().map(|server| server.address).collect());
    let deliveries = shuffled(count);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (broken, answers) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (deliveries, addresses, answers) = (&deliveries, &addresses, &answers);
            let (next, done, broken) = (&next, &done, &broken);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::SeqCst);
                    let Some((payment, repeat)) = deliveries.get(at) else { break };
                    let body = paid(&payment.to_string(), "20", &format!("salt{repeat}"));
                    // The gateway repeats what is not answered by a 200.
                    for attempt in thread.. {
                        let address = addresses.lock().unwrap()[attempt % 2];
                        match deliver(address, &body) {
                            Some((200, answer)) => {
                                assert!(is_signed("result", &answer, KEY));
                                answers
                                    .lock()
                                    .unwrap()
                                    .entry(*payment)
                                    .or_insert_with(Vec::new)
                                    .push(answer);
                                break;
                            }
                            Some((status, _)) => assert_eq!(status, 503),
                            None => drop(broken.fetch_add(1, Ordering::SeqCst)),
                        }
                    }
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for kill in 1..=KILLS {
            while done.load(Ordering::SeqCst) < count * kill / (KILLS + 2) {
                thread::yield_now();
            }
            let server = &mut servers[kill % 2];
            server.kill();
            *server = start();
            addresses.lock().unwrap()[kill % 2] = server.address;
        }
    });

    let answers = answers.into_inner().unwrap();
    assert_eq!(answers.len(), count / REPEATS);
    for (payment, all) in &answers {
        assert_eq!(all.len(), REPEATS);
        assert!(all.iter().all(|answer| *answer == all[0]), "{payment}: the answers differ");
    }
    let decisions = fs::read_to_string(folder.path().join("decisions")).unwrap();
    let (mut decided, mut again) = (BTreeMap::new(), 0);
    for line in decisions.lines() {
        let (payment, word) = line.split_once(' ').unwrap();
        let firsts = decided.entry(payment).or_insert(0);
        match word {
            "first" => *firsts += 1,
            _ => again += 1,
        }
    }
    assert_eq!(decided.len(), count / REPEATS);
    // A process may have been killed behind its claim and before its decision.
    let unseen = decided.values().filter(|firsts| **firsts == 0).count();
    assert!(decided.values().all(|firsts| *firsts <= 1), "a payment was decided twice");
    assert!(unseen <= again, "{unseen} payments without a decision");
    // Only what a killed process had under way is decided again.
    assert!(again <= KILLS * THREADS, "{again} decisions of what was decided");
    assert!(!folder.path().join("alarms").exists(), "an alarm was raised");
    let broken = broken.into_inner();
    let payments = decided.len();
    println!("{count} deliveries, {payments} payments, {again} again, {broken} broken");
}

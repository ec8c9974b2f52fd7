//! Several processes with several threads want the same intents, and replies are lost, processes are
//! killed, and the database crashes: each intent is applied at most once, and the journal knows each
//! that was.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use imts::call::NotCallable;
use imts::journal::CallState;
use imts::postgres::PostgresAddress;
use imts::{JournalPostgres, Outcome, UreqTransport};
use imts_sandbox::{Delivery, Fault, Front, Operation, Rule, When};

use crate::servers::{Postgres, Stop};
use crate::service::{client, confirm, front};
use crate::{at, server};

const URL: &str = "IMTS_TEST_SHARED_URL";
const DATABASE: &str = "IMTS_TEST_SHARED_DATABASE";
const SEED: &str = "IMTS_TEST_SHARED_SEED";
const TALLY: &str = "IMTS_TEST_SHARED_TALLY";

/// How many intents there are: more by this variable, for a long run.
const INTENTS: &str = "IMTS_SHARED_INTENTS";

const PROCESSES: usize = 4;
const THREADS: usize = 8;

fn intents() -> usize {
    env::var(INTENTS).map_or(120, |number| number.parse().unwrap())
}

/// A process of the crowd. It goes through all intents, each thread from a place of its own. While
/// the database is away, it tries again.
#[test]
fn worker() {
    let (Ok(url), Ok(database), Ok(seed), Ok(tally)) =
        (env::var(URL), env::var(DATABASE), env::var(SEED), env::var(TALLY))
    else {
        return;
    };
    let seed: usize = seed.parse().unwrap();
    let address = PostgresAddress::new(&database).unwrap();
    let journal = loop {
        match JournalPostgres::open(address.clone()) {
            Ok(journal) => break journal,
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    };
    let client = client(&url, journal, UreqTransport::new().unwrap());
    let all = intents();
    thread::scope(|scope| {
        for first in 0..THREADS {
            let (client, tally) = (&client, &tally);
            scope.spawn(move || {
                let mut lines = String::new();
                for number in 0..all {
                    let id = ((first * all / THREADS + number + seed) % all).to_string();
                    lines.push_str(&format!("{id} {}\n", called(client, &id)));
                }
                let file = OpenOptions::new().append(true).create(true).open(tally);
                file.unwrap().write_all(lines.as_bytes()).unwrap();
            });
        }
    });
    drop(client);
    std::process::exit(0);
}

/// Makes a call until the journal has an answer, and returns how it ended.
fn called(client: &imts::Client, id: &str) -> &'static str {
    loop {
        match client.call(&confirm(id)) {
            Ok(Outcome::Failed(_)) => thread::sleep(Duration::from_millis(5)),
            Ok(outcome) => return outcome.ending().as_str(),
            Err(NotCallable::Intent(error)) => return error.as_str(),
            Err(error) => panic!("{error}"),
        }
    }
}

fn begin(front: &Front, server: &Postgres, tally: &Path, seed: usize) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "crowd::worker"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.env(URL, front.url()).env(DATABASE, server.address());
    command.env(SEED, seed.to_string()).env(TALLY, tally).spawn().unwrap()
}

/// How many processes there were, and how often something was stopped.
#[derive(Debug, Default)]
struct Played {
    begun: usize,
    killed: usize,
    crashed: usize,
}

/// Plays until all processes are through. By what the service has seen, a process is killed and
/// replaced, or the database crashes and starts again.
fn play(front: &Front, server: &mut Postgres, tally: &Path, stops: usize) -> Played {
    let mut crowd: Vec<_> = (0..PROCESSES).map(|seed| begin(front, server, tally, seed)).collect();
    let mut played = Played { begun: PROCESSES, ..Played::default() };
    let every = intents() / (stops + 1).max(1);
    while !crowd.is_empty() {
        crowd.retain_mut(|child| match child.try_wait().unwrap() {
            None => true,
            Some(status) => {
                assert!(status.success(), "{status}");
                false
            }
        });
        let stopped = played.killed + played.crashed;
        let seen = front.sandbox().count(Operation::Confirm);
        if stopped < stops && seen >= (stopped + 1) * every && !crowd.is_empty() {
            if stopped.is_multiple_of(2) {
                let place = stopped % crowd.len();
                crowd[place].kill().unwrap();
                crowd[place].wait().unwrap();
                crowd[place] = begin(front, server, tally, played.begun);
                (played.begun, played.killed) = (played.begun + 1, played.killed + 1);
            } else {
                server.stop(Stop::Immediate);
                server.run();
                played.crashed += 1;
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
    played
}

/// Holds the journal, and what the processes said, to the service's ledger. Returns how many intents
/// were applied, and how many calls are in doubt.
fn compare(front: &Front, server: &Postgres, tally: &Path) -> (u64, usize) {
    let calls = JournalPostgres::read_newest(&at(server), u32::MAX >> 1).unwrap();
    let said = fs::read_to_string(tally).unwrap();
    let sandbox = front.sandbox();
    assert_eq!(sandbox.ledger().applied_twice().count(), 0);
    let mut applied = 0;
    for number in 0..intents() {
        let id = number.to_string();
        let times = sandbox.ledger().applied(Operation::Confirm, &id);
        assert!(times <= 1, "{id} was applied {times} times");
        applied += times;
        let own = calls.iter().filter(|call| call.reference.as_ref() == Some(&id));
        let states: Vec<_> = own.map(|call| call.state).collect();
        let is_done = states.contains(&CallState::Done);
        assert!(times == 1 || !is_done, "{id} is done in the journal alone");
        let is_known = is_done || states.contains(&CallState::InDoubt);
        assert!(times == 0 || is_known, "{id} was applied, and the journal says {states:?}");
        let done = said.lines().filter(|line| *line == format!("{id} done")).count();
        assert!(done <= 1 && (done == 0 || times == 1), "{done} callers have done {id}");
    }
    let in_doubt = calls.iter().filter(|call| call.is_in_doubt()).count();
    println!("{} intents, {applied} applied, {in_doubt} in doubt, none twice", intents());
    for kind in ["done", "unknown", "already_done", "in_doubt", "in_progress"] {
        let count = said.lines().filter(|line| line.ends_with(&format!(" {kind}"))).count();
        println!("{count:>8} calls of processes that were not killed: {kind}");
    }
    (applied, in_doubt)
}

struct Tally(PathBuf);

impl Tally {
    fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("imts-shared-{name}-{}", std::process::id())))
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

#[test]
fn a_crowd_of_processes_without_faults_applies_each_intent_exactly_once() {
    let (front, mut server, tally) = (front(), server(), Tally::new("calm"));
    play(&front, &mut server, &tally.0, 0);
    let (applied, in_doubt) = compare(&front, &server, &tally.0);
    assert_eq!((applied, in_doubt), (u64::try_from(intents()).unwrap(), 0));
    assert_eq!(front.sandbox().count(Operation::Confirm), intents(), "requests");
}

#[test]
fn a_crowd_with_kills_crashes_of_the_database_and_lost_replies_applies_none_twice() {
    let (front, mut server, tally) = (front(), server(), Tally::new("kills"));
    let lost = Rule {
        operation: Some(Operation::Confirm),
        when: When::Percent(20),
        fault: Fault::Delivery(Delivery::Reset),
    };
    front.sandbox().set_faults(vec![lost]);
    let stops = intents() / 20;
    let played = play(&front, &mut server, &tally.0, stops);
    println!("{played:?}");
    let (applied, in_doubt) = compare(&front, &server, &tally.0);
    assert!(played.killed >= stops / 3 && played.crashed >= stops / 3, "{played:?}");
    assert!(applied >= u64::try_from(intents() / 2).unwrap(), "{applied}");
    assert!(in_doubt >= intents() / 20, "few replies were lost: {in_doubt}");
}

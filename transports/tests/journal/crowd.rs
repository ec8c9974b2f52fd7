//! Many threads of many processes want the same intents, processes are killed and replies are lost:
//! each is applied at most once, and exactly once where nothing goes wrong.

use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use imts::operations::{Confirm, Own};
use imts::{Builder, CallState, Credentials, Endpoint, JournalFile, UreqTransport, contract_of};
use imts_sandbox::{
    DEFAULT_AGENT, DEFAULT_SECRET, Delivery, Fault, Front, Operation, Rule, Sandbox, When,
};

use crate::{Folder, this_program};

const URL: &str = "IMTS_TEST_CROWD_URL";
const FILE: &str = "IMTS_TEST_CROWD_FILE";
const SEED: &str = "IMTS_TEST_CROWD_SEED";

/// How many intents there are: more by this variable, for a long run.
const INTENTS: &str = "IMTS_CROWD_INTENTS";

const CONTRACT: &str = "version = 1\n[operation.confirm]\npath = '/v5/partner/transfer/example'\n";

const PROCESSES: usize = 8;
const THREADS: usize = 32;

/// How long a process keeps the journal before it lets the next one have it.
const TURN: Duration = Duration::from_millis(700);

fn intents() -> usize {
    env::var(INTENTS).map_or(200, |number| number.parse().unwrap())
}

/// A process of the crowd: it goes through all intents, each thread from a place of its own, until its
/// turn is over.
#[test]
fn worker() {
    let (Ok(url), Ok(file), Ok(seed)) = (env::var(URL), env::var(FILE), env::var(SEED)) else {
        return;
    };
    let seed: usize = seed.parse().unwrap();
    let options = JournalFile::options().wait(Duration::from_secs(300));
    let client = Builder::new(Endpoint::plain_loopback(&url).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .contract(contract_of(CONTRACT).unwrap())
        .journal(options.open(file).unwrap())
        .blocking(UreqTransport::new().unwrap())
        .unwrap();
    let (all, is_over) = (intents(), AtomicBool::new(false));
    let until = Instant::now() + TURN;
    thread::scope(|scope| {
        for first in 0..THREADS {
            let (client, is_over) = (&client, &is_over);
            scope.spawn(move || {
                for number in 0..all {
                    if is_over.load(Ordering::SeqCst) || Instant::now() > until {
                        is_over.store(true, Ordering::SeqCst);
                        return;
                    }
                    let id = ((first * all / THREADS + number + seed) % all).to_string();
                    let request = serde_json::json!({ "client_uuid": id });
                    let confirm = Own::<Confirm, _>::new(request).with_reference(&id);
                    drop(client.call(&confirm));
                }
            });
        }
    });
    std::process::exit(if is_over.into_inner() { GOES_ON } else { 0 });
}

/// The exit code of a worker whose turn was over before it had been through all intents.
const GOES_ON: i32 = 17;

fn begin(front: &Front, file: &Path, seed: usize) -> Child {
    let mut child = this_program("crowd::worker");
    child.env(URL, front.url()).env(FILE, file).env(SEED, seed.to_string());
    child.spawn().unwrap()
}

/// Plays until so many workers have been through all intents; every now and then one is killed.
fn play(front: &Front, file: &Path, kills: bool) {
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = move |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    let mut crowd: Vec<_> = (0..PROCESSES).map(|seed| begin(front, file, seed)).collect();
    let (mut through, mut killed, mut begun) = (0, 0, PROCESSES);
    while through < PROCESSES {
        assert!(begun < 2_000, "it never ends: {through} through, {killed} killed");
        for child in &mut crowd {
            // A worker that was killed or whose turn is over makes room for another.
            match child.try_wait().unwrap() {
                None => continue,
                Some(status) if status.success() => through += 1,
                Some(status) => assert!(status.code().is_none_or(|it| it == GOES_ON), "{status}"),
            }
            begun += 1;
            *child = begin(front, file, begun);
        }
        if kills && killed < 40 {
            thread::sleep(Duration::from_millis(20 + roll(150)));
            let unlucky = usize::try_from(roll(PROCESSES as u64)).unwrap();
            drop(crowd[unlucky].kill());
            killed += 1;
        } else {
            thread::sleep(Duration::from_millis(5));
        }
    }
    for mut child in crowd {
        drop(child.kill());
        child.wait().unwrap();
    }
}

/// How often each intent was applied, held to what the journal says of it.
fn applied(front: &Front, file: &Path) -> Vec<u64> {
    let book = JournalFile::read(file).unwrap();
    let sandbox = front.sandbox();
    let one = |number: usize| {
        let id = number.to_string();
        let applied = sandbox.ledger().applied(Operation::Confirm, &id);
        let calls = book.calls().filter(|call| call.reference.as_deref() == Some(&*id));
        let states: Vec<_> = calls.map(|call| call.state).collect();
        let done = states.iter().filter(|state| **state == CallState::Done).count();
        let doubt = states.contains(&CallState::InDoubt);
        assert!(applied <= 1, "{id} was applied {applied} times: {states:?}");
        assert!(applied == 1 || done == 0, "{id} is done in the journal alone: {states:?}");
        assert!(applied == 0 || done == 1 || doubt, "{id} was applied: {states:?}");
        applied
    };
    (0..intents()).map(one).collect()
}

#[test]
fn a_crowd_without_faults_applies_each_intent_exactly_once() {
    let front = Front::start(Sandbox::with_contract(CONTRACT).unwrap()).unwrap();
    let folder = Folder::new();
    play(&front, &folder.path(), false);
    assert!(applied(&front, &folder.path()).iter().all(|applied| *applied == 1));
}

#[test]
fn a_crowd_with_kills_and_lost_replies_applies_none_twice() {
    let front = Front::start(Sandbox::with_contract(CONTRACT).unwrap()).unwrap();
    let lost = Rule {
        operation: Some(Operation::Confirm),
        when: When::Percent(20),
        fault: Fault::Delivery(Delivery::Reset),
    };
    front.sandbox().set_faults(vec![lost]);
    let folder = Folder::new();
    play(&front, &folder.path(), true);
    let book = JournalFile::read(folder.path()).unwrap();
    assert!(book.in_doubt().count() > 5, "replies were lost");
    let applied: u64 = applied(&front, &folder.path()).iter().sum();
    assert!(applied > intents() as u64 / 2, "{applied} of {} were applied", intents());
}

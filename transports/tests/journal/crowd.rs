//! Many threads of many processes want the same intents, processes are killed, replies are lost, and
//! the journal is compacted: each is applied at most once, and exactly once where nothing goes wrong.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, thread};

use imts::call::NotCallable;
use imts::journal::CallState;
use imts::journal::{Digest, Intent, IntentError, Scope};
use imts::operation::Custom;
use imts::service_file::service_of;
use imts::services::transfer::Confirm;
use imts::time::Wall;
use imts::{Builder, Credentials, Endpoint, JournalFile, UreqTransport};
use imts_sandbox::{
    DEFAULT_AGENT, DEFAULT_SECRET, Delivery, Fault, Front, Operation, Rule, Sandbox, When,
};

use crate::{Folder, this_program};

const URL: &str = "IMTS_TEST_CROWD_URL";
const FILE: &str = "IMTS_TEST_CROWD_FILE";
const SEED: &str = "IMTS_TEST_CROWD_SEED";

/// From how many bytes on the journal is compacted. A worker that has this also compacts it at once.
const COMPACT: &str = "IMTS_TEST_CROWD_COMPACT";

/// How many intents there are: more by this variable, for a long run.
const INTENTS: &str = "IMTS_CROWD_INTENTS";

const SERVICE_FILE: &str =
    "version = 1\n[operation.confirm]\npath = '/v5/partner/transfer/example'\n";

const PROCESSES: usize = 8;
const THREADS: usize = 32;

fn intents() -> usize {
    env::var(INTENTS).map_or(200, |number| number.parse().unwrap())
}

/// How many calls a process sends before it lets the next one have the journal. No time ends its
/// turn: on a busy machine nobody would ever get through.
fn turn() -> usize {
    intents() / 10
}

/// What became of the calls of a worker: `done`, `unknown`, `refused`, `not_sent`, and the intents that
/// the journal stood against.
const KINDS: [&str; 7] =
    ["done", "unknown", "refused", "not_sent", "already_done", "in_doubt", "in_progress"];

/// A process of the crowd: it goes through all intents, each thread from a place of its own, until its
/// turn is over.
#[test]
fn worker() {
    let (Ok(url), Ok(file), Ok(seed)) = (env::var(URL), env::var(FILE), env::var(SEED)) else {
        return;
    };
    let seed: usize = seed.parse().unwrap();
    let compact = env::var(COMPACT).ok().map(|bytes| bytes.parse().unwrap());
    let options = JournalFile::options().wait(Duration::from_secs(300)).compact_from(compact);
    let mut journal = options.open(&file).unwrap();
    fs::write(holder(Path::new(&file)), std::process::id().to_string()).unwrap();
    if compact.is_some() {
        journal.compact().unwrap();
    }
    let client = Builder::new(Endpoint::plain_loopback(&url).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .service(service_of(SERVICE_FILE).unwrap())
        .journal(journal)
        .blocking(UreqTransport::new().unwrap())
        .unwrap();
    let (all, sent, counts) = (intents(), AtomicUsize::new(0), [const { AtomicUsize::new(0) }; 7]);
    let is_over = || sent.load(Ordering::SeqCst) >= turn();
    thread::scope(|scope| {
        for first in 0..THREADS {
            let (client, sent, counts) = (&client, &sent, &counts);
            scope.spawn(move || {
                for number in (0..all).take_while(|_| !is_over()) {
                    let id = ((first * all / THREADS + number + seed) % all).to_string();
                    let request = serde_json::json!({ "client_uuid": id });
                    let confirm = Custom::<Confirm, _>::new(request).with_reference(&id);
                    let kind = match client.call(&confirm) {
                        Ok(outcome) => {
                            sent.fetch_add(1, Ordering::SeqCst);
                            outcome.ending().as_str()
                        }
                        Err(NotCallable::Intent(error)) => error.as_str(),
                        Err(error) => panic!("{error}"),
                    };
                    let place = KINDS.iter().position(|it| *it == kind);
                    counts[place.unwrap()].fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    let counts = counts.map(|count| count.into_inner().to_string());
    let mut tally = OpenOptions::new().append(true).create(true).open(tally(Path::new(&file)));
    tally.as_mut().unwrap().write_all((counts.join(" ") + "\n").as_bytes()).unwrap();
    std::process::exit(if is_over() { GOES_ON } else { 0 });
}

/// The exit code of a worker whose turn was over before it had been through all intents.
const GOES_ON: i32 = 17;

/// Where the process that has the journal open says its number.
fn holder(file: &Path) -> PathBuf {
    file.with_extension("holder")
}

/// Where each worker that was not killed says what became of its calls.
fn tally(file: &Path) -> PathBuf {
    file.with_extension("tally")
}

fn begin(front: &Front, file: &Path, compact: bool, seed: usize) -> Child {
    let mut child = this_program("crowd::worker");
    child.envs(compact.then_some((COMPACT, "20000")));
    child.env(URL, front.url()).env(FILE, file).env(SEED, seed.to_string());
    child.spawn().unwrap()
}

/// How many processes there were, and how many of them were killed: with the journal open, and while
/// they waited for it.
#[derive(Default)]
struct Played {
    begun: usize,
    killed: usize,
    killed_waiting: usize,
}

/// Plays until so many workers have been through all intents. Every now and then, by what the service
/// has seen, one is killed: mostly the one that has the journal open.
fn play(front: &Front, file: &Path, kills: usize) -> Played {
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = move |sides: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        usize::try_from(dice % sides as u64).unwrap()
    };
    let mut crowd: Vec<_> =
        (0..PROCESSES).map(|seed| begin(front, file, kills > 0, seed)).collect();
    let mut played = Played { begun: PROCESSES, ..Played::default() };
    let (mut through, mut next_kill) = (0, 1);
    while through < PROCESSES {
        assert!(played.begun < 2_000, "it never ends: {through} are through");
        for child in &mut crowd {
            // A worker that was killed or whose turn is over makes room for another.
            match child.try_wait().unwrap() {
                None => continue,
                Some(status) if status.success() => through += 1,
                Some(status) => assert!(status.code().is_none_or(|it| it == GOES_ON), "{status}"),
            }
            *child = begin(front, file, kills > 0 && played.begun.is_multiple_of(2), played.begun);
            played.begun += 1;
        }
        let seen = front.sandbox().count(Operation::Confirm);
        if played.killed + played.killed_waiting < kills && seen >= next_kill {
            next_kill = seen + 1 + roll(2 * intents() / kills / 3);
            let open = fs::read_to_string(holder(file)).unwrap_or_default();
            let holds = |child: &Child| child.id().to_string() == open;
            let any = roll(PROCESSES);
            let unlucky = crowd.iter().position(holds).filter(|_| roll(4) > 0).unwrap_or(any);
            let place = if holds(&crowd[unlucky]) {
                &mut played.killed
            } else {
                &mut played.killed_waiting
            };
            *place += 1;
            crowd[unlucky].kill().unwrap();
        }
        thread::sleep(Duration::from_millis(1));
    }
    for mut child in crowd {
        drop(child.kill());
        child.wait().unwrap();
    }
    played
}

/// What is known at the end, in lines.
fn table(front: &Front, file: &Path, played: &Played) -> [usize; 7] {
    let lines = fs::read_to_string(tally(file)).unwrap();
    let mut counts = [0; 7];
    for line in lines.lines() {
        for (count, number) in counts.iter_mut().zip(line.split(' ')) {
            *count += number.parse::<usize>().unwrap();
        }
    }
    let Played { begun, killed, killed_waiting } = played;
    println!("{} intents, {begun} processes of {THREADS} threads", intents());
    println!("killed with the journal open: {killed}; while waiting for it: {killed_waiting}");
    for (kind, count) in KINDS.iter().zip(counts) {
        println!("{count:>8} calls of processes that were not killed: {kind}");
    }
    let sandbox = front.sandbox();
    let twice = sandbox.ledger().applied_twice().count();
    println!("{:>8} requests at the service", sandbox.count(Operation::Confirm));
    println!("{:>8} intents applied, {twice} of them twice", sandbox.ledger().intents().count());
    let book = JournalFile::read_all(file).unwrap();
    println!("{:>8} calls in the journal: done, as hashes alone", book.hashed());
    for state in [CallState::Done, CallState::InDoubt, CallState::Intended, CallState::NotSent] {
        let count = book.calls().filter(|call| call.state == state).count();
        println!("{count:>8} calls in the journal: {state:?}");
    }
    counts
}

/// An intent as a worker has it.
fn intent(front: &Front, id: &str) -> Intent {
    let body = serde_json::json!({ "client_uuid": id }).to_string();
    let url = format!("{}/v5/partner/transfer/example", front.url());
    Intent {
        operation: "confirm".to_owned(),
        scope: Some(Scope { url, agent: DEFAULT_AGENT.to_owned() }),
        reference: Some(id.to_owned()),
        digest: Digest::of(body.as_bytes()),
        meaning: Some(Digest::of_meaning(body.as_bytes())),
        at: Wall::from_unix_micros(0),
        despite: None,
    }
}

/// How often each intent was applied, held to what the journal says of it.
fn applied(front: &Front, file: &Path) -> Vec<u64> {
    let book = JournalFile::read_all(file).unwrap();
    let sandbox = front.sandbox();
    let one = |number: usize| {
        let id = number.to_string();
        let applied = sandbox.ledger().applied(Operation::Confirm, &id);
        let answer = book.admit(&intent(front, &id));
        let is_done = matches!(answer, Err(IntentError::AlreadyDone { .. }));
        assert!(applied <= 1, "{id} was applied {applied} times: {answer:?}");
        assert!(applied == 1 || !is_done, "{id} is done in the journal alone: {answer:?}");
        let is_known = is_done || matches!(answer, Err(IntentError::InDoubt { .. }));
        assert!(applied == 0 || is_known, "{id} was applied: {answer:?}");
        applied
    };
    (0..intents()).map(one).collect()
}

#[test]
fn a_crowd_without_faults_applies_each_intent_exactly_once() {
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    let folder = Folder::new();
    let played = play(&front, &folder.path(), 0);
    let counts = table(&front, &folder.path(), &played);
    assert!(applied(&front, &folder.path()).iter().all(|applied| *applied == 1));
    assert_eq!(front.sandbox().count(Operation::Confirm), intents(), "requests");
    assert_eq!(counts[..4], [intents(), 0, 0, 0], "{KINDS:?}");
    assert!(counts[4] >= (PROCESSES - 1) * THREADS * intents(), "each asked for each: {counts:?}");
}

#[test]
fn a_crowd_with_kills_lost_replies_and_compactions_applies_none_twice() {
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    let lost = Rule {
        operation: Some(Operation::Confirm),
        when: When::Percent(20),
        fault: Fault::Delivery(Delivery::Reset),
    };
    front.sandbox().set_faults(vec![lost]);
    let folder = Folder::new();
    let kills = intents() / 25;
    let played = play(&front, &folder.path(), kills);
    let counts = table(&front, &folder.path(), &played);
    let applied: u64 = applied(&front, &folder.path()).iter().sum();
    assert!(played.killed >= kills / 2, "killed with the journal open: {}", played.killed);
    assert!(counts[1] >= intents() / 50, "few replies were lost: {counts:?}");
    assert!(counts[5] >= (PROCESSES - 1) * THREADS, "few were refused as in doubt: {counts:?}");
    assert!(applied > intents() as u64 / 4, "{applied} of {} were applied", intents());
    let bytes = fs::read(folder.path()).unwrap();
    assert!(bytes.starts_with(b"imts-journal 7\n"), "it was compacted");
}

//! A lease ends with its holder's life, or by its time.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use imts::Store;
use imts::store::StoreError;
use imts::store::file::FileStore;
use imts::swap::{Stamp, Swap};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};

use super::{FIRST, LONG, SECOND, claim, found, moved, third, this_program};
use crate::conformance::{AGENT, ENDPOINT, plain, put};
use crate::folder::Folder;

const PATH: &str = "IMTS_TEST_STORE_HOLDER";
const LEASE: &str = "IMTS_TEST_STORE_LEASE_MS";
const RESTS: &str = "IMTS_TEST_STORE_RESTS";

/// Runs in a process of its own: puts the first state with a lease, says so, and waits for its end.
#[test]
fn holder() {
    let Ok(path) = env::var(PATH) else { return };
    let lease = Duration::from_millis(env::var(LEASE).unwrap().parse().unwrap());
    let store = FileStore::open(path).unwrap();
    let swap = put(Stamp::NONE, FIRST).with_lease(lease, env::var(RESTS).is_ok());
    assert_eq!(moved(&store, &swap), Some(false));
    println!("holds");
    drop(std::io::stdin().read_line(&mut String::new()));
    drop(store);
}

struct Holder(Child);

impl Holder {
    fn with(folder: &Folder, lease: Duration, rests: bool) -> Self {
        let mut command = this_program("file::holders::holder");
        command.env(PATH, folder.path()).env(LEASE, lease.as_millis().to_string());
        if rests {
            command.env(RESTS, "1");
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("holds")), "it holds a lease");
        Self(child)
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn a_lease_is_over_as_soon_as_its_holder_is_killed() {
    let folder = Folder::new();
    let mut holder = Holder::with(&folder, LONG, false);
    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(moved(&store, &put(FIRST, SECOND)), None, "its holder lives");
    assert!(found(&store).held().is_some());
    holder.kill();
    assert_eq!(found(&store).held(), None);
    assert_eq!(moved(&store, &put(FIRST, SECOND)), Some(false));
}

#[test]
fn a_back_off_outlives_the_process_that_began_it() {
    let folder = Folder::new();
    let mut holder = Holder::with(&folder, LONG, true);
    holder.kill();
    let store = FileStore::open(folder.path()).unwrap();
    assert!(found(&store).held().is_some_and(|held| held.is_resting()));
    assert_eq!(moved(&store, &put(FIRST, SECOND)), None);
}

#[test]
fn a_stopped_holder_keeps_its_lease_until_its_time_and_no_longer() {
    let folder = Folder::new();
    let lease = Duration::from_millis(600);
    let holder = Holder::with(&folder, lease, false);
    holder.signal(Signal::STOP);
    let store = FileStore::open(folder.path()).unwrap();
    assert!(found(&store).held().is_some(), "it still has time");
    let asked = Instant::now();
    while moved(&store, &claim(FIRST, SECOND, LONG)).is_none() {
        assert!(asked.elapsed() < Duration::from_secs(60), "the lease never ends");
        thread::sleep(Duration::from_millis(10));
    }
    // The stopped process still has the lock that says that it lives; the new lease is not its own.
    let other = FileStore::open(folder.path()).unwrap();
    assert!(found(&other).held().is_some_and(|held| held.left() > LONG / 2));
    assert_eq!(moved(&other, &put(SECOND, third())), None);
    holder.signal(Signal::CONT);
}

#[test]
fn a_swap_waits_for_a_stopped_swap_only_as_long_as_it_may() {
    let folder = Folder::new();
    let store = FileStore::open(folder.path()).unwrap();
    // A process that was stopped in the middle of a swap has this lock.
    let lock = std::fs::File::open(folder.folder().join("session.lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let within = Duration::from_millis(120);
    let swap = Swap::look(ENDPOINT, AGENT, within).putting(Stamp::NONE, plain(FIRST));
    let asked = Instant::now();
    let answer = store.swap(&swap);
    assert!(matches!(answer, Err(StoreError::TimedOut)), "{answer:?}");
    assert!(asked.elapsed() >= within);
    flock(&lock, FlockOperation::Unlock).unwrap();
    assert_eq!(moved(&store, &swap), Some(false));
}

#[test]
fn the_holders_own_next_swap_is_not_kept_out_and_its_hand_over_ends_the_lease() {
    let folder = Folder::new();
    let (own, other) =
        (FileStore::open(folder.path()).unwrap(), FileStore::open(folder.path()).unwrap());
    let granted = Stamp { generation: 2, holder: 5, serial: 2 };
    assert_eq!(moved(&own, &claim(Stamp::NONE, FIRST, LONG)), Some(false));
    assert_eq!(moved(&other, &put(FIRST, SECOND)), None);
    assert_eq!(moved(&own, &put(FIRST, granted)), Some(false));
    // The next holder shows that it lives, too: its death is seen at once.
    assert_eq!(moved(&other, &claim(granted, third(), LONG)), Some(false));
    assert!(found(&own).held().is_some());
    drop(other);
    assert_eq!(found(&own).held(), None);
}

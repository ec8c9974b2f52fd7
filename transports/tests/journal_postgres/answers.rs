//! Answers of the database that are lost: the journal asks again, and recognizes what it has done.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use imts::JournalPostgres;
use imts::call::Ending;
use imts::journal::{CallState, Finding};
use imts::postgres::PostgresAddress;

use crate::servers::Postgres;
use crate::{at, ends, found, intends, sends, server};

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Before the server gets the commit.
    Before,
    /// After the server has answered it.
    After,
}

/// Stands between a client and a server, and cuts connections at commits.
struct Wire {
    port: u16,
    /// How many commits are still cut.
    left: Arc<AtomicUsize>,
}

impl Wire {
    fn new(server: &Postgres, cut: Cut) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, to) = (listener.local_addr().unwrap().port(), server.port());
        let left = Arc::new(AtomicUsize::new(0));
        let theirs = Arc::clone(&left);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, left) = (client.unwrap(), Arc::clone(&theirs));
                let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
                thread::spawn(move || carries(client, server, cut, &left));
            }
        });
        Self { port, left }
    }

    fn cuts(&self, commits: usize) {
        self.left.store(commits, Ordering::SeqCst);
    }

    fn address(&self) -> PostgresAddress {
        let port = self.port;
        PostgresAddress::new(&format!("postgres://payer@127.0.0.1:{port}/postgres")).unwrap()
    }
}

/// Carries what a client says to the server, and cuts at a commit.
fn carries(mut client: TcpStream, mut server: TcpStream, cut: Cut, left: &AtomicUsize) {
    let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let is_cut = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&is_cut);
    let answering = thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(length @ 1..) = answers.read(&mut bytes) {
            if seen.load(Ordering::SeqCst) == 1 {
                // The server has answered the commit, and the client does not learn it.
                break;
            }
            if back.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        drop((back.shutdown(Shutdown::Both), answers.shutdown(Shutdown::Both)));
    });
    let mut bytes = [0; 65_536];
    while let Ok(length @ 1..) = client.read(&mut bytes) {
        let is_commit = bytes[..length].windows(7).any(|word| word == b"COMMIT;");
        let one_less = |left: usize| left.checked_sub(1);
        let is_next = || left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
        if is_commit && is_next() {
            if cut == Cut::Before {
                break;
            }
            is_cut.store(1, Ordering::SeqCst);
        }
        if server.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    if is_cut.load(Ordering::SeqCst) == 0 {
        drop((client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both)));
    }
    answering.join().unwrap();
}

#[test]
fn an_answer_to_a_commit_that_is_lost_is_asked_for_again() {
    for cut in [Cut::Before, Cut::After] {
        let server = server();
        let wire = Wire::new(&server, cut);
        let mut journal = JournalPostgres::open(wire.address()).unwrap();
        let holder = || server.sql("SELECT DISTINCT holder FROM imts_journal_call");
        let id = intends(&mut journal, "17").unwrap();
        wire.cuts(1);
        sends(&mut journal, id, None).unwrap();
        assert_eq!(wire.left.load(Ordering::SeqCst), 0, "{cut:?}: it was not cut");
        let first = holder();
        wire.cuts(1);
        ends(&mut journal, id, Ending::Unknown).unwrap();
        wire.cuts(1);
        journal.resolve(id, found(Finding::Done)).unwrap();
        assert_eq!(wire.left.load(Ordering::SeqCst), 0, "{cut:?}: it was not cut");
        let calls = JournalPostgres::read_newest(&at(&server), 10).unwrap();
        assert_eq!(calls.len(), 1, "{cut:?}");
        assert_eq!((calls[0].id, calls[0].state), (id, CallState::Done), "{cut:?}");
        assert_eq!(holder(), first);
    }
}

#[test]
fn a_call_whose_sending_was_committed_unheard_is_in_doubt_for_the_other_clients() {
    let server = server();
    let wire = Wire::new(&server, Cut::After);
    let mut journal = JournalPostgres::open(wire.address()).unwrap();
    let mut other = JournalPostgres::open(at(&server)).unwrap();
    let (id, late) = (intends(&mut journal, "17").unwrap(), intends(&mut other, "17").unwrap());
    // More cuts than the journal tries within its time.
    wire.cuts(usize::MAX);
    sends(&mut journal, id, None).unwrap_err();
    sends(&mut other, late, None).unwrap_err();
    assert_eq!(JournalPostgres::read_in_doubt(&at(&server)).unwrap()[0].id, id);
}

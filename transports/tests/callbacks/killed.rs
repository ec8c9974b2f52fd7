//! A process that is killed between the claim and the stored answer.

use std::fs;
use std::thread;

use crate::folder::Folder;
use crate::message::{paid, tag};
use crate::process::{Server, deliver};

#[test]
fn a_process_killed_while_it_decides_leaves_the_message_to_the_next() {
    let folder = Folder::new();
    let mut stuck = Server::start(folder.path(), Some("1"));
    let address = stuck.address;
    let waits = thread::spawn(move || deliver(address, &paid("1", "21", "a")));
    stuck.line("deciding");
    stuck.kill();
    assert_eq!(waits.join().unwrap(), None, "nobody saw an answer");

    let mut next = Server::start(folder.path(), None);
    let (status, answer) = deliver(next.address, &paid("1", "21", "b")).unwrap();
    // The first delivery would have been rejected.
    assert_eq!((status, tag(&answer, "pg_status")), (200, Some("ok")));
    let decisions = fs::read_to_string(folder.path().join("decisions")).unwrap();
    assert_eq!(decisions, "1 first\n1 again\n");
    let alarms = fs::read_to_string(folder.path().join("alarms")).unwrap();
    assert_eq!(alarms.matches("refund it by hand").count(), 1, "{alarms}");

    next.kill();
    let third = Server::start(folder.path(), None);
    assert_eq!(deliver(third.address, &paid("1", "21", "c")).unwrap(), (200, answer));
    let decisions = fs::read_to_string(folder.path().join("decisions")).unwrap();
    assert_eq!(decisions.lines().count(), 2, "it was decided before: {decisions}");
}

#[test]
fn a_delivery_to_another_process_waits_for_the_one_that_decides() {
    let folder = Folder::new();
    let mut stuck = Server::start(folder.path(), Some("1"));
    let other = Server::start(folder.path(), None);
    let addresses = [stuck.address, other.address];
    let first = thread::spawn(move || deliver(addresses[0], &paid("1", "20", "a")));
    stuck.line("deciding");
    let second = thread::spawn(move || deliver(addresses[1], &paid("1", "20", "b")));
    // The system drops the lock of a killed process, and the other one goes on.
    stuck.kill();
    assert_eq!(first.join().unwrap(), None);
    let (status, answer) = second.join().unwrap().unwrap();
    assert_eq!((status, tag(&answer, "pg_status")), (200, Some("ok")));
    let decisions = fs::read_to_string(folder.path().join("decisions")).unwrap();
    assert_eq!(decisions, "1 first\n1 again\n");
}

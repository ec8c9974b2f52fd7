//! The process that makes the calls, so that it can be stopped and continued.
//!
//! It reads a line for each batch of calls (`FIRST COUNT HOLD`), and prints a line for each call's end
//! (`@end NUMBER END BEGAN ENDED`), then `@ready`.

use std::env;
use std::io::{self, BufRead, Write};
use std::sync::mpsc;

use crate::callers::{Caller, End, Kind, Place, Tasks};

pub(crate) const KIND: &str = "IMTS_TEST_DEAD_KIND";
pub(crate) const URL: &str = "IMTS_TEST_DEAD_URL";
pub(crate) const AUTHORITY: &str = "IMTS_TEST_DEAD_AUTHORITY";

/// Runs in a process of its own.
#[test]
fn caller() {
    let (Ok(kind), Ok(url)) = (env::var(KIND), env::var(URL)) else { return };
    let kind = Kind::ALL.into_iter().find(|known| known.to_string() == kind).unwrap();
    let place = Place { url, authority: env::var(AUTHORITY).ok() };
    let caller = Caller::new(kind, &place, || {});
    // The harness has begun a line.
    say("");
    say("@ready");
    let mut held = None;
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        let numbers: Vec<usize> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        let [first, count, hold] = numbers[..] else { panic!("{line}") };
        let numbers: Vec<_> = (first..first + count).map(|number| number.to_string()).collect();
        drop(held.take());
        for (number, went) in numbers.iter().zip(caller.calls(&numbers)) {
            let end = word(went.end);
            say(&format!("@end {number} {end} {} {}", went.began, went.ended));
        }
        if hold == 1 {
            held = hold_worker(&caller);
        }
        say("@ready");
    }
}

/// Keeps a runtime's only worker busy until what is returned is dropped.
fn hold_worker(caller: &Caller) -> Option<mpsc::Sender<()>> {
    let Caller::Tasks(Tasks::MultiThread, runtime, _) = caller else { return None };
    let (release, released) = mpsc::channel::<()>();
    let (holds, is_held) = mpsc::channel();
    runtime.spawn(async move {
        holds.send(()).unwrap();
        released.recv().unwrap_err();
    });
    is_held.recv().unwrap();
    Some(release)
}

/// Past the harness, which keeps what `println` prints.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

const ENDS: [(End, &str); 3] =
    [(End::Done, "done"), (End::NotSent, "not-sent"), (End::Unknown, "unknown")];

fn word(end: End) -> &'static str {
    ENDS.into_iter().find(|(known, _)| *known == end).unwrap().1
}

pub(crate) fn end_of(word: &str) -> End {
    ENDS.into_iter().find(|(_, known)| *known == word).expect(word).0
}

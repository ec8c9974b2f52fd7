//! Plays the plan of a schedule: tells one child when to call, stops and continues it, and counts what
//! became of its calls.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::callers::{End, Kind, Place, Went};
use crate::service::{Certified, Idle, Service};
use crate::wire::Close;
use crate::{Dice, child};

/// What became of the calls of one child.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) calls: usize,
    pub(crate) done: usize,
    pub(crate) not_sent: usize,
    /// The end is unknown, the request never arrived, and no connection was closed while it was sent.
    pub(crate) lost: usize,
    /// The same, and a connection was closed between the call's begin and its end.
    pub(crate) race: usize,
    /// The request arrived, and the call does not know.
    pub(crate) reply_lost: usize,
    pub(crate) connections: usize,
    pub(crate) slowest_ms: u64,
    /// What is wrong with which call.
    pub(crate) remarks: Vec<String>,
}

/// Makes at least so many calls.
pub(crate) fn play(kind: Kind, tls: Option<Certified>, seed: u64, calls: usize) -> Counts {
    let lives = Mutex::new(Dice::new(seed));
    let (config, authority) = tls.unzip();
    let service = Service::start(config, move || life(&mut lives.lock().unwrap()));
    let mut process = Process::start(kind, &Place { url: service.url(), authority });
    // The same for each child: the plan is compared, not the luck.
    let mut plan = Dice::new(!seed);
    let mut went = Vec::new();
    while went.len() < calls {
        let (count, hold) = (if plan.roll(8) == 0 { 3 } else { 1 }, plan.roll(3) == 0);
        process.say(went.len(), count, hold);
        process.go_on();
        went.extend(process.ends(count));
        let gap = plan.roll(GAP_MS * 1_000).min(plan.roll(GAP_MS * 1_000));
        let (stops, first) = (plan.roll(4) == 0, plan.roll(gap + 1));
        thread::sleep(Duration::from_micros(first));
        if stops {
            process.stop();
        }
        thread::sleep(Duration::from_micros(gap - first));
    }
    process.go_on();
    process.end();
    count(&service, &went)
}

/// The longest time between two calls; most are shorter.
const GAP_MS: u64 = 120;

/// How long a connection may be idle, and how it ends.
fn life(dice: &mut Dice) -> Idle {
    let by = match dice.roll(20) {
        0..8 => Close::Fin,
        8..14 => Close::Reset,
        14..17 => Close::Half,
        _ => Close::Farewell,
    };
    Idle::Ends(Duration::from_micros(1_000 + dice.roll(GAP_MS * 1_000)), by)
}

fn count(service: &Service, went: &[Went]) -> Counts {
    let ledger = service.ledger();
    let connections = ledger.connections;
    let mut counts = Counts { calls: went.len(), connections, ..Counts::default() };
    for (number, went) in went.iter().enumerate() {
        let arrived = ledger.arrived(&number.to_string());
        counts.slowest_ms = counts.slowest_ms.max((went.ended - went.began) / 1_000_000);
        let raced = ledger.closed_within(went.began, went.ended);
        let count = match (went.end, arrived) {
            (End::Done, 1) => &mut counts.done,
            (End::NotSent, 0) => &mut counts.not_sent,
            (End::Unknown, 0) if raced => &mut counts.race,
            (End::Unknown, 0) => &mut counts.lost,
            (End::Unknown, 1) => &mut counts.reply_lost,
            (end, arrived) => panic!("call {number} is {end:?} and arrived {arrived} times"),
        };
        *count += 1;
        if went.end != End::Done && !raced {
            counts.remarks.push(format!("call {number}: {went:?}, arrived {arrived} times"));
        }
    }
    counts
}

/// The child.
struct Process {
    child: Child,
    is_stopped: bool,
    orders: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
}

impl Process {
    fn start(kind: Kind, place: &Place) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child::caller", "--nocapture"]);
        command.env(child::KIND, kind.to_string()).env(child::URL, &place.url);
        if let Some(authority) = &place.authority {
            command.env(child::AUTHORITY, authority);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let orders = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { child, is_stopped: false, orders, lines };
        process.ends(0);
        process
    }

    fn say(&mut self, first: usize, count: usize, hold: bool) {
        let order = format!("{first} {count} {}\n", u8::from(hold));
        self.orders.as_mut().unwrap().write_all(order.as_bytes()).unwrap();
    }

    /// How so many calls went, once the child is ready for more.
    fn ends(&mut self, count: usize) -> Vec<Went> {
        let mut went = Vec::new();
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                let mut said = String::new();
                self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("the child has died: {said}");
            }
            let words: Vec<_> = line.split_whitespace().collect();
            match words[..] {
                ["@ready"] => break,
                ["@end", _, end, began, ended] => went.push(Went {
                    end: child::end_of(end),
                    began: began.parse().unwrap(),
                    ended: ended.parse().unwrap(),
                }),
                _ => {}
            }
        }
        assert_eq!(went.len(), count);
        went
    }

    fn stop(&mut self) {
        self.signal(Signal::STOP);
        self.is_stopped = true;
    }

    fn go_on(&mut self) {
        if self.is_stopped {
            self.signal(Signal::CONT);
            self.is_stopped = false;
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn end(mut self) {
        drop(self.orders.take());
        let mut said = String::new();
        self.lines.read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

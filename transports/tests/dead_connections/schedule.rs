//! The schedule: hundreds of calls at random gaps, while idle connections are closed at random moments.

use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fmt, thread};

use crate::LIMIT;
use crate::callers::{Kind, Tasks};
use crate::drive::{Counts, play};
use crate::service::certified;

/// How many calls each client makes: more by this variable, for a long run.
const CALLS: &str = "IMTS_DEAD_CONNECTION_CALLS";

/// Repeats the plan of another run.
const SEED: &str = "IMTS_DEAD_CONNECTION_SEED";

/// One line of the table.
struct Row {
    kind: Kind,
    is_secure: bool,
    counts: Counts,
}

struct Table {
    seed: u64,
    rows: Vec<Row>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        writeln!(
            f,
            "{:<15} {:<15} {:<5} {:>6} {:>6} {:>9} {:>22} {:>6} {:>11} {:>12} {:>11}",
            "client",
            "runtime",
            "over",
            "calls",
            "done",
            "not sent",
            "lost, never arrived",
            "race",
            "reply lost",
            "connections",
            "slowest, ms",
        )?;
        for Row { kind, is_secure, counts } in &self.rows {
            writeln!(
                f,
                "{:<15} {:<15} {:<5} {:>6} {:>6} {:>9} {:>22} {:>6} {:>11} {:>12} {:>11}",
                kind.client(),
                kind.runtime(),
                if *is_secure { "TLS" } else { "TCP" },
                counts.calls,
                counts.done,
                counts.not_sent,
                counts.lost,
                counts.race,
                counts.reply_lost,
                counts.connections,
                counts.slowest_ms,
            )?;
        }
        Ok(())
    }
}

#[test]
fn nothing_is_lost_on_a_dead_connection() {
    let calls = env::var(CALLS).map_or(200, |number| number.parse().unwrap());
    let fresh = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
    let seed = env::var(SEED).map_or_else(|_| fresh(), |seed| seed.parse().unwrap());
    let secure = certified();
    let plain = Kind::ALL.map(|kind| (kind, None));
    let ours = Kind::ALL.into_iter().filter(|kind| !kind.is_bare());
    let all: Vec<_> =
        plain.into_iter().chain(ours.map(|kind| (kind, Some(secure.clone())))).collect();
    let rows = thread::scope(|scope| {
        let one = |(kind, tls): (Kind, Option<_>)| {
            let is_secure = tls.is_some();
            scope.spawn(move || Row { kind, is_secure, counts: play(kind, tls, seed, calls) })
        };
        let rows: Vec<_> = all.into_iter().map(one).collect();
        rows.into_iter().map(|row| row.join().unwrap()).collect()
    });
    let table = Table { seed, rows };
    println!("{table}");
    for Row { kind, counts, .. } in table.rows.iter().filter(|row| !row.kind.is_bare()) {
        let about = format!("{kind}: {:#?}\n{table}", counts.remarks);
        assert_eq!(counts.done + counts.race, counts.calls, "{about}");
        assert!(u128::from(counts.slowest_ms) < LIMIT.as_millis() / 2, "a call hung: {about}");
        assert!(counts.race <= counts.calls / 20, "the race is rare: {about}");
        // Without a second use of any connection there would be nothing to lose.
        assert!(counts.connections < counts.calls * 9 / 10, "{about}");
    }
    // The schedule bites: a client that does not look at its connections loses calls.
    let blind = Kind::BareReqwest(Tasks::CurrentThread);
    let blind = table.rows.iter().find(|row| row.kind == blind).unwrap();
    assert!(blind.counts.lost > 0, "{table}");
}

//! What an ask costs while a token is valid.

use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::names;
use crate::measure::{Batch, Samples, interleaved, print_table};
use crate::peer::{Peer, Visit};
use crate::peers::visit_asking;
use crate::pinned;
use crate::ready::{Ready, here};
use crate::service::TOKEN_BYTES;

/// Rows as they come: names, and what is measured of them.
struct Rows<'a> {
    names: Vec<Vec<String>>,
    batches: Vec<Batch<'a>>,
}

/// What is asked for.
#[derive(Clone, Copy)]
enum Wanted {
    Token,
    Authorization,
}

struct OneThread<'a>(Rows<'a>, Wanted);

impl Visit for OneThread<'_> {
    fn visit<P: Peer>(&mut self) {
        let (ready, runtime, wanted) = (Ready::<P>::new(), here(), self.1);
        self.0.batches.push(Box::new(move |times| {
            let peer = &ready.peer;
            runtime.block_on(async {
                let begin = Instant::now();
                match wanted {
                    Wanted::Token => peer.tokens(times).await,
                    Wanted::Authorization => peer.authorizations(times).await,
                }
                begin.elapsed()
            })
        }));
        let result = match wanted {
            Wanted::Token => P::RESULT,
            Wanted::Authorization => "HeaderValue, sensitive",
        };
        self.0.names.push([&names::<P>()[..], &[result.to_owned()]].concat());
    }
}

fn one_thread(rounds: usize, wanted: Wanted, title: &str, how: &str) {
    let mut visitor = OneThread(Rows { names: Vec::new(), batches: Vec::new() }, wanted);
    visit_asking(&mut visitor);
    let Rows { names, mut batches } = visitor.0;
    let samples = interleaved(rounds, &mut batches);
    let rows: Vec<_> = names
        .into_iter()
        .zip(samples)
        .map(|(names, ns)| [names, vec![ns.to_string()]].concat())
        .collect();
    print_table(title, how, &["crate", "asked", "yields", "ns"], &rows);
}

/// One thread, one valid token.
pub fn hot(rounds: usize) {
    one_thread(
        rounds,
        Wanted::Token,
        "A token that is valid, one thread",
        &format!(
            "{TOKEN_BYTES}-byte token, tokio current-thread runtime, 1 thread; what is yielded is dropped at once."
        ),
    );
}

/// From a valid token to what goes into a request.
pub fn authorization(rounds: usize) {
    one_thread(
        rounds,
        Wanted::Authorization,
        "To a value of `Authorization`",
        &format!(
            "{TOKEN_BYTES}-byte token, tokio current-thread runtime, 1 thread. If a crate yields text, the text is formatted and marked as sensitive."
        ),
    );
}

struct Threads {
    rows: Vec<Vec<String>>,
    measured: Vec<Measured>,
}

struct Measured {
    run: Box<dyn Fn(usize) -> f64>,
    samples: [Samples; 3],
}

const THREADS: [usize; 3] = [1, 2, 8];

impl Visit for Threads {
    fn visit<P: Peer>(&mut self) {
        let ready = Ready::<P>::new();
        self.rows.push(names::<P>().to_vec());
        self.measured.push(Measured {
            run: Box::new(move |threads| millions_a_second(&ready.peer, threads)),
            samples: Default::default(),
        });
    }
}

/// Asks from so many threads at once, each with a runtime of its own.
fn millions_a_second<P: Peer>(peer: &Arc<P>, threads: usize) -> f64 {
    const TIME: Duration = Duration::from_millis(20);
    const TIMES: u32 = 1_000;
    let barrier = Arc::new(Barrier::new(threads));
    let begun: Vec<_> = (0..threads)
        .map(|number| {
            let (peer, barrier) = (Arc::clone(peer), Arc::clone(&barrier));
            std::thread::spawn(move || {
                pinned::in_turn(number);
                here().block_on(async {
                    barrier.wait();
                    let (begin, mut asks) = (Instant::now(), 0);
                    while begin.elapsed() < TIME {
                        peer.tokens(TIMES).await;
                        asks += TIMES;
                    }
                    (begin, Instant::now(), asks)
                })
            })
        })
        .collect();
    let join = |thread: JoinHandle<_>| thread.join().expect("no asker panics");
    let spans: Vec<(Instant, Instant, u32)> = begun.into_iter().map(join).collect();
    let begin = spans.iter().map(|span| span.0).min();
    let end = spans.iter().map(|span| span.1).max();
    let wall = begin.zip(end).map_or(Duration::MAX, |(begin, end)| end - begin);
    let asks: u32 = spans.iter().map(|span| span.2).sum();
    f64::from(asks) / wall.as_secs_f64() / 1e6
}

/// Several threads that share one client.
pub fn threads(rounds: usize) {
    let mut visitor = Threads { rows: Vec::new(), measured: Vec::new() };
    visit_asking(&mut visitor);
    let Threads { rows, mut measured } = visitor;
    for _ in 0..rounds {
        for Measured { run, samples } in &mut measured {
            for (samples, threads) in samples.iter_mut().zip(THREADS) {
                samples.push(run(threads));
            }
        }
    }
    let rows: Vec<_> = rows
        .into_iter()
        .zip(measured)
        .map(|(mut row, Measured { samples, .. })| {
            let [one, two, eight] = &samples;
            row.extend(samples.iter().map(ToString::to_string));
            row.push(format!("{:.2}", two.median() / one.median()));
            row.push(format!("{:.2}", eight.median() / one.median()));
            row
        })
        .collect();
    print_table(
        "Threads that share one client",
        &format!(
            "Millions of tokens a second by all threads together; {TOKEN_BYTES}-byte token, one client, a current-thread runtime in each thread, the threads pinned to the cores in turn."
        ),
        &["crate", "asked", "1 thread", "2 threads", "8 threads", "2 ÷ 1", "8 ÷ 1"],
        &rows,
    );
}

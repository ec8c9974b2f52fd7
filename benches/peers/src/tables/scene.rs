//! Scenes that every client is put in, in turn.
//!
//! Owns the walk through clients and rounds. Knows no scene.

use std::marker::PhantomData;

use super::names;
use crate::measure::{Samples, print_table};
use crate::peer::{Peer, Visit};
use crate::peers::visit_all;
use crate::ready::several;

/// One scene, which any client can be put in. Yields the numbers of a row.
pub(super) trait Scene {
    const COLUMNS: &'static [&'static str];

    fn play<P: Peer>() -> impl Future<Output = Vec<f64>>;

    /// Who plays in it.
    fn cast(visitor: &mut impl Visit) {
        visit_all(visitor);
    }
}

/// Plays a scene with every client in turn, in each round.
struct Rows<S> {
    rows: Vec<(Vec<String>, Vec<Samples>)>,
    at: usize,
    scene: PhantomData<S>,
}

impl<S: Scene> Visit for Rows<S> {
    fn visit<P: Peer>(&mut self) {
        // A runtime for each play: what a client left running in it ends with it.
        let runtime = several();
        let numbers = runtime.block_on(S::play::<P>());
        runtime.shutdown_background();
        if self.rows.len() == self.at {
            self.rows.push((names::<P>().to_vec(), vec![Samples::default(); numbers.len()]));
        }
        let row = self.rows.get_mut(self.at).map(|(_, samples)| samples);
        for (samples, number) in row.into_iter().flatten().zip(numbers) {
            samples.push(number);
        }
        self.at += 1;
    }
}

/// Plays a scene so many rounds, and prints its table.
pub(super) fn play<S: Scene>(rounds: usize, title: &str, how: &str) {
    let mut visitor = Rows::<S> { rows: Vec::new(), at: 0, scene: PhantomData };
    for _ in 0..rounds {
        visitor.at = 0;
        S::cast(&mut visitor);
    }
    let rows: Vec<_> = visitor
        .rows
        .into_iter()
        .map(|(mut row, samples)| {
            row.extend(samples.iter().map(ToString::to_string));
            row
        })
        .collect();
    let head = [&["crate", "asked"], S::COLUMNS].concat();
    print_table(title, how, &head, &rows);
}

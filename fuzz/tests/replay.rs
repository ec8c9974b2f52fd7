//! Every input of the committed corpora, once, on stable.

use std::fs;
use std::path::{Path, PathBuf};

use imts_fuzz::reply::{self, Depth};

/// The inputs of a target, by name.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut inputs: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    inputs.sort();
    inputs
}

#[test]
fn the_corpus_of_reply_holds_and_reaches_a_grant() {
    let inputs = corpus("reply");
    assert!(inputs.len() >= 40, "only {} inputs", inputs.len());
    let granted = inputs.iter().filter(|(path, data)| {
        println!("{}", path.display());
        reply::run(data) == Depth::Granted
    });
    let granted = granted.count();
    println!("{granted} of {} inputs reached a grant", inputs.len());
    assert!(granted * 20 >= inputs.len(), "fewer than 5 % reach a grant");
}

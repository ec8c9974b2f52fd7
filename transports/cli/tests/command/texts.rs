//! Every text that the command shows, in one file to read as a whole: `texts/all.txt`. Each text in it
//! was printed by the command itself, against a real sandbox.
//!
//! `IMTS_WRITE_TEXTS=1 cargo test -p imts-cli --test command texts` writes the file anew.

mod calls;
mod commands;
mod demos;
mod diff;
mod helps;
mod journals;
mod literals;
mod mistakes;
mod profiles;
mod replies;
mod scenes;
mod sessions;
mod settings;
mod signals;
mod signatures;
mod stores;

use std::path::PathBuf;
use std::{env, fs, thread};

use self::scenes::Scenes;

/// A part of the file: its title, and what makes its scenes.
type Part = (&'static str, fn(&mut Scenes));

const PARTS: [Part; 13] = [
    ("help", helps::shoot),
    ("mistakes on the command line", mistakes::shoot),
    ("settings that cannot be used", settings::shoot),
    ("profiles", profiles::shoot),
    ("a sign-in and what the service replies", replies::shoot),
    ("calls", calls::shoot),
    ("commands with a token", commands::shoot),
    ("journals", journals::shoot),
    ("stores", stores::shoot),
    ("watch and sandbox", sessions::shoot),
    ("signatures", signatures::shoot),
    ("signals", signals::shoot),
    ("the demo", demos::shoot),
];

const HEAD: &str = "\
Every text that the command shows. A test makes this file: see texts.rs.
PORT, FOLDER, DATE, TIME, N, DIGEST and TOKEN stand for what differs from run to run.
A line of stderr begins with `! `. The exit code follows if it is not 0.
";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/command/texts/all.txt")
}

fn on_file() -> String {
    fs::read_to_string(path()).unwrap_or_default()
}

#[test]
fn the_texts_are_those_of_the_file() {
    let parts: Vec<String> = thread::scope(|scope| {
        let parts = PARTS.map(|(title, shoot)| {
            scope.spawn(move || {
                let mut scenes = Scenes::new(title);
                shoot(&mut scenes);
                scenes.into_text()
            })
        });
        parts.map(|part| part.join().unwrap()).into()
    });
    let printed = format!("{HEAD}{}", parts.concat());
    if env::var_os("IMTS_WRITE_TEXTS").is_some() {
        fs::write(path(), printed).unwrap();
        return;
    }
    let changes = diff::lines(&on_file(), &printed);
    assert!(
        changes.is_empty(),
        "the command shows other texts than tests/command/texts/all.txt:\n{changes}\n\
         If they are meant, write the file anew: IMTS_WRITE_TEXTS=1 cargo test -p imts-cli --test command texts"
    );
}

#[test]
fn each_text_of_the_source_is_in_the_file_or_cannot_be_provoked() {
    let found = literals::missing(&on_file());
    assert!(found.is_empty(), "not in tests/command/texts/all.txt:\n{}", found.join("\n"));
}

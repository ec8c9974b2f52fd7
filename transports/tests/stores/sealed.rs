//! What a store holds once it is sealed, and which key opens it.

use std::fs;

use imts::store::StoreError;
use imts::store::file::FileStore;
use imts::store::sealed::{Keys, Sealed};
use imts::swap::{Found, Stamp, Swap, Swapped};
use imts::{Saved, Store};

use crate::conformance::{AGENT, ENDPOINT, look, stamp, state, state_of};
use crate::folder::Folder;

const KEY: [u8; 32] = [7; 32];
const OLD: [u8; 32] = [9; 32];
const ACCESS: &str = "canary-access-token";
const REFRESH: &str = "canary-refresh-token";

fn first() -> Stamp {
    stamp(1, 5, 1)
}

fn second() -> Stamp {
    stamp(2, 5, 2)
}

fn of(stamp: Stamp) -> Saved {
    state(stamp, ACCESS, REFRESH)
}

fn sealed(folder: &Folder, keys: Keys) -> impl Store {
    Sealed::over(FileStore::open(folder.path()).unwrap(), keys)
}

#[track_caller]
fn done(store: &impl Store, expects: Stamp, state: Saved) {
    let answer = store.swap(&look().putting(expects, state)).unwrap();
    assert!(matches!(answer, Swapped::Done { .. }), "{answer:?}");
}

#[track_caller]
fn found(answer: Result<Swapped, StoreError>) -> Found {
    match answer.unwrap() {
        Swapped::Other(found) => found,
        done @ Swapped::Done { .. } => panic!("{done:?}"),
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn no_token_is_in_the_file_and_the_same_key_opens_it() {
    let folder = Folder::new();
    done(&sealed(&folder, Keys::new(KEY)), Stamp::NONE, of(first()));
    let bytes = fs::read(folder.path()).unwrap();
    assert!(!contains(&bytes, "canary") && !contains(&bytes, "version"), "it is sealed");
    let found = found(sealed(&folder, Keys::new(KEY)).swap(&look()));
    assert_eq!(found.saved().unwrap().to_json(), of(first()).to_json());
}

#[test]
fn the_same_state_is_never_sealed_into_the_same_bytes() {
    let bodies = [(); 2].map(|()| {
        let folder = Folder::new();
        done(&sealed(&folder, Keys::new(KEY)), Stamp::NONE, of(first()));
        let bytes = fs::read(folder.path()).unwrap();
        let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        bytes[line + 1..].to_vec()
    });
    assert_ne!(bodies[0], bodies[1]);
}

#[test]
fn a_key_is_changed_by_adding_the_new_one_as_an_old_one_first() {
    let folder = Folder::new();
    done(&sealed(&folder, Keys::new(OLD)), Stamp::NONE, of(first()));
    // Some processes already seal with the new key, and the others can open it.
    let (early, late) = (Keys::new(OLD).and_old(KEY), Keys::new(KEY).and_old(OLD));
    done(&sealed(&folder, late), first(), of(second()));
    assert!(found(sealed(&folder, early).swap(&look())).saved().is_some());
}

#[test]
fn what_is_sealed_with_another_key_is_reported_and_never_replaced() {
    let folder = Folder::new();
    done(&sealed(&folder, Keys::new(OLD)), Stamp::NONE, of(first()));
    let before = fs::read(folder.path()).unwrap();
    let other = sealed(&folder, Keys::new(KEY));
    let without = FileStore::open(folder.path()).unwrap();
    for swap in [look(), look().putting(Stamp::NONE, of(second()))] {
        for answer in [other.swap(&swap), without.swap(&swap)] {
            assert!(matches!(answer, Err(StoreError::UnknownKey)), "{answer:?}");
        }
    }
    assert_eq!(fs::read(folder.path()).unwrap(), before);
}

#[test]
fn a_changed_byte_breaks_the_seal_and_the_state_counts_as_not_there() {
    let folder = Folder::new();
    let store = sealed(&folder, Keys::new(KEY));
    done(&store, Stamp::NONE, of(first()));
    let whole = fs::read(folder.path()).unwrap();
    let body = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    // The nonce, the first byte of the cipher, and the last one of the seal.
    for place in [body + 13, body + 25, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(folder.path(), bytes).unwrap();
        let found = found(store.swap(&look()));
        assert_eq!((found.stamp(), found.saved().is_none()), (first(), true), "{place}");
    }
    done(&store, first(), of(second()));
}

#[test]
fn a_sealed_state_opens_at_no_other_stamp_agent_or_endpoint() {
    let folder = Folder::new();
    let store = sealed(&folder, Keys::new(KEY));
    done(&store, Stamp::NONE, of(first()));
    let old = fs::read(folder.path()).unwrap();
    let text = String::from_utf8_lossy(&old).into_owned();
    let (line, _) = text.split_once('\n').unwrap();
    let body = &old[line.len() + 1..];
    let words: Vec<_> = line.split(' ').collect();
    let (entry, at) = (words[3], words[4]);
    let elsewhere = [
        (line.replace(at, "9.5.1"), look()),
        (
            line.replace(entry, &entry.replace("agent", "other")),
            Swap::look(ENDPOINT, AGENT.replace("agent", "other"), look().within()),
        ),
        (
            line.replace(entry, &entry.replace("sandbox", "other")),
            Swap::look(ENDPOINT.replace("sandbox", "other"), AGENT, look().within()),
        ),
    ];
    for (line, swap) in elsewhere {
        fs::write(folder.path(), [line.as_bytes(), b"\n", body].concat()).unwrap();
        assert!(found(store.swap(&swap)).saved().is_none(), "{line}");
    }
    fs::write(folder.path(), old).unwrap();
    assert!(found(store.swap(&look())).saved().is_some(), "in its own place it opens");
}

#[test]
fn a_store_can_be_switched_to_sealing() {
    let folder = Folder::new();
    done(&FileStore::open(folder.path()).unwrap(), Stamp::NONE, of(first()));
    let store = sealed(&folder, Keys::new(KEY));
    let found = found(store.swap(&look()));
    assert_eq!((found.stamp(), found.saved().is_none()), (first(), true));
    done(&store, first(), of(second()));
}

#[test]
fn no_error_and_no_debug_text_has_a_key_or_a_token() {
    let folder = Folder::new();
    let key = *b"canary-key-of-thirty-two-bytes-x";
    let store = Sealed::over(FileStore::open(folder.path()).unwrap(), Keys::new(key).and_old(key));
    let own = format!("{store:?}");
    done(&store, Stamp::NONE, of(first()));
    let foreign = state_of("another", second(), ACCESS, REFRESH);
    let answer = Swap::look(ENDPOINT, "another", look().within()).putting(first(), foreign);
    let error = store.swap(&answer).unwrap_err();
    let shown = [own, format!("{:?}", store.swap(&look())), format!("{error} {error:?}")];
    for text in shown {
        assert!(!text.contains("canary") && !text.contains("99, 97, 110"), "{text}");
    }
}

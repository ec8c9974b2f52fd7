//! What a store does with a register that is damaged, newer, another's, copied, or put back.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use imts::Store;
use imts::store::StoreError;
use imts::store::file::FileStore;
use imts::swap::{Stamp, Swap};

use super::{FIRST, LONG, SECOND, claim, found, moved, third, with_first};
use crate::conformance::{ENDPOINT, put, state_of};
use crate::folder::Folder;

#[test]
fn a_damaged_register_counts_as_nothing_and_is_kept_once() {
    let folder = Folder::new();
    let store = with_first(&folder);
    let whole = fs::read(folder.path()).unwrap();
    let aside = folder.folder().join("session.damaged");
    let half = &whole[..whole.len() / 2];
    fs::write(folder.path(), half).unwrap();
    assert_eq!(found(&store).stamp(), Stamp::NONE);
    assert_eq!(fs::read(&aside).unwrap(), half);
    assert_eq!(fs::metadata(&aside).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(moved(&store, &put(Stamp::NONE, SECOND)), Some(false));
    fs::write(folder.path(), "something else").unwrap();
    assert_eq!(found(&store).stamp(), Stamp::NONE);
    assert_eq!(fs::read(&aside).unwrap(), half, "the first one is kept");
    assert_eq!(moved(&store, &put(Stamp::NONE, third())), Some(false));
}

#[test]
fn a_state_with_a_changed_byte_keeps_its_stamp_and_can_be_replaced() {
    let folder = Folder::new();
    let store = with_first(&folder);
    let text = fs::read_to_string(folder.path()).unwrap();
    fs::write(folder.path(), text.replace("\"version\":2", "\"version\":x")).unwrap();
    let found = found(&store);
    assert_eq!((found.stamp(), found.saved().is_none()), (FIRST, true));
    assert_eq!(moved(&store, &put(FIRST, SECOND)), Some(false));
}

#[test]
fn what_a_newer_version_wrote_is_never_replaced() {
    for (from, to, version) in
        [("imts-store 1 ", "imts-store 7 ", 7), ("\"version\":2", "\"version\":3", 3)]
    {
        let folder = Folder::new();
        let store = with_first(&folder);
        let newer = fs::read_to_string(folder.path()).unwrap().replacen(from, to, 1);
        fs::write(folder.path(), &newer).unwrap();
        for swap in [put(Stamp::NONE, SECOND), claim(Stamp::NONE, SECOND, LONG)] {
            let answer = store.swap(&swap);
            let is_newer =
                matches!(answer, Err(StoreError::Newer { version: found }) if found == version);
            assert!(is_newer, "{answer:?}");
        }
        assert_eq!(fs::read_to_string(folder.path()).unwrap(), newer);
    }
}

#[test]
fn the_state_of_another_agent_or_endpoint_is_never_replaced() {
    let folder = Folder::new();
    let store = with_first(&folder);
    let before = fs::read(folder.path()).unwrap();
    for (endpoint, agent) in [(ENDPOINT, "another"), ("https://other.example", "agent/1 %ю")] {
        let state = state_of(agent, SECOND, "access", "refresh");
        let swap = Swap::look(endpoint, agent, LONG).putting(FIRST, state);
        let answer = store.swap(&swap);
        assert!(matches!(answer, Err(StoreError::Foreign)), "{answer:?}");
    }
    assert_eq!(fs::read(folder.path()).unwrap(), before);
}

#[test]
fn a_copied_folder_is_another_incarnation() {
    let (folder, copy) = (Folder::new(), Folder::new());
    drop(with_first(&folder));
    for name in ["session", "session.lock"] {
        fs::copy(folder.folder().join(name), copy.folder().join(name)).unwrap();
    }
    let store = FileStore::open(copy.path()).unwrap();
    assert_eq!(found(&store).stamp(), FIRST);
    assert_eq!(moved(&store, &put(FIRST, SECOND)), Some(true));
    // Told once: what was put since is this store's own.
    assert_eq!(moved(&store, &put(SECOND, third())), Some(false));
    // The original has not moved.
    assert_eq!(moved(&FileStore::open(folder.path()).unwrap(), &put(FIRST, SECOND)), Some(false));
}

#[test]
fn a_lease_of_the_future_is_over() {
    let folder = Folder::new();
    let holder = FileStore::open(folder.path()).unwrap();
    assert_eq!(moved(&holder, &claim(Stamp::NONE, FIRST, LONG)), Some(false));
    let text = fs::read_to_string(folder.path()).unwrap();
    let (line, state) = text.split_once('\n').unwrap();
    let mut words: Vec<_> = line.split(' ').map(str::to_owned).collect();
    let until = words.len() - 4;
    let later = words[until].parse::<i64>().unwrap() + 3_600_000_000;
    words[until] = later.to_string();
    fs::write(folder.path(), format!("{}\n{state}", words.join(" "))).unwrap();
    // The clock was set back by an hour since that claim. Its holder lives.
    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(moved(&store, &put(FIRST, SECOND)), Some(false));
}

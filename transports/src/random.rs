//! Random numbers that tell one client, or one message, from another.
//!
//! Owns their source: the keys of the standard library's hash maps. It draws no secret.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use crate::clock::{Clock, SystemClock};

/// Returns a number that no other client has, not even one in a forked copy of this process. It is
/// never 0.
pub(crate) fn random() -> u64 {
    mixed(&RandomState::new(), std::process::id())
}

/// Returns the bytes of a salt. A salt is no secret: it is sent in clear beside the signature.
pub(crate) fn salt() -> [u8; 16] {
    (u128::from(random()) << 64 | u128::from(random())).to_be_bytes()
}

/// Two processes that were forked from one have the same keys, and draw the same numbers from them.
/// The process's own number tells them apart.
fn mixed(keys: &RandomState, process: u32) -> u64 {
    let mut hasher = keys.build_hasher();
    hasher.write_u32(process);
    let now = SystemClock.now();
    hasher.write_i64(now.wall.unix_micros());
    hasher.write_u64(now.mono.as_micros());
    hasher.finish().max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::collections::hash_map::RandomState;

    use super::{mixed, random, salt};

    #[test]
    fn a_thousand_clients_of_one_process_have_a_thousand_numbers() {
        let numbers: BTreeSet<_> = (0..1_000).map(|_| random()).collect();
        assert_eq!((numbers.len(), numbers.contains(&0)), (1_000, false));
    }

    #[test]
    fn a_thousand_salts_of_one_process_have_a_thousand_texts() {
        let salts: BTreeSet<_> = (0..1_000).map(|_| salt().map(|byte| byte & 31)).collect();
        assert_eq!(salts.len(), 1_000);
    }

    #[test]
    fn forked_copies_of_one_process_draw_other_numbers() {
        let keys = RandomState::new();
        let numbers: BTreeSet<_> = (1..=64).map(|process| mixed(&keys, process)).collect();
        assert_eq!(numbers.len(), 64);
    }
}

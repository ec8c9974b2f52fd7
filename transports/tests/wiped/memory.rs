//! This process's own memory, searched for what should be gone.

use std::fs;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

use static_alloc::Bump;
use zeroize::Zeroizing;

/// Memory that is freed is not given out again: what was left in it is found, whatever follows.
#[global_allocator]
static MEMORY: Bump<[u8; 1 << 25]> = Bump::uninit();

/// One test at a time: another one would move memory meanwhile.
static ALONE: Mutex<()> = Mutex::new(());

/// Holds that what is made with a marker has so many copies of it at least, and that none is left
/// once it is dropped.
pub(crate) fn leaves_nothing<T>(copies: usize, make: impl FnOnce(&str) -> T) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let marker = marker();
    let before = left(&marker);
    let kept = make(&marker);
    let meanwhile = left(&marker);
    assert!(
        meanwhile >= before + copies,
        "{before} before, {meanwhile} meanwhile: not all is seen"
    );
    drop(kept);
    let after = left(&marker);
    assert!(after <= before, "{before} before, {after} after: copies are left behind");
}

/// A text that stands nowhere in this program: it is made when it is needed.
fn marker() -> Zeroizing<String> {
    let letter = |n: u64| (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59;
    let letters = (0..1_600).map(|n| char::from(b'a' + u8::try_from(letter(n) % 26).unwrap()));
    Zeroizing::new(letters.collect())
}

/// How often the marker stands in the memory that can be written. A piece of it counts that is longer
/// than what the processor's registers hold: the loader saves them on the stack, whatever is in them.
fn left(marker: &str) -> usize {
    let marker = &marker[500..1_100];
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let memory = fs::File::open("/proc/self/mem").unwrap();
    let mut window = Zeroizing::new(vec![0; 1 << 18]);
    // What was read is a copy too, and is not to be read again.
    let own = window.as_ptr().addr()..window.as_ptr().addr() + window.len();
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw-p ") && !line.contains("[v")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|at| usize::from_str_radix(at, 16).unwrap());
        for (mut at, to) in [(from, to.min(own.start)), (from.max(own.end), to)] {
            while at < to {
                let length = window.len().min(to - at);
                let part = &mut window[..length];
                // A thread that ends takes its stack away.
                if memory.read_exact_at(part, at.try_into().unwrap()).is_err() {
                    break;
                }
                found += count(part, marker.as_bytes());
                // What lies across the end of a window is seen with the next one.
                at += if at + length < to { length - (marker.len() - 1) } else { length };
            }
        }
    }
    found
}

/// Of so many bytes in a row as the marker has, every occurrence has exactly one at a multiple of that.
fn count(bytes: &[u8], marker: &[u8]) -> usize {
    let length = marker.len();
    let letters = (0..bytes.len()).step_by(length).filter(|at| bytes[*at].is_ascii_lowercase());
    let starts = letters.flat_map(|at| (at + 1).saturating_sub(length)..=at);
    starts.filter(|at| bytes[*at..].starts_with(marker)).count()
}

//! What takes a while in another process. The tests of each kind of journal include this file.

use std::time::Duration;

/// Waits until something holds that another process brings about.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..12_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited a minute in vain for: {what}");
}

//! Ctrl-C, and a polite request to end.

use std::sync::mpsc::{self, Receiver};

use crate::failure::Failure;

/// From now on, an interrupt ends nothing by itself: it arrives here.
pub(crate) fn caught() -> Result<Receiver<()>, Failure> {
    let (interrupted, interrupts) = mpsc::sync_channel(1);
    // A second one finds the first still unread: one is enough.
    ctrlc::set_handler(move || {
        let _told = interrupted.try_send(());
    })
    .map_err(|error| Failure::usage(format!("cannot wait for an interrupt: {error}")))?;
    Ok(interrupts)
}

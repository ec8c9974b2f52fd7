//! Gives the signals back, just before another program takes this process over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::flag::{register_conditional_default, register_usize};
use signal_hook::low_level::signal_name;

use super::{Signal, heeded};
use crate::failure::Failure;

/// Knows whether a signal came, and can let signals end the process again as if nothing caught them.
/// No signal is lost between the two: each either stops the handover or ends the process.
#[derive(Debug)]
pub(crate) struct Handover {
    came: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
}

impl Handover {
    /// Starts to note signals. It comes before anything else catches them, so it notes each first.
    pub(crate) fn begin() -> Result<Self, Failure> {
        let new = Self { came: Arc::default(), is_over: Arc::default() };
        for signal in heeded() {
            let number = usize::try_from(signal).unwrap_or_default();
            register_usize(signal, Arc::clone(&new.came), number)
                .and_then(|_| register_conditional_default(signal, Arc::clone(&new.is_over)))
                .map_err(|error| Failure::usage(format!("cannot catch signals: {error}")))?;
        }
        Ok(new)
    }

    /// Lets signals end the process. If one has come already, returns an error: the process must end
    /// by itself.
    pub(crate) fn hand_over(&self, before: &str) -> Result<(), Failure> {
        self.is_over.store(true, Ordering::SeqCst);
        match self.came.load(Ordering::SeqCst) {
            0 => Ok(()),
            number => {
                let name = i32::try_from(number).ok().and_then(signal_name);
                Err(Failure::interrupted(Signal(name.unwrap_or("a signal")), before))
            }
        }
    }
}

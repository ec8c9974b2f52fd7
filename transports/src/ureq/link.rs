//! A connection as ureq uses it.
//!
//! Owns one stream, its buffers and the veil over what comes in. Of requests it knows nothing.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Read, Write};
use std::time::Instant;

use ureq::Error;
use ureq::unversioned::transport::{Buffers as _, NextTimeout, Transport};

use super::buffers::Buffers;
use super::mask::Masks;
use super::stream::Stream;
use super::veil::Veil;

/// A connection that ureq may use.
pub(super) struct Link {
    stream: Stream,
    buffers: Buffers,
    veil: Veil,
}

impl Link {
    pub(super) fn new(stream: Stream, masks: Masks) -> Self {
        Self { stream, buffers: Buffers::default(), veil: Veil::new(masks) }
    }

    fn set_timeout(&mut self, timeout: NextTimeout) {
        self.stream.set_deadline(Instant::now().checked_add(*timeout.after));
    }
}

impl Transport for Link {
    fn buffers(&mut self) -> &mut dyn ureq::unversioned::transport::Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.set_timeout(timeout);
        self.veil.restart();
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let sent = self.stream.write_all(output).and_then(|()| self.stream.flush());
        self.buffers.wipe_output(amount);
        sent.map_err(|error| broken(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let read = loop {
            match self.stream.read(input) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let read = read.map_err(|error| broken(error, timeout))?;
        self.veil.draw(input.get_mut(..read).unwrap_or_default());
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.is_idle()
    }

    fn is_tls(&self) -> bool {
        self.stream.is_tls()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// A connection that broke. ureq takes some errors of I/O for the end of a body that has no length;
/// to those it must not look like one.
#[derive(Debug)]
struct Broken(io::Error);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it broke")
    }
}

impl StdError for Broken {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

fn broken(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => Error::Other(Box::new(Broken(error))),
    }
}

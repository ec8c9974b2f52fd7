//! A connection as ureq uses it.
//!
//! Owns one stream, its buffers, and the masks over the bodies that come in: at its level TRACE,
//! ureq's parser hands every byte that it reads to the application's `log`, tokens too, and an application
//! may raise that level at any moment. So ureq never sees a body: it is taken aside, and ureq is given a
//! mask of the same length. Of requests it knows nothing but that some of one was written.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Read, Write};

use ureq::Error;
use ureq::unversioned::transport::{Buffers as _, NextTimeout, Transport};

use super::attempt;
use super::buffers::{Buffers, wipe};
use super::mask::{Mask, Masks};
use super::stream::Stream;
use crate::reply::{Reading, Watch};

/// A connection that ureq may use.
pub(super) struct Link {
    stream: Stream,
    buffers: Buffers,
    replies: Reading,
    masking: Masking,
}

/// Masks each reply's body.
struct Masking {
    masks: Masks,
    mask: Option<Mask>,
}

impl Watch for Masking {
    fn head(&mut self) {
        self.mask = Some(self.masks.next());
    }

    fn body(&mut self, bytes: &mut [u8]) {
        self.mask.get_or_insert_with(|| self.masks.next()).apply(bytes);
    }
}

impl Link {
    pub(super) fn new(stream: Stream, masks: Masks) -> Self {
        let (buffers, replies) = (Buffers::default(), Reading::default());
        Self { stream, buffers, replies, masking: Masking { masks, mask: None } }
    }
}

impl Transport for Link {
    fn buffers(&mut self) -> &mut dyn ureq::unversioned::transport::Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.set_deadline(attempt::deadline());
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.replies.on_request(output);
        let before = self.stream.written();
        let sent = self.stream.write_all(output).and_then(|()| self.stream.flush());
        if self.stream.written() != before {
            attempt::was_written();
        }
        self.buffers.wipe_output(amount);
        sent.map_err(|error| broken(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.set_deadline(attempt::deadline());
        loop {
            let input = self.buffers.input_append_buf();
            let handed = self.replies.hand_on(input);
            if handed > 0 {
                self.buffers.input_appended(handed);
                return Ok(true);
            }
            let read = self.stream.read(input).map_err(|error| broken(error, timeout))?;
            if read == 0 {
                return Ok(false);
            }
            let came = input.get_mut(..read).unwrap_or_default();
            let taken = self.replies.take(came, &mut self.masking);
            wipe(came);
            taken.map_err(|error| Error::Other(Box::new(error)))?;
        }
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

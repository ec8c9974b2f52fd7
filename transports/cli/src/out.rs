//! Where words go: stdout and stderr, either of which may be closed already.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use crate::failure::Failure;

/// Whether anyone reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Listening,
    /// Stdout is a pipe whose other end is closed. No error: what was to be done is done, and the
    /// exit code tells how it went.
    Gone,
}

/// Prints a line on stdout.
pub(crate) fn line(text: impl Display) -> Result<Reader, Failure> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Ok(()) => Ok(Reader::Listening),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Failure::usage(format!("cannot write to stdout: {error}"))),
    }
}

/// Prints a line on stderr, where that is possible.
pub(crate) fn note(text: impl Display) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

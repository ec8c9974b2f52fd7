//! Where words go: stdout and stderr, either of which may be closed already.

use std::fmt::Display;
use std::io::{self, ErrorKind, StdoutLock, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

/// Whether anyone reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Listening,
    /// Stdout is a pipe whose other end is closed. No error: what was to be done is done, and the
    /// exit code tells how it went.
    Gone,
}

/// Whether the last line was printed. Read and written by whoever has stdout's lock.
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// Prints a line on stdout.
pub(crate) fn line(text: impl Display) -> Result<Reader, Failure> {
    let stdout = io::stdout().lock();
    if IS_OVER.load(Ordering::Relaxed) { Ok(Reader::Gone) } else { print(stdout, text) }
}

/// Prints the command's last line on stdout: work that a signal has left behind prints none after it.
pub(crate) fn last(text: impl Display) {
    let stdout = io::stdout().lock();
    IS_OVER.store(true, Ordering::Relaxed);
    drop(print(stdout, text));
}

fn print(mut stdout: StdoutLock<'_>, text: impl Display) -> Result<Reader, Failure> {
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

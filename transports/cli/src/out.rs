//! Prints to stdout and stderr. Either of them may be closed already.

use std::fmt::{self, Display, Formatter};
use std::io::{self, ErrorKind, StdoutLock, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};

/// Whether someone still reads stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Listening,
    /// Stdout is a pipe whose other end is closed. This is not an error: the work was done, and the
    /// exit code reports how it went.
    Gone,
}

/// Stdout cannot be written to, for a reason other than a closed pipe.
#[derive(Debug)]
pub(crate) struct NotPrinted(io::Error);

impl Display for NotPrinted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write to stdout: {}", self.0)
    }
}

/// Whether the last line was printed. Only a thread that has stdout's lock reads or writes it.
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// Prints a line on stdout.
pub(crate) fn line(text: impl Display) -> Result<Reader, NotPrinted> {
    let stdout = io::stdout().lock();
    if IS_OVER.load(Ordering::Relaxed) { Ok(Reader::Gone) } else { print(stdout, text) }
}

/// Prints the command's last line on stdout. Work that is still running after a signal prints no
/// line after it.
pub(crate) fn last(text: impl Display) {
    let stdout = io::stdout().lock();
    IS_OVER.store(true, Ordering::Relaxed);
    drop(print(stdout, text));
}

fn print(stdout: StdoutLock<'static>, text: impl Display) -> Result<Reader, NotPrinted> {
    let mut stdout = colored(stdout);
    printed(writeln!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// Lets a console of Windows show colors. Never changes a text: what is not to be colored has none.
fn colored<S: RawStream>(stream: S) -> AutoStream<S> {
    match AutoStream::choice(&stream) {
        ColorChoice::Never => AutoStream::always_ansi(stream),
        _ => AutoStream::always(stream),
    }
}

/// Returns what became of printing on stdout.
pub(crate) fn printed(outcome: io::Result<()>) -> Result<Reader, NotPrinted> {
    match outcome {
        Ok(()) => Ok(Reader::Listening),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(NotPrinted(error)),
    }
}

/// Prints a line on stderr, if that is possible.
pub(crate) fn note(text: impl Display) {
    drop(writeln!(colored(io::stderr().lock()), "{text}"));
}

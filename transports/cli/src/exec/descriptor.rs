//! A file descriptor that a command inherits, with a short text on it.
//!
//! Owns its number and its content. Knows nothing of tokens. The text is in memory alone: no file
//! system has it.

use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::failure::Failure;

/// A descriptor of this number. Until it holds a text, no command inherits it.
#[derive(Debug)]
pub(super) struct Descriptor {
    read: OwnedFd,
    /// The end to write to. If there is none, what is read is written too.
    write: Option<OwnedFd>,
}

impl Descriptor {
    /// Takes the number, which must be free.
    pub(super) fn reserve(number: i32) -> Result<Self, Failure> {
        let any = memory().or_else(|_| pipe()).map_err(|error| cannot_open(&error))?;
        let Self { read, write } = any;
        if read.as_raw_fd() == number {
            return Ok(Self { read, write });
        }
        let moved = fcntl_dupfd_cloexec(&read, number).map_err(|error| cannot_open(&error))?;
        if moved.as_raw_fd() != number {
            return Err(Failure::usage(format!(
                "file descriptor {number} is in use by the program that started imts: choose \
                 another with --fd N, and read /dev/fd/N"
            )));
        }
        Ok(Self { read: moved, write })
    }

    pub(super) fn number(&self) -> i32 {
        self.read.as_raw_fd()
    }

    /// Writes the text, and lets commands inherit the descriptor.
    pub(super) fn holding(self, text: &str) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::usage(format!("cannot write to the file descriptor: {error}"))
        };
        let read = match self.write {
            Some(write) => {
                // A text that the pipe does not hold would wait for a reader for ever.
                let written =
                    rustix::io::write(&write, text.as_bytes()).map_err(|it| failed(&it))?;
                if written != text.len() {
                    return Err(failed(&"the pipe is too small"));
                }
                self.read
            }
            None => {
                let mut file = File::from(self.read);
                file.write_all(text.as_bytes()).map_err(|error| failed(&error))?;
                file.rewind().map_err(|error| failed(&error))?;
                OwnedFd::from(file)
            }
        };
        fcntl_setfd(read.as_fd(), FdFlags::empty()).map_err(|error| failed(&error))?;
        Ok(Self { read, write: None })
    }
}

fn cannot_open(error: &rustix::io::Errno) -> Failure {
    Failure::usage(format!("cannot open a file descriptor: {error}"))
}

/// Opens a file without a name, in memory. Each opening of its path reads it from the start.
#[cfg(target_os = "linux")]
fn memory() -> rustix::io::Result<Descriptor> {
    use rustix::fs::{MemfdFlags, memfd_create};
    Ok(Descriptor { read: memfd_create("imts", MemfdFlags::CLOEXEC)?, write: None })
}

#[cfg(not(target_os = "linux"))]
fn memory() -> rustix::io::Result<Descriptor> {
    Err(rustix::io::Errno::NOSYS)
}

/// Opens a pipe. What it holds is read once. Systems without files in memory have this.
fn pipe() -> rustix::io::Result<Descriptor> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    Ok(Descriptor { read, write: Some(write) })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;

    use super::{memory, pipe};

    #[test]
    fn both_kinds_of_descriptor_hold_a_text_and_then_end() {
        for make in [memory, pipe] {
            let held = make().unwrap().holding("a-line\n").unwrap();
            let mut text = String::new();
            File::from(held.read).read_to_string(&mut text).unwrap();
            assert_eq!(text, "a-line\n");
        }
    }

    #[test]
    fn a_pipe_does_not_wait_for_a_reader_of_a_text_that_it_cannot_hold() {
        let error = pipe().unwrap().holding(&"x".repeat(10_000_000)).unwrap_err();
        assert!(format!("{error:?}").contains("pipe"), "{error:?}");
    }
}

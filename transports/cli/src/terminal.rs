//! Asks for a secret at the terminal, with the echo off.
//!
//! Owns the terminal's earlier settings while it asks. A signal that ends the command restores
//! them, and from then on nothing is asked: the echo stays on.

use std::io;

use zeroize::Zeroizing;

/// Asks a person for a secret.
pub(crate) fn secret(prompt: &str) -> io::Result<Zeroizing<String>> {
    echo::ask(prompt)
}

/// Gives the terminal its echo back, for good.
pub(crate) use self::echo::restore;

#[cfg(unix)]
mod echo {
    use std::fs::File;
    use std::io::{self, Read, Write};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use zeroize::Zeroizing;

    /// The terminal hands over one line at most, and drops what a line has beyond this length.
    const MAX_LINE: usize = 4_095;

    static ECHO: Echo = Echo(Mutex::new(State::On));

    /// Whether a terminal's echo is on.
    struct Echo(Mutex<State>);

    enum State {
        On,
        /// It is off. With the terminal and its earlier settings.
        Off(File, Termios),
        /// It stays on: the command ends.
        OnForGood,
    }

    /// Turns the echo on again when it is dropped.
    struct Off<'a>(&'a Echo);

    pub(super) fn ask(prompt: &str) -> io::Result<Zeroizing<String>> {
        let mut tty = File::options().read(true).write(true).open("/dev/tty")?;
        let _off = ECHO.off(tty.try_clone()?)?;
        tty.write_all(prompt.as_bytes())?;
        line(&tty)
    }

    pub(crate) fn restore() {
        ECHO.on(State::OnForGood);
    }

    impl Echo {
        /// Turns the echo off. The lock is held meanwhile, so that a signal comes before or after.
        fn off(&self, tty: File) -> io::Result<Off<'_>> {
            let mut state = self.state();
            if matches!(*state, State::OnForGood) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let before = tcgetattr(&tty)?;
            let mut settings = before.clone();
            settings.local_modes.remove(LocalModes::ECHO);
            // The line break alone is shown.
            settings.local_modes.insert(LocalModes::ICANON | LocalModes::ECHONL);
            tcsetattr(&tty, OptionalActions::Now, &settings)?;
            *state = State::Off(tty, before);
            Ok(Off(self))
        }

        /// Turns the echo on if it is off.
        fn on(&self, next: State) {
            let mut state = self.state();
            if let State::Off(tty, before) = &*state {
                let _restored = tcsetattr(tty, OptionalActions::Now, before);
            }
            if !matches!(*state, State::OnForGood) {
                *state = next;
            }
        }

        fn state(&self) -> MutexGuard<'_, State> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Drop for Off<'_> {
        fn drop(&mut self) {
            self.0.on(State::On);
        }
    }

    /// Reads one line, without its line break.
    fn line(mut tty: impl Read) -> io::Result<Zeroizing<String>> {
        let wrong = |message| io::Error::new(io::ErrorKind::InvalidData, message);
        let mut bytes = Zeroizing::new([0; MAX_LINE + 1]);
        let length = tty.read(&mut *bytes)?;
        let line = match &bytes[..length] {
            [] => return Err(io::ErrorKind::UnexpectedEof.into()),
            [line @ .., b'\n'] => line,
            line => line,
        };
        if line.len() >= MAX_LINE {
            return Err(wrong("longer than a terminal's line: give a file"));
        }
        let text = str::from_utf8(line).map_err(|_| wrong("not UTF-8"))?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn is_on(tty: &File) -> bool {
            tcgetattr(tty).unwrap().local_modes.contains(LocalModes::ECHO)
        }

        #[test]
        fn after_a_signal_the_echo_stays_on() {
            let pair = nix::pty::openpty(None, None).unwrap();
            let tty = File::from(pair.slave);
            let echo = Echo(Mutex::new(State::On));
            let off = echo.off(tty.try_clone().unwrap()).unwrap();
            assert!(!is_on(&tty));
            echo.on(State::OnForGood);
            assert!(is_on(&tty));
            drop(off);
            let again = echo.off(tty.try_clone().unwrap());
            assert_eq!(again.err().unwrap().kind(), io::ErrorKind::Interrupted);
            assert!(is_on(&tty));
        }

        #[test]
        fn the_echo_is_on_again_after_the_question() {
            let pair = nix::pty::openpty(None, None).unwrap();
            let tty = File::from(pair.slave);
            let echo = Echo(Mutex::new(State::On));
            for _ in 0..2 {
                drop(echo.off(tty.try_clone().unwrap()).unwrap());
                assert!(is_on(&tty));
            }
        }

        #[test]
        fn a_line_is_taken_whole_or_not_at_all() {
            let of = |text: &[u8]| line(text).map(|line| line.to_string()).map_err(|e| e.kind());
            assert_eq!(of(b"s3cret \n"), Ok("s3cret ".to_owned()));
            assert_eq!(of(b"s3cret"), Ok("s3cret".to_owned()));
            assert_eq!(of(b"\n"), Ok(String::new()));
            assert_eq!(of(b""), Err(io::ErrorKind::UnexpectedEof));
            assert_eq!(of(b"\xff\n"), Err(io::ErrorKind::InvalidData));
            let longest = [b"s".repeat(MAX_LINE - 1).as_slice(), b"\n"].concat();
            assert_eq!(of(&longest).unwrap().len(), MAX_LINE - 1);
            assert_eq!(of(&b"s".repeat(MAX_LINE + 9)), Err(io::ErrorKind::InvalidData));
            let cut = [b"s".repeat(MAX_LINE).as_slice(), b"\n"].concat();
            assert_eq!(of(&cut), Err(io::ErrorKind::InvalidData));
        }
    }
}

#[cfg(not(unix))]
mod echo {
    use std::io;

    use zeroize::Zeroizing;

    pub(super) fn ask(prompt: &str) -> io::Result<Zeroizing<String>> {
        rpassword::prompt_password(prompt).map(Zeroizing::new)
    }

    /// The library turns the echo on again by itself.
    pub(crate) fn restore() {}
}

//! Asks for a secret at the terminal, with the echo off.
//!
//! Owns the terminal's earlier settings. A signal that ends the command restores them.

use std::io;

/// Asks a person for a secret.
pub(crate) fn secret(prompt: &str) -> io::Result<String> {
    before::note();
    let secret = rpassword::prompt_password(prompt);
    before::forget();
    secret
}

pub(crate) use self::before::restore;

#[cfg(unix)]
mod before {
    use std::fs::File;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    static SETTINGS: Mutex<Option<(File, Termios)>> = Mutex::new(None);

    fn settings() -> MutexGuard<'static, Option<(File, Termios)>> {
        SETTINGS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note() {
        let terminal = File::options().read(true).write(true).open("/dev/tty").ok();
        *settings() = terminal.and_then(|tty| tcgetattr(&tty).ok().map(|settings| (tty, settings)));
    }

    pub(super) fn forget() {
        *settings() = None;
    }

    /// Restores the terminal's settings, if a secret is being asked for now.
    pub(crate) fn restore() {
        if let Some((tty, settings)) = settings().take() {
            let _restored = tcsetattr(tty, OptionalActions::Now, &settings);
        }
    }
}

#[cfg(not(unix))]
mod before {
    pub(super) fn note() {}
    pub(super) fn forget() {}
    pub(crate) fn restore() {}
}

//! `imts exec`: replaces itself by a command that gets an access token.
//!
//! Owns what the command gets, and what it does not get: the agent's secret. Does not know how a
//! file descriptor is made: [`descriptor`] does. Does not wait for the command: after `execve` it is
//! this process, so its signals, its terminal and its exit status need no passing on.

#[cfg(unix)]
mod descriptor;

use std::process::ExitCode;

use crate::args::Exec;
use crate::failure::Failure;
use crate::log::Log;

/// The exit code if the command did not run, apart from the next two. Other programs that run a
/// command, such as `env` and `timeout`, have the same three.
pub(crate) const NOT_RUN: u8 = 125;

/// Runs the command. Returns only if it did not run.
pub(crate) fn run(args: Exec, log: Log) -> ExitCode {
    let NotRun { failure, code } = replaced(args, log);
    let _kind = failure.report(false);
    ExitCode::from(code)
}

/// Why the command did not run.
#[derive(Debug)]
struct NotRun {
    failure: Failure,
    code: u8,
}

impl From<Failure> for NotRun {
    fn from(failure: Failure) -> Self {
        Self { failure, code: NOT_RUN }
    }
}

#[cfg(not(unix))]
fn replaced(_: Exec, _: Log) -> NotRun {
    Failure::usage(
        "imts exec does not work on this system: use `imts token --header`, or `imts token --show`",
    )
    .into()
}

#[cfg(unix)]
use self::unix::replaced;

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::io::{self, ErrorKind};
    use std::os::unix::process::CommandExt;
    use std::process::Command;
    use std::sync::mpsc;

    use zeroize::Zeroizing;

    use super::NotRun;
    use super::descriptor::Descriptor;
    use crate::args::{Exec, Form, VariableName};
    use crate::config::SecretFrom;
    use crate::failure::Failure;
    use crate::interrupt::{self, Handover};
    use crate::log::Log;
    use crate::settings::SECRET;
    use crate::{journal, store, token};

    /// The variable that holds the number of the file descriptor.
    const DESCRIPTOR: &str = "IMTS_TOKEN_FD";

    const BEFORE: &str = "the command began";

    pub(super) fn replaced(args: Exec, log: Log) -> NotRun {
        // It comes first: nothing else has taken the number yet.
        let descriptor = match args.env.is_none().then(|| Descriptor::reserve(args.fd)).transpose()
        {
            Ok(descriptor) => descriptor,
            Err(failure) => return failure.into(),
        };
        let signals = match Handover::begin() {
            Ok(signals) => signals,
            Err(failure) => return failure.into(),
        };
        let (send, receive) = mpsc::channel();
        let prepared = interrupt::ending(BEFORE, move |_| {
            drop(send.send(prepared(&args, log, descriptor)?));
            Ok(())
        });
        // From here on it is the main thread that acts. Linux gives it the signals of the process, so
        // each has its effect before `execve` or after it. On another thread one could be lost.
        let ready = prepared.and_then(|()| {
            signals.hand_over(BEFORE)?;
            receive.try_recv().map_err(|_| Failure::usage("the command failed because of a bug"))
        });
        match ready {
            Ok(Ready { mut command, descriptor: _open }) => {
                let error = command.exec();
                not_run(command.get_program(), &error)
            }
            Err(failure) => failure.into(),
        }
    }

    /// A command that is ready to run. The descriptor is open until it runs.
    struct Ready {
        command: Command,
        descriptor: Option<Descriptor>,
    }

    /// Gets the token, and builds the command.
    fn prepared(args: &Exec, log: Log, descriptor: Option<Descriptor>) -> Result<Ready, Failure> {
        let [program, arguments @ ..] = args.command.as_slice() else {
            return Err(Failure::usage("the command failed because of a bug"));
        };
        let bearer = token::signed_in(&args.service, args.timeout, log)?.bearer;
        let default = if args.env.is_some() { Form::Token } else { Form::Header };
        let text = match args.form.unwrap_or(default) {
            Form::Header => token::header(&bearer),
            Form::Token => Zeroizing::new(bearer.expose_token().to_owned()),
        };
        let mut command = Command::new(program);
        command.args(arguments).env_remove(SECRET);
        command.env_remove(store::PASSWORD).env_remove(journal::PASSWORD);
        if let Some((SecretFrom::Variable(name), _)) = args.service.chosen.secret() {
            command.env_remove(name);
        }
        if let Some(VariableName(name)) = &args.env {
            command.env(name, &*text);
        }
        let descriptor = match descriptor {
            Some(descriptor) => {
                command.env(DESCRIPTOR, descriptor.number().to_string());
                Some(descriptor.holding(&Zeroizing::new(format!("{}\n", *text)))?)
            }
            None => None,
        };
        Ok(Ready { command, descriptor })
    }

    /// The codes by which shells say the same.
    fn not_run(program: &OsStr, error: &io::Error) -> NotRun {
        let code = if error.kind() == ErrorKind::NotFound { 127 } else { 126 };
        let program = program.display();
        NotRun { failure: Failure::usage(format!("cannot run {program}: {error}")), code }
    }
}

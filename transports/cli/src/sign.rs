//! `imts sign`: signs a request or a message, and prints what to send.
//!
//! Owns where the key and the signed bytes come from, for `imts verify` too. Does not know how a
//! signature is made: the library does. Sends nothing.

mod jws;
mod pg_sig;

use std::env;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use imts::sign::pg_sig::Account;
use zeroize::Zeroizing;

pub(crate) use self::jws::{request, signer};
pub(crate) use self::pg_sig::{pg_signer, script};
use crate::args::{AccountName, KeyArgs, SignCommand};
use crate::failure::Failure;
use crate::input::Source;
use crate::{interrupt, out, terminal};

pub(crate) fn run(command: SignCommand) -> Result<(), Failure> {
    interrupt::ending("anything was signed", move |stop| {
        let signed = match command {
            SignCommand::Jws(args) => jws::signed(&args)?,
            SignCommand::PgSig(args) => pg_sig::signed(&args)?,
        };
        stop.take_over()?;
        out::line(&*signed)?;
        Ok(())
    })
}

/// Reads the key, unless stdin is to be something else too.
pub(crate) fn key(args: &KeyArgs, others: &[&Given<'_>]) -> Result<Zeroizing<String>, Failure> {
    let source = match args.key_file.as_deref() {
        Some(path) if path == Path::new("-") && io::stdin().is_terminal() => Source::Terminal,
        Some(path) if path == Path::new("-") => Source::Stdin,
        Some(path) => Source::File(path.to_owned()),
        None if env::var_os(KEY).is_some() => Source::Variable(KEY.to_owned()),
        None => {
            return Err(Failure::usage(
                "no key: give --key-file FILE, or set the variable IMTS_KEY (a key is never an \
                 argument, because other users can read arguments)",
            ));
        }
    };
    let of_key = usize::from(matches!(source, Source::Stdin | Source::Terminal));
    if of_key + others.iter().filter(|it| it.is_stdin()).count() > 1 {
        return Err(Failure::usage("stdin can be read once: give the others as files"));
    }
    match source {
        Source::Terminal => {
            let key = terminal::secret("Key: ").map_err(|error| {
                Failure::usage(format!("cannot read the key from the terminal: {error}"))
            })?;
            Source::Terminal.line_of("the key", key.as_bytes())
        }
        source => source.line("the key", MAX_KEY),
    }
}

/// Bytes that were given, or where they are to be read.
#[derive(Debug)]
pub(crate) enum Given<'a> {
    Argument(&'a str),
    Elsewhere(Source),
}

impl<'a> Given<'a> {
    pub(crate) fn of(given: &'a str) -> Self {
        match given.strip_prefix('@') {
            _ if given == "-" => Self::Elsewhere(Source::Stdin),
            Some(path) => Self::Elsewhere(Source::File(PathBuf::from(path))),
            None => Self::Argument(given),
        }
    }

    /// Reads the bytes as they are: nothing is left out, because each byte is signed.
    pub(crate) fn bytes(&self, what: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match self {
            Self::Argument(given) => Ok(Zeroizing::new(given.as_bytes().to_vec())),
            Self::Elsewhere(source) => source.bytes_of(what, MAX_MESSAGE),
        }
    }

    fn is_stdin(&self) -> bool {
        matches!(self, Self::Elsewhere(Source::Stdin))
    }
}

pub(crate) fn account(name: AccountName) -> Account {
    match name {
        AccountName::Accepting => Account::Accepting,
        AccountName::Payouts => Account::Payouts,
    }
}

/// The variable that has the key.
const KEY: &str = "IMTS_KEY";
/// The longest key that is read, in bytes.
const MAX_KEY: u64 = 65_536;
/// The longest message that is read, in bytes.
const MAX_MESSAGE: u64 = 1_048_576;

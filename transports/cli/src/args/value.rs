//! Reads the values of options and of their variables.
//!
//! Owns which values may not be arguments. Never repeats a value: it may be a secret.

use std::ffi::OsStr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::builder::{BoolishValueParser, PathBufValueParser, TypedValueParser, ValueParserFactory};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, Command, Error};

use crate::input;

/// Reads the path of a file.
pub(crate) fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|path| {
        // A path need not be text. If it is, a variable may have put a line break at its end.
        input::value(path.as_os_str()).map_or(path, PathBuf::from)
    })
}

/// Returns a value of one line.
pub(crate) fn line(text: &str) -> Result<String, String> {
    input::value(OsStr::new(text)).map_err(|error| error.to_string())
}

/// Reads the variable of an option that is given or not: `true`, `yes`, `on` and `1`, or their
/// opposites.
pub(crate) fn switch() -> impl TypedValueParser<Value = bool> {
    BoolishValueParser::new()
}

/// Reads the number of a call in a journal.
pub(crate) fn call_number(text: &str) -> Result<u64, String> {
    let number = line(text)?.parse();
    number.map_err(|_| "give the call's number, as `imts journal list` prints it".to_owned())
}

/// Reads a number of days.
pub(crate) fn days(text: &str) -> Result<NonZeroU32, String> {
    let number = line(text)?.parse();
    number.map_err(|_| "give a whole number of days, 1 or more, without a unit".to_owned())
}

/// A value of one line.
#[derive(Clone, Debug)]
pub(crate) struct Line(pub(crate) String);

/// The name of a variable of the environment.
#[derive(Clone, Debug)]
pub(crate) struct VariableName(pub(crate) String);

/// Where the URL of the proxy comes from.
#[derive(Clone, Debug)]
pub(crate) enum ProxyFrom {
    /// HTTPS_PROXY or ALL_PROXY.
    Environment,
    File(PathBuf),
    Given(String),
}

impl ValueParserFactory for Line {
    type Parser = Reader<Self>;

    fn value_parser() -> Self::Parser {
        Reader(|value, _, _| Ok(Self(value)))
    }
}

/// A host that plain http may go to.
#[derive(Clone, Debug)]
pub(crate) struct PlainHost(pub(crate) imts::endpoint::PlainHost);

impl ValueParserFactory for PlainHost {
    type Parser = Reader<Self>;

    fn value_parser() -> Self::Parser {
        Reader(|value, name, _| match imts::endpoint::PlainHost::new(&value) {
            Ok(host) => Ok(Self(host)),
            Err(error) => Err(format!("{name} cannot be used: {error}")),
        })
    }
}

impl ValueParserFactory for VariableName {
    type Parser = Reader<Self>;

    fn value_parser() -> Self::Parser {
        Reader(|value, name, _| {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if value.starts_with(|c: char| c.is_ascii_digit()) || !value.chars().all(is_part) {
                return Err(format!(
                    "{name} takes the name of a variable and no value: letters, digits and `_`, and \
                     no digit first"
                ));
            }
            if value == "PATH" {
                return Err(format!(
                    "{name} PATH would replace the folders in which the command is looked for: give \
                     another name"
                ));
            }
            Ok(Self(value))
        })
    }
}

impl ValueParserFactory for ProxyFrom {
    type Parser = Reader<Self>;

    fn value_parser() -> Self::Parser {
        Reader(|value, name, source| match value.strip_prefix('@') {
            _ if value == "env" => Ok(Self::Environment),
            Some(path) => Ok(Self::File(PathBuf::from(path))),
            None if source != ValueSource::EnvVariable && value.contains('@') => Err(format!(
                "{name} has a user name or a password, and other users of this machine can read \
                 arguments: write the URL into a file and give {name} @FILE, or set HTTPS_PROXY \
                 and give {name} env"
            )),
            None => Ok(Self::Given(value)),
        })
    }
}

/// Reads a line and makes a value of it, with the name and the source of its option.
#[derive(Clone)]
pub(crate) struct Reader<T>(pub(super) fn(String, &str, ValueSource) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Reader<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        self.parse_ref_(command, arg, value, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        _: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<T, Error> {
        let name = name(arg, source);
        input::value(value)
            .map_err(|error| format!("{name} cannot be used: {error}"))
            .and_then(|value| self.0(value, &name, source))
            .map_err(|message| Error::raw(ErrorKind::ValueValidation, message))
    }
}

/// Returns what a message calls an option: by its variable, if the value comes from there.
pub(super) fn name(arg: Option<&Arg>, source: ValueSource) -> String {
    match (source, arg.and_then(Arg::get_env), arg.and_then(Arg::get_long)) {
        (ValueSource::EnvVariable, Some(variable), _) => variable.to_string_lossy().into_owned(),
        (_, _, Some(option)) => format!("--{option}"),
        _ => "the argument".to_owned(),
    }
}

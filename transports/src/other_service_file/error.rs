//! Why such a service file cannot be used.

use imts_core::catalogue::CatalogueError;
use imts_core::endpoint::EndpointError;
use imts_core::text::TextError;
use thiserror::Error;

/// Why such a service file cannot be used. The integrator must correct the file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OtherServiceFileError {
    /// The file is not TOML, or a field is unknown, missing or of the wrong type.
    #[error("the service file is wrong at line {line}: {message}")]
    Form {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// The file has another version.
    #[error("the service file has version {0}, and this library reads version 1")]
    Version(u32),
    /// No service of this name is built in.
    #[error("line {line}: there is no service `{name}`: write one of {names}")]
    Service {
        /// The line, counted from 1.
        line: usize,
        /// The name.
        name: String,
        /// The names that there are.
        names: String,
    },
    /// The path of an operation cannot be used.
    #[error("operation.{name}, line {line}: {error}")]
    Path {
        /// The line, counted from 1.
        line: usize,
        /// The operation's name.
        name: String,
        /// The reason.
        error: EndpointError,
    },
    /// The settings of an operation are not allowed.
    #[error("operation.{name}, line {line}: {error}")]
    Operation {
        /// The line, counted from 1.
        line: usize,
        /// The operation's name.
        name: String,
        /// The reason.
        error: CatalogueError,
    },
    /// A setting needs a feature of this library that is off.
    #[error("operation.{name}, line {line}: `{setting}` needs the feature `{feature}`")]
    Feature {
        /// The line, counted from 1.
        line: usize,
        /// The operation's name.
        name: String,
        /// The value.
        setting: &'static str,
        /// The feature.
        feature: &'static str,
    },
    /// `repeat_codes` stands without `repeat = "refused"`.
    #[error("operation.{name}, line {line}: `repeat_codes` needs `repeat = \"refused\"`")]
    Codes {
        /// The line, counted from 1.
        line: usize,
        /// The operation's name.
        name: String,
    },
    /// A status is outside 100 to 999.
    #[error("operation.{name}, line {line}: {status} is not an HTTP status")]
    Status {
        /// The line, counted from 1.
        line: usize,
        /// The operation's name.
        name: String,
        /// The number.
        status: u16,
    },
    /// Another operation with the same path has a higher class. With the lower one, a call that moves
    /// money would be sent again.
    #[error("operation.{name}, line {line}: `{other}` has the same path and a higher class")]
    SamePath {
        /// The line, counted from 1.
        line: usize,
        /// The operation's name.
        name: String,
        /// The name of the other operation.
        other: String,
    },
    /// The file is blank, or has a control character.
    #[error("the service file cannot be used: {0}")]
    Text(TextError),
    /// The file is longer than 1 MiB.
    #[error("the service file is longer than 1048576 bytes")]
    TooLong,
}

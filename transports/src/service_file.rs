//! The service file: what an integrator knows about the service beyond this crate, in TOML.
//!
//! Owns the file's format. The catalogue decides what may be set, and what may not.

use std::collections::{BTreeMap, BTreeSet};

use imts_core::catalogue::{CatalogueError, Decided};
use imts_core::endpoint::{EndpointError, ServicePath};
use imts_core::service::Tokens;
use imts_core::text::{self, TextError};
use imts_core::{Catalogue, Class, Evidence, Service, services};
use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

/// The longest service file that is read, in bytes.
const LONGEST: usize = 1_048_576;
/// How many characters of an operation's name an error quotes. A valid name is never longer.
const LONGEST_NAME: usize = 64;

/// Why a service file cannot be used. The integrator must correct the file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ServiceFileError {
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
    /// A token exchange was given more than a path and its evidence.
    #[error(
        "operation.{name}, line {line}: `{name}` is a token exchange: only `path` and `evidence` can be set"
    )]
    TokenExchange {
        /// The line, counted from 1.
        line: usize,
        /// The name of the token exchange.
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
    /// Two operations have the same path. An operation that may be retried could then be one that
    /// moves money.
    #[error("operation.{name}, line {line}: `{other}` has the same path")]
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    operation: BTreeMap<Spanned<String>, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: Spanned<String>,
    class: Option<ClassName>,
    #[serde(default)]
    evidence: EvidenceName,
    reply_limit: Option<usize>,
    #[serde(default)]
    decided_before_processing: DecidedTable,
    reference_field: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClassName {
    Read,
    Create,
    Money,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EvidenceName {
    Published,
    Draft,
    #[default]
    Assumed,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecidedTable {
    #[serde(default)]
    statuses: BTreeSet<u16>,
    #[serde(default)]
    codes: Vec<Code>,
}

/// The service's codes are numbers or text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Code {
    Number(i64),
    Text(String),
}

/// Returns the service Transfer with the additions of a service file.
///
/// ```
/// use imts::service_file::service_of;
/// use imts::Class;
///
/// let service = service_of(
///     r#"
///     version = 1
///
///     [operation.confirm]                      # a built-in operation: its class is fixed
///     path = "/v5/partner/transfer/example"    # from the vendor's page
///     evidence = "published"                   # or draft, or assumed (the default)
///     reference_field = "client_uuid"          # the field that names what is asked for
///     [operation.confirm.decided_before_processing]
///     statuses = [429]                         # with these nothing was processed,
///     codes = ["1001", 42]                     # nor with these error codes
///
///     [operation.print-application]
///     path = "/v5/partner/transfer/print"
///     reply_limit = 1048576                    # bytes of a reply; 65536 without it
///
///     [operation.daily-report]                 # your own operation: it needs a class
///     path = "/v5/partner/transfer/report"
///     class = "read"                           # or create, or money
///     "#,
/// )?;
/// let print = service.operations().entry("print-application").unwrap();
/// assert_eq!(print.reply_limit(), Some(1_048_576));
/// assert_eq!(service.operations().entry("daily-report").unwrap().class(), Class::Read);
/// # Ok::<(), imts::service_file::ServiceFileError>(())
/// ```
///
/// # Errors
///
/// Returns [`ServiceFileError`], which says where the file is wrong and why.
pub fn service_of(file: &str) -> Result<Service, ServiceFileError> {
    if file.len() > LONGEST {
        return Err(ServiceFileError::TooLong);
    }
    let file = text::document(file.as_bytes()).map_err(ServiceFileError::Text)?;
    let line = |at: usize| {
        let before = file.get(..at).unwrap_or_default();
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    };
    let read: File = toml::from_str(file).map_err(|error| {
        let line = line(error.span().map_or(0, |span| span.start));
        ServiceFileError::Form { line, message: quoted(error.message(), 256) }
    })?;
    if read.version != 1 {
        return Err(ServiceFileError::Version(read.version));
    }
    let mut service = services::transfer();
    for (name, entry) in &read.operation {
        let at = line(entry.path.span().start);
        let (name, line) = (name.as_ref(), line(name.span().start));
        let path = ServicePath::new(entry.path.as_ref().as_str()).map_err(|error| {
            ServiceFileError::Path { line: at, name: quoted(name, LONGEST_NAME), error }
        })?;
        service = add(service, name, line, path, entry)?;
    }
    let paths = paths(&service);
    for (name, entry) in &read.operation {
        let mut others = paths.iter().filter(|(other, _)| *other != name.as_ref());
        if let Some((other, _)) = others.find(|(_, path)| path.as_str() == entry.path.as_ref()) {
            let (name, other) = (name.as_ref().clone(), (*other).to_owned());
            let line = line(entry.path.span().start);
            return Err(ServiceFileError::SamePath { line, name, other });
        }
    }
    Ok(service)
}

fn add(
    service: Service,
    name: &str,
    line: usize,
    path: ServicePath,
    entry: &Entry,
) -> Result<Service, ServiceFileError> {
    let evidence = entry.evidence.into();
    let shown = quoted(name, LONGEST_NAME);
    let statuses = &entry.decided_before_processing.statuses;
    if let Some(status) = statuses.iter().find(|status| !(100..=999).contains(*status)) {
        return Err(ServiceFileError::Status { line, name: shown, status: *status });
    }
    let wrong = |error| ServiceFileError::Operation { line, name: shown.clone(), error };
    if let Some(class) = class_of_exchange(&service, name) {
        if entry.class.is_some() {
            return Err(wrong(CatalogueError::ClassIsFixed { name: name.to_owned(), class }));
        }
        if entry.has_more_than_a_path() {
            return Err(ServiceFileError::TokenExchange { line, name: shown });
        }
        return Ok(with_exchange(service, name, path, evidence));
    }
    let mut operations = service.operations().clone();
    let built_in =
        operations.entry(name).is_some_and(imts_core::catalogue::OperationInfo::is_built_in);
    let added = match entry.class {
        Some(class) => operations.add(name, class.into(), path, evidence),
        None if built_in => operations.set_path(name, path, evidence),
        None => Err(CatalogueError::NoSuchOperation { name: shown.clone() }),
    };
    let limited = |operations: &mut Catalogue| match entry.reply_limit {
        Some(limit) => operations.set_reply_limit(name, limit),
        None => Ok(()),
    };
    let referred = |operations: &mut Catalogue| match &entry.reference_field {
        Some(field) => operations.set_reference_field(name, field),
        None => Ok(()),
    };
    added
        .and_then(|()| operations.set_decided(name, decided(entry)))
        .and_then(|()| limited(&mut operations))
        .and_then(|()| referred(&mut operations))
        .map_err(wrong)?;
    Ok(service.with_operations(operations))
}

/// The names of the operations and of the token exchanges, each with its path.
fn paths(service: &Service) -> Vec<(&str, &ServicePath)> {
    let operations = service.operations().iter();
    let operations = operations.filter_map(|it| Some((it.name(), it.path()?)));
    let tokens = service.tokens();
    let sign_in = tokens.map(Tokens::sign_in).map(|it| (it.name(), it.path()));
    let refresh = tokens.and_then(Tokens::refresh).map(|it| (it.name(), it.path()));
    sign_in.into_iter().chain(refresh).chain(operations).collect()
}

/// The class of the token exchange with this name. A refresh spends the token that it presents.
fn class_of_exchange(service: &Service, name: &str) -> Option<Class> {
    let tokens = service.tokens()?;
    let refresh = tokens.refresh().filter(|refresh| refresh.name() == name);
    let sign_in = Some(tokens.sign_in()).filter(|sign_in| sign_in.name() == name);
    sign_in.map(|_| Class::Read).or(refresh.map(|_| Class::Create))
}

fn with_exchange(service: Service, name: &str, path: ServicePath, evidence: Evidence) -> Service {
    let Some(tokens) = service.tokens().cloned() else { return service };
    let refresh = tokens.refresh().filter(|refresh| refresh.name() == name).cloned();
    let tokens = match refresh {
        Some(refresh) => tokens.with_refresh(refresh.with_path(path).with_evidence(evidence)),
        None => {
            let sign_in = tokens.sign_in().clone();
            tokens.with_sign_in(sign_in.with_path(path).with_evidence(evidence))
        }
    };
    service.with_tokens(tokens)
}

impl Entry {
    /// Whether it sets what a token exchange does not have.
    fn has_more_than_a_path(&self) -> bool {
        let decided = &self.decided_before_processing;
        self.reply_limit.is_some()
            || self.reference_field.is_some()
            || !decided.statuses.is_empty()
            || !decided.codes.is_empty()
    }
}

fn decided(entry: &Entry) -> Decided {
    let table = &entry.decided_before_processing;
    Decided { statuses: table.statuses.clone(), codes: table.codes() }
}

impl DecidedTable {
    /// The statuses, as they stand in the file.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = u16> {
        self.statuses.iter().copied()
    }

    /// The codes, a number as its digits.
    pub(crate) fn codes(&self) -> BTreeSet<String> {
        self.codes.iter().map(Code::text).collect()
    }
}

impl Code {
    /// The text of the code; a number as its digits.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Returns the beginning of a text for an error message, without characters that move the cursor or
/// reorder the text.
pub(crate) fn quoted(text: &str, longest: usize) -> String {
    let is_unprintable = |it: char| {
        it.is_control()
            || matches!(it, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut quoted: String = text.chars().take(longest).collect();
    if quoted.len() < text.len() {
        quoted.push('…');
    }
    quoted.replace(is_unprintable, " ")
}

impl From<ClassName> for Class {
    fn from(name: ClassName) -> Self {
        match name {
            ClassName::Read => Self::Read,
            ClassName::Create => Self::Create,
            ClassName::Money => Self::Money,
        }
    }
}

impl From<EvidenceName> for Evidence {
    fn from(name: EvidenceName) -> Self {
        match name {
            EvidenceName::Published => Self::Published,
            EvidenceName::Draft => Self::Draft,
            EvidenceName::Assumed => Self::Assumed,
        }
    }
}

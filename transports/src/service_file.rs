//! The service file: what an integrator knows about the service beyond this crate, in TOML.
//!
//! Owns the file's format. The catalogue decides what may be set, and what may not.

use std::collections::{BTreeMap, BTreeSet};

use imts_core::service::{Refresh, SignIn, TokenIn};
use imts_core::services::transfer::{GetToken, RefreshToken};
use imts_core::{
    Catalogue, CatalogueError, Class, Decided, EndpointError, Evidence, Operation, Service,
    ServicePath, services,
};
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
    /// A status is outside 100 to 999.
    #[error("operation.{name}, line {line}: {status} is no HTTP status")]
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
    #[error("operation.{name}, line {line}: its path is that of `{other}` too")]
    SamePath {
        /// The line, counted from 1.
        line: usize,
        /// The operation's name.
        name: String,
        /// The name of the other operation.
        other: String,
    },
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
enum ClassName {
    Read,
    Create,
    Money,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EvidenceName {
    Published,
    Draft,
    #[default]
    Assumed,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DecidedTable {
    #[serde(default)]
    statuses: BTreeSet<u16>,
    #[serde(default)]
    codes: Vec<Code>,
}

/// The service's codes are numbers or text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Number(i64),
    Text(String),
}

/// Returns IMTS's contract with the additions of a service file.
///
/// ```
/// use imts::{Class, service_of};
///
/// let contract = service_of(
///     r#"
///     version = 1
///
///     [operation.confirm]                      # one of the section's: its class is fixed
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
///     [operation.daily-report]                 # outside the section: it needs a class
///     path = "/v5/partner/transfer/report"
///     class = "read"                           # or create, or money
///     "#,
/// )?;
/// let print = contract.operations().entry("print-application").unwrap();
/// assert_eq!(print.reply_limit(), Some(1_048_576));
/// assert_eq!(contract.operations().entry("daily-report").unwrap().class(), Class::Read);
/// # Ok::<(), imts::ServiceFileError>(())
/// ```
///
/// # Errors
///
/// Returns [`ServiceFileError`], which says where the file is wrong and why.
pub fn service_of(file: &str) -> Result<Service, ServiceFileError> {
    if file.len() > LONGEST {
        return Err(ServiceFileError::TooLong);
    }
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
    for (name, entry) in &read.operation {
        let others = service.operations().iter().filter(|it| it.name() != name.as_ref());
        let is_same = |it: &&imts_core::OperationInfo| {
            it.path().is_some_and(|path| path.as_str() == entry.path.as_ref())
        };
        if let Some(other) = others.into_iter().find(is_same) {
            let (name, other) = (name.as_ref().clone(), other.name().to_owned());
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
    let evidence = match entry.evidence {
        EvidenceName::Published => Evidence::Published,
        EvidenceName::Draft => Evidence::Draft,
        EvidenceName::Assumed => Evidence::Assumed,
    };
    let shown = quoted(name, LONGEST_NAME);
    let statuses = &entry.decided_before_processing.statuses;
    if let Some(status) = statuses.iter().find(|status| !(100..=999).contains(*status)) {
        return Err(ServiceFileError::Status { line, name: shown, status: *status });
    }
    let service = match (entry.class, name) {
        (None, GetToken::NAME) => {
            service.with_sign_in(SignIn::at(path.clone()).with_evidence(evidence))
        }
        (None, RefreshToken::NAME) => {
            let token_in = TokenIn::Body { field: "refresh_token".to_owned() };
            let refresh = Refresh::new(http::Method::POST, path.clone(), token_in);
            service.with_refresh(refresh.with_evidence(evidence))
        }
        _ => service,
    };
    let mut operations = service.operations().clone();
    let in_section = operations.entry(name).is_some_and(imts_core::OperationInfo::is_in_section);
    let added = match entry.class {
        Some(class) => operations.add(name, class.into(), path, evidence),
        None if matches!(name, GetToken::NAME | RefreshToken::NAME) => Ok(()),
        None if in_section => operations.set_path(name, path, evidence),
        None => Err(CatalogueError::NoSuchOperation { name: shown.clone() }),
    };
    let wrong = |error| ServiceFileError::Operation { line, name: shown, error };
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

fn decided(entry: &Entry) -> Decided {
    let table = &entry.decided_before_processing;
    let code = |code: &Code| match code {
        Code::Number(number) => number.to_string(),
        Code::Text(text) => text.clone(),
    };
    Decided { statuses: table.statuses.clone(), codes: table.codes.iter().map(code).collect() }
}

/// Returns the beginning of a text for an error message, without characters that move the cursor or
/// reorder the text.
fn quoted(text: &str, longest: usize) -> String {
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

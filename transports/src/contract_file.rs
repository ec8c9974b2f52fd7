//! The contract file: what an integrator knows of the service beyond this crate, in TOML.
//!
//! Owns the file's format. What may be set, and what may not, is the catalogue's to say.

use std::collections::{BTreeMap, BTreeSet};

use imts_core::contract::{Refresh, SignIn, TokenIn};
use imts_core::operations::{GetToken, RefreshToken};
use imts_core::{
    CatalogueError, Class, Contract, Decided, EndpointError, Evidence, Operation, ServicePath,
};
use serde::Deserialize;
use thiserror::Error;

/// The longest contract file that is read, in bytes.
const LONGEST: usize = 1_048_576;

/// Why a contract file cannot be used. The integrator's to mend.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ContractFileError {
    /// It is not TOML, or has a field that is unknown, missing or of the wrong type.
    #[error("the contract file is wrong at line {line}: {message}")]
    Form {
        /// Where, counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// Its version is another one.
    #[error("the contract file has version {0}, and this library reads version 1")]
    Version(u32),
    /// An operation's path cannot be used.
    #[error("operation.{name}: {error}")]
    Path {
        /// The operation's name.
        name: String,
        /// Why.
        error: EndpointError,
    },
    /// What is said of an operation cannot be.
    #[error("operation.{name}: {error}")]
    Operation {
        /// The operation's name.
        name: String,
        /// Why.
        error: CatalogueError,
    },
    /// A status outside 100 to 999.
    #[error("operation.{name}: {status} is no HTTP status")]
    Status {
        /// The operation's name.
        name: String,
        /// The number.
        status: u16,
    },
    /// The file is longer than a mebibyte.
    #[error("the contract file is longer than 1048576 bytes")]
    TooLong,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    operation: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: String,
    class: Option<ClassName>,
    #[serde(default)]
    evidence: EvidenceName,
    #[serde(default)]
    decided_before_processing: DecidedTable,
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

/// IMTS's contract with what a contract file adds to it.
///
/// ```
/// use imts::{Class, contract_of};
///
/// let contract = contract_of(
///     r#"
///     version = 1
///
///     [operation.confirm]                      # one of the section's: its class is fixed
///     path = "/v5/partner/transfer/example"    # from the vendor's page
///     evidence = "published"                   # or draft, or assumed (the default)
///     [operation.confirm.decided_before_processing]
///     statuses = [429]                         # with these nothing was processed,
///     codes = ["1001", 42]                     # nor with these error codes
///
///     [operation.daily-report]                 # outside the section: it needs a class
///     path = "/v5/partner/transfer/report"
///     class = "read"                           # or create, or money
///     "#,
/// )?;
/// assert_eq!(contract.operations().entry("daily-report").unwrap().class(), Class::Read);
/// # Ok::<(), imts::ContractFileError>(())
/// ```
///
/// # Errors
///
/// [`ContractFileError`] says where the file is wrong and why.
pub fn contract_of(file: &str) -> Result<Contract, ContractFileError> {
    if file.len() > LONGEST {
        return Err(ContractFileError::TooLong);
    }
    let file: File = toml::from_str(file).map_err(|error| {
        let before = error.span().and_then(|span| file.get(..span.start)).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        ContractFileError::Form { line, message: error.message().to_owned() }
    })?;
    if file.version != 1 {
        return Err(ContractFileError::Version(file.version));
    }
    file.operation.into_iter().try_fold(Contract::imts(), |contract, (name, entry)| {
        let path = ServicePath::new(entry.path.as_str())
            .map_err(|error| ContractFileError::Path { name: name.clone(), error })?;
        add(contract, &name, path, &entry)
    })
}

fn add(
    contract: Contract,
    name: &str,
    path: ServicePath,
    entry: &Entry,
) -> Result<Contract, ContractFileError> {
    let evidence = match entry.evidence {
        EvidenceName::Published => Evidence::Published,
        EvidenceName::Draft => Evidence::Draft,
        EvidenceName::Assumed => Evidence::Assumed,
    };
    let mut operations = contract.operations().clone();
    let in_section = operations.entry(name).is_some_and(imts_core::Entry::is_in_section);
    let added = match entry.class {
        Some(class) => operations.add(name, class.into(), path, evidence),
        None if name == GetToken::NAME => {
            let sign_in = SignIn::at(path).with_evidence(evidence);
            return Ok(contract.with_sign_in(sign_in));
        }
        None if name == RefreshToken::NAME => {
            let token_in = TokenIn::Body { field: "refresh_token".to_owned() };
            let refresh = Refresh::new(http::Method::POST, path, token_in);
            return Ok(contract.with_refresh(refresh.with_evidence(evidence)));
        }
        None if in_section => operations.set_path(name, path, evidence),
        None => Err(CatalogueError::NoSuchOperation { name: name.to_owned() }),
    };
    let wrong = |error| ContractFileError::Operation { name: name.to_owned(), error };
    added.and_then(|()| operations.set_decided(name, decided(entry))).map_err(wrong)?;
    let statuses = &entry.decided_before_processing.statuses;
    if let Some(status) = statuses.iter().find(|status| !(100..=999).contains(*status)) {
        return Err(ContractFileError::Status { name: name.to_owned(), status: *status });
    }
    Ok(contract.with_operations(operations))
}

fn decided(entry: &Entry) -> Decided {
    let table = &entry.decided_before_processing;
    let code = |code: &Code| match code {
        Code::Number(number) => number.to_string(),
        Code::Text(text) => text.clone(),
    };
    Decided { statuses: table.statuses.clone(), codes: table.codes.iter().map(code).collect() }
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

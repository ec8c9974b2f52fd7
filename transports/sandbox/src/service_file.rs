//! The service file: operations about which an integrator knows more than the vendor's pages say.
//!
//! Owns the file's format and the rules for a usable one. The file does not contain an operation's
//! replies.

use std::collections::BTreeMap;
use std::fmt;

use imts_core::catalogue::MAX_REPLY_LIMIT;
use serde::Deserialize;

use crate::operation::{Class, Operation, class_from_name};
use crate::served::{Decided, Evidence, Served};
use crate::settings::Settings;

/// Why a service file cannot be served. Its text says where and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFileError(String);

impl fmt::Display for ServiceFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ServiceFileError {}

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
    #[serde(default, deserialize_with = "class_from_name")]
    class: Option<Class>,
    evidence: Option<Evidence>,
    /// Used by the client only. It is checked here so that both accept the same files.
    reply_limit: Option<usize>,
    /// Used by the client only. The service uses [`Settings::id_field`].
    reference_field: Option<String>,
    #[serde(default)]
    decided_before_processing: Decided,
}

impl Settings {
    /// Adds the operations of a service file, or changes their paths. After an error, none of them
    /// is added or changed.
    ///
    /// ```
    /// use imts_sandbox::{Class, Operation, Settings};
    ///
    /// let mut settings = Settings::default();
    /// settings.add_service_file(
    ///     r#"
    ///     version = 1
    ///     [operation.create-transfer]
    ///     path = "/v5/partner/transfer/example"
    ///     evidence = "assumed"                     # or published, or draft; optional
    ///     [operation.create-transfer.decided_before_processing]   # optional
    ///     statuses = [429]
    ///     codes = ["1001", 42]
    ///     [operation.my-report]                    # not in the catalogue: it needs a class
    ///     path = "/v5/partner/transfer/report"
    ///     class = "read"                           # or create, or money
    ///     "#,
    /// )?;
    /// assert_eq!(settings.operations[&Operation::CreateTransfer].class, Class::Money);
    /// # Ok::<(), imts_sandbox::ServiceFileError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if one of these holds:
    ///
    /// - The file is not TOML, is not of version 1, or has an unknown field.
    /// - A name cannot be an operation's name.
    /// - A path is not valid, or belongs to the sandbox or to another operation.
    /// - A class is missing, or differs from the catalogue's class.
    /// - A reply limit is outside 1 to 67108864.
    /// - A token exchange has more than a path, an evidence and its class.
    /// - A status is outside 100 to 999.
    /// - A code is neither a string nor a whole number.
    pub fn add_service_file(&mut self, file: &str) -> Result<(), ServiceFileError> {
        let file: File = toml::from_str(file)
            .map_err(|error| ServiceFileError(error.to_string().trim_end().to_owned()))?;
        if file.version != 1 {
            let message =
                format!("the file has version {}, and the sandbox reads version 1", file.version);
            return Err(ServiceFileError(message));
        }
        let mut added = BTreeMap::new();
        for (name, entry) in file.operation {
            let at = |message: String| ServiceFileError(format!("operation.{name}: {message}"));
            let operation = operation(&name).map_err(at)?;
            let served = served(operation, entry).map_err(at)?;
            if added.insert(operation, served).is_some() {
                return Err(at("is defined twice".to_owned()));
            }
        }
        let mut table = self.operations.clone();
        table.extend(added);
        check_table(&table)?;
        self.operations = table;
        Ok(())
    }
}

/// Checks that every path belongs to one operation only.
pub(crate) fn check_table(table: &BTreeMap<Operation, Served>) -> Result<(), ServiceFileError> {
    let mut paths = BTreeMap::new();
    for (operation, served) in table {
        if let Some(other) = paths.insert(&served.path, operation) {
            return Err(ServiceFileError(format!("{other} and {operation} have the same path")));
        }
    }
    Ok(())
}

/// Returns the operation of this name, if the sandbox can serve it at a path of its own.
pub(crate) fn operation(name: &str) -> Result<Operation, String> {
    match name.parse().map_err(|error| format!("{error}"))? {
        Operation::Echo | Operation::Other => Err("the sandbox uses this name itself".to_owned()),
        Operation::Signed(_) => Err("the sandbox serves this operation at its own path".to_owned()),
        operation => Ok(operation),
    }
}

fn served(operation: Operation, entry: Entry) -> Result<Served, String> {
    let class = class(operation, entry.class)?;
    check_path(&entry.path)?;
    let decided = entry.decided_before_processing;
    let has_more = entry.reply_limit.is_some()
        || entry.reference_field.is_some()
        || !decided.statuses.is_empty()
        || !decided.codes.is_empty();
    if matches!(operation, Operation::GetToken | Operation::Refresh) && has_more {
        return Err("only the path and the evidence of a token exchange are set here".to_owned());
    }
    if let Some(limit) = entry.reply_limit
        && !(1..=MAX_REPLY_LIMIT).contains(&limit)
    {
        return Err(format!("a reply limit of {limit} is not from 1 to {MAX_REPLY_LIMIT}"));
    }
    if let Some(status) = decided.statuses.iter().find(|status| !(100..=999).contains(*status)) {
        return Err(format!("{status} is not an HTTP status"));
    }
    if !decided.codes.iter().all(|code| code.is_string() || code.is_i64() || code.is_u64()) {
        return Err("a code is a string or a whole number".to_owned());
    }
    let evidence = entry.evidence.unwrap_or(Evidence::Assumed);
    Ok(Served { decided, ..Served::new(entry.path, class, evidence) })
}

/// Returns the class of an operation, from the catalogue or from the caller. If both give one, they
/// must agree.
pub(crate) fn class(operation: Operation, said: Option<Class>) -> Result<Class, String> {
    match (operation.class(), said) {
        (Some(known), Some(said)) if known != said => {
            Err(format!("the catalogue's class is {}", known.as_str()))
        }
        (Some(class), _) | (None, Some(class)) => Ok(class),
        (None, None) => Err("not in the catalogue: it needs a class".to_owned()),
    }
}

pub(crate) fn check_path(path: &str) -> Result<(), String> {
    let visible = path.bytes().all(|byte| byte.is_ascii_graphic());
    if !path.starts_with('/') || !visible || path.contains(['?', '#', '\\', '"']) {
        return Err("the path must begin with / and be visible ASCII without ? and #".to_owned());
    }
    if path.split('/').any(|segment| segment == "." || segment == "..") || path.contains("//") {
        return Err("the path must have no empty, . or .. segment".to_owned());
    }
    if path == "/_sandbox" || path.starts_with("/_sandbox/") {
        return Err("the sandbox uses this path itself".to_owned());
    }
    Ok(())
}

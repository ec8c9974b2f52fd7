//! The service file, and the operations by name.
//!
//! Owns reading the file, and the messages for an operation that cannot be called. Does not know
//! what the file may contain: the library does.

use std::path::Path;
use std::time::Duration;

use imts::catalogue::CatalogueError;
use imts::endpoint::ServicePath;
use imts::service::Tokens;
use imts::service_file::{ServiceFileError, service_of};
use imts::{Catalogue, Evidence, Service, services};

use crate::failure::Failure;
use crate::input::Source;
use crate::near::did_you_mean;
use crate::timeout::TimeLimit;

/// The longest service file that is read, in bytes.
const MAX_FILE: u64 = 1_048_576;

/// Returns the vendor's service, with the additions of a file.
pub(crate) fn of(file: Option<&Path>, within: Duration) -> Result<Service, Failure> {
    let Some(path) = file.map(Path::to_owned) else { return Ok(services::transfer()) };
    TimeLimit::of(within)
        .bound("reading the service file", move || read(&path).map(|(_, service)| service))
}

/// Returns a service file's text and its service.
pub(crate) fn read(path: &Path) -> Result<(String, Service), Failure> {
    let mut text = Source::File(path.to_owned()).text("--service-file", MAX_FILE)?;
    let service = service_of(&text).map_err(|error| {
        let meant = meant(&error);
        Failure::usage(format!("--service-file {} cannot be used: {error}{meant}", path.display()))
    })?;
    Ok((std::mem::take(&mut *text), service))
}

/// Returns the service in which this operation can be called. If `path` is given, it replaces the
/// operation's path.
///
/// If the name is not an operation's name, the message does not repeat it: it may be anything.
pub(crate) fn with_callable(
    service: Service,
    name: &str,
    path: Option<&str>,
) -> Result<Service, Failure> {
    let tokens = service.tokens().cloned();
    let exchanges = exchanges(tokens.as_ref());
    if exchanges.iter().any(|(exchange, _)| *exchange == name) {
        return Err(Failure::usage(format!(
            "`{name}` returns tokens, which this command does not print: use `imts token`"
        )));
    }
    let mut operations = service.operations().clone();
    if operations.entry(name).is_none() {
        return Err(unknown(&operations, name));
    }
    if let Some(path) = path {
        let path = ServicePath::new(path)
            .map_err(|error| Failure::usage(format!("--path cannot be used: {error}")))?;
        operations.set_path(name, path, Evidence::Assumed).map_err(Failure::usage)?;
    }
    let Some(path) = operations.entry(name).and_then(|entry| entry.path().cloned()) else {
        return Err(Failure::usage(format!(
            "the path of `{name}` is unknown: take it from the vendor's page and give it with --path, \
             or in a service file (--service-file FILE) under [operation.{name}] as path = \"/…\""
        )));
    };
    if let Some((exchange, _)) = exchanges.iter().find(|(_, its)| **its == path) {
        return Err(Failure::usage(format!(
            "--path is the path of `{exchange}`, whose reply holds tokens: give the path of `{name}`"
        )));
    }
    Ok(service.with_operations(operations))
}

/// The names and the paths of the token exchanges.
fn exchanges(tokens: Option<&Tokens>) -> Vec<(&str, &ServicePath)> {
    let sign_in = tokens.map(Tokens::sign_in).map(|it| (it.name(), it.path()));
    let refresh = tokens.and_then(Tokens::refresh).map(|it| (it.name(), it.path()));
    sign_in.into_iter().chain(refresh).collect()
}

fn unknown(operations: &Catalogue, name: &str) -> Failure {
    let names = operations.iter().map(imts::catalogue::OperationInfo::name);
    let near = did_you_mean(names, &name.replace('_', "-"));
    Failure::usage(format!(
        "there is no operation of this name.{near} See `imts operations` for all names. An \
         operation of your own needs a service file (--service-file FILE) with its path and its \
         class"
    ))
}

/// Says what was probably meant in a service file: another field, another operation, or a version.
/// The library's message quotes the unknown field first, and then those that exist.
fn meant(error: &ServiceFileError) -> String {
    if let ServiceFileError::Operation {
        name, error: CatalogueError::NoSuchOperation { .. }, ..
    } = error
    {
        let service = services::transfer();
        let names = service.operations().iter().map(imts::catalogue::OperationInfo::name);
        return did_you_mean(names, &name.replace('_', "-")).replacen(' ', ". ", 1);
    }
    let ServiceFileError::Form { message, .. } = error else { return String::new() };
    if message.starts_with("missing field `version`") {
        return ": begin the file with `version = 1`".to_owned();
    }
    let Some(quoted) = message.strip_prefix("unknown field ") else { return String::new() };
    let mut fields = quoted.split('`').skip(1).step_by(2);
    let unknown = fields.next().unwrap_or_default();
    did_you_mean(fields, unknown).replacen(' ', ". ", 1)
}

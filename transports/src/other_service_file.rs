//! The service file of one of the vendor's other services, with what an integrator knows about it
//! beyond this crate, in TOML.
//!
//! Owns the file's format: which service it is about, and for each operation its path, how it is
//! signed, and what the service does with a repeated request. The catalogue decides what may be set.
//! The file for Transfer is `service_file`.

mod entry;
mod error;
mod services;

use std::collections::BTreeMap;

use imts_core::catalogue::CatalogueError;
use imts_core::text;
use imts_core::{Catalogue, Service};
use serde::Deserialize;
use toml::Spanned;

use self::entry::Entry;
pub use self::error::OtherServiceFileError;
use self::services::Envelope;
use crate::service_file::quoted;

/// The longest service file that is read, in bytes.
const LONGEST: usize = 1_048_576;
/// How many characters of a name an error quotes.
const LONGEST_NAME: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    service: Spanned<String>,
    envelope: Option<Envelope>,
    #[serde(default)]
    operation: BTreeMap<Spanned<String>, Entry>,
}

/// Returns the service that such a service file names, with the file's additions.
///
/// With it, each operation of the vendor's menu can be called with your own JSON, once you have its
/// path from the vendor.
///
/// ```
/// use imts::other_service_file::other_service_of;
/// use imts::{Class, operation::{Auth, Repeat}};
///
/// let service = other_service_of(
///     r#"
///     version = 1
///     service = "card-api"                      # the names are in the error for another one
///
///     [operation.block-card]                    # known by name: its class is fixed
///     path = "/v5/card-api/card/example"        # from the vendor's page
///     evidence = "published"                    # or draft, or assumed (the default)
///
///     [operation.freeze-card]                   # your own operation: it needs a class
///     path = "/v5/card-api/card/freeze/:card_id"  # the request's field `card_id` fills it
///     class = "create"                          # or read, or money
///     auth = "jws-hs512"                        # how it is signed
///     repeat = "refused"                        # or replayed, or unknown (the default)
///     repeat_codes = ["1002"]                   # with these it was refused before
///     reference_field = "request_id"            # the field that names what is asked for
///     ask = { operation = "request-status", field = "request_id" }
///     headers = { X-Channel = "web" }
///     "#,
/// )?;
/// let freeze = service.operations().entry("freeze-card").unwrap();
/// assert_eq!((freeze.class(), freeze.auth()), (Class::Create, Auth::Jws));
/// assert_eq!(freeze.repeat(), &Repeat::refused(["1002"]));
/// # Ok::<(), imts::other_service_file::OtherServiceFileError>(())
/// ```
///
/// # Errors
///
/// [`OtherServiceFileError`] says where the file is wrong and why.
pub fn other_service_of(file: &str) -> Result<Service, OtherServiceFileError> {
    if file.len() > LONGEST {
        return Err(OtherServiceFileError::TooLong);
    }
    let file = text::document(file.as_bytes()).map_err(OtherServiceFileError::Text)?;
    let line = |at: usize| {
        let before = file.get(..at).unwrap_or_default();
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    };
    let read: File = toml::from_str(file).map_err(|error| {
        let line = line(error.span().map_or(0, |span| span.start));
        OtherServiceFileError::Form { line, message: quoted(error.message(), 256) }
    })?;
    if read.version != 1 {
        return Err(OtherServiceFileError::Version(read.version));
    }
    let Some(mut service) = services::named(read.service.as_ref()) else {
        let name = quoted(read.service.as_ref(), LONGEST_NAME);
        let names = services::names().join(", ");
        return Err(OtherServiceFileError::Service {
            line: line(read.service.span().start),
            name,
            names,
        });
    };
    if let Some(envelope) = read.envelope {
        service = service.with_format(envelope.format());
    }
    let mut operations = service.operations().clone();
    for (name, entry) in &read.operation {
        let place = Place { name: name.as_ref(), line: line(name.span().start) };
        entry.add_to(&mut operations, place)?;
    }
    for (name, entry) in &read.operation {
        let place = Place { name: name.as_ref(), line: line(name.span().start) };
        entry.ask(&mut operations, place)?;
        check_class(&operations, place)?;
    }
    Ok(service.with_operations(operations))
}

/// Where an operation stands in the file.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    line: usize,
}

impl Place<'_> {
    fn shown(self) -> String {
        quoted(self.name, LONGEST_NAME)
    }

    /// The error of this operation. What it quotes is cut and fit to be shown.
    fn wrong(self, error: CatalogueError) -> OtherServiceFileError {
        let error = match error {
            CatalogueError::Header { name } => {
                CatalogueError::Header { name: quoted(&name, LONGEST_NAME) }
            }
            CatalogueError::NoSuchOperation { name } => {
                CatalogueError::NoSuchOperation { name: quoted(&name, LONGEST_NAME) }
            }
            other => other,
        };
        OtherServiceFileError::Operation { line: self.line, name: self.shown(), error }
    }
}

/// Two names for one path: the one that could be sent again must not be the cheaper one.
fn check_class(operations: &Catalogue, place: Place<'_>) -> Result<(), OtherServiceFileError> {
    let Some(own) = operations.entry(place.name) else { return Ok(()) };
    let is_dearer = |other: &&imts_core::catalogue::OperationInfo| {
        let meets = other.path().zip(own.path()).is_some_and(|(one, two)| one.meets(two));
        other.class() > own.class() && meets
    };
    match operations.iter().find(is_dearer) {
        Some(other) => Err(OtherServiceFileError::SamePath {
            line: place.line,
            name: place.shown(),
            other: other.name().to_owned(),
        }),
        None => Ok(()),
    }
}

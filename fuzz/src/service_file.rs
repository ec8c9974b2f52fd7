//! Any text as a service file.
//!
//! An input is the file. What begins with `=` is put together, a line each (see
//! [`reply`](crate::reply) for the signs before the letter): `o` begins the table of the operation
//! of that name, or of the built-in operation of that number, with a path of its own and, if it is
//! not built in, a class. `p c e` are its path, class and evidence; for the last two a letter is
//! enough. `s` and `k` add a status and a code that are decided before processing. `X` adds a line
//! as it stands. `v` is the file's version.
//!
//! The sandbox reads each file as well: the two must accept and refuse the same files, and
//! understand them in the same way, unless one is known to be stricter.

mod input;
mod sandbox;

use std::collections::BTreeSet;

use imts::endpoint::ServicePath;
use imts::service_file::{ServiceFileError, service_of};
use imts::{Endpoint, Service, services};

use crate::{Ran, Target};

/// This target.
pub const TARGET: Target = Target { name: "service_file", goal: "an operation with its path", run };

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    let (structured, file) = match data.strip_prefix(b"=") {
        Some(lines) => (true, input::put_together(lines)),
        None => (false, String::from_utf8_lossy(data).into_owned()),
    };
    let service = service_of(&file);
    sandbox::check_agreement(&file, &service);
    let deepest = match &service {
        Ok(service) => {
            check_service(service);
            // A built-in one has a path of its own.
            service.operations().iter().filter(|entry| entry.path().is_some()).count() > 1
        }
        Err(error) => {
            check_error(&file, error);
            false
        }
    };
    Ran { structured, deepest }
}

/// An error is short and fit to be shown, and speaks of what the file has.
fn check_error(file: &str, error: &ServiceFileError) {
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(text.len() < 1_000, "an error of {} bytes: {text}", text.len());
    }
    let text = error.to_string();
    assert!(!text.contains(char::is_control), "an error that moves the cursor: {text:?}");
    let (line, name) = match error {
        ServiceFileError::Form { line, .. } => (*line, None),
        ServiceFileError::Path { line, name, .. }
        | ServiceFileError::Operation { line, name, .. }
        | ServiceFileError::Status { line, name, .. }
        | ServiceFileError::TokenExchange { line, name }
        | ServiceFileError::SamePath { line, name, .. } => (*line, Some(name)),
        _ => return,
    };
    let lines = file.bytes().filter(|byte| *byte == b'\n').count() + 1;
    assert!((1..=lines).contains(&line), "line {line} of {lines}");
    // An escaped or cut name does not stand in the file as it is printed.
    let is_plain =
        |name: &&String| !file.contains('\\') && name.bytes().all(|b| b.is_ascii_graphic());
    if let Some(name) = name.filter(is_plain) {
        assert!(file.contains(name.as_str()), "an operation that the file does not have: {name}");
    }
}

/// The built-in operations change only their paths. Every path is safe and one operation's alone.
fn check_service(service: &Service) {
    let built_in = services::transfer::catalogue();
    let operations = service.operations();
    let mut entries = operations.iter();
    for known in built_in.iter() {
        let entry = entries.next().expect("none is taken away");
        assert_eq!(
            (entry.name(), entry.class(), entry.auth(), entry.is_built_in()),
            (known.name(), known.class(), known.auth(), true),
        );
    }
    for added in entries {
        assert!(!added.is_built_in() && built_in.entry(added.name()).is_none());
        assert!(added.path().is_some(), "{added:?}");
        let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        assert!((1..=64).contains(&added.name().len()) && added.name().bytes().all(is_name));
    }
    let mut paths = BTreeSet::new();
    for entry in operations.iter() {
        let statuses = &entry.decided().statuses;
        assert!(statuses.iter().all(|status| (100..=999).contains(status)), "{entry:?}");
        let Some(path) = entry.path() else { continue };
        assert!(paths.insert(path.as_str()), "{path} is that of two operations");
        check_path(path);
    }
    let tokens = service.tokens().expect("the token exchanges stay");
    let refresh = tokens.refresh().expect("the refresh stays");
    for path in [tokens.sign_in().path(), refresh.path()] {
        assert!(paths.insert(path.as_str()), "{path} is that of an operation");
        check_path(path);
    }
}

fn check_path(path: &ServicePath) {
    assert_eq!(ServicePath::new(path.as_str()).as_ref(), Ok(path));
    let endpoint = Endpoint::https("https://fuzz.example/base").expect("a good URL");
    let url = endpoint.join(path).expect("a URL");
    assert_eq!(url.authority().map(http::uri::Authority::as_str), Some("fuzz.example"));
    assert_eq!(url.path().strip_prefix("/base"), Some(path.as_str()));
    assert_eq!(url.query(), None);
}

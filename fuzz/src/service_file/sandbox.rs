//! The same file as the sandbox reads it, and the known differences.

use imts::Service;
use imts::catalogue::{CatalogueError, OperationInfo};
use imts::service_file::ServiceFileError;
use imts_sandbox::{Operation, Served, Settings};

/// What the client takes, the sandbox takes, and the other way round.
pub(super) fn check_agreement(file: &str, service: &Result<Service, ServiceFileError>) {
    let mut settings = Settings::default();
    let added = settings.add_service_file(file);
    match (service, added) {
        (Ok(service), Ok(())) => check_same(service, &settings),
        (Ok(service), Err(error)) => {
            assert!(
                service.operations().iter().any(is_beyond_the_sandbox),
                "the sandbox alone refuses: {error}\n{file}"
            );
        }
        (Err(error), Ok(())) => {
            assert!(is_stricter(error), "the sandbox alone takes it: {error}\n{file}");
        }
        (Err(_), Err(_)) => {}
    }
}

/// The sandbox has names and paths of its own, and shorter names.
fn is_beyond_the_sandbox(entry: &OperationInfo) -> bool {
    let (name, path) = (entry.name(), entry.path().map_or("", imts::endpoint::ServicePath::as_str));
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    name.len() > 40
        || !begins
        || matches!(name, "refresh" | "echo" | "other")
        || path == "/_sandbox"
        || path.starts_with("/_sandbox/")
}

/// The sandbox takes paths that cannot be joined to a URL safely, a class that is right, and `_`
/// for a hyphen.
fn is_stricter(error: &ServiceFileError) -> bool {
    match error {
        ServiceFileError::Path { .. } => true,
        ServiceFileError::Operation { error, .. } => match error {
            CatalogueError::ClassIsFixed { .. } | CatalogueError::Name => true,
            CatalogueError::NoSuchOperation { name } => name.contains('_') || name == "refresh",
            _ => false,
        },
        _ => false,
    }
}

/// What both have taken, both understand.
fn check_same(service: &Service, settings: &Settings) {
    if service.operations().entry("refresh").is_some() {
        // The sandbox's own name for Refresh token, and to the client an operation that is not built in.
        return;
    }
    for entry in service.operations().iter() {
        let operation: Operation = entry.name().parse().expect("a name that was taken");
        let served = settings.operations.get(&operation);
        let path = served.map(|served| served.path.as_str());
        assert_eq!(path, entry.path().map(imts::endpoint::ServicePath::as_str), "{entry:?}");
        if let Some(served) = served {
            check_entry(entry, served);
        }
    }
}

fn check_entry(entry: &OperationInfo, served: &Served) {
    assert_eq!(served.class.as_str(), entry.class().as_str(), "{entry:?}");
    let evidence = format!("{:?}", served.evidence).to_lowercase();
    assert_eq!(evidence, entry.evidence().as_str(), "{entry:?}");
    let statuses = served.decided.statuses.iter().copied().collect();
    let code = |code: &serde_json::Value| code.as_str().map_or(code.to_string(), str::to_owned);
    let codes = served.decided.codes.iter().map(code).collect();
    let decided = imts::catalogue::Decided { statuses, codes };
    assert_eq!(*entry.decided(), decided, "{entry:?}");
}

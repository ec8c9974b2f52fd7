//! The platform's keychain: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.
//!
//! Owns the crate that reads it, which is there only with the feature `keyring`. Does not know
//! profiles.

use zeroize::Zeroizing;

use crate::failure::Failure;

/// Returns the secret of a keychain's entry.
#[cfg(feature = "keyring")]
pub(super) fn secret(service: &str, user: &str) -> Result<Zeroizing<String>, Failure> {
    let entry = keyring::Entry::new(service, user).map(|entry| entry.inner);
    entry.and_then(|entry| entry.get_secret()).map_err(|error| failure(&error)).and_then(text)
}

#[cfg(not(feature = "keyring"))]
pub(super) fn secret(_: &str, _: &str) -> Result<Zeroizing<String>, Failure> {
    Err(Failure::usage(
        "this build of imts cannot read a keychain: build it with --features keyring, or name \
         another source of the secret",
    ))
}

#[cfg(feature = "keyring")]
fn text(secret: Vec<u8>) -> Result<Zeroizing<String>, Failure> {
    crate::input::Source::Keychain.line_of("the secret", &Zeroizing::new(secret))
}

/// Creates a failure: the keychain does not yield the secret. Some errors hold what is stored, and
/// are not repeated.
#[cfg(feature = "keyring")]
fn failure(error: &keyring_core::Error) -> Failure {
    use keyring_core::Error;
    match error {
        Error::NoEntry => Failure::usage("the keychain has no entry of this service and user"),
        Error::Ambiguous(_) => {
            Failure::usage("the keychain has several entries of this service and user")
        }
        Error::PlatformFailure(error) | Error::NoStorageAccess(error) => {
            Failure::usage(format!("the keychain cannot be read: {error}"))
        }
        Error::NoDefaultStore => match keyring::Entry::store_status() {
            Err(error) => Failure::usage(format!("there is no keychain: {error}")),
            Ok(()) => Failure::usage("there is no keychain"),
        },
        _ => Failure::usage("the keychain's entry cannot be read"),
    }
}

#[cfg(all(test, feature = "keyring"))]
mod tests {
    use keyring_core::{Entry, Error, mock};

    use super::{failure, text};

    /// Reads an entry of a fake keychain.
    fn read(entry: &Entry) -> Result<String, String> {
        let secret = entry.get_secret().map_err(|error| failure(&error)).and_then(text);
        secret.map(|secret| secret.to_string()).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_keychains_entry_is_one_line_and_what_is_wrong_with_it_is_said_without_it() {
        let store: std::sync::Arc<keyring_core::CredentialStore> = mock::Store::new().unwrap();
        let entry = Entry::new_in_store(&store, "imts", "agent-7").unwrap();
        assert!(read(&entry).unwrap_err().contains("entry"));
        entry.set_password("kept-secret\n").unwrap();
        assert_eq!(read(&entry).unwrap(), "kept-secret");
        let credential: &mock::Cred = entry.as_any().downcast_ref().unwrap();
        credential.set_error(Error::NoStorageAccess("locked".into()));
        assert!(read(&entry).unwrap_err().ends_with("locked"));
        credential.set_error(Error::BadEncoding(b"zq7x".to_vec()));
        assert_eq!(read(&entry).unwrap_err(), "the keychain's entry cannot be read");
        for (kept, words) in
            [(&b"zq\n7x"[..], "more than one line"), (b"zq\xff", "UTF-8"), (b" ", "blank")]
        {
            entry.set_secret(kept).unwrap();
            let error = read(&entry).unwrap_err();
            assert!(error.contains("the keychain") && error.contains(words), "{error}");
            assert!(!error.contains("zq"), "{error}");
        }
    }
}

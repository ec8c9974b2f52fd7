//! The session that is cached for a profile: a file of the user's own.
//!
//! Owns where it is. The library's file store owns its form, and refuses a file that others could
//! read or change.

use std::env;
use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

use imts::journal::Digest;

/// The service whose sessions these are. Those of another service get files of their own.
const SERVICE: &str = "transfer";

/// Returns the file for an endpoint and an agent. `None` if the user has no state
/// folder.
pub(super) fn file(endpoint: &str, agent_id: &str) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let folder = PathBuf::from(env::var_os(name)?);
        folder.is_absolute().then_some(folder)
    };
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute(HOME.0)?.join(HOME.1)))?;
    // No part has a line break. The file itself says whose it is, so a digest needs no more bits.
    let name = Digest::of([SERVICE, endpoint, agent_id].join("\n").as_bytes());
    Some(state.join("imts").join("sessions").join(name.to_string()))
}

/// The variable of the user's own folder, and the folder of states in it.
#[cfg(not(windows))]
const HOME: (&str, &str) = ("HOME", ".local/state");
#[cfg(windows)]
const HOME: (&str, &str) = ("LOCALAPPDATA", "");

/// Creates the folder of a file. What is missing is made for the user alone.
pub(super) fn create_folder(file: &Path) -> Result<(), io::Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    file.parent().map_or(Ok(()), |folder| builder.create(folder))
}

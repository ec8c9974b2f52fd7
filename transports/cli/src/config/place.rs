//! A place in the file of profiles.

use std::fmt;
use std::path::PathBuf;

/// A line of a profile in its file. Messages name it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) profile: String,
    pub(crate) file: PathBuf,
    /// Counted from 1.
    pub(crate) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { profile, file, line } = self;
        write!(f, "profile {profile} in {}, line {line}", file.display())
    }
}

//! Whether another user could have written a file.
//!
//! Owns the walk along the file's path: who can write one of its folders can replace the file.

use std::path::Path;

/// Returns why a file must not be trusted: another user can write it, its folder, or a folder above.
///
/// Root is trusted. A folder above may be writable by all if it is sticky, as `/tmp` is: nobody can
/// then replace what belongs to another user. Links are followed, and the folders on their way are
/// checked too.
#[cfg(unix)]
pub(crate) fn distrusted(file: &Path) -> Result<Option<String>, std::io::Error> {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::path::{Component, PathBuf};

    /// More links than any real path has. A circle of links has no end.
    const MOST_LINKS: usize = 40;
    const STICKY: u32 = 0o1000;

    let me = rustix::process::geteuid().as_raw();
    let name_of = |path: &Path| path.display().to_string();
    let mut ahead: Vec<_> = parts(file);
    let (mut here, mut links) = (PathBuf::from("/"), 0);
    while let Some(part) = ahead.pop() {
        match Path::new(&part).components().next() {
            Some(Component::ParentDir) => drop(here.pop()),
            Some(Component::RootDir) => here = PathBuf::from("/"),
            _ => here.push(&part),
        }
        let metadata = fs::symlink_metadata(&here)?;
        if !matches!(metadata.uid(), 0) && metadata.uid() != me {
            return Ok(Some(format!(
                "{} belongs to another user (its id is {}): only you and root may own it",
                name_of(&here),
                metadata.uid()
            )));
        }
        if metadata.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                return Err(std::io::Error::other("it is a link that leads to itself"));
            }
            let target = fs::read_link(&here)?;
            here.pop();
            ahead.extend(parts(&target));
            continue;
        }
        let is_last = ahead.is_empty();
        if is_last && !metadata.is_file() {
            return Err(std::io::Error::other("it is not a regular file"));
        }
        let is_folder_of_file = ahead.len() == 1;
        let is_open = metadata.mode() & 0o022 != 0;
        let is_sticky = metadata.mode() & STICKY != 0 && !is_last && !is_folder_of_file;
        if is_open && !is_sticky {
            let what = if is_last { "" } else { "the folder " };
            return Ok(Some(format!(
                "other users can write {what}{} (mode {:o}): chmod go-w {0}",
                name_of(&here),
                metadata.mode() & 0o7777
            )));
        }
    }
    Ok(None)
}

/// Returns the parts of a path, the last one first.
#[cfg(unix)]
fn parts(path: &Path) -> Vec<std::ffi::OsString> {
    path.components().rev().map(|part| part.as_os_str().to_owned()).collect()
}

/// This system's access lists are not read: who can write a file is not known here.
#[cfg(not(unix))]
pub(crate) fn distrusted(file: &Path) -> Result<Option<String>, std::io::Error> {
    std::fs::metadata(file).map(|_| None)
}
